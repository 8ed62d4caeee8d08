"""VQ-VAE: its codebook, the gradient through it, its prior, and how well hits are kept."""

import pytest
import torch

from ghostnote.models.nets.code_prior import CodePrior
from ghostnote.models.nets.vector_quantiser import VectorQuantiser, perplexity
from ghostnote.models.nets.wave_autoencoder import Snake, WaveAutoencoderSettings, make_decoder, make_encoder, stride_of
from ghostnote.models.systems.reconstruction import measure_reconstruction
from ghostnote.models.systems.vqvae import VQVAE, VQVAESettings


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def prior() -> CodePrior:
    torch.manual_seed(0)
    return CodePrior(codes=8, length=6, classes=11, width=32, depth=2)


def filled(vectors: torch.Tensor) -> VectorQuantiser:
    """Return a quantiser whose codebook is `vectors` (codes, width)."""
    quantiser = VectorQuantiser(*vectors.shape).eval()
    quantiser.usage.fill_(2.0)
    quantiser.total.copy_(2 * vectors)
    return quantiser


def test_each_vector_becomes_the_nearest_of_the_codebook(generator) -> None:
    quantiser = filled(torch.tensor([[0.0, 0.0], [1.0, 1.0], [-1.0, 0.0]]))
    z = torch.tensor([[[0.9, -0.8, 0.1], [1.2, 0.1, 0.2]]])
    quantised = quantiser(z, generator)
    assert quantised.codes.tolist() == [[1, 2, 0]]
    assert quantised.vectors[0].T.tolist() == [[1, 1], [-1, 0], [0, 0]]
    squares = [0.1**2, 0.2**2, 0.2**2, 0.1**2, 0.1**2, 0.2**2]
    assert quantised.commitment.item() == pytest.approx(sum(squares) / 6, rel=1e-4)


def test_the_gradient_goes_straight_through(generator) -> None:
    quantiser = filled(torch.randn(5, 4, generator=generator))
    z, weight = torch.randn(2, 2, 4, 7, generator=generator).unbind(0)
    (gradient,) = torch.autograd.grad((quantiser(z.requires_grad_(), generator).vectors * weight).sum(), z)
    assert torch.equal(gradient, weight)


def test_the_codebook_moves_to_the_mean_of_what_chose_it(generator) -> None:
    quantiser = filled(torch.tensor([[-1.0], [1.0]]))
    vectors = torch.tensor([[1.2], [1.4], [-0.8], [-0.8]])
    for _ in range(1000):
        quantiser.learn(vectors, torch.tensor([1, 1, 0, 0]), generator)
    assert quantiser.codebook.flatten().tolist() == pytest.approx([-0.8, 1.3], abs=1e-3)
    assert quantiser.perplexity == pytest.approx(2, abs=1e-3)


def test_dead_codes_start_again_at_vectors_of_the_batch(generator) -> None:
    quantiser = filled(torch.tensor([[0.0], [50.0]]))
    vectors = torch.tensor([[0.1], [0.3]])
    for _ in range(600):
        quantiser.learn(vectors, torch.tensor([0, 0]), generator)
    assert min(abs(float(quantiser.codebook[1]) - near) for near in (0.1, 0.3)) < 1e-4


def test_the_first_batch_fills_the_codebook(generator) -> None:
    quantiser = VectorQuantiser(16, 3).train()
    z = torch.randn(4, 3, 50, generator=generator)
    quantiser(z, generator)
    spread = (z[:, :, :, None] - quantiser(z, generator).vectors[:, :, :, None]).square().mean()
    assert spread < 0.6 * z.square().mean()
    assert perplexity(torch.bincount(quantiser.nearest(z).flatten(), minlength=16).float()) > 8


def test_perplexity_counts_codes() -> None:
    assert perplexity(torch.tensor([3.0, 3.0, 3.0, 0.0])) == pytest.approx(3)
    assert perplexity(torch.tensor([9.0, 0.0, 0.0, 0.0])) == pytest.approx(1)


