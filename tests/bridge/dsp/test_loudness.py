import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from ghostnote.bridge.dsp.loudness import LoudnessMeter, k_weighting

Audio = NDArray[np.float32]
LEVELS_DB = np.array([-20, -60, -12, -30, -90, -6, -18, -18, -45, -24])


def programme(rate: int, seconds: int = 5) -> Audio:
    """Noise whose level changes every half second, some of it below the gates."""
    frames = rate * seconds
    gains = np.repeat(10 ** (LEVELS_DB / 20), frames // len(LEVELS_DB))
    sound = np.random.default_rng(2).standard_normal((2, frames)) * 0.2 * gains
    return sound.astype(np.float32)


def measured(sound: Audio, rate: int, block: int | None = None) -> LoudnessMeter:
    meter = LoudnessMeter(rate)
    for start in range(0, sound.shape[1], block or sound.shape[1]):
        meter.add(sound[:, start : start + (block or sound.shape[1])])
    return meter


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
def test_it_agrees_with_another_meter(rate: int) -> None:
    sound = programme(rate)
    other = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(sound.T.astype(np.float64))
    assert measured(sound, rate).integrated_lufs == pytest.approx(other, abs=0.01)


def test_it_agrees_with_the_other_meters_own_filters() -> None:
    sound = programme(48_000)
    other = pyloudnorm.Meter(48_000).integrated_loudness(sound.T.astype(np.float64))
    assert measured(sound, 48_000).integrated_lufs == pytest.approx(other, abs=0.1)


def test_the_weighting_is_the_standards_table_at_48_khz() -> None:
    z = np.exp(-2j * np.pi * np.arange(33) / 64)
    shelf = np.polyval([1.19839281085285, -2.69169619040784, 1.53512485958697], z)
    shelf /= np.polyval([0.73248077421585, -1.69065929318241, 1.0], z)
    highpass = np.polyval([1.0, -2.0, 1.0], z) / np.polyval([0.99007225036621, -1.99004745483398, 1.0], z)
    np.testing.assert_allclose(k_weighting(48_000, 64), shelf * highpass, atol=1e-8)


def test_the_standards_tone_reads_minus_3_01() -> None:
    tone = np.sin(2 * np.pi * 997 * np.arange(96_000) / 48_000)[None].astype(np.float32)
    assert measured(tone, 48_000).integrated_lufs == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("block", [1_000, 4_801, 65_536])
def test_the_blocks_do_not_matter(block: int) -> None:
    sound = programme(44_100)
    whole, parts = measured(sound, 44_100), measured(sound, 44_100, block)
    assert parts.integrated_lufs == pytest.approx(whole.integrated_lufs, abs=1e-9)
    assert parts.peak_dbfs == whole.peak_dbfs


def test_reading_the_meter_does_not_disturb_it() -> None:
    sound = programme(48_000)
    meter = LoudnessMeter(48_000)
    for start in range(0, sound.shape[1], 10_000):
        meter.add(sound[:, start : start + 10_000])
        assert meter.integrated_lufs < 0
    assert meter.integrated_lufs == pytest.approx(measured(sound, 48_000).integrated_lufs, abs=1e-9)


def test_the_peak_is_in_db_of_full_scale() -> None:
    meter = measured(np.array([[0.1, -0.5], [0.2, 0.0]], np.float32), 48_000)
    assert meter.peak_dbfs == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("frames", [0, 100, 100_000])
def test_silence_is_minus_infinity(frames: int) -> None:
    meter = measured(np.zeros((2, frames), np.float32), 48_000, 50_000)
    assert (meter.integrated_lufs, meter.peak_dbfs) == (-np.inf, -np.inf)


def test_nothing_at_all_is_silence() -> None:
    assert LoudnessMeter(48_000).integrated_lufs == -np.inf


def test_a_single_short_hit_has_a_loudness() -> None:
    hit = programme(48_000)[:, :4_000]
    assert -40 < measured(hit, 48_000).integrated_lufs < 0


def test_a_change_of_channels_is_a_mistake() -> None:
    meter = LoudnessMeter(48_000)
    meter.add(np.zeros((2, 10), np.float32))
    with pytest.raises(ValueError, match="channels"):
        meter.add(np.zeros((1, 10), np.float32))
