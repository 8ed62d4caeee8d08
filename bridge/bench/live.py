"""How the live engine performs on this machine: latency, jitter, freshness, underruns, against JACK's dummy server."""

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.bench.cpu_stalls import CpuStallMonitor, Span, excused
from ghostnote.bridge.bench.jack_server import RATE, JackServer
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.bench.rig import Daemon, DaemonSetup, JackPlayer, muted
from ghostnote.bridge.devices.xrun_monitor import LateBlock, XrunMonitor
from ghostnote.bridge.kit.kit import Kit, default_kit
from ghostnote.bridge.kit.overrides import with_settings
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.live.stroke_spec import LiveSpec
from ghostnote.bridge.render.instants import INSTANT_SECONDS
from ghostnote.bridge.render.workers import Spec

BLOCK_FRAMES: Final = 256
"""The daemon's own default."""
TEMPO_BPM: Final = 140.0
PADS: Final = (36, 38, 42, 48)
"""Kick, snare, hat and tom, struck together at every sixteenth: 37 hits a second."""
BURST: Final = 64
_BURST_SECONDS: Final = 1.5 * INSTANT_SECONDS

_MEASURED: Final = "Rim"
_MEASURED_NOTE: Final = 37
_THRESHOLD: Final = 0.01
_LATENCY_SECONDS: Final = 30.0
_EVERY_SECONDS: Final = 0.25
_SETTLE_SECONDS: Final = 3.0
_QUIET_SECONDS: Final = 0.1
_SILENCE: Final = bytes((0xB9, 123, 0))
"""All notes off, so that each measured note breaks a silence."""


def measure_live(
    model: Path | None = None,
    seconds: float = 600.0,
    steps: int = 2,
    width: float = 0.0,
    block_frames: int = BLOCK_FRAMES,
    page: bool = False,
) -> list[Measurement]:
    """Return latency and jitter, then how `seconds` of sixteenths on four pads and a burst are played.

    With `page`, the page is open meanwhile, and looked at. `MissingExtraError` without JACK-Client, `GhostnoteError`
    without jackd.
    """
    kit = with_settings(default_kit(), steps=steps, width=width)
    return measure_source(LiveSpec(model, RATE), kit, seconds, block_frames=block_frames, page=page)


def measure_source(
    spec: Spec,
    kit: Kit,
    seconds: float,
    latency_seconds: float = _LATENCY_SECONDS,
    block_frames: int = BLOCK_FRAMES,
    page: bool = False,
) -> list[Measurement]:
    """Return the same measurements for any source of strokes."""
    with JackServer(block_frames):
        latency = _latency(DaemonSetup(muted(kit, _MEASURED), spec), latency_seconds)
        return latency + _load(DaemonSetup(kit, spec), seconds, page)


def _latency(setup: DaemonSetup, seconds: float) -> list[Measurement]:
    """Measure one pad from its note to its first frame, while the others keep the generator busy."""
    with Daemon(setup) as daemon, JackPlayer() as player:
        draw = np.random.default_rng(1)
        start = player.frame + round(_SETTLE_SECONDS * RATE)
        count = round(seconds / _EVERY_SECONDS)
        frames = start + np.arange(count) * round(_EVERY_SECONDS * RATE) + draw.integers(0, 2000, count)
        notes = [(int(frame), bytes((0x99, _MEASURED_NOTE, 127))) for frame in frames]
        notes += [(int(frame) - round(_QUIET_SECONDS * RATE), _SILENCE) for frame in frames]
        notes += list(_sixteenths(start, seconds))
        player.play(iter(sorted(notes)))
        player.wait()
        time.sleep(0.5)
        status = daemon.ask()
        delays = _delays(player.recorded(), frames)
    driver_ms = float(status["latency_block_ms"]) + float(status["latency_constant_ms"])
    if not len(delays):
        return [Measurement("latency_notes", "notes that were found for the latency", 0)]
    middle = float(np.median(delays))
    deviation = np.abs(delays - middle)
    return [
        Measurement("latency_notes", "notes that were found for the latency", len(delays)),
        Measurement("latency_ms", "note to its first frame in the server, median", middle, "ms"),
        Measurement("latency_own_ms", "of which block and limiter", driver_ms, "ms"),
        Measurement("jitter_p99_ms", "deviation from the median, p99", float(np.percentile(deviation, 99)), "ms"),
        Measurement("jitter_max_ms", "deviation from the median, largest", float(deviation.max()), "ms"),
    ]


