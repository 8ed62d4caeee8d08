"""A reference, prepared once for all the strokes that follow it."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack import Attack
from ghostnote.bridge.dsp.filtered_partials import FilteredPartials
from ghostnote.bridge.dsp.onset import LEAD_SECONDS, onset_frame
from ghostnote.bridge.dsp.partials import RESIDUAL_FLOOR, split
from ghostnote.bridge.dsp.stereo_image import band_correlation
from ghostnote.bridge.dsp.strike import Strike
from ghostnote.bridge.dsp.stroke_filter import StrokeFilter
from ghostnote.bridge.dsp.tail_crossfade import Tail
from ghostnote.bridge.inference.model import ReferenceFeatures

Audio = NDArray[np.float32]


_LEAD_FRAMES: Final = int(LEAD_SECONDS * 44_100)


class ResidualHead(NamedTuple):
    """The first frames of a residual, as long as the model's hits."""

    audio: Audio
    """(channels, frames), padded with silence."""
    attack: Attack
    correlation: Audio | None
    """Of two sides, (bands,)."""


class PreparedReference:
    """A reference's parts, and its features as far as a model has computed them."""

    def __init__(self, audio: Audio) -> None:
        """Split a reference (channels, frames) at its onset, and the hit into partials and residual."""
        onset = max(0, onset_frame(audio) - _LEAD_FRAMES)
        self.lead = audio[:, :onset]
        """The silence before the hit."""
        self.body = audio[:, onset:]
        """The hit."""
        partials, self.residual = split(self.body)
        self.has_residual = bool(np.abs(self.residual).max() > RESIDUAL_FLOOR * np.abs(self.body).max())
        """Whether there is more to the hit than its partials."""
        self.tail = Tail(self.residual)
        self.partials = FilteredPartials(partials)
        self.filter = StrokeFilter(partials, self.residual)
        self.strike = Strike(self.body, partials)
        self._heads: dict[int, ResidualHead] = {}
        self._features: dict[int, ReferenceFeatures] = {}

    def head(self, channels: int, frames: int, bands: int) -> ResidualHead:
        """Return the residual's first `frames` in so many channels, measured in so many bands."""
        if channels not in self._heads:
            missing = max(0, frames - self.residual.shape[1])
            head = np.pad(self.residual, ((0, 0), (0, missing))) if missing else self.residual[:, :frames]
            head = np.broadcast_to(head, (channels, frames))
            correlation = band_correlation(head, bands) if channels == 2 else None
            self._heads[channels] = ResidualHead(head, Attack.of(head), correlation)
        return self._heads[channels]

    def keep(self, features: ReferenceFeatures) -> None:
        """Keep features (channels, features); a single row where all are the same."""
        self._features[len(features)] = features[: 1 if (features == features[0]).all() else len(features)].copy()

    def features(self, channels: int, rows: int) -> ReferenceFeatures | None:
        """Return the features of `channels` channels, repeated to (rows, features); None before `keep`."""
        features = self._features.get(channels)
        return None if features is None else features[np.arange(rows) % len(features)]

    @property
    def nbytes(self) -> int:
        """The memory that the parts and the features take."""
        padded = [head.audio for head in self._heads.values() if head.audio.shape[1] > self.residual.shape[1]]
        kept = sum(array.nbytes for array in (*self._features.values(), *padded))
        return self.residual.nbytes + self.tail.nbytes + self.partials.nbytes + kept
