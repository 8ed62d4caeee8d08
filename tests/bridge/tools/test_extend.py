import numpy as np
import pytest

from ghostnote.bridge.dsp.continuation import natural_end
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.extend import extend

RATE = 44_100


def ring(seconds: float, rate: int = RATE, t60: float = 1.2) -> np.ndarray:
    """Return two partials and noise that decay at one rate, (1, frames)."""
    t = np.arange(round(seconds * rate)) / rate
    noise = 0.03 * np.random.default_rng(1).standard_normal(len(t))
    tone = 0.4 * np.sin(2 * np.pi * 220 * t) + 0.2 * np.sin(2 * np.pi * 563 * t)
    return ((tone + noise) * 10 ** (-3 * t / t60)).astype(np.float32)[None]


def level_db(audio: np.ndarray, at: float, rate: int = RATE, seconds: float = 0.05) -> float:
    part = audio[:, round(at * rate) : round((at + seconds) * rate)]
    return float(10 * np.log10(np.square(part).mean()))


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_cut_tail_rings_on_as_it_would_have(rate: int):
    whole = ring(1.5, rate)
    cut = whole[:, : round(0.4 * rate)]
    longer = extend(cut, rate, 1.5)
    assert longer.shape == whole.shape
    kept = round(0.37 * rate)
    assert np.array_equal(longer[:, :kept], cut[:, :kept])
    for at in (0.36, 0.4, 0.45, 0.6):
        assert level_db(longer, at, rate) == pytest.approx(level_db(whole, at, rate), abs=1.0)
    fall = level_db(longer, 0.45, rate) - level_db(longer, 1.2, rate)
    assert fall == pytest.approx(60 / 1.2 * 0.75, rel=0.2)


def test_partials_keep_their_phase_over_the_seam():
    t = np.arange(RATE) / RATE
    whole = (0.5 * np.sin(2 * np.pi * 330 * t) * np.exp(-t / 0.2)).astype(np.float32)[None]
    longer = extend(whole[:, : RATE // 4], RATE, 1.0)
    part = slice(RATE // 4, RATE // 4 + 2000)
    error = np.square(longer[:, part] - whole[:, part]).mean() / np.square(whole[:, part]).mean()
    assert 10 * np.log10(error) < -25


def test_a_fade_at_the_end_is_left_out():
    hit = ring(0.6)
    faded = hit.copy()
    faded[:, -8000:] *= np.linspace(1, 0, 8000, dtype=np.float32)
    assert natural_end(hit) == hit.shape[1]
    assert hit.shape[1] - 8000 < natural_end(faded) < hit.shape[1] - 2000
    longer = extend(faded, RATE, 1.2)
    assert level_db(longer, 0.55) == pytest.approx(level_db(hit, 0.55), abs=1.5)


def test_two_sides_keep_their_image():
    noise = np.random.default_rng(2).standard_normal((2, RATE // 2)).astype(np.float32)
    fall = np.exp(-np.arange(RATE // 2) / 9000, dtype=np.float32)
    narrow = 0.2 * fall * (noise[:1] + 0.2 * noise)
    longer = extend(narrow, RATE, 1.0)[:, RATE // 2 : RATE // 2 + 15_000]
    assert np.corrcoef(longer)[0, 1] == pytest.approx(np.corrcoef(narrow)[0, 1], abs=0.05)
    wide = extend(0.2 * fall * noise, RATE, 1.0)[:, RATE // 2 : RATE // 2 + 15_000]
    assert abs(np.corrcoef(wide)[0, 1]) < 0.1


def test_what_cannot_ring_on_is_named():
    with pytest.raises(InputError, match="s already: give more"):
        extend(ring(0.5), RATE, 0.4)
    with pytest.raises(InputError, match="too little of how it decays"):
        extend(ring(0.02), RATE, 1.0)


def noise_hit(seed: int) -> np.ndarray:
    """Return low noise of few ups and downs that decays by 60 dB a second, (1, frames)."""
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(RATE // 2))
    white[600:] = 0
    return (0.005 * np.fft.irfft(white) * 10 ** (-3 * np.arange(RATE // 2) / RATE)).astype(np.float32)[None] * 40


@pytest.mark.parametrize("seed", range(6))
def test_the_level_goes_on_as_it_fell_whatever_the_noise(seed: int):
    cut = noise_hit(seed)
    longer = extend(cut, RATE, 1.2, seed=seed)
    blocks = [level_db(longer, at / 100, seconds=0.01) for at in range(28, 72)]
    before, after = np.array(blocks[:22]), np.array(blocks[22:])
    fall, start = np.polyfit(np.arange(-22, 0), before, 1)
    assert 10 * np.log10((10 ** (after[:3] / 10)).mean()) == pytest.approx(start + fall, abs=1.0)
    assert np.polyfit(np.arange(22), after, 1)[0] == pytest.approx(min(fall, -0.05), rel=0.2, abs=0.04)
