"""The partials of a reference through the filters of its strokes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack_course import AttackCourse
from ghostnote.bridge.dsp.block_filter import Spectra, block_spectra, filter_blocks
from ghostnote.bridge.dsp.partial_response import LEAD_FRAMES, TAIL_FRAMES
from ghostnote.bridge.dsp.partials import fast_size
from ghostnote.bridge.dsp.stereo_image import turned_apart

Audio = NDArray[np.float32]

_TAPS: Final = LEAD_FRAMES + TAIL_FRAMES
_BEFORE_FRAMES: Final = TAIL_FRAMES - 1
"""How far before a stroke's first frame its filter reaches."""
_BLOCK_FRAMES: Final = 8192
"""Partials are filtered in blocks of this size, which is fastest for so many taps."""
_MAX_ANGLE: Final = np.pi / 2
"""Between two sides at full width: their sum loses 3 dB at most."""
_SILENT: Final = 1e-5
"""A hit has ended where it stays below this share of its peak (-100 dB)."""
_FALL: Final = np.cos(np.linspace(0, np.pi / 2, 256, dtype=np.float32)) ** 2
"""How it then falls silent."""
_QUIET: Final = 1e-12
_AS_SHARP: Final = 0.85
"""How much of what a filter does to the course of an attack is undone."""


class FilteredPartials:
    """The partials of a reference, ready to be filtered."""

    def __init__(self, partials: Audio) -> None:
        """Take partials (channels, frames); they are transformed once for all strokes."""
        self.channels, self.frames = partials.shape
        loud = np.flatnonzero(np.abs(partials).max(axis=0) > _SILENT * np.abs(partials).max(initial=_QUIET))
        self._end = int(loud[-1]) + 1 if loud.size else 0
        self._partials = partials[:, : self._end].copy()
        self._course = AttackCourse(self._partials)
        self._kept = 0.0, self._transformed(0.0)

    @property
    def nbytes(self) -> int:
        """The memory that they take."""
        return self._partials.nbytes + self._kept[1].nbytes

    def through(self, taps: Audio, width: float = 0.0) -> Audio:
        """Return the partials (channels, frames) through a filter; two channels, up to `width` 1 apart, if it is not 0.

        Both sides are as loud at each frequency and as far apart in phase in every stroke, so that nothing moves
        between them from hit to hit.
        """
        spectra = self._spectra_at(width)
        filtered = filter_blocks(spectra, taps)
        stroke = np.zeros((len(spectra), self.frames), np.float32)
        # The filter rings on, and what was silent after a hit stays so.
        sounding = stroke[:, : self._end + len(_FALL)]
        sounding[:] = filtered[:, : sounding.shape[1]]
        after = sounding[:, self._end :]
        after *= _FALL[: after.shape[1]]
        self._course.apply_to(stroke, _AS_SHARP)
        return stroke

    def _spectra_at(self, width: float) -> Spectra:
        """Return the spectra of the blocks, (channels or 2, blocks, bins); those of the last width are kept."""
        kept = self._kept
        if kept[0] != width:
            # As one: threads may share a reference.
            self._kept = kept = width, self._transformed(width)
        return kept[1]

    def _transformed(self, width: float) -> Spectra:
        if not width:
            return _block_spectra(np.pad(self._partials, ((0, 0), (_BEFORE_FRAMES, 0))))
        size = fast_size(self.frames + 2 * _TAPS)
        spectra = np.fft.rfft(self._partials, size) * turned_apart(size, width * _MAX_ANGLE)
        turned = np.fft.irfft(spectra, size).astype(np.float32)
        # What the turning brings before the first frame lies at the end.
        begun = np.roll(turned, _BEFORE_FRAMES, axis=1)
        return _block_spectra(begun[:, : self._end + len(_FALL) + _TAPS])


def _block_spectra(begun: Audio) -> Spectra:
    """Return the spectra of partials (channels, frames) that begin `_BEFORE_FRAMES` early, and ring on."""
    frames = begun.shape[1] - _BEFORE_FRAMES + len(_FALL)
    return block_spectra(begun, frames, taps=_TAPS, block=_BLOCK_FRAMES)
