"""DDPM's chain against its closed form, built here from β alone."""

import pytest
import torch

from ghostnote.models.diffusion.gaussian import GaussianDiffusion

CHAIN = GaussianDiffusion()
BETA = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
ALPHA_BAR = (1 - BETA).cumprod(0)
LEVELS = torch.tensor([1, 10, 250, 700, 999])


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_steps_of_the_chain_add_up_to_its_marginals():
    x = normal(1, 3, 4)
    mean, variance = x, torch.zeros(1, 1, 1, dtype=torch.float64)
    for n, beta in enumerate(BETA):
        mean, variance = (1 - beta).sqrt() * mean, (1 - beta) * variance + beta
        if n in (0, 99, 500, 999):
            found_mean, found_variance = CHAIN.marginal(x, torch.tensor([n]))
            torch.testing.assert_close(found_mean, mean)
            torch.testing.assert_close(found_variance, variance)


def test_the_posterior_is_that_of_the_paper():
    x, z = normal(5, 3, 4), normal(5, 3, 4, seed=1)
    bar, below, beta = ALPHA_BAR[LEVELS], ALPHA_BAR[LEVELS - 1], BETA[LEVELS]
    mean, variance = CHAIN.posterior(z, x, LEVELS)
    by_x, by_z = below.sqrt() * beta / (1 - bar), (1 - beta).sqrt() * (1 - below) / (1 - bar)
    torch.testing.assert_close(mean, by_x[:, None, None] * x + by_z[:, None, None] * z)
    torch.testing.assert_close(variance.flatten(), beta * (1 - below) / (1 - bar))


def test_below_the_first_level_lies_the_sample_itself():
    x, z = normal(2, 3, 4), normal(2, 3, 4, seed=1)
    mean, variance = CHAIN.posterior(z, x, torch.tensor([0, 0]))
    torch.testing.assert_close(mean, x)
    assert torch.all(variance == 0)


def test_the_posterior_undoes_a_step_of_the_chain():
    """Marginal times step equals marginal times posterior, where the data is normal: mean and variance come back."""
    n = torch.tensor([400])
    x = normal(200_000, 1)
    generator = torch.Generator().manual_seed(2)
    mean, variance = CHAIN.marginal(x, n)
    z = mean + variance.sqrt() * torch.randn(x.shape, generator=generator, dtype=torch.float64)
    back, spread = CHAIN.posterior(z, x, n)
    lower = back + spread.sqrt() * torch.randn(x.shape, generator=generator, dtype=torch.float64)
    expected, expected_variance = CHAIN.marginal(x, n - 1)
    residual = lower - expected
    assert residual.mean() == pytest.approx(0, abs=0.01)
    assert residual.var() == pytest.approx(float(expected_variance), rel=0.02)
    assert (residual * x).mean() == pytest.approx(0, abs=0.01)


def epsilon_of_normal_data(std):
    """Return the true ε̂ where the data is normal with deviation `std`."""

    def network(z, t):
        angle = t.reshape(-1, 1) * torch.pi / 2
        return z * angle.sin() / (angle.cos().square() * std**2 + angle.sin().square())

    return network


@pytest.mark.parametrize(
    ("steps", "eta", "deviation"), [(None, 1.0, 0.992), (200, 1.0, 0.965), (200, 0.5, 0.981), (50, 0.0, 0.944)]
)
def test_samples_have_the_deviation_that_their_steps_lead_to(steps, eta, deviation):
    """Each step is linear in z here, so the variance can be followed; it nears the data's as there are more steps."""
    z = normal(256, 16).float()
    generator = torch.Generator().manual_seed(3)
    found = CHAIN.sample(epsilon_of_normal_data(0.5), z / z.std(), steps, eta=eta, generator=generator)
    assert found.std() == pytest.approx(0.5 * deviation, rel=0.03)


def test_only_ancestral_sampling_depends_on_fresh_noise():
    z = normal(4, 16).float()
    generator = torch.Generator().manual_seed(3)
    pairs = {
        eta: [CHAIN.sample(epsilon_of_normal_data(0.5), z, 20, eta=eta, generator=generator) for _ in range(2)]
        for eta in (0.0, 1.0)
    }
    assert torch.equal(*pairs[0.0])
    assert not torch.allclose(*pairs[1.0], atol=0.1)


def test_the_loss_is_the_error_of_epsilon():
    """The best guess of ε in normal data leaves alpha²·std²/(alpha²·std² + sigma²) of its variance."""
    x = 0.5 * normal(4000, 64).float()
    generator = torch.Generator().manual_seed(1)
    left = ALPHA_BAR * 0.25 / (ALPHA_BAR * 0.25 + 1 - ALPHA_BAR)
    assert float(CHAIN.loss(epsilon_of_normal_data(0.5), x, generator)) == pytest.approx(float(left.mean()), rel=0.05)
    generator.manual_seed(1)
    assert float(CHAIN.loss(lambda z, t: torch.zeros_like(z), x, generator)) == pytest.approx(1, rel=0.02)
