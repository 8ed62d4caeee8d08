"""The recorded strokes of a pad as sound: read with their settings, and their level and timbre over velocity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.dsp.timbre import Timbre, difference_db, timbre_of
from ghostnote.bridge.dsp.velocity import hit_level_db, velocity_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.hits import PadHit, starts

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class MeasuredHit:
    """What is measured of a recorded stroke."""

    level_db: float
    timbre: Timbre
    """Beside its level."""

    @classmethod
    def of(cls, audio: Audio, rate: int) -> "MeasuredHit":
        """Measure a stroke (channels, frames) at `rate` Hz."""
        level = hit_level_db(audio, rate)
        return cls(level, timbre_of(audio, rate) - level)


@dataclass(frozen=True)
class VelocityLayers:
    """The levels and timbres of a pad's recorded strokes and of its layers."""

    hits: dict[PadHit, MeasuredHit]
    layers: dict[int, tuple[PadHit, ...]]
    """The strokes of each layer by its highest velocity, from the softest layer to the hardest."""

    rate: int
    """That of the sounds that were measured, in Hz."""

    @classmethod
    def measured(cls, hits: Sequence[PadHit], rate: int, sound: Callable[[PadHit], Audio | None]) -> "VelocityLayers":
        """Measure the sound of each hit; those that have none are left out."""
        found = {hit: MeasuredHit.of(audio, rate) for hit in hits if (audio := sound(hit)) is not None}
        tops = sorted({hit.high for hit in found})
        return cls(found, {top: tuple(hit for hit in found if hit.high == top) for top in tops}, rate)

    def louder_db(self, hit: PadHit, velocity: int) -> float:
        """Return how much louder than a recorded stroke one of this velocity is, in dB.

        Between layers the level is interpolated; beyond them it follows the velocity.
        """
        if hit not in self.hits:
            return velocity_db(velocity) - velocity_db(hit.high)
        return float(self._weights(velocity) @ self._layers_db) + self._beyond_db(velocity) - self.hits[hit].level_db

    def harder_db(self, hit: PadHit, velocity: int) -> float:
        """Return how much harder it is struck, as far as no other layer tells what that does to the timbre, in dB."""
        return self._beyond_db(velocity) if len(self.layers) > 1 else self.louder_db(hit, velocity)

    def timbre_change(self, hit: PadHit, velocity: int, kept: float) -> Timbre | None:
        """Return what leads from the timbre of a stroke to that of a velocity, in dB; None where nothing does.

        `kept`, 0 to 1, is the share that stays of how the stroke differs from others of its layer.
        """
        if hit not in self.hits:
            return None
        own = np.array([float(top == hit.high) for top in self.layers])
        weights = self._weights(velocity) - own
        change = np.tensordot(weights, self._timbres, 1)
        if len(self.layers[hit.high]) > 1:
            change -= (1 - kept) * (self.hits[hit].timbre - np.tensordot(own, self._timbres, 1))
        return change if change.any() else None

    def between(self, velocity: int) -> float:
        """Return 0 for the velocity of a layer and beyond them, up to 1 half-way between two of them."""
        return float(2 - 2 * self._weights(velocity).max()) if self.layers else 0.0

    def repeats(self, velocity: int) -> int:
        """Return how many strokes one of this velocity starts from in turn."""
        return len(starts([*self.hits], velocity)) if self.hits else 1

    def level_deviations(self) -> tuple[float, int]:
        """Return the sum of squares of how levels differ from their layer's mean, in dB, and its degrees of freedom."""
        own = [np.array([self.hits[hit].level_db for hit in layer]) for layer in self.layers.values()]
        squares = sum(float(np.square(levels - levels.mean()).sum()) for levels in own)
        return squares, sum(len(levels) - 1 for levels in own)

    def neighbours(self) -> list[tuple[PadHit, PadHit]]:
        """Return pairs of strokes of one layer, from the largest layer on; each stroke is the first of one at most."""
        by_size = sorted(self.layers.values(), key=len, reverse=True)
        return [pair for layer in by_size for pair in pairwise(layer)]

    def difference_db(self, first: PadHit, second: PadHit) -> float:
        """Return how far the timbres of two strokes lie apart, in dB."""
        return difference_db(self.hits[first].timbre, self.hits[second].timbre)

    @cached_property
    def _tops_db(self) -> NDArray[np.float64]:
        """The level that MIDI gives each layer's highest velocity."""
        return np.array([velocity_db(top) for top in self.layers])

    @cached_property
    def _layers_db(self) -> NDArray[np.float64]:
        return np.array([np.mean([self.hits[hit].level_db for hit in layer]) for layer in self.layers.values()])

    @cached_property
    def _timbres(self) -> NDArray[np.float64]:
        return np.stack([np.mean([self.hits[hit].timbre for hit in layer], axis=0) for layer in self.layers.values()])

    def _weights(self, velocity: int) -> NDArray[np.float64]:
        """Return the weight of each layer at a velocity."""
        rows = np.eye(len(self.layers))
        return np.array([np.interp(velocity_db(velocity), self._tops_db, row) for row in rows])

    def _beyond_db(self, velocity: int) -> float:
        wanted = velocity_db(velocity)
        return float(min(wanted - self._tops_db[0], 0.0) + max(wanted - self._tops_db[-1], 0.0))


def read_hit(hit: PadHit, rate: int) -> Audio:
    """Return a recorded stroke (1 or 2, frames) at `rate` Hz, with its offset, tuning, gain and place.

    `AudioFileError` where it cannot be read, or nothing is left of it.
    """
    audio, own_rate = read_audio(hit.file)
    audio = mixdown(audio, min(2, len(audio)))[:, round(hit.offset * own_rate / 1000) :]
    if not audio.size or not audio.any():
        raise AudioFileError(f"{hit.file}: nothing is left after its offset of {hit.offset:g} ms; give a smaller one")
    # Played faster, a file of the same frames has a higher rate.
    audio = resample(audio, round(own_rate * 2 ** (hit.tune / 12)), rate)
    if hit.pan:
        angle = (hit.pan + 1) * np.pi / 4
        sides = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(np.sqrt(2))
        audio = mixdown(audio, 2) * sides
    return audio * np.float32(10 ** (hit.gain_db / 20)) if hit.gain_db else audio
