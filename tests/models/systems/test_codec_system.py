"""The codec: its spectral loss, its latent, and how well it keeps hits."""

import math

import pytest
import torch

from ghostnote.models.dsp.spectral_loss import magnitudes, spectral_loss, waveform_loss
from ghostnote.models.systems.codec import Codec, CodecSettings, divergence

TINY = CodecSettings(decimation=4, widths=(8, 16), latent=4, kernel=3, unet=(8, 64, 64), steps=2)


@pytest.fixture
def hit() -> torch.Tensor:
    """Return two hits (2, frames) of a decaying tone."""
    time = torch.arange(8192) / 11_025
    return (torch.exp(-8 * time) * torch.sin(2 * torch.pi * 220 * time)).expand(2, -1)


def test_a_sine_at_full_level_has_a_magnitude_of_a_half() -> None:
    sine = torch.sin(2 * torch.pi * 32 / 1024 * torch.arange(8192.0))[None]
    middle = magnitudes(sine, 1024)[0, :, 10:-10]
    assert middle[32].tolist() == pytest.approx([0.5] * middle.shape[1], abs=1e-3)
    assert middle[100:].max() < 1e-3


def test_the_spectral_loss_grows_with_the_distance_and_ignores_the_sign(hit) -> None:
    assert spectral_loss(hit, hit).item() == 0
    assert spectral_loss(-hit, hit).item() == pytest.approx(0, abs=1e-5)
    assert 0 < spectral_loss(0.9 * hit, hit) < spectral_loss(0.5 * hit, hit)
    assert waveform_loss(0.5 * hit, hit).item() == pytest.approx(0.25)
    assert waveform_loss(-hit, hit).item() == pytest.approx(4)


def test_the_divergence_is_that_of_normal_distributions() -> None:
    one = torch.ones(2, 3)
    assert divergence(0 * one, one).item() == pytest.approx(0)
    assert divergence(2 * one, one).item() == pytest.approx(2)
    assert divergence(0 * one, 0.5 * one).item() == pytest.approx(0.5 * (0.25 - 1) + math.log(2))


def test_the_latent_is_scaled_for_the_diffusion_and_decoded_again(hit) -> None:
    torch.manual_seed(0)
    system = Codec(TINY).train()
    for _ in range(3):
        system.autoencoder_loss(hit, torch.tensor([0, 1]), torch.Generator().manual_seed(0))
    system.eval()
    latent = system.encode(hit)
    assert latent.shape == (2, 4, 8192 // 16)
    assert latent.mean((0, 2)).abs().max() < 1e-3
    assert latent.square().mean((0, 2)).tolist() == pytest.approx([1] * 4, rel=1e-2)
    direct = system.decoder(system.posterior(hit)[0])[:, 0]
    assert torch.allclose(system.to_audio(latent), direct, atol=1e-4)


def test_the_diffusion_leaves_the_autoencoder_as_it_is(hit) -> None:
    torch.manual_seed(0)
    system = Codec(TINY).train()
    before = system.scale.count.clone()
    system.diffusion_loss(hit, torch.tensor([0, 1]), torch.Generator().manual_seed(0)).backward()
    assert all(each.grad is None for part in (system.encoder, system.decoder) for each in part.parameters())
    assert any(each.grad is not None for each in system.net.parameters())
    assert torch.equal(system.scale.count, before)


def test_an_autoencoder_learns_to_keep_a_hit(hit) -> None:
    torch.manual_seed(0)
    system = Codec(TINY).train()
    update, generator = system.stages()[0].updates[0], torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(update.parameters, 3e-3)
    before = system.eval().reconstruction(hit)
    system.train()
    for _ in range(12):
        optimiser.zero_grad()
        update.loss(hit, torch.tensor([0, 1]), generator).backward()
        optimiser.step()
    after = system.eval().reconstruction(hit)
    assert after.signal_to_noise_db > before.signal_to_noise_db + 0.1
    assert after.log_spectral_distance_db < before.log_spectral_distance_db
    assert after.perplexity is None


def test_guidance_pushes_away_from_any_class() -> None:
    torch.manual_seed(0)
    label, t = torch.tensor([0, 5]), torch.full((2,), 0.5)
    velocities = {}
    for guidance in (0.0, 1.0, 3.0):
        torch.manual_seed(0)
        system = Codec(CodecSettings(**{**TINY.__dict__, "guidance": guidance})).eval()
        torch.nn.init.normal_(system.net.out.weight, std=0.1)
        for block in system.net.modules():
            if hasattr(block, "film"):
                torch.nn.init.normal_(block.film.weight, std=0.1)
                torch.nn.init.normal_(block.conv_out.weight, std=0.1)
        z = system.noise(label, torch.Generator().manual_seed(0))
        velocities[guidance] = system.velocity(label)(z, t)
    step = velocities[1.0] - velocities[0.0]
    assert step.abs().max() > 1e-3
    assert torch.allclose(velocities[3.0], velocities[0.0] + 3 * step, atol=1e-4)


def test_classes_are_withheld_in_training_alone() -> None:
    system = Codec(TINY)
    label = torch.zeros(2000, dtype=torch.int64)
    withheld = system.train().withhold(label, torch.Generator().manual_seed(0))
    assert set(withheld.tolist()) == {0, 11}
    assert 0.07 < (withheld == 11).float().mean() < 0.13
    assert torch.equal(system.eval().withhold(label, torch.Generator()), label)
