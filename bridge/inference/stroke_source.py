"""Strokes for the pads of a kit, as the renderer's and the daemon's workers make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import CLASSES
from ghostnote.bridge.dsp.shaping import shaped
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.variation import Reference, StrokeKey, Variation, Variator
from ghostnote.bridge.io.audio_file import mixdown, read_audio, resample
from ghostnote.bridge.kit.kit import Pad

Audio = NDArray[np.float32]

DRUM_PEAK: Final = 0.9
MOST_BYTES: Final = 32 * 2**20
"""What the drums that are kept open may take, in each process: some sixty generated ones, or half as many seconds of
stereo. Who rerolls pads all night must not run out of memory; opening a drum again takes a stroke's time."""

_DRUM_STREAM: Final = 3
_RISE_FRAMES: Final = 32
"""A new hit rises from silence in 0.7 ms, as recorded ones do; otherwise it would begin with a click."""


@dataclass(frozen=True)
class SourceSpec:
    """What a worker process needs to make strokes."""

    model: Path | None
    """The model file; None for the one in the package."""
    rate: int
    """Sample rate of the strokes, in Hz."""

    def open(self) -> "StrokeSource":
        """Open the model in this process."""
        return StrokeSource(Generator.open(self.model), self.rate)


class StrokeSource:
    """Makes the strokes of pads: each depends on the model, the pad, the index and the velocity alone."""

    def __init__(self, generator: Generator, rate: int) -> None:
        """Make strokes at `rate` Hz with an opened model."""
        self.rate = rate
        self._generator = generator
        self._variator = Variator(generator)
        self._references: dict[tuple[Path | None, str, int, int], Reference] = {}

    @property
    def checksum(self) -> str:
        """The model file's SHA-256."""
        return self._generator.checksum

    @property
    def drum_frames(self) -> int:
        """How long a generated drum is, at the model's rate."""
        return self._generator.card.hit_frames

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        """Return the pad's `index`-th stroke (2, frames), its level and timbre by `velocity` 1..127.

        `AudioFileError` where the pad's hit cannot be read.
        """
        return self.strokes(pad, [StrokeKey(index, velocity)])[0]

    def strokes(self, pad: Pad, keys: Sequence[StrokeKey]) -> list[Audio]:
        """Return several of the pad's strokes, which takes less time; they are the same as by `stroke`."""
        variation, rate = Variation(pad.seed, pad.amount, pad.width, pad.steps), self._generator.card.rate
        strokes = self._variator.next_strokes(self.reference(pad), keys, variation)
        finished = [mixdown(resample(audio, rate, self.rate), 2) for audio in strokes]
        # Once more: the strokes may have added the reference's features.
        self._evict()
        return [shaped(stroke, self.rate, pad.shaping) for stroke in finished]

    def reference(self, pad: Pad) -> Reference:
        """Return what the pad's strokes follow: its own hit, or a drum generated from its seed."""
        key = (pad.hit, pad.drum_class, 0 if pad.hit else pad.seed, pad.velocity)
        found = self._references.pop(key, None)
        # Put back last: the first is the least recently used.
        self._references[key] = found if found is not None else self._opened(pad)
        self._evict()
        return self._references[key]

    @property
    def bytes_held(self) -> int:
        """What the drums that are kept open take."""
        return sum(map(self._variator.bytes_held, self._references.values()))

    def _evict(self) -> None:
        """Close the least recently used drums until the others are within bounds."""
        while len(self._references) > 1 and self.bytes_held > MOST_BYTES:
            del self._references[next(iter(self._references))]

    def _opened(self, pad: Pad) -> Reference:
        label = self._generator.card.classes.index(pad.drum_class)
        audio = self._read(pad.hit) if pad.hit else generate_drum(self._generator, pad.drum_class, pad.seed)[None]
        return Reference(audio, label, pad.velocity)

    def _read(self, path: Path) -> Audio:
        audio, rate = read_audio(path)
        return resample(mixdown(audio, min(2, len(audio))), rate, self._generator.card.rate)


def generate_drum(
    generator: Generator, drum_class: str, seed: int, *, steps: int | None = None, guidance: float = 1.0
) -> Audio:
    """Return a class's new hit (frames,) at the model's rate, from a short rise to a fade."""
    label = generator.card.classes.index(drum_class)
    rng = np.random.default_rng([_DRUM_STREAM, seed])
    hit = generator.generate_drum(rng, label=label, steps=steps, guidance=guidance) * np.float32(DRUM_PEAK)
    fade = int(CLASSES[label].fade_seconds * generator.card.rate)
    hit[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    hit[:_RISE_FRAMES] *= np.sin(np.linspace(0, np.pi / 2, _RISE_FRAMES, dtype=np.float32)) ** 2
    return hit
