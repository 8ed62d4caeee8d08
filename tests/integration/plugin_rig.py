"""What the tests of the built plugin share: a user's folders, the daemon that it starts, and songs."""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mido
import numpy as np
from live_fakes import FAKES, KIT, Noise, until
from plugin_client import is_reachable, status

from ghostnote.bridge.kit.kit import Kit, load_kit
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.midi.events import event_of
from ghostnote.bridge.plugin.instance import ORIGINS
from ghostnote.bridge.plugin.kits import config_folder
from ghostnote.bridge.render.instants import Instants
from ghostnote.bridge.render.mixer import Mixer
from ghostnote.bridge.render.performer import Performer, Stroke

RATE = 48_000
Song = Sequence[tuple[int, tuple[int, ...]]]
"""Messages at frames."""
SILENT_DB = -90.0


class Home:
    """A user's folders, with kits 3 and 4 beside those that come along."""

    def __init__(self, folder: Path) -> None:
        self.kits = config_folder() / "kits"
        self.kits.mkdir(parents=True)
        save_kit(KIT, self.kits / "a.toml")
        text = (self.kits / "a.toml").read_text().replace("seed = ", "seed = 1")
        (self.kits / "b.toml").write_text(text)
        self.command()

    def command(self, *arguments: str) -> None:
        """Say how plugins start the daemon."""
        daemon = (sys.executable, str(Path(FAKES) / "plugin_daemon.py"), str(self.kits), *arguments)
        (config_folder() / "plugin-daemon").write_text("\n".join(daemon))

    @property
    def kit(self) -> Kit:
        return load_kit(self.kits / "a.toml")

    def plugins(self) -> list[dict[str, Any]]:
        """Return what the daemon says of the plugins that it serves."""
        return json.loads(status())["plugins"] if is_reachable() else []

    def counts(self) -> Counter[str]:
        """Return how many notes of the first plugin were of each origin."""
        counts = self.plugins()[0]
        return Counter({origin: int(counts.get(origin, 0)) for origin in ORIGINS})

    def process(self) -> int:
        until(is_reachable)
        return int(json.loads(status())["process"])

    def kill(self) -> None:
        os.kill(self.process(), signal.SIGKILL)
        until(lambda: not is_reachable())


@contextmanager
def home(folder: Path) -> Iterator[Home]:
    """Yield a user's folders; a daemon that was started there ends."""
    made = Home(folder)
    try:
        yield made
    finally:
        if is_reachable():
            made.kill()


def load(bundle: Path, kit: int = 3) -> Any:
    """Return the plugin in a host that bounces; by itself that waits for a note that few kits play."""
    import pedalboard

    plugin = pedalboard.load_plugin(str(bundle), initialization_timeout=0.2)
    plugin.kit = kit
    return plugin


def bounce(plugin: Any, song: Song, frames: int, block: int = 8192, reset: bool = True) -> np.ndarray:
    """Return what the plugin makes of messages at frames, (2, frames); to `reset` it, the host opens it anew."""
    # Half a frame later: the host rounds down.
    messages = [mido.Message.from_bytes(data) for _, data in song]
    timed = [message.copy(time=(frame + 0.5) / RATE) for message, (frame, _) in zip(messages, song, strict=True)]
    return np.asarray(plugin.process(timed, frames / RATE, RATE, 2, buffer_size=block, reset=reset))


def rendered(kit: Kit, song: Song, frames: int, block: int = 8192) -> np.ndarray:
    """Return what the renderer makes of the same when it reads the song in blocks, (2, frames)."""
    performer, instants, mixer = Performer(kit), Instants(RATE), Mixer(kit.pads, RATE, block_frames=frames)
    for begin in range(0, frames, block):
        events = [event_of(at, state, bytes(data)) for at, (state, *data) in song if begin <= at < begin + block]
        for event in instants.strokes(events, performer.pad_of):
            for action in performer.handle(event) if event else ():
                if isinstance(action, Stroke):
                    stroke = Noise().stroke(kit.pads[action.pad], action.index, action.velocity)
                    mixer.start(action.pad, stroke, action.frame, None, action.channel)
                else:
                    mixer.fade(action.pads, action.seconds, action.frame, action.channel, action.younger)
    return mixer.render(frames).copy()


def difference_db(one: np.ndarray, other: np.ndarray) -> float:
    return float(20 * np.log10(np.abs(one - other).max() + 1e-12))
