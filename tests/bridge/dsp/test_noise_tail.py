import numpy as np
import pytest

from ghostnote.bridge.dsp.noise_tail import continued_noise
from ghostnote.bridge.dsp.shape import BANDS

RATE, FRAMES = 44_100, 32_768


def decaying_noise(t60: float) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal(FRAMES) * 10 ** (-3 * np.arange(FRAMES) / RATE / t60)
    return (0.3 * noise).astype(np.float32)


@pytest.mark.parametrize("t60", [0.8, 2.0, 6.0])
def test_noise_goes_on_decaying_without_a_seam(t60: float) -> None:
    whole = continued_noise(decaying_noise(t60), np.full(BANDS, t60), 3 * RATE, np.random.default_rng(2))
    assert whole.shape == (3 * RATE,)
    step = 2205
    level = 10 * np.log10(np.square(whole[: len(whole) // step * step].reshape(-1, step).astype(float)).mean(axis=1))
    expected = 20 * np.log10(0.3) - 60 * (np.arange(len(level)) + 0.5) * step / RATE / t60
    audible = expected > expected[0] - 100
    np.testing.assert_allclose(level[audible], expected[audible], atol=1.5)


def test_bands_decay_each_by_itself() -> None:
    t60 = np.linspace(4.0, 1.5, BANDS)
    whole = continued_noise(decaying_noise(2.0), t60, 4 * RATE, np.random.default_rng(2)).astype(float)
    spectra = np.abs(np.fft.rfft(whole[RATE : 4 * RATE].reshape(3, RATE))) ** 2
    for low, high, seconds in ((60, 250, 4.0), (19_000, 21_000, 1.5)):
        level = 10 * np.log10(spectra[:, low:high].mean(axis=1))
        assert level[1] - level[0] == pytest.approx(-60 / seconds, abs=1.5)


def test_what_is_shorter_is_the_beginning_and_what_is_silent_stays_so() -> None:
    head = decaying_noise(1.0)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(continued_noise(head, np.ones(BANDS), 1000, rng), head[:1000])
    head[-20_000:] = 0
    assert not continued_noise(head, np.ones(BANDS), RATE, rng)[FRAMES:].any()
