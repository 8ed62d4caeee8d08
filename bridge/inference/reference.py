"""A reference, prepared once for all the strokes that follow it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.onset import LEAD_SECONDS, onset_frame
from ghostnote.bridge.inference.model import ReferenceFeatures

Audio = NDArray[np.float32]

_LEAD_FRAMES: Final = int(LEAD_SECONDS * 44_100)


class PreparedReference:
    """A reference's parts, and its features as far as a model has computed them."""

    def __init__(self, audio: Audio) -> None:
        """Split a reference (channels, frames) at its onset."""
        onset = max(0, onset_frame(audio) - _LEAD_FRAMES)
        self.lead = audio[:, :onset]
        """The silence before the hit."""
        self.body = audio[:, onset:]
        """The hit."""
        self._features: dict[int, ReferenceFeatures] = {}

    def head(self, channels: int, frames: int) -> Audio:
        """Return the hit's first frames (channels, frames), padded with silence."""
        head = np.zeros((channels, frames), np.float32)
        head[:, : self.body.shape[1]] = self.body[:, :frames]
        return head

    def keep(self, features: ReferenceFeatures) -> None:
        """Keep features (channels, features); a single row where all are the same."""
        self._features[len(features)] = features[: 1 if (features == features[0]).all() else len(features)].copy()

    def features(self, channels: int, rows: int) -> ReferenceFeatures | None:
        """Return the features of `channels` channels, repeated to (rows, features); None before `keep`."""
        features = self._features.get(channels)
        return None if features is None else features[np.arange(rows) % len(features)]

    @property
    def feature_bytes(self) -> int:
        """The memory that the features take."""
        return sum(features.nbytes for features in self._features.values())
