import numpy as np
import pytest

from ghostnote.bridge.dsp.ringing import Lines, synthesize, synthesize_glide

RATE = 44_100


def lines(*rows: tuple[float, float, float, float, float]) -> Lines:
    return Lines(*np.array(rows, float).T)


def test_a_line_is_its_formula_to_the_last_frame() -> None:
    frames = 3 * RATE + 17
    made = synthesize(lines((464.3, 0.5, 1.7, 0.9, 0.0)), frames, RATE)
    t = np.arange(frames) / RATE
    expected = 0.5 * 10 ** (-3 * t / 1.7) * np.cos(2 * np.pi * 464.3 * t + 0.9)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, atol=2e-6)


def test_two_lines_have_their_frequencies_and_no_other_line_above_minus_90_db() -> None:
    made = synthesize(lines((540.0, 0.5, 4.0, 0.0, 0.0), (800.0, 0.3, 4.0, 1.0, 0.0)), 65_536, RATE)
    t = np.arange(65_536)
    window = np.blackman(65_536)
    level = np.abs(np.fft.rfft(made * window)) * 2 / window.sum()
    hz = np.arange(len(level)) * RATE / 65_536
    assert hz[level.argmax()] == pytest.approx(540, abs=0.7)
    # A decay widens a line: what is far from both is none.
    away = (np.abs(hz - 540) > 60) & (np.abs(hz - 800) > 60)
    assert 20 * np.log10(level[away].max() / level.max()) < -90
    assert t[-1] + 1 == len(made)


def test_a_line_decays_by_60_db_in_its_time() -> None:
    made = synthesize(lines((1000.0, 1.0, 0.5, 0.0, 0.0)), RATE, RATE)
    period = 441
    begin, end = (np.abs(made[at : at + period]).max() for at in (0, RATE // 2))
    assert 20 * np.log10(end / begin) == pytest.approx(-60, abs=0.1)


def test_a_line_that_rises_begins_at_nothing() -> None:
    made = synthesize(lines((1000.0, 1.0, 1e3, np.pi / 2, 0.02)), RATE, RATE)
    t = np.arange(RATE) / RATE
    expected = (1 - np.exp(-t / 0.02)) * 10 ** (-3 * t / 1e3) * np.cos(2 * np.pi * 1000 * t + np.pi / 2)
    np.testing.assert_allclose(made, expected, atol=2e-5)


def test_no_lines_are_silent() -> None:
    assert not synthesize(Lines(*np.zeros((5, 0))), 1000, RATE).any()


def test_a_glide_passes_through_its_frequencies() -> None:
    hz = np.linspace(200, 100, RATE)
    made = synthesize_glide(hz, np.ones(RATE), 0.0, RATE)
    crossings = np.flatnonzero((made[:-1] < 0) & (made[1:] >= 0))
    assert len(crossings) == pytest.approx(150, abs=1)
    assert np.diff(crossings)[:3].mean() == pytest.approx(RATE / 200, rel=0.02)
    assert np.diff(crossings)[-3:].mean() == pytest.approx(RATE / 100, rel=0.02)
