import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ghostnote.models.diffusion.sampling import ddim, guided, inpaint
from ghostnote.models.diffusion.v_prediction import (
    add_noise,
    alpha_sigma_to_t,
    ddpm_schedule,
    from_v,
    linear_schedule,
    t_to_alpha_sigma,
    to_v,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(st.floats(0.0, 1.0))
def test_v_gives_back_sample_and_noise(t):
    x, eps, times = normal(2, 4, 8), normal(2, 4, 8, seed=1), torch.full((2,), t)
    found_x, found_eps = from_v(add_noise(x, eps, times), to_v(x, eps, times), times)
    assert torch.allclose(found_x, x, atol=1e-5)
    assert torch.allclose(found_eps, eps, atol=1e-5)


def test_the_path_keeps_variance_and_runs_from_data_to_noise():
    t = torch.linspace(0, 1, 33)
    alpha, sigma = t_to_alpha_sigma(t)
    assert torch.allclose(alpha.square() + sigma.square(), torch.ones(33))
    assert torch.allclose(alpha_sigma_to_t(alpha, sigma), t, atol=1e-6)
    assert (alpha[0], sigma[0]) == (1, 0)


@pytest.mark.parametrize("schedule", [linear_schedule(7), ddpm_schedule(7), ddpm_schedule(1000)])
def test_schedules_fall_to_zero(schedule):
    assert torch.all(schedule[:-1] > schedule[1:])
    assert schedule[-1] == 0
    assert schedule[0] <= 1


def test_the_linear_beta_table_is_ddpms():
    alpha, _ = t_to_alpha_sigma(ddpm_schedule(1000)[:-1].flip(0))
    beta = 1 - alpha.square() / torch.cat([torch.ones(1), alpha[:-1].square()])
    assert beta[0] == pytest.approx(1e-4, rel=0.05)
    assert beta[500] == pytest.approx(1e-4 + 0.0199 * 500 / 999, rel=0.01)


def denoiser_of(data):
    """Return the true v where all data is the one sample `data`."""

    def velocity(z, t):
        alpha, sigma = t_to_alpha_sigma(t.reshape(-1, 1, 1))
        return to_v(data.expand_as(z), (z - alpha * data) / sigma, t)

    return velocity


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("schedule", [linear_schedule(1), linear_schedule(6), ddpm_schedule(20)])
def test_the_true_denoiser_leads_to_the_data(schedule, eta):
    data = normal(1, 4, 8, seed=3)
    generator = torch.Generator().manual_seed(0)
    found = ddim(denoiser_of(data), normal(5, 4, 8), schedule, eta=eta, generator=generator)
    assert torch.allclose(found, data.expand(5, -1, -1), atol=1e-3)


def gaussian_denoiser(std):
    """Return the true v where the data is normal with deviation `std`."""

    def velocity(z, t):
        alpha, sigma = t_to_alpha_sigma(t.reshape(-1, 1, 1))
        x = z * alpha * std**2 / (alpha**2 * std**2 + sigma**2)
        return to_v(x, (z - alpha * x) / sigma, t)

    return velocity


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_samples_have_the_spread_of_the_data(eta):
    generator = torch.Generator().manual_seed(0)
    found = ddim(gaussian_denoiser(0.5), normal(64, 16, 16), linear_schedule(100), eta=eta, generator=generator)
    assert found.std() == pytest.approx(0.5, rel=0.05)


def test_without_eta_sampling_is_deterministic_and_with_it_not():
    schedule = linear_schedule(8)
    once, again = (ddim(gaussian_denoiser(1.0), normal(2, 4, 8), schedule) for _ in range(2))
    assert torch.equal(once, again)
    fresh = ddim(gaussian_denoiser(1.0), normal(2, 4, 8), schedule, eta=1.0)
    assert not torch.allclose(once, fresh, atol=0.1)


def test_guidance_one_is_the_conditional_network_alone():
    velocity = guided(gaussian_denoiser(0.5), gaussian_denoiser(2.0), 1.0)
    z, t = normal(2, 4, 8), torch.full((2,), 0.4)
    assert torch.allclose(velocity(z, t), gaussian_denoiser(0.5)(z, t))


def test_bound_limits_samples():
    found = ddim(gaussian_denoiser(1.0), normal(4, 8, 8), linear_schedule(4), bound=0.3)
    assert found.abs().max() <= 0.3 + 1e-6


def test_inpainting_takes_what_is_given_where_masked():
    x, target, mask = normal(1, 4, 4), normal(1, 4, 4, seed=1), torch.zeros(1, 4, 4)
    mask[:, 2:] = 1
    painted = inpaint(x, target, mask)
    assert torch.equal(painted[:, :2], x[:, :2])
    assert torch.allclose(painted[:, 2:], target[:, 2:])
