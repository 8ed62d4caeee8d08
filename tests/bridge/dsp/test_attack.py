"""A stroke rises as late and is as loud as its reference."""

import numpy as np
import pytest

from ghostnote.bridge.dsp.attack import Attack

FRAMES = 10_000


def burst(begin: int) -> np.ndarray:
    """Return noise (1, FRAMES) that begins at a frame and decays."""
    noise = np.random.default_rng(begin).standard_normal((1, FRAMES)) * np.exp(-np.arange(FRAMES) / 2000)
    noise[:, :begin] = 0
    return noise.astype(np.float32)


def test_nothing_sounds_long_before_its_reference() -> None:
    reference, stroke = burst(300), burst(100)
    Attack.of(reference).limit_rise(stroke)
    assert not stroke[:, :300].any()
    assert stroke[:, 600:].any()


def test_a_rise_that_is_somewhat_sooner_is_left_alone() -> None:
    reference = burst(0)
    stroke = reference.copy()
    stroke[:, :20] *= 1.2
    before = stroke.copy()
    Attack.of(reference).limit_rise(stroke)
    np.testing.assert_allclose(stroke, before, rtol=1e-5)


def test_the_rise_leaves_the_level_and_matching_gives_the_references() -> None:
    reference = burst(0)
    stroke = reference * np.float32(0.25)
    attack = Attack.of(reference)
    attack.limit_rise(stroke)
    np.testing.assert_allclose(stroke, 0.25 * reference, rtol=1e-5)
    attack.match_level(stroke)
    np.testing.assert_allclose(stroke, reference, rtol=1e-4)


def test_a_stroke_of_single_peaks_stays_within_twice_the_peak() -> None:
    reference = np.full((1, FRAMES), 0.5, np.float32)
    stroke = np.zeros_like(reference)
    stroke[:, ::1000] = 0.5
    Attack.of(reference).match_level(stroke)
    assert np.abs(stroke).max() == pytest.approx(1.0)
