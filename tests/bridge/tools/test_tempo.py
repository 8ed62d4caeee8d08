import numpy as np
import pytest

from ghostnote.bridge.tools.tempo import estimated_bpm

ROCK = "x.x.x.x.x.x.x.x."
FUNK = "x..xx.x.x..x.xx."


def strokes(pattern: str, bpm: float, *, swing: float = 0.0, begins: float = 0.3) -> list[float]:
    """Return when the marks of two bars come, a mark a sixteenth, played by a hand that is 4 ms off."""
    rng = np.random.default_rng(1)
    steps = [bar * 16 + step for bar in range(2) for step, mark in enumerate(pattern) if mark == "x"]
    return [begins + (step + swing * (step % 2)) * 15 / bpm + rng.normal(0, 0.004) for step in steps]


@pytest.mark.parametrize("bpm", [83.0, 96.0, 104.0, 120.0, 137.0])
@pytest.mark.parametrize("pattern", [ROCK, FUNK])
def test_a_loop_is_at_the_tempo_on_whose_grid_its_strokes_fall(bpm: float, pattern: str):
    at = strokes(pattern, bpm)
    assert estimated_bpm(at, [90.0] * len(at)) == pytest.approx(bpm, rel=0.01)


def test_swing_and_soft_strokes_between_move_it_by_little():
    at = strokes(FUNK, 100, swing=0.12)
    weights = [100.0 if step % 2 else 40.0 for step in range(len(at))]
    assert estimated_bpm(at, weights) == pytest.approx(100, rel=0.01)


def test_few_strokes_and_those_without_a_grid_have_none():
    assert estimated_bpm([0.0, 0.5, 1.0], [1, 1, 1]) is None
    assert estimated_bpm([0.5] * 5, [1] * 5) is None
    loose = np.sort(np.random.default_rng(3).uniform(0, 12, 60))
    assert estimated_bpm(loose.tolist(), [1.0] * 60) is None
