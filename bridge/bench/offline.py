"""How fast ghostnote is on this machine: times and memory, each the median of several runs."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np

from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.inference.drum_cache import CachedSpec
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import SourceSpec, generate_drum
from ghostnote.bridge.inference.variation import ROWS, Reference, Variation, Variator
from ghostnote.bridge.kit.kit import Kit, default_kit
from ghostnote.bridge.midi.demo_groove import groove
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.render.offline import RenderSettings, render_song
from ghostnote.bridge.render.workers import Request, auto_jobs, stroke_results

_BATCHES: Final = (1, 2, 8)
_THREADS: Final = (1, 2)
_STEPS_TIMED: Final = 4
_REPEATS: Final = 7
_STROKES: Final = 160
_MANY: Final = 10_000
_RENDER_STEPS: Final = (1, 2, 4)
_PRODUCT_SIZE: Final = 1024
_SONG_REPEATS: Final = 8
_RATE: Final = 48_000


def measure(model: Path | None = None) -> list[Measurement]:
    """Return the speed of steps, hits and renders, and the program's memory and start-up time."""
    generator = Generator.open(model)
    steps = generator.card.default_steps
    measurements = [
        Measurement("gflops", "a 1,024 x 1,024 product of 32 bits, each core", _core_gflops(), "GFLOP/s"),
        Measurement("steps", "default steps", steps),
    ]
    for threads in _THREADS:
        for batch in _BATCHES:
            value = _step_ms(Generator.open(model, threads), batch)
            key = "ms_per_step" if (batch, threads) == (1, 1) else f"ms_per_step_batch{batch}_threads{threads}"
            measurements.append(
                Measurement(key, f"a step, batch {batch}, {threads} thread{'s'[: threads - 1]}", value, "ms")
            )
    mono, stereo = _hit_ms(generator, 0.0), _hit_ms(generator, 1.0)
    return [
        *measurements,
        Measurement("ms_per_hit", "a mono hit, everything included, 1 thread", mono, "ms"),
        Measurement("ms_per_hit_stereo", "a stereo hit, everything included, 1 thread", stereo, "ms"),
        Measurement("hits_per_second", "hits per second, default kit, all cores", _hits_per_second(model)),
        Measurement("render_realtime_factor", "render of a full-kit song, times real time", _render_factor(model)),
        *(_core_factor(model, many) for many in _RENDER_STEPS),
        Measurement("memory_mb", "resident memory after rendering with stems, in one process", _memory_mb(model), "MB"),
        Measurement("help_seconds", "ghostnote --help", _seconds([*_PROGRAM, "--help"]), "s"),
        Measurement("import_seconds", "open the model, from the start of Python", _seconds(_OPEN_MODEL), "s"),
    ]


_PROGRAM: Final = (sys.executable, "-c", "from ghostnote.bridge.cli.program import main; main()")
_OPEN_MODEL: Final = (sys.executable, "-c", "from ghostnote.bridge.inference.model import Generator; Generator.open()")
_RENDER_AND_WEIGH: Final = """
import sys
from pathlib import Path
from ghostnote.bridge.bench.offline import peak_bytes, render_once
render_once(Path(sys.argv[1]) if sys.argv[1] else None, jobs=1)
print(peak_bytes())
"""


def _median_seconds(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _step_ms(generator: Generator, batch: int) -> float:
    """Return the milliseconds of each step."""
    card, rng = generator.card, np.random.default_rng(0)
    hit = rng.standard_normal((batch, card.hit_frames), np.float32)
    noise = rng.standard_normal((batch, card.bands, card.mdct_frames), np.float32)
    variation_latent = rng.standard_normal((batch, card.latent_size), np.float32)
    none, some = (
        _median_seconds(partial(generator.vary, hit, noise, variation_latent, label=0, steps=steps))
        for steps in (0, _STEPS_TIMED)
    )
    return 1000 * (some - none) / _STEPS_TIMED


def _hit_ms(generator: Generator, width: float) -> float:
    reference = Reference(generate_drum(generator, "snare", 1)[None], generator.card.classes.index("snare"))
    variator = Variator(generator)
    return 1000 * _median_seconds(
        lambda: variator.next_stroke(reference, Variation(width=width), index=0, velocity=100), 4 * _REPEATS
    )


def _core_gflops() -> float:
    """Return the rate of a large matrix product on a core: by the time of all cores at work."""
    matrix = np.random.default_rng(0).standard_normal((_PRODUCT_SIZE, _PRODUCT_SIZE), np.float32)
    times = []
    for _ in range(4 * _REPEATS):
        started = time.process_time()
        matrix @ matrix
        times.append(time.process_time() - started)
    return 2e-9 * _PRODUCT_SIZE**3 / min(times)


def _hits_per_second(model: Path | None) -> float:
    """Return how many strokes of the default kit warm worker processes make per second, those of a pad together."""
    pads = default_kit().pads
    endless = (Request(pads[i // ROWS % len(pads)], i, 100) for i in count())
    with closing(stroke_results(CachedSpec(SourceSpec(model, _RATE)), endless, auto_jobs(_MANY))) as strokes:
        # Twice through the kit: each process then has every drum.
        for _ in range(2 * ROWS * len(pads)):
            next(strokes)
        started = time.perf_counter()
        for _ in range(_STROKES):
            next(strokes)
        return _STROKES / (time.perf_counter() - started)


def full_kit_song() -> MidiSong:
    """Return the demo's groove, several times over."""
    once = groove(_RATE)
    bar_frames = once.end_frame
    notes = [event for event in once.events if isinstance(event, NoteOn)]
    events = [replace(n, frame=n.frame + i * bar_frames) for i in range(_SONG_REPEATS) for n in notes]
    return replace(once, events=tuple(events), end_frame=_SONG_REPEATS * bar_frames)


def _core_factor(model: Path | None, steps: int) -> Measurement:
    """Measure how many seconds of the song, with stems, one second of a core's own time renders at so many steps."""
    kit = default_kit()
    kit = replace(kit, pads=tuple(replace(pad, steps=steps) for pad in kit.pads))
    started = time.process_time()
    render_once(model, 1, kit)
    factor = full_kit_song().end_frame / _RATE / (time.process_time() - started)
    name = f"the same at {steps} step{'s'[: steps - 1]}, for each core, by its own time"
    return Measurement(f"render_core_factor_steps{steps}", name, factor)


def render_once(model: Path | None, jobs: int | None, kit: Kit | None = None) -> float:
    """Render the song with stems; return how many times faster than real time."""
    with tempfile.TemporaryDirectory() as folder:
        settings = RenderSettings(stems=Path(folder, "stems"), jobs=jobs)
        mix = Path(folder, "mix.wav")
        spec = CachedSpec(SourceSpec(model, _RATE))
        return render_song(full_kit_song(), kit or default_kit(), spec, mix, settings).realtime_factor


def _render_factor(model: Path | None) -> float:
    return statistics.median(render_once(model, None) for _ in range(3))


def _memory_mb(model: Path | None) -> float:
    """Return the largest resident memory of a process that renders; nan where the system does not report it."""
    command = (sys.executable, "-c", _RENDER_AND_WEIGH, str(model or ""))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) / 1e6 if done.returncode == 0 else float("nan")


def peak_bytes() -> int:
    """Return this process's peak resident memory."""
    status = Path("/proc/self/status")
    if status.is_file():
        # On Linux `ru_maxrss` includes the peak of the process that started this one.
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _seconds(command: tuple[str, ...] | list[str]) -> float:
    return _median_seconds(lambda: subprocess.run(command, capture_output=True, check=True), 5)
