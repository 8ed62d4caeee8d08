"""Solvers against the closed form: of normal data the score is known, and so is every path of the ODE."""

import math
from itertools import pairwise

import pytest
import torch

from ghostnote.models.diffusion.solvers import SOLVERS, BrownianPath, clock, fresh_noise, log_snr, solver_times
from ghostnote.models.diffusion.v_prediction import as_velocity, t_to_alpha_sigma, to_v

STD = 0.5
PREDICTIONS = {"v": lambda z, x, eps, t: to_v(x, eps, t), "eps": lambda z, x, eps, t: eps, "x": lambda z, x, eps, t: x}


def network(target, std=STD):
    """Return what a perfect network predicts where the data is normal with deviation `std`."""

    def predict(z, t):
        alpha, sigma = t_to_alpha_sigma(t[:, None])
        x = z * alpha * std**2 / (alpha**2 * std**2 + sigma**2)
        return PREDICTIONS[target](z, x, (z - alpha * x) / sigma.clamp_min(1e-9), t)

    return predict


def deviation(t):
    """Return the deviation of z at time `t`: along a path of the ODE z keeps its ratio to it."""
    alpha, sigma = t_to_alpha_sigma(t)
    return (alpha**2 * STD**2 + sigma**2).sqrt()


def error(name, steps, target="v"):
    """Return by how much a path from time 0.9 to 0.1 is off the true one."""
    schedule = torch.linspace(0.9, 0.1, steps + 1, dtype=torch.float64)
    z = torch.tensor([[1.0], [-2.0]], dtype=torch.float64)
    found = SOLVERS[name].solve(as_velocity(network(target), target), z, schedule, fresh_noise(z))
    return float((found - z * deviation(schedule[-1]) / deviation(schedule[0])).abs().max())


def slopes_of(errors):
    """Return the order that errors at steps of half the length show."""
    return [math.log2(a / b) for a, b in pairwise(errors)]


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpm++2m", 2)])
def test_the_error_falls_with_the_order_of_the_solver(name, order):
    errors = [error(name, steps) for steps in (80, 160, 320)]
    assert slopes_of(errors) == pytest.approx([order, order], abs=0.15)
    assert errors[-1] < 5e-3


@pytest.mark.parametrize("name", ["euler", "ddim", "heun", "dpm++2m"])
def test_all_predictions_lead_to_the_same(name):
    errors = [error(name, 20, target) for target in PREDICTIONS]
    assert errors == pytest.approx([errors[0]] * 3, rel=1e-6)


@pytest.mark.parametrize("target", PREDICTIONS)
def test_every_prediction_is_followed_to_the_end(target):
    z = torch.tensor([[1.0]])
    found = SOLVERS["heun"].solve(as_velocity(network(target), target), z, solver_times(100), fresh_noise(z))
    start = solver_times(100)[0]
    assert float(found) == pytest.approx(float(z * STD / deviation(start)), abs=0.01)


def sde_variance(steps, start=0.9, end=0.1):
    """Return the variance that Euler-Maruyama ends with, followed through its steps, which are linear in z."""
    solve = SOLVERS["sde"].solve
    variance = deviation(torch.tensor(start, dtype=torch.float64)) ** 2
    schedule = torch.linspace(start, end, steps + 1, dtype=torch.float64)
    for step in schedule.unfold(0, 2, 1):
        by_z, by_noise = (
            solve(network("v"), torch.full((1, 1), z), step, lambda t, s, n=n: torch.full((1, 1), n)).double()
            for z, n in ((1.0, 0.0), (0.0, 1.0))
        )
        variance = variance * by_z**2 + by_noise**2
    return float(variance)


def test_the_reverse_sde_keeps_the_marginals_with_weak_order_one():
    true = float(deviation(torch.tensor(0.1, dtype=torch.float64)) ** 2)
    errors = [abs(sde_variance(steps) - true) for steps in (20, 40, 80)]
    assert slopes_of(errors) == pytest.approx([1, 1], abs=0.15)
    assert errors[-1] < 0.03 * true


def test_the_paths_of_the_sde_converge_where_they_share_their_noise():
    """One Brownian path in the clock, summed over longer steps: strong order 1, the noise being additive."""
    fine = torch.linspace(0.9, 0.1, 641, dtype=torch.float64)
    z = torch.randn(400, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    path = BrownianPath(z, fine, torch.Generator().manual_seed(1))

    def solve(steps):
        return SOLVERS["sde"].solve(network("v"), z, fine[:: 640 // steps], path)

    exact = solve(640)
    errors = [float((solve(steps) - exact).square().mean().sqrt()) for steps in (20, 40, 80)]
    assert slopes_of(errors) == pytest.approx([1, 1], abs=0.25)


def test_a_path_adds_up_to_noise_of_unit_variance():
    times = torch.linspace(0.9, 0.1, 9, dtype=torch.float64)
    path = BrownianPath(torch.zeros(20_000, 1, dtype=torch.float64), times, torch.Generator().manual_seed(0))
    whole, first, second = (path(times[[i]], times[[j]]) for i, j in ((0, 8), (0, 4), (4, 8)))
    assert float(whole.var()) == pytest.approx(1, rel=0.03)
    spans = [float((clock(times[i]) - clock(times[j])).sqrt()) for i, j in ((0, 8), (0, 4), (4, 8))]
    assert torch.allclose(spans[0] * whole, spans[1] * first + spans[2] * second)


@pytest.mark.parametrize("name", SOLVERS)
def test_samples_have_the_deviation_of_the_data(name):
    z = torch.randn(2000, 8, generator=torch.Generator().manual_seed(0))
    noise = fresh_noise(z, torch.Generator().manual_seed(1))
    steps = 200 if name == "sde" else 50
    found = SOLVERS[name].solve(network("v"), z, torch.cat([solver_times(steps)[:-1], torch.tensor([1e-3])]), noise)
    assert found.std() == pytest.approx(STD, rel=0.05)


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_ends_at_the_only_sample_there_is(name):
    data = torch.tensor([[0.3, -0.7]])

    def velocity(z, t):
        alpha, sigma = t_to_alpha_sigma(t[:, None])
        return to_v(data.expand_as(z), (z - alpha * data) / sigma.clamp_min(1e-2), t)

    z = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    found = SOLVERS[name].solve(velocity, z, solver_times(100), fresh_noise(z, torch.Generator().manual_seed(1)))
    assert (found - data).abs().max() < 0.05


@pytest.mark.parametrize("name", SOLVERS)
def test_a_step_takes_as_many_evaluations_as_the_table_says(name):
    calls = []

    def counted(z, t):
        calls.append(t)
        return network("v")(z, t)

    z = torch.zeros(1, 1)
    SOLVERS[name].solve(counted, z, torch.linspace(0.9, 0.1, 8), fresh_noise(z))
    assert len(calls) == 7 * SOLVERS[name].evaluations


def test_clock_and_log_snr_are_finite_at_both_ends():
    ends = torch.tensor([0.0, 1.0])
    assert clock(ends).isfinite().all()
    assert log_snr(ends).isfinite().all()
    assert float(log_snr(torch.tensor(0.5))) == pytest.approx(0, abs=1e-6)
