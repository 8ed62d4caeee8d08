"""The two parts of a hit at any rate, and the spectra that tools filter it by."""

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import fitted, resample
from ghostnote.bridge.dsp.partials import RATE, split

Audio = NDArray[np.float32]


def parts_of(audio: Audio, rate: int) -> tuple[Audio, Audio]:
    """Return the partials and the residual of a hit (channels, frames) at `rate` Hz; they add up to it."""
    found = resample(split(resample(audio, rate, RATE))[0], RATE, rate)
    partials = fitted(found, audio.shape[1])
    return partials, audio - partials