def _delays(audio: NDArray[np.float32], frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the milliseconds from each frame to the first sound after it, (notes,); silent notes are left out."""
    loud = np.flatnonzero(np.abs(audio) > _THRESHOLD)
    at = np.searchsorted(loud, frames)
    found = at < len(loud)
    delays = (loud[at[found]] - frames[found]) / RATE * 1000
    return np.asarray(delays[delays < 1000 * _EVERY_SECONDS / 2], np.float64)


def _load(setup: DaemonSetup, seconds: float, page: bool) -> list[Measurement]:
    """Play sixteenths on four pads, then a burst, and ask how it went."""
    monitor = CpuStallMonitor()
    with Daemon(setup) as daemon, _page_of(daemon, len(setup.kit.pads), page), monitor, JackPlayer() as player:
        player.records = False
        time.sleep(_SETTLE_SECONDS)
        before, start, began = daemon.ask(), daemon.xruns(), time.perf_counter()
        player.play(_sixteenths(player.frame + RATE // 2, seconds))
        player.wait()
        time.sleep(0.5)
        after, middle = daemon.ask(), daemon.xruns()
        player.play(_burst(player.frame + RATE // 2))
        time.sleep(2.0)
        burst, end = daemon.ask(), daemon.xruns()
    notes = {kind: _change(before, after, f"notes_{kind}") for kind in ("fresh", "fallback", "reused", "silent")}
    total = max(1.0, sum(notes.values()))
    burst_played = sum(_change(after, burst, f"notes_{kind}") for kind in ("fresh", "fallback", "reused"))
    burst_seconds = end.renders.since(middle.renders).within(1.0)
    return [
        Measurement("ready_s", "start of the process to a stroke for every pad", daemon.ready_seconds, "s"),
        Measurement("load_s", f"sixteenths at {TEMPO_BPM:g} BPM on {len(PADS)} pads", seconds, "s"),
        Measurement("notes", "notes played", total),
        Measurement("underruns", "underruns while they played", _change(before, after, "underruns")),
        *_lateness(end.late, monitor.spans, began, float(after["block"]) / float(after["rate"])),
        *_block_times(middle, start),
        Measurement("gaps", "gaps that the server reports, of any cause", _change(before, after, "server_gaps")),
        Measurement("freshness", "notes that got a new hit of the network's", 100 * notes["fresh"] / total, "%"),
        Measurement("fallbacks", "notes that got a new hit without the network", notes["fallback"]),
        Measurement("reused", "notes that got a hit again, or none", notes["reused"] + notes["silent"]),
        Measurement("making_ms", "making a hit, averaged", float(after["making_ms"]), "ms"),
        Measurement("burst_underruns", f"underruns after {BURST} fast notes", _change(after, burst, "underruns")),
        Measurement("burst_played", "of which sounded", burst_played),
        Measurement("burst_render_ms", "rendering a block then, longest", 1000 * burst_seconds, "ms"),
        Measurement("memory_mb", "memory of the daemon and its workers", float(after["memory_mb"]), "MB"),
        Measurement("pool_mb", "of which hits in wait", float(after["pool_mb"]), "MB"),
    ]  # fmt: skip


def _page_of(daemon: Daemon, pads: int, page: bool) -> AbstractContextManager[object]:
    """Return the page of `daemon`, open and looked at, or nothing."""
    if not page:
        return nullcontext()
    # It needs an extra.
    from ghostnote.bridge.bench.page_client import looked_at

    return looked_at(int(daemon.ask()["osc_port"]), pads)


def _lateness(late: Iterable[LateBlock], spans: list[Span], began: float, block_seconds: float) -> list[Measurement]:
    """Return whose fault the late blocks since `began` were, and how long processors stood still."""
    own = sum(not excused((block.began, block.done), block_seconds, spans) for block in late if block.began > began)
    cpu_stalls = [until - since for since, until in spans if since > began]
    return [
        Measurement("own_underruns", "of these and the burst's, while the machine did not stand still", own),
        Measurement("cpu_stalls", "times that a processor of the machine stood still", len(cpu_stalls)),
        Measurement("cpu_stall_max_ms", "the longest of these", 1000 * max(cpu_stalls, default=0.0), "ms"),
    ]


def _block_times(now: XrunMonitor, before: XrunMonitor) -> list[Measurement]:
    """Return what blocks took between two looks: waiting, rendering, and the processor's work in it."""
    waits, renders, works = (getattr(now, name).since(getattr(before, name)) for name in ("waits", "renders", "works"))
    return [
        Measurement("wait_p999_ms", "a block's begin to its rendering, p99.9", 1000 * waits.within(0.999), "ms"),
        Measurement("wait_max_ms", "of which the longest", 1000 * waits.within(1.0), "ms"),
        Measurement("render_p50_ms", "rendering a block, median", 1000 * renders.within(0.5), "ms"),
        Measurement("render_p999_ms", "rendering a block, p99.9", 1000 * renders.within(0.999), "ms"),
        Measurement("render_max_ms", "rendering a block, longest", 1000 * renders.within(1.0), "ms"),
        Measurement("work_max_ms", "of which a processor really worked at most", 1000 * works.within(1.0), "ms"),
    ]  # fmt: skip


def _burst(start: int) -> Iterator[tuple[int, bytes]]:
    """Yield notes on all pads, again and again as fast as they are strokes of their own."""
    for n in range(BURST):
        yield start + n // len(PADS) * round(_BURST_SECONDS * RATE), bytes((0x99, PADS[n % len(PADS)], 100))


def _sixteenths(start: int, seconds: float) -> Iterator[tuple[int, bytes]]:
    """Yield notes on all pads at every sixteenth, accented like a drummer's."""
    step = 60 / TEMPO_BPM / 4 * RATE
    for n in range(int(seconds * RATE / step)):
        velocity = (112, 70, 92, 76)[n % 4]
        for number, note in enumerate(PADS):
            yield start + round(n * step), bytes((0x99, note, velocity + 3 * number))


def _change(before: dict[str, Value], after: dict[str, Value], key: str) -> float:
    return float(after[key]) - float(before[key])
