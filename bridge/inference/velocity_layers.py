"""The recorded strokes of a pad as sound: read with their settings, and their level over velocity."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.velocity import velocity_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.io.audio_file import mixdown, read_audio, resample
from ghostnote.bridge.kit.hits import PadHit

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class VelocityLayers:
    """The levels of a pad's recorded strokes and of its layers."""

    levels_db: dict[PadHit, float]
    """Of each stroke."""
    tops_db: tuple[float, ...]
    """The level that MIDI gives each layer's highest velocity, from the softest layer to the hardest."""
    layers_db: tuple[float, ...]
    """The level that each layer was recorded at, the mean of its strokes'."""

    @classmethod
    def measured(cls, hits: Sequence[PadHit], level_db: Callable[[PadHit], float | None]) -> "VelocityLayers":
        """Measure the level of each hit; those that have none are left out."""
        levels = {hit: level for hit in hits if (level := level_db(hit)) is not None}
        layers: dict[int, list[float]] = defaultdict(list)
        for hit, level in levels.items():
            layers[hit.high].append(level)
        tops = sorted(layers)
        return cls(levels, tuple(map(velocity_db, tops)), tuple(float(np.mean(layers[top])) for top in tops))

    def louder_db(self, hit: PadHit, velocity: int) -> float:
        """Return how much harder than a recorded stroke one of this velocity is struck, in dB.

        Between layers the level is interpolated; beyond them it follows the velocity.
        """
        wanted = velocity_db(velocity)
        if hit not in self.levels_db:
            return wanted - velocity_db(hit.high)
        beyond = min(wanted - self.tops_db[0], 0.0) + max(wanted - self.tops_db[-1], 0.0)
        return float(np.interp(wanted, self.tops_db, self.layers_db)) + beyond - self.levels_db[hit]


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
