"""A small sampler kit with names of many scripts, for tests."""

import tarfile
from pathlib import Path

import numpy as np

from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.sampler.instrument import Instrument, Layer, Sample, SamplerKit

RATE = 22_050
NAME = "Größe 日本 kit"


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar file; the first versions of Python 3.11 know no filters."""
    with tarfile.open(archive) as file:
        file.extraction_filter = getattr(tarfile, "data_filter", None)
        file.extractall(folder)


def sample(path: Path, seed: int, channels: int = 1) -> Sample:
    """Write a hit between stretches of silence."""
    burst = np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, 3_000)) * np.exp(-np.arange(3_000) / 400)
    write_audio(path, np.pad(burst, ((0, 0), (2_000, 9_000))).astype(np.float32), RATE, 24)
    return Sample("", path, channels)


def instrument(
    folder: Path, name: str, drum_class: str, notes: tuple[int, ...], choke: str | None = None, turns: int = 2
) -> Instrument:
    layers = tuple(
        Layer(low, high, tuple(sample(folder / f"{name} {high} {t}.wav", high + t) for t in range(turns)))
        for low, high in ((1, 64), (65, 127))
    )
    return Instrument(name, drum_class, notes, choke, layers)


def write_kit(place: Path) -> SamplerKit:
    """Write the strokes of four drums into a folder at `place` and return the kit of them."""
    folder = place / "strokes"
    folder.mkdir()
    drums = (
        instrument(folder, "Große Kick & <tom>", "kick", (36, 35)),
        instrument(folder, "スネア", "snare", (38,)),
        instrument(folder, "hat closed", "closed_hat", (42,), "hats"),
        instrument(folder, "hat open", "open_hat", (46,), "hats"),
    )
    return SamplerKit(NAME, drums, RATE, "Ä. Maker", "CC0-1.0", ("Recorded by nobody",))
