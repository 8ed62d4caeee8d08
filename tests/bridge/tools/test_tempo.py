import numpy as np
import pytest

from ghostnote.bridge.tools.tempo import estimated_bpm

ROCK = "x.x.x.x.x.x.x.x."
FUNK = "x..xx.x.x..x.xx."


def strokes(pattern: str, bpm: float, *, swing: float = 0.0, begins: float = 0.3, seed: int = 1) -> list[float]:
    """Return when the marks of two bars come, a mark a sixteenth, played by a hand that is 4 ms off."""
    rng = np.random.default_rng(seed)
    steps = [bar * 16 + step for bar in range(2) for step, mark in enumerate(pattern) if mark == "x"]
    return [begins + (step + swing * (step % 2)) * 15 / bpm + rng.normal(0, 0.004) for step in steps]


@pytest.mark.parametrize("bpm", [83.0, 96.0, 104.0, 120.0, 137.0])
@pytest.mark.parametrize("pattern", [ROCK, FUNK])
def test_a_loop_is_at_the_tempo_on_whose_grid_its_strokes_fall(bpm: float, pattern: str):
    at = strokes(pattern, bpm)
    assert estimated_bpm(at, [90.0] * len(at)) == pytest.approx(bpm, rel=0.01)


@pytest.mark.parametrize("bpm", range(60, 201, 10))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_slow_and_fast_loops_have_their_tempo_or_the_usual_one_with_the_same_strokes(bpm: int, seed: int):
    funk, rock = strokes(FUNK, bpm, seed=seed), strokes(ROCK, bpm, seed=seed)
    slow = 2.0 if bpm < 80 else 1.0
    assert estimated_bpm(funk, [90.0] * len(funk)) == pytest.approx(slow * bpm, rel=0.005)
    # Eighths at 170 are sixteenths at 85; those of FUNK are not all on its grid.
    fast = 0.5 if bpm > 160 else slow
    assert estimated_bpm(rock, [90.0] * len(rock)) == pytest.approx(fast * bpm, rel=0.005)


@pytest.mark.parametrize("bpm", [97.3, 128.1])
def test_minutes_of_strokes_have_a_tempo_too(bpm: float):
    at = [stroke * 30 / bpm for stroke in range(round(480 * bpm / 30))]
    assert estimated_bpm(at, [1.0] * len(at)) == bpm
    sparse = [0.0, 100.0, *(200 + stroke * 30 / bpm for stroke in range(16))]
    assert estimated_bpm(sparse, [1.0] * len(sparse)) == pytest.approx(bpm, abs=0.1)


def test_swing_and_soft_strokes_between_move_it_by_little():
    at = strokes(FUNK, 100, swing=0.12)
    weights = [100.0 if step % 2 else 40.0 for step in range(len(at))]
    assert estimated_bpm(at, weights) == pytest.approx(100, rel=0.01)


def test_few_strokes_and_those_without_a_grid_have_none():
    assert estimated_bpm([0.0, 0.5, 1.0], [1, 1, 1]) is None
    assert estimated_bpm([0.5] * 5, [1] * 5) is None
    loose = np.sort(np.random.default_rng(3).uniform(0, 12, 60))
    assert estimated_bpm(loose.tolist(), [1.0] * 60) is None
