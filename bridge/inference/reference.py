"""A reference, prepared once for all the strokes that follow it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack import Attack
from ghostnote.bridge.dsp.onset import LEAD_SECONDS, onset_frame
from ghostnote.bridge.dsp.partial_response import FilteredPartials, drum_features
from ghostnote.bridge.dsp.partials import RESIDUAL_FLOOR, split
from ghostnote.bridge.inference.model import ReferenceFeatures

Audio = NDArray[np.float32]

_LEAD_FRAMES: Final = int(LEAD_SECONDS * 44_100)


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
        self.partials = FilteredPartials(partials)
        self.drum = drum_features(partials, self.residual)
        self.attack = Attack.of(self.body)
        self._features: dict[int, ReferenceFeatures] = {}

    def head(self, channels: int, frames: int) -> Audio:
        """Return the residual's first frames (channels, frames), padded with silence."""
        head = np.zeros((channels, frames), np.float32)
        head[:, : self.residual.shape[1]] = self.residual[:, :frames]
        return head

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
        features = sum(features.nbytes for features in self._features.values())
        return self.residual.nbytes + self.partials.nbytes + features
