import numpy as np
import pytest

from ghostnote.bridge.dsp.block_filter import block_spectra, filter_blocks


@pytest.mark.parametrize("frames", [1, 500, 769, 5000])
def test_filtering_blocks_is_convolution(frames: int) -> None:
    rng = np.random.default_rng(frames)
    taps, ahead = rng.standard_normal(256).astype(np.float32), 100
    audio = rng.standard_normal((2, frames)).astype(np.float32)
    begun = np.pad(audio, ((0, 0), (len(taps) - 1 - ahead, 0)))
    filtered = filter_blocks(block_spectra(begun, frames, taps=len(taps), block=1024), taps)[:, :frames]
    for own, given in zip(filtered, audio, strict=True):
        assert own == pytest.approx(np.convolve(given, taps)[ahead : ahead + frames], abs=1e-4)
