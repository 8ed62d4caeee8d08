import pytest
import torch

from ghostnote.models.dsp.mdct import BANDS, STEPS
from ghostnote.models.dsp.noise_shaping import (
    LINES,
    colour_of,
    coloured,
    from_lines,
    line_power,
    to_lines,
    tonality,
)


def noise(seed, hits=4):
    return torch.randn(hits, BANDS, STEPS, generator=torch.Generator().manual_seed(seed))


def partial(line):
    """Return bands that all swing at one line."""
    swing = (2 * torch.pi * line / STEPS * torch.arange(STEPS)).cos()
    return swing.expand(4, BANDS, STEPS) * 2**0.5


def test_the_lines_hold_the_power_of_the_bands():
    q = noise(0)
    power = line_power(q)
    assert power.shape == (4, BANDS, LINES)
    twice = 2 * power.sum(2) - power[:, :, 0] - power[:, :, -1]
    assert torch.allclose(twice, q.square().sum(2), rtol=1e-3)


def test_noise_takes_the_colour_and_keeps_its_power():
    gain = colour_of(line_power(partial(60)), torch.ones(4))
    made = coloured(noise(1), gain)
    power = line_power(made)
    assert power[:, :, 55:66].sum() > 0.9 * power.sum()
    assert made.square().mean() == pytest.approx(1.0, abs=0.1)


def test_noise_from_its_lines_is_coloured_noise():
    white, gain = noise(5), colour_of(line_power(partial(60)), torch.ones(4))
    assert torch.allclose(from_lines(to_lines(white), gain), coloured(white, gain), atol=1e-4)
    assert to_lines(white).square().mean() == pytest.approx(float(white.square().mean()), rel=1e-4)


def test_a_louder_band_stays_louder_within_its_group():
    q = noise(2)
    q[:, 60] *= 3
    made = coloured(noise(3), colour_of(line_power(q), torch.ones(4)))
    assert made[:, 60].std() / made[:, 61].std() == pytest.approx(3.0, rel=0.2)


def test_without_a_reference_noise_stays_white():
    white = noise(4)
    gain = colour_of(line_power(partial(60)), torch.zeros(4))
    assert torch.allclose(coloured(white, gain), white, atol=1e-4)


def test_partials_are_tonal_and_noise_is_not():
    assert (tonality(line_power(partial(60))) < tonality(line_power(noise(5))) - 2).all()
