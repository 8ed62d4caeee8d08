"""Filters of strokes: random, but none takes a drum's tone away or puts another in its place."""

import numpy as np
import pytest

from ghostnote.bridge.drums import CLASS_NAMES, label_of
from ghostnote.bridge.dsp.partial_response import DRUM_FEATURES, KNOTS_HZ, PartialStatistics
from ghostnote.bridge.dsp.stroke_filter import StrokeFilter

RATE = 44_100
TIME = np.arange(RATE) / RATE
KNOTS, ROWS = len(KNOTS_HZ), len(CLASS_NAMES) + 1
WILD = PartialStatistics.from_dict(
    {
        "gain_db": 8 * np.eye(KNOTS),
        "phase": np.ones((ROWS, KNOTS)),
        "own": np.full(KNOTS, 1.5),
        "class_factors": np.zeros((ROWS, 2)),
        "feature_factors": np.zeros((DRUM_FEATURES, 2)),
        "slopes": np.zeros((ROWS, KNOTS)),
    },
    ROWS,
)
TONES_HZ = (464, 969, 3330)
LABEL = label_of("perc")


def cowbell() -> np.ndarray:
    """Return two tones of one strength and a soft third one, (1, frames)."""
    parts = [level * np.sin(2 * np.pi * hz * TIME) for hz, level in zip(TONES_HZ, (1, 0.7, 0.1), strict=True)]
    return (np.sum(parts, axis=0) * np.exp(-TIME / 0.2))[None].astype(np.float32)


def gains_db(taps: np.ndarray) -> np.ndarray:
    """Return what taps do to the tones, beside what they do to the attack's level."""
    attack = cowbell()[0, :2646]
    change = 10 * np.log10(np.square(np.convolve(attack, taps)).sum() / np.square(attack).sum())
    response = np.abs(np.fft.rfft(taps, RATE))
    return 20 * np.log10(response[list(TONES_HZ)]) - change


@pytest.fixture(scope="module")
def drum() -> StrokeFilter:
    return StrokeFilter(cowbell(), np.zeros((1, RATE), np.float32))


def test_no_stroke_loses_its_tone_or_gets_a_louder_one(drum: StrokeFilter) -> None:
    gains = np.array([gains_db(drum.taps(WILD, LABEL, (7, index))) for index in range(60)])
    assert np.abs(gains[:, :2]).max() < 14
    assert gains.max() < 16
    # They differ none the less.
    assert gains.std(axis=0).min() > 3


def test_limits_are_what_does_it(drum: StrokeFilter) -> None:
    excess = [drum.excess_db(drum.taps(WILD, LABEL, (7, index))) for index in range(60)]
    assert np.mean(np.array(excess) <= 0) > 0.9
    assert drum.excess_db(np.array([1.0], np.float32)) < 0
    # A comb that takes one of the tones away.
    comb = np.zeros(96, np.float32)
    comb[[0, round(RATE / 464 / 2)]] = 1
    assert drum.excess_db(comb) > 5


def test_a_stroke_is_the_same_one_at_all_amounts(drum: StrokeFilter) -> None:
    for index in range(20):
        whole, most = (drum.taps(WILD, LABEL, (7, index), amount=amount) for amount in (1.0, 0.999))
        assert np.abs(whole - most).max() < 0.01 * np.abs(whole).max()
    still = drum.taps(WILD, LABEL, (7, 0), amount=0.0)
    assert np.abs(still).max() == pytest.approx(1, abs=1e-3)


def test_noise_has_no_tone_to_lose() -> None:
    noise = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32) * np.exp(-TIME / 0.2)
    clap = StrokeFilter(noise.astype(np.float32), np.zeros((1, RATE), np.float32))
    assert max(clap.excess_db(clap.taps(WILD, LABEL, (7, index))) for index in range(10)) > 5


def test_silence_and_short_hits_have_filters_too() -> None:
    for frames in (1, 500):
        short = StrokeFilter(np.zeros((2, frames), np.float32), np.zeros((2, frames), np.float32))
        assert np.isfinite(short.taps(WILD, LABEL, (7, 0))).all()
    click = np.exp(-np.arange(800) / 100)[None].astype(np.float32)
    assert np.isfinite(StrokeFilter(click, 0 * click).taps(WILD, LABEL, (7, 0))).all()
