"""What the tests of batches share: a fake model, hits, and a look at what was written."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ghostnote.bridge.batch.full_band import Audio, Strokes
from ghostnote.bridge.batch.humanize import BatchReport, humanize_files, local_pool
from ghostnote.bridge.batch.settings import BatchSettings
from ghostnote.bridge.batch.sources import find_sources
from ghostnote.bridge.inference.variation import StrokeKey, Variation
from ghostnote.bridge.io.audio_file import write_audio

RATE = 44_100
FAKES = str(Path(__file__).parent)


class Louder:
    """Adds decaying noise to the hit, another for every stroke."""

    rate = RATE
    name = "fake 1"
    pause = 0.0

    def strokes(self, hit: Audio, drum_class: str, variation: Variation) -> Strokes:
        def strokes(keys: Sequence[StrokeKey]) -> Iterator[Audio]:
            shape = (2 if variation.width else len(hit), hit.shape[1])
            for key in keys:
                time.sleep(self.pause)
                noise = np.random.default_rng((variation.seed, key.index, len(drum_class))).uniform(-1, 1, shape)
                level = 10 ** (key.change.louder_db / 20) if key.change else (key.velocity / 127) ** 2
                yield ((hit + 0.1 * variation.amount * noise * np.abs(hit)) * level).astype(np.float32)

        return strokes


class Slow(Louder):
    pause = 0.02


class Halting(Louder):
    """Makes so many strokes, then never another."""

    most = 20

    def __init__(self) -> None:
        self.made = 0

    def strokes(self, hit: Audio, drum_class: str, variation: Variation) -> Strokes:
        make = super().strokes(hit, drum_class, variation)

        def strokes(keys: Sequence[StrokeKey]) -> Iterator[Audio]:
            for stroke in make(keys):
                if self.made == self.most:
                    threading.Event().wait()
                self.made += 1
                yield stroke

        return strokes


@dataclass(frozen=True)
class Spec:
    slow: bool = False
    halting: bool = False

    def open(self) -> Louder:
        return Slow() if self.slow else Halting() if self.halting else Louder()


def hit(seconds: float = 0.3, channels: int = 1, rate: int = RATE, seed: int = 1) -> Audio:
    frames = round(seconds * rate)
    noise = np.random.default_rng(seed).uniform(-0.8, 0.8, (channels, frames))
    return (noise * np.exp(-np.arange(frames) / rate * 30)).astype(np.float32)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def batch(
    source: Path, output: Path, *, jobs: int = 1, resume: bool = False, halting: bool = False, **settings: object
) -> BatchReport:
    """Humanize a folder, or a file, with the fake model."""
    chosen = BatchSettings(**{"count": 2, "velocities": 2, **settings})  # type: ignore[arg-type]
    sources = find_sources([source], output)
    return humanize_files(sources, output, chosen, Spec(halting=halting), local_pool(jobs), resume=resume)


def write_pack(folder: Path) -> Path:
    """Write a small pack of hits and return its folder."""
    pack = folder / "pack"
    (pack / "Trommeln ü" / "日本").mkdir(parents=True)
    names = ("kick.wav", "kick.flac", "Trommeln ü/Snare 1.aiff", "Trommeln ü/日本/hat.wav")
    for number, name in enumerate(names):
        write_audio(pack / name, hit(seed=number), RATE)
    return pack
