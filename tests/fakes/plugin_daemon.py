"""The daemon behind plugins, whose strokes are noise: what a plugin under test starts."""

import sys
from pathlib import Path
from threading import Event

sys.path.insert(0, str(Path(__file__).parent))

if __name__ == "__main__":
    from live_fakes import FakeSpec

    from ghostnote.bridge.plugin import layout
    from ghostnote.bridge.plugin.server import serve
    from ghostnote.bridge.plugin.workshop import ServerSettings

    if len(sys.argv) > 2:
        layout.LAYOUT = int(sys.argv[2])  # type: ignore[misc]
    serve(ServerSettings(lambda _: FakeSpec(), Path(sys.argv[1]), 1, 60.0), Event())
