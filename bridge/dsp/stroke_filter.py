"""The filter that a stroke's partials go through: random, but of those that leave the drum what it is.

Gains that are drawn for each line have no bound: now and then a cowbell would lose its tone, and another stand in its
place. So a filter that does that is drawn again.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack import ATTACK_FRAMES
from ghostnote.bridge.dsp.band_lines import body_spectrum
from ghostnote.bridge.dsp.partial_response import PartialStatistics, draw_filter, drum_features

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

_SIZE: Final = 4096
"""Of the transform in which filters are looked at."""
_MAIN_DB: Final = -12.0
_MOST_MAIN: Final = 32
"""A drum that is so strong at more frequencies, 11 Hz apart, is noise, as a clap: no line of it is a tone."""
_MAIN_LIMIT_DB: Final = 12.0
"""So far the strongest lines of the body may rise or fall, beside the level of the attack."""
_AUDIBLE_DB: Final = -60.0
_RISE_LIMIT_DB: Final = 14.0
"""So far any audible line may rise."""
_MOST_DRAWS: Final = 8
_QUIET: Final = 1e-20


class StrokeFilter:
    """Draws the filters of a drum's strokes."""

    def __init__(self, partials: Audio, residual: Audio) -> None:
        """Look at the lines of a drum in two parts, (channels, frames) each."""
        self._features = drum_features(partials, residual)
        body = np.square([np.abs(body_spectrum(side)) for side in partials]).sum(axis=0)
        if not body.any():
            body = _power(partials, _SIZE * 4)
        lines = body[:-1].reshape(_SIZE // 2, -1).max(axis=1)
        level_db = 10 * np.log10(lines / max(float(lines.max()), _QUIET) + _QUIET)
        self._bins = np.flatnonzero(level_db > _AUDIBLE_DB)
        self._is_main = level_db[self._bins] > _MAIN_DB
        self._has_tone = 0 < np.count_nonzero(self._is_main) <= _MOST_MAIN
        attack = _power(partials[:, :ATTACK_FRAMES], 2 * _SIZE)
        self._attack = attack[:-1].reshape(_SIZE // 2, -1).sum(axis=1)
        self._noise = float(_power(residual[:, :ATTACK_FRAMES], 2 * _SIZE).sum())

    def taps(
        self,
        statistics: PartialStatistics,
        label: int,
        seed: Sequence[int],
        *,
        amount: float = 1.0,
        difference_db: float = 0.0,
    ) -> Audio:
        """Return the impulse response (taps,) of the stroke that `seed` decides; all else is as in `draw_filter`.

        Of up to eight filters it is the first that leaves the lines within their limits, or the one that comes nearest
        to it. They are judged at amount 1, so that a stroke stays the same one at all amounts.
        """
        chosen, likeliest = seed, None
        if self._has_tone and amount > 0:
            chosen, likeliest = self._chosen(statistics, label, seed)
        if likeliest is not None and amount == 1 and difference_db == 0:
            return likeliest
        return self._drawn(statistics, label, chosen, amount, difference_db)

    def _chosen(
        self, statistics: PartialStatistics, label: int, seed: Sequence[int]
    ) -> tuple[Sequence[int], Audio | None]:
        """Return the seed of the filter that is taken, and the filter at amount 1."""
        chosen, taken, least = seed, None, np.inf
        for draw in range(_MOST_DRAWS):
            tried = [*seed, draw] if draw else seed
            taps = self._drawn(statistics, label, tried)
            excess = self.excess_db(taps)
            if excess < least:
                chosen, taken, least = tried, taps, excess
            if excess <= 0:
                break
        return chosen, taken

    def excess_db(self, taps: Audio) -> float:
        """Return how far a filter takes a line beyond its limits, in dB; 0 or less where all are within them."""
        gain = np.square(np.abs(np.fft.rfft(taps, _SIZE)))[:-1]
        before, after = (self._noise + float(self._attack @ each) + _QUIET for each in (np.ones_like(gain), gain))
        gain_db = 10 * np.log10(gain[self._bins] * (before / after) + _QUIET)
        main = np.abs(gain_db[self._is_main]).max() - _MAIN_LIMIT_DB
        return float(max(main, gain_db.max() - _RISE_LIMIT_DB))

    def _drawn(
        self,
        statistics: PartialStatistics,
        label: int,
        seed: Sequence[int],
        amount: float = 1.0,
        difference_db: float = 0.0,
    ) -> Audio:
        rng = np.random.default_rng(seed)
        drawn = draw_filter(statistics, self._features, label, rng, amount=amount, difference_db=difference_db)
        return drawn.taps()


def _power(sound: Audio, size: int) -> Array:
    """Return the power spectrum of sound (channels, frames), (size / 2 + 1,)."""
    return np.asarray(np.square(np.abs(np.fft.rfft(sound, size))).sum(axis=0))
