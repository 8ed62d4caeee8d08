import math

import numpy as np
import pytest

from ghostnote.models.evaluate.distributions import (
    bootstrap,
    calibrate_amounts,
    frechet_distance,
    nearest_to_one,
    precision_recall,
)


def gaussian(seed: int, hits: int = 400, dimensions: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((hits, dimensions))


def test_the_distance_of_gaussians_is_that_of_their_means_and_deviations() -> None:
    a = gaussian(0, 20_000, 4)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(a, a + 2) == pytest.approx(16, rel=1e-6)
    # Of equal means, each dimension adds the square of what the deviations differ by.
    assert frechet_distance(a, 3 * gaussian(1, 20_000, 4)) == pytest.approx(16, rel=0.05)


def test_the_distance_is_finite_with_fewer_hits_than_dimensions() -> None:
    distance = frechet_distance(gaussian(0, 4, 24), gaussian(1, 5, 24))
    assert math.isfinite(distance)
    assert distance > 0
    with pytest.raises(ValueError, match="two hits"):
        frechet_distance(gaussian(0, 1), gaussian(1))


def test_precision_and_recall_know_a_set_that_misses_half_and_one_that_is_elsewhere() -> None:
    real = np.concatenate([gaussian(0), gaussian(1) + 20])
    assert min(precision_recall(gaussian(2) * 0.9, gaussian(3) * 0.9)) > 0.8
    precision, recall = precision_recall(real, gaussian(4))
    assert precision > 0.8
    assert 0.3 < recall < 0.55
    assert precision_recall(real, gaussian(5) - 50) == (0, 0)
    with pytest.raises(ValueError, match="more than 3"):
        precision_recall(real, gaussian(1, 3))


def test_a_bootstrap_holds_the_value_and_narrows_with_more_groups() -> None:
    few, many = bootstrap(gaussian(0, 8, 1)[:, 0]), bootstrap(gaussian(0, 400, 1)[:, 0])
    assert few.low <= few.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 2
    assert bootstrap(gaussian(0, 8, 1)[:, 0]) == few
    assert bootstrap([1.0, float("nan"), 3.0], "mean").groups == 2


def test_a_bootstrap_of_nothing_is_nan_over_no_groups() -> None:
    found = bootstrap([float("nan")])
    assert found.groups == 0
    assert math.isnan(found.value)


def test_the_amount_for_one_lies_between_those_that_were_tried() -> None:
    assert nearest_to_one([0.5, 1.0], [0.5, 2.0]) == pytest.approx(0.75)
    assert nearest_to_one([0.5, 1.0], [1.2, 2.0]) == 0.5
    assert nearest_to_one([0.5, 1.0, 1.5], [0.4, 0.6, 0.8]) == 1.5
    with pytest.raises(ValueError, match="calibrate"):
        nearest_to_one([0.5], [float("nan")])


def test_a_class_of_one_drum_leans_on_all_and_one_of_many_on_itself() -> None:
    amounts = (0.5, 1.0)
    wide, narrow = [1.0, 2.0], [0.5, 1.0]
    found = calibrate_amounts(amounts, {"snare": [wide] * 9, "kick": [narrow], "tom": []})
    assert found["snare"] == pytest.approx(0.5, abs=0.02)
    assert 0.6 < found["kick"] < 1.0
    assert "tom" not in found
    assert found[""] == pytest.approx(0.55, abs=0.06)
    with pytest.raises(ValueError, match="no group"):
        calibrate_amounts(amounts, {})