def test_snake_is_its_equation() -> None:
    snake = Snake(2)
    snake.alpha.data.copy_(torch.tensor([[0.5], [3.0]]))
    x = torch.linspace(-2, 2, 9).expand(1, 2, 9)
    expected = [[v + torch.sin(torch.tensor(a * v)) ** 2 / a for v in x[0, 0].tolist()] for a in (0.5, 3.0)]
    assert torch.allclose(snake(x), torch.tensor(expected)[None], atol=1e-6)


def test_the_decoder_undoes_the_encoders_strides() -> None:
    settings = WaveAutoencoderSettings(widths=(4, 8), latent=3)
    latent = make_encoder(settings, 3)(torch.zeros(2, 1, 512))
    assert latent.shape == (2, 3, 512 // stride_of(settings))
    assert make_decoder(settings)(latent).shape == (2, 1, 512)


def test_a_code_depends_on_those_before_it_alone(prior) -> None:
    label, codes = torch.tensor([3]), torch.tensor([[1, 2, 3, 4, 5, 6]])
    changed = codes.clone()
    changed[0, 2] = 7
    difference = (prior(codes, label) - prior(changed, label)).abs().amax(-1)[0]
    assert difference[:3].tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert (difference[3:] > 1e-4).all()


def test_cached_steps_equal_the_whole_sequence(prior) -> None:
    label, codes = torch.tensor([3, 0]), torch.randint(8, (2, 6), generator=torch.Generator().manual_seed(1))
    whole, past, steps = prior(codes, label), [None, None], []
    for at in range(6):
        logits, past = prior.step(codes[:, at - 1] if at else None, at, label, past)
        steps.append(logits)
    assert torch.allclose(torch.stack(steps, 1), whole, atol=1e-5)


def test_the_prior_draws_by_its_own_chances(prior, generator) -> None:
    """At a low temperature it takes the likeliest code each time."""
    label = torch.tensor([3])
    codes = prior.sample(label, generator, temperature=1e-4)
    assert torch.equal(prior(codes, label).argmax(-1), codes)


def test_reconstruction_has_the_figures_of_its_definitions() -> None:
    audio = torch.sin(torch.arange(8192.0) * 0.3).expand(3, -1)
    kept = measure_reconstruction(audio, audio)
    assert kept.signal_to_noise_db > 60
    assert kept.log_spectral_distance_db == 0
    quieter = measure_reconstruction(0.9 * audio, audio)
    assert quieter.signal_to_noise_db == pytest.approx(20, abs=0.01)
    assert 0 < quieter.log_spectral_distance_db < 0.92


def test_an_autoencoder_learns_to_keep_a_hit_and_the_prior_its_codes(generator) -> None:
    torch.manual_seed(0)
    tiny = VQVAESettings(decimation=4, widths=(8, 16), latent=4, kernel=3, codes=16, prior_width=32, prior_depth=1)
    system = VQVAE(tiny).train()
    time = torch.arange(system.frames) / system.rate
    audio = (torch.exp(-8 * time) * torch.sin(2 * torch.pi * 220 * time)).expand(2, -1)
    label = torch.tensor([0, 0])
    before, kept = system.reconstruction(audio), []
    for stage in system.stages():
        (update,) = stage.updates
        optimiser = torch.optim.Adam(update.parameters, 3e-3)
        losses = []
        for _ in range(12):
            optimiser.zero_grad()
            losses.append(update.loss(audio, label, generator))
            losses[-1].backward()
            optimiser.step()
        kept.append(losses[-1].item() < 0.9 * losses[0].item())
    assert kept == [True, True]
    after = system.eval().reconstruction(audio)
    assert after.signal_to_noise_db > before.signal_to_noise_db + 1
    assert after.log_spectral_distance_db < before.log_spectral_distance_db
    assert before.perplexity == pytest.approx(1)
    assert 1 < after.perplexity <= 16
