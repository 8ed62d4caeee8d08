import numpy as np
import pytest

from ghostnote.bridge.dsp.shaping import Shaping, shaped

RATE = 48_000
ONSET = 480


def ringing(hz: float = 500, t60: float = 0.6, seconds: float = 1.0) -> np.ndarray:
    """Return a decaying sine in stereo after 10 ms of silence."""
    t = np.arange(int(seconds * RATE)) / RATE
    sine = 0.5 * np.exp(-6.908 * t / t60) * np.sin(2 * np.pi * hz * t)
    return np.pad(np.stack([sine, 0.5 * sine]), ((0, 0), (ONSET, 0))).astype(np.float32)


def level(stroke: np.ndarray, seconds: float, hz: float | None = None) -> float:
    """Return the level in dB, of all or near a frequency, in the 40 ms from so long after the onset."""
    at = ONSET + round(seconds * RATE)
    part = stroke[0, at : at + 1920] * np.hanning(1920)
    spectrum = np.abs(np.fft.rfft(part)) ** 2
    near = slice(None) if hz is None else slice(round(hz / 25) - 2, round(hz / 25) + 3)
    return float(10 * np.log10(spectrum[near].sum() + 1e-20))


def test_knobs_that_do_nothing_leave_the_very_array() -> None:
    stroke = ringing()
    assert shaped(stroke, RATE, Shaping()) is stroke


@pytest.mark.parametrize("semitones", [-12, 7, 24])
def test_tune_moves_the_pitch_and_the_length(semitones: float) -> None:
    factor = 2 ** (semitones / 12)
    tuned = shaped(ringing(), RATE, Shaping(tune=semitones))
    assert tuned.shape[1] == pytest.approx(ringing().shape[1] / factor, abs=2)
    spectrum = np.abs(np.fft.rfft(tuned[0], 1 << 17))
    assert spectrum.argmax() * RATE / (1 << 17) == pytest.approx(500 * factor, rel=0.005)


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0])
def test_decay_is_beside_the_strokes_own(factor: float) -> None:
    made = shaped(ringing(), RATE, Shaping(decay=factor))
    assert level(made, 0) == pytest.approx(level(ringing(), 0), abs=60 * 0.04 / 0.6 / factor)
    fall = (level(made, 0.02) - level(made, 0.12)) / 0.1
    assert fall == pytest.approx(100 / factor, rel=0.05)


def test_a_longer_decay_raises_no_noise_without_end() -> None:
    stroke = ringing(t60=0.1)
    assert np.abs(shaped(stroke, RATE, Shaping(decay=4))).max() <= np.abs(stroke).max() * 1.1
    assert level(shaped(stroke, RATE, Shaping(decay=4)), 0.5) <= level(stroke, 0.5) + 24.1


@pytest.mark.parametrize("decibels", [-12, 12])
def test_attack_changes_the_first_milliseconds_alone(decibels: float) -> None:
    made, stroke = shaped(ringing(), RATE, Shaping(attack=decibels)), ringing()
    first = slice(ONSET, ONSET + 96)
    ratio = np.abs(made[0, first]).max() / np.abs(stroke[0, first]).max()
    assert 20 * np.log10(ratio) == pytest.approx(decibels, abs=1.5)
    np.testing.assert_allclose(made[:, ONSET + 9600 :], stroke[:, ONSET + 9600 :], atol=1e-4)


def test_tone_tilts_around_1_khz() -> None:
    both = ringing(200) + ringing(6000)
    made = shaped(both, RATE, Shaping(tone=12))
    low, high = (level(made, 0.05, hz) - level(both, 0.05, hz) for hz in (200, 6000))
    assert low == pytest.approx(-6, abs=1)
    assert high == pytest.approx(6, abs=1)


def test_start_leaves_out_and_reverse_turns_round() -> None:
    stroke = ringing()
    later = shaped(stroke, RATE, Shaping(start=100))
    assert later.shape[1] == stroke.shape[1] - 4800
    assert not later[:, :ONSET].any()
    np.testing.assert_array_equal(later[:, ONSET + 100 :], stroke[:, ONSET + 4900 :])
    backwards = shaped(stroke, RATE, Shaping(reverse=True))
    assert backwards[0, -1] == 0
    np.testing.assert_array_equal(backwards[:, :-2000], stroke[:, ::-1][:, :-2000])


@pytest.mark.parametrize(
    "shaping",
    [
        Shaping(tune=-24),
        Shaping(decay=0.05),
        Shaping(tune=24, decay=4, attack=24, tone=24, start=1000, reverse=True),
        Shaping(start=1000),
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 50, 3000])
def test_silence_and_short_strokes_stay_numbers(shaping: Shaping, frames: int) -> None:
    assert not shaped(np.zeros((2, frames), np.float32), RATE, shaping).any()
    made = shaped(ringing()[:, ONSET : ONSET + frames], RATE, shaping)
    assert made.shape[1] >= 1
    assert np.isfinite(made).all()
    assert made.dtype == np.float32
