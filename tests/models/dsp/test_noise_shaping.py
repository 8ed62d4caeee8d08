import pytest
import torch

from ghostnote.models.dsp.mdct import BANDS, MDCT_FRAMES
from ghostnote.models.dsp.noise_shaping import (
    LINES,
    from_lines,
    line_power,
    shape_noise,
    spectral_gain_of,
    to_lines,
    tonality,
)


def noise(seed, hits=4):
    return torch.randn(hits, BANDS, MDCT_FRAMES, generator=torch.Generator().manual_seed(seed))


def partial(line):
    """Return bands that all swing at one line."""
    swing = (2 * torch.pi * line / MDCT_FRAMES * torch.arange(MDCT_FRAMES)).cos()
    return swing.expand(4, BANDS, MDCT_FRAMES) * 2**0.5


def test_the_lines_hold_the_power_of_the_bands():
    q = noise(0)
    power = line_power(q)
    assert power.shape == (4, BANDS, LINES)
    twice = 2 * power.sum(2) - power[:, :, 0] - power[:, :, -1]
    assert torch.allclose(twice, q.square().sum(2), rtol=1e-3)


def test_shaped_noise_has_the_spectrum_and_keeps_its_power():
    gain = spectral_gain_of(line_power(partial(60)), torch.ones(4))
    made = shape_noise(noise(1), gain)
    power = line_power(made)
    assert power[:, :, 55:66].sum() > 0.9 * power.sum()
    assert made.square().mean() == pytest.approx(1.0, abs=0.1)


def test_noise_from_its_lines_is_shaped_noise():
    white, gain = noise(5), spectral_gain_of(line_power(partial(60)), torch.ones(4))
    assert torch.allclose(from_lines(to_lines(white), gain), shape_noise(white, gain), atol=1e-4)
    assert to_lines(white).square().mean() == pytest.approx(float(white.square().mean()), rel=1e-4)


def test_a_louder_band_stays_louder_within_its_group():
    q = noise(2)
    q[:, 60] *= 3
    made = shape_noise(noise(3), spectral_gain_of(line_power(q), torch.ones(4)))
    assert made[:, 60].std() / made[:, 61].std() == pytest.approx(3.0, rel=0.2)


def test_without_a_reference_noise_stays_white():
    white = noise(4)
    gain = spectral_gain_of(line_power(partial(60)), torch.zeros(4))
    assert torch.allclose(shape_noise(white, gain), white, atol=1e-4)


def test_partials_are_tonal_and_noise_is_not():
    assert (tonality(line_power(partial(60))) < tonality(line_power(noise(5))) - 2).all()
