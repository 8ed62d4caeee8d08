"""How fast batches are beside the bare model, and whether their memory stays flat."""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from ghostnote.bridge.batch.cluster import LOCAL, cluster_pool
from ghostnote.bridge.batch.full_band import Audio, HitVariatorSpec
from ghostnote.bridge.batch.humanize import Pool, humanize_files, local_pool
from ghostnote.bridge.batch.model_variator import ModelSpec
from ghostnote.bridge.batch.settings import BatchSettings
from ghostnote.bridge.batch.sources import SourceFile, find_sources
from ghostnote.bridge.bench.offline import peak_bytes
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.drums import label_of
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.variation import ROWS
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.render.workers import ordered_map

SETTINGS: Final = BatchSettings()
STROKES: Final = SETTINGS.count * SETTINGS.velocities
"""Strokes of each hit."""
SOURCES: Final = 32
MEMORY_SOURCES: Final = 2_000
_ROUNDS: Final = 4

_RATE: Final = 44_100
_HIT_SECONDS: Final = 0.6
_SETTLED: Final = 0.25
"""The share of sources after which rate and memory count: every process has its model open then."""
_ENDING: Final = 0.875
"""The share of sources up to which the rate counts: at the end some processes have nothing to do."""
_WEIGH: Final = """
import sys
from pathlib import Path
from ghostnote.bridge.bench.batch import weigh
print(*weigh(Path(sys.argv[1]) if sys.argv[1] else None, int(sys.argv[2])))
"""


def measure_batch(model: Path | None = None, sources: int = SOURCES) -> list[Measurement]:
    """Return the speed of batches at 1 and 2 processes beside the bare model's, and their memory over 2,000 files."""
    best = _best_rates(model, sources)
    measurements = []
    for jobs in (1, 2):
        bare, batch = best[f"bare {jobs}"], best[f"batch {jobs}"]
        processes = f"{jobs} process{'es'[: 2 * jobs - 2]}"
        measurements += [
            Measurement(f"batch_bare_per_second_{jobs}", f"strokes per second, bare model, {processes}", bare),
            Measurement(f"batch_per_second_{jobs}", f"strokes per second, --jobs {jobs}", batch),
            Measurement(f"batch_share_of_bare_{jobs}", "as a share of the bare model's", batch / bare),
        ]
    efficiency = best["batch 2"] / (2 * best["batch 1"])
    measurements.append(Measurement("batch_efficiency_2", "2 jobs over twice 1 job", efficiency))
    if "cluster 2" in best:
        rate = best["cluster 2"]
        measurements += [
            Measurement("batch_cluster_per_second_2", "strokes per second, 2 Dask workers", rate),
            Measurement("batch_cluster_efficiency_2", "2 Dask workers over twice 1", rate / (2 * best["cluster 1"])),
            Measurement("batch_cluster_share_2", "2 Dask workers over twice 1 job", rate / (2 * best["batch 1"])),
        ]
    early, late = _memory_mb(model)
    return [
        *measurements,
        Measurement("batch_memory_mb", f"resident memory after {MEMORY_SOURCES} files", late, "MB"),
        Measurement("batch_memory_growth_mb", f"of which grown after {_SETTLED:.0%} of them", late - early, "MB"),
    ]


def _best_rates(model: Path | None, sources: int) -> dict[str, float]:
    """Return strokes per second of each pool, the best of several rounds: other programs disturb."""
    best: dict[str, float] = defaultdict(float)
    spec = ModelSpec(model)
    pools = {"batch": local_pool}
    if find_spec("distributed"):
        pools["cluster"] = partial(cluster_pool, LOCAL)
    with tempfile.TemporaryDirectory() as folder:
        hits = write_hits(Path(folder, "hits"), sources)
        for number in range(_ROUNDS):
            for jobs in (1, 2):
                best[f"bare {jobs}"] = max(best[f"bare {jobs}"], bare_rate(model, sources, jobs))
                for way, pool in pools.items():
                    key = f"{way} {jobs}"
                    rate = batch_rate(spec, hits, Path(folder, f"{number} {key}"), pool(jobs))
                    best[key] = max(best[key], rate)
    return best


def write_hits(folder: Path, count: int) -> list[SourceFile]:
    """Write hits of decaying noise and return them as sources, each a drum of its own."""
    folder.mkdir()
    for number in range(count):
        write_audio(folder / f"{number} snare.wav", _hit(number), _RATE, 16)
    return find_sources([folder], folder.parent / "none")


@dataclass(frozen=True)
class BareStrokes:
    """Makes strokes with the bare model in a process, as many at once as a batch does."""

    model: Path | None

    def __call__(self) -> Callable[[int], int]:
        """Open the model; what is returned makes a hit's strokes and returns their number."""
        generator = Generator.open(self.model)
        card = generator.card
        hit = np.zeros((1, card.hit_frames), np.float32)
        hit[:, : round(_HIT_SECONDS * _RATE)] = _hit(0)
        label = label_of("snare")

        def work(number: int) -> int:
            rng = np.random.default_rng(number)
            features = np.repeat(generator.encode_reference(hit, label), ROWS, axis=0)
            for _ in range(STROKES // ROWS):
                noise = rng.standard_normal((ROWS, card.bands, card.mdct_frames), np.float32)
                variation_latent = rng.standard_normal((ROWS, card.latent_size), np.float32)
                generator.vary(hit, noise, variation_latent, label=label, steps=SETTINGS.steps, features=features)
            return STROKES

        return work


def bare_rate(model: Path | None, hits: int, jobs: int) -> float:
    """Return strokes per second of the model alone, once under way."""
    times = [time.perf_counter() for _ in ordered_map(BareStrokes(model), range(hits), jobs)]
    return _rate(times)


def batch_rate(spec: HitVariatorSpec, hits: list[SourceFile], folder: Path, pool: Pool) -> float:
    """Return strokes per second of a batch, once under way."""
    times: list[float] = []
    humanize_files(hits, folder, SETTINGS, spec, pool, progress=lambda *_: times.append(time.perf_counter()))
    return _rate(times)


def _rate(times: list[float]) -> float:
    """Return strokes per second by the times at which hits were finished, while all processes work."""
    first, end = (int(len(times) * share) for share in (_SETTLED, _ENDING))
    # A fitted slope does not depend on whether processes finish hits together or by turns.
    return float(np.polyfit(times[first:end], range(first, end), 1)[0]) * STROKES


def weigh(model: Path | None, sources: int, spec: HitVariatorSpec | None = None) -> tuple[float, float]:
    """Return the peak of resident memory in MB after a quarter of a batch's files, and after all."""
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
            progress=lambda *_: peaks.append(peak_bytes()),
        )
    return peaks[int(sources * _SETTLED)] / 1e6, peaks[-1] / 1e6


def _memory_mb(model: Path | None) -> tuple[float, float]:
    """Return what `weigh` does in a process of its own; nan where the system does not report it."""
    command = (sys.executable, "-c", _WEIGH, str(model or ""), str(MEMORY_SOURCES))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    early, late = map(float, done.stdout.split()) if done.returncode == 0 else (float("nan"),) * 2
    return early, late


def _hit(seed: int) -> Audio:
    frames = round(_HIT_SECONDS * _RATE)
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (1, frames))
    return (noise * np.exp(-np.arange(frames) / _RATE * 12)).astype(np.float32)
