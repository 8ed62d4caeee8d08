"""How fast batches are on this machine, beside what the bare model gives, and whether their memory is flat."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from ghostnote.bridge.audiofile import write_audio
from ghostnote.bridge.batch.cluster import LOCAL, cluster_pool
from ghostnote.bridge.batch.hitframe import Audio, VarierSpec
from ghostnote.bridge.batch.plan import Source, find_sources
from ghostnote.bridge.batch.run import Pool, humanize_files, local_pool
from ghostnote.bridge.batch.settings import BatchSettings
from ghostnote.bridge.batch.varier import ModelSpec
from ghostnote.bridge.figures import Figure
from ghostnote.bridge.workers import done

STROKES: Final = BatchSettings(count=4, velocities=2)
SOURCES: Final = 40
MEMORY_SOURCES: Final = 2_000

_RATE: Final = 44_100
_HIT_SECONDS: Final = 0.6
_SETTLED: Final = 0.25
"""The share of sources after which rate and memory count: the model is open then everywhere."""
_WEIGH: Final = """
import sys
from pathlib import Path
from ghostnote.bridge.batch.benchbatch import weigh
print(*weigh(Path(sys.argv[1]) if sys.argv[1] else None, int(sys.argv[2])))
"""


def measure_batch(model: Path | None = None, sources: int = SOURCES) -> list[Figure]:
    """Return the speed of batches at 1 and 2 processes, and their memory over 2,000 files."""
    spec = ModelSpec(model)
    with tempfile.TemporaryDirectory() as folder:
        hits = write_hits(Path(folder, "hits"), sources)
        bare, bare_2 = (bare_rate(spec, sources, n) for n in (1, 2))
        one, two = (batch_rate(spec, hits, Path(folder, f"{n}"), local_pool(n)) for n in (1, 2))
        figures = [
            Figure("batch_bare_per_second_1", "variations a second, bare model, 1 process", bare),
            Figure("batch_bare_per_second_2", "variations a second, bare model, 2 processes", bare_2),
            Figure("batch_per_second_1", "variations a second, with all files, 1 job", one),
            Figure("batch_per_second_2", "variations a second, with all files, 2 jobs", two),
            Figure("batch_share_of_bare_1", "1 job beside the bare model", one / bare),
            Figure("batch_share_of_bare_2", "2 jobs beside the bare model", two / bare_2),
            Figure("batch_efficiency_2", "2 jobs beside twice 1 job", two / (2 * one)),
        ]
        if find_spec("distributed"):
            rate = batch_rate(spec, hits, Path(folder, "cluster"), cluster_pool(LOCAL, 2))
            text = "2 Dask workers beside twice 1 job"
            figures.append(Figure("batch_cluster_efficiency_2", text, rate / (2 * one)))
    early, late = _memory_mb(model)
    return [
        *figures,
        Figure("batch_memory_mb", f"resident memory after {MEMORY_SOURCES} files", late, "MB"),
        Figure(
            "batch_memory_growth_mb", f"and what of it came after {_SETTLED:.0%} of them", late - early, "MB"
        ),
    ]


def write_hits(folder: Path, count: int) -> list[Source]:
    """Write hits of decaying noise and return them as sources."""
    folder.mkdir()
    for number in range(count):
        write_audio(folder / f"snare {number}.wav", _hit(number), _RATE, 16)
    return find_sources([folder], folder.parent / "none")


@dataclass(frozen=True)
class BareStrokes:
    """Opens a varier in a process and makes strokes of one hit after another with it, without any file."""

    spec: VarierSpec

    def __call__(self) -> Callable[[int], int]:
        """Open the varier; what is returned makes a hit's strokes and says how many."""
        varier = self.spec.open()

        def work(number: int) -> int:
            stroke = varier.strokes(_hit(number), "snare", 1, STROKES)
            return len([stroke(index, 127) for index in range(STROKES.count * STROKES.velocities)])

        return work


def bare_rate(spec: VarierSpec, hits: int, jobs: int) -> float:
    """Return variations a second without a file read or written, once they are under way."""
    times = [time.perf_counter() for _ in done(BareStrokes(spec), range(hits), jobs)]
    return _rate(times)


def batch_rate(spec: VarierSpec, hits: list[Source], folder: Path, pool: Pool) -> float:
    """Return variations a second of a batch once it is under way."""
    times: list[float] = []
    humanize_files(hits, folder, STROKES, spec, pool, progress=lambda *_: times.append(time.perf_counter()))
    return _rate(times)


def _rate(times: list[float]) -> float:
    """Return strokes a second by the times at which hits were done."""
    first = int(len(times) * _SETTLED)
    strokes = (len(times) - 1 - first) * STROKES.count * STROKES.velocities
    return strokes / (times[-1] - times[first])


def weigh(model: Path | None, sources: int, spec: VarierSpec | None = None) -> tuple[float, float]:
    """Return the peak of resident memory in MB after a quarter of a batch's files, and after all."""
    import resource

    peaks: list[int] = []
    settings = BatchSettings(count=1, velocities=1, steps=0)
    with tempfile.TemporaryDirectory() as folder:
        hits = write_hits(Path(folder, "hits"), sources)
        humanize_files(
            hits,
            Path(folder, "out"),
            settings,
            spec or ModelSpec(model),
            local_pool(1),
            progress=lambda *_: peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss),
        )
    unit = 1 if sys.platform == "darwin" else 1024
    return peaks[int(sources * _SETTLED)] * unit / 1e6, peaks[-1] * unit / 1e6


def _memory_mb(model: Path | None) -> tuple[float, float]:
    """Return what `weigh` does, of a process by itself; nan where the system cannot tell."""
    command = (sys.executable, "-c", _WEIGH, str(model or ""), str(MEMORY_SOURCES))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    early, late = map(float, done.stdout.split()) if done.returncode == 0 else (float("nan"),) * 2
    return early, late


def _hit(seed: int) -> Audio:
    frames = round(_HIT_SECONDS * _RATE)
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (1, frames))
    return (noise * np.exp(-np.arange(frames) / _RATE * 12)).astype(np.float32)
