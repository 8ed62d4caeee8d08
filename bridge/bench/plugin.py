"""How the plugin performs on this machine: what it takes to load, to play and to bounce, in a host without a screen."""

import gc
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import mido
import pedalboard

from ghostnote.bridge.bench.live import PADS, TEMPO_BPM
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.midi.demo_groove import groove
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.plugin.build import BUILT, build
from ghostnote.bridge.plugin.install import daemon_command
from ghostnote.bridge.plugin.messages import STATUS, receive, send
from ghostnote.bridge.plugin.runtime import connect

RATE: Final = 48_000
BLOCK_FRAMES: Final = 128
BOUNCE_SECONDS: Final = 180.0

_CHUNK_SECONDS: Final = 60 / TEMPO_BPM
_START_SECONDS: Final = 120.0
FILL_SECONDS: Final = 10.0
"""How long strokes are made before notes are counted."""
MOST_SHARE: Final = 3.0
"""Percent of a core."""
_LEAST_FRESH, _MOST_LOAD, _LEAST_SPEED = 99.0, 1.0, 5.0


def measure_plugin(model: Path | None = None, seconds: float = 600.0) -> list[Measurement]:
    """Return the time to load, the processor's share and the fresh notes of `seconds`, and how fast a bounce is.

    `GhostnoteError` where the plugin cannot be built or its daemon does not start.
    """
    with bundles_beside_daemon(model) as bundles:
        bundle = str(bundles / "ghostnote.vst3")
        _opened(bundle)
        began = time.monotonic()
        plugin = _opened(bundle)
        load = time.monotonic() - began
        found = [
            Measurement("load_seconds", "loading the plugin beside a running daemon", load, "s", load <= _MOST_LOAD),
            *_played(plugin, seconds),
            *_bounced(plugin),
        ]
        # Before its daemon ends, which it would start again.
        del plugin
        gc.collect()
        return found


def _opened(bundle: str) -> Any:
    return pedalboard.VST3Plugin(bundle)


@contextmanager
def bundles_beside_daemon(model: Path | None) -> Iterator[Path]:
    """Yield the folder of the built plugins, which find a daemon of their own for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="ghostnote-") as place, _daemon(Path(place), model):
        bundles = BUILT if BUILT.is_dir() else Path(place) / "built"
        if bundles != BUILT:
            build(bundles)
        yield bundles


@contextmanager
def _daemon(place: Path, model: Path | None) -> Iterator[None]:
    """Run a daemon of its own for the length of the block, which plugins of this process find."""
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")}
    os.environ |= dict.fromkeys(before, str(place))
    command = [*daemon_command(place), *(("--model", str(model)) if model else ())]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + _START_SECONDS
        while not _is_there():
            if time.monotonic() > end or process.poll() is not None:
                raise GhostnoteError("the daemon does not start: 'ghostnote plugin serve' says why")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(_START_SECONDS)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _is_there() -> bool:
    try:
        connect().close()
    except GhostnoteError:
        return False
    return True


def _plugins() -> list[dict[str, Any]]:
    """Return what the daemon says of its plugins."""
    try:
        with connect() as line:
            send(line, STATUS, b"")
            plugins: list[dict[str, Any]] = json.loads(receive(line)[1])["plugins"]
            return plugins
    except (GhostnoteError, OSError):
        return []


def _played(plugin: Any, seconds: float) -> Iterator[Measurement]:
    """Play sixteenths on four pads in real time."""
    plugin.bounce = "never wait"
    steps = [(step * _CHUNK_SECONDS / 4, note) for step in range(4) for note in PADS]
    notes = [mido.Message("note_on", note=note, velocity=100, time=at) for at, note in steps]
    options = {"buffer_size": BLOCK_FRAMES, "reset": False}
    for _ in range(round(FILL_SECONDS / _CHUNK_SECONDS)):
        plugin.process([], _CHUNK_SECONDS, RATE, 2, **options)
        time.sleep(_CHUNK_SECONDS)
    before, due, spent, chunks = origins(), time.monotonic(), 0.0, round(seconds / _CHUNK_SECONDS)
    for _ in range(chunks):
        began = time.thread_time()
        plugin.process(notes, _CHUNK_SECONDS, RATE, 2, **options)
        spent += time.thread_time() - began
        due += _CHUNK_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))
    time.sleep(_CHUNK_SECONDS)
    share = 100 * spent / (chunks * _CHUNK_SECONDS)
    yield from freshness(before)
    yield Measurement("share_percent", "the host's thread, of one core", share, "%", share <= MOST_SHARE)


def origins() -> dict[str, int]:
    """Return how many notes of all plugins were of each origin."""
    counted = ("fresh", "fallback", "reused", "silent", "missed")
    return {kind: sum(plugin.get(kind, 0) for plugin in _plugins()) for kind in counted}


def freshness(before: dict[str, int]) -> Iterator[Measurement]:
    """Yield how many notes were played since `before`, what `origins` said then, and how many of them are new."""
    counts = {kind: count - before[kind] for kind, count in origins().items()}
    fresh = 100 * counts["fresh"] / max(1, sum(counts.values()))
    yield Measurement("notes", "notes played", float(sum(counts.values())))
    yield Measurement("fresh_percent", "notes by the network, each new", fresh, "%", fresh >= _LEAST_FRESH)


def _bounced(plugin: Any) -> Iterator[Measurement]:
    """Bounce the demo's groove for three minutes."""
    plugin.bounce = "always wait"
    song = groove(RATE)
    # It ends with the first beat of the next time.
    length = round(song.end_frame * 64 / 68)
    bar = [event for event in song.events if isinstance(event, NoteOn) and event.frame < length]
    times = ((begin + event.frame, event) for begin in range(0, round(BOUNCE_SECONDS * RATE), length) for event in bar)
    notes = [
        mido.Message("note_on", channel=9, note=event.note, velocity=event.velocity, time=(frame + 0.5) / RATE)
        for frame, event in times
        if frame < BOUNCE_SECONDS * RATE
    ]
    before = _bounced_strokes()
    began = time.monotonic()
    plugin.process(notes, BOUNCE_SECONDS, RATE, 2, buffer_size=1024)
    speed = BOUNCE_SECONDS / (time.monotonic() - began)
    made = _bounced_strokes() - before
    yield Measurement("bounce_speed", f"bounce of {len(notes)} notes", speed, "x", speed >= _LEAST_SPEED)
    missed = float(len(notes) - made)
    yield Measurement("bounce_missed", "notes of it that were not waited for", missed, "", missed <= 0)


def _bounced_strokes() -> int:
    return sum(each.get("bounced", 0) for each in _plugins())
