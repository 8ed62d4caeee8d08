import numpy as np
import pytest

from ghostnote.bridge.dsp.shape import BANDS, HOP_FRAMES, RATE, middle_t60

SECONDS = (np.arange(122) + 0.5) * HOP_FRAMES / RATE


def course(t60: float) -> np.ndarray:
    return np.tile(10 ** (-6 * SECONDS / t60), (BANDS, 1))


@pytest.mark.parametrize("t60", [0.05, 0.3, 2.0])
def test_an_exponential_has_its_own_decay(t60: float) -> None:
    np.testing.assert_allclose(middle_t60(course(t60)), t60, rtol=0.05)


def test_what_falls_fast_and_then_slowly_counts_as_what_most_of_it_does() -> None:
    found = middle_t60(course(0.1) + 0.001 * course(2.0))
    assert (found > 0.1).all()
    assert (found < 0.3).all()
