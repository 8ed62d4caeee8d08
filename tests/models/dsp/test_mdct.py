import pytest
import torch

from ghostnote.models.dsp.mdct import (
    BANDS,
    HIT_FRAMES,
    MDCT_FRAMES,
    analyse,
    compand,
    expand,
    inverse_mdct,
    mdct,
    synthesise,
)


@pytest.fixture
def noise():
    return torch.randn(3, HIT_FRAMES, generator=torch.Generator().manual_seed(0))


def test_reconstruction_is_perfect_but_for_the_fade(noise):
    error = (inverse_mdct(mdct(noise)) - noise)[:, :-BANDS].abs().max()
    assert error < 1e-5


def test_companding_is_undone(noise):
    error = (synthesise(analyse(noise)) - noise)[:, :-BANDS].abs().max()
    assert error < 1e-5
    coefficients = mdct(noise)
    assert torch.allclose(expand(compand(coefficients)), coefficients, atol=1e-5)


def test_white_noise_stays_white(noise):
    coefficients = mdct(noise)
    assert coefficients.shape == (3, BANDS, MDCT_FRAMES)
    by_band = coefficients.square().mean((0, 2))
    assert torch.all((by_band - 1).abs() < 0.15)
    flat = coefficients[:, :, 1:] * coefficients[:, :, :-1]
    assert flat.mean().abs() < 0.01


def test_the_transform_is_orthonormal():
    generator = torch.Generator().manual_seed(1)
    coefficients = torch.randn(2, BANDS, MDCT_FRAMES, generator=generator)
    # The first step reaches before the start of the waveform and the last beyond its end.
    coefficients[:, :, 0] = coefficients[:, :, -1] = 0
    waveform = inverse_mdct(coefficients)
    assert torch.allclose(waveform.square().sum(1), coefficients.square().sum((1, 2)), rtol=1e-4)
    assert torch.allclose(mdct(waveform), coefficients, atol=1e-4)


def test_a_tone_lies_in_its_band():
    t = torch.arange(HIT_FRAMES) / 44_100
    power = mdct(torch.sin(2 * torch.pi * 1000 * t)[None])[0].square().sum(1)
    assert int(power.argmax()) == 1000 // 344
