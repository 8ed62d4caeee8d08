import numpy as np
import pytest

from ghostnote.bridge.dsp.low_spectrum import LOW_HZ, RAISED_DB, body_window, low_levels, with_low_levels
from ghostnote.bridge.dsp.shape import RATE

FRAMES = 32_768
TIME = np.arange(FRAMES) / RATE
NOTHING = np.zeros(FRAMES, np.float32)


def falling(t60: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(FRAMES)
    return (0.1 * noise * 10 ** (-3 * TIME / t60)).astype(np.float32)


def ringing(*lines: float, t60: float = 1.0) -> np.ndarray:
    return sum(np.sin(2 * np.pi * hz * TIME) * 10 ** (-3 * TIME / t60) for hz in lines).astype(np.float32)


def test_white_noise_is_as_loud_everywhere_as_it_is_as_a_whole() -> None:
    # The median of noise's power is 1.6 dB under its mean.
    assert low_levels(falling(3.0)).mean() == pytest.approx(-1.6, abs=1.5)
    assert np.ptp(low_levels(falling(3.0))) < 6


def test_what_rings_counts_for_the_whole_alone() -> None:
    noise, lines = falling(1.0), ringing(180, 330)
    apart = low_levels(noise) - low_levels(noise + lines)
    far = [place for place, hz in enumerate(LOW_HZ) if min(abs(hz - 180), abs(hz - 330)) > 80]
    energy = 10 * np.log10(np.square(lines + noise)[1500:17_884].sum() / np.square(noise)[1500:17_884].sum())
    assert apart[far] == pytest.approx(np.full(len(far), energy), abs=2.5)


@pytest.mark.parametrize("t60", [0.2, 3.0])
def test_noise_gets_its_levels_beside_the_hit_and_its_highs_stay(t60: float) -> None:
    noise, others = falling(t60), ringing(52, t60=t60)
    wanted = low_levels(noise + others) + np.array([0, 0, -9, -10, -4, 0, 2, 1, 0.0])
    made = with_low_levels(noise, wanted, others)
    assert low_levels(made + others)[3:] == pytest.approx(wanted[3:], abs=2.5)
    hz = np.fft.rfftfreq(FRAMES, 1 / RATE)
    change = np.abs(np.fft.rfft(made))[hz > 2000] / np.abs(np.fft.rfft(noise))[hz > 2000]
    assert np.median(change) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("raised_db", [0.0, RAISED_DB])
def test_noise_gets_no_louder_than_it_may(raised_db: float) -> None:
    noise = falling(1.0)
    wanted = low_levels(noise) + np.linspace(-20, 40, len(LOW_HZ))
    made = with_low_levels(noise, wanted, NOTHING, raised_db=raised_db)
    change = low_levels(made) - low_levels(noise)
    assert change[0] < -10
    # What noise gets is its share of a level that the hit as a whole has.
    assert change[6:] == pytest.approx(np.full(3, raised_db), abs=3)


def test_the_attack_stays() -> None:
    noise = falling(1.0)
    made = with_low_levels(noise, low_levels(noise) - 20, NOTHING)
    np.testing.assert_array_equal(made[:200], noise[:200])


def test_silence_stays_silent() -> None:
    assert not with_low_levels(NOTHING, np.zeros(len(LOW_HZ)), NOTHING).any()


def test_a_short_hit_is_looked_at_while_it_sounds() -> None:
    assert [body_window(falling(t60))[0] for t60 in (3.0, 0.12, 0.03)] == [16_384, 4096, 2048]
    assert body_window(falling(3.0), 8192)[0] == 8192
