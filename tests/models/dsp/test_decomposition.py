import pytest
import torch

from ghostnote.models.dsp.decomposition import (
    ENVELOPE_FRAMES,
    GROUPS,
    SEGMENTS,
    combine,
    envelope,
    fill_energy,
    innovation,
    loss_weight,
    noise_floor_gate,
    scale,
    scale_coherence,
    table_to_frames,
    to_bands,
)
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES, analyse


@pytest.fixture
def hit():
    generator = torch.Generator().manual_seed(0)
    decay = (-torch.arange(HIT_FRAMES) / 3000).exp()
    return analyse(0.3 * torch.randn(8, HIT_FRAMES, generator=generator) * decay)


def test_the_innovation_of_a_hit_has_unit_variance_by_construction(hit):
    s = scale(envelope(hit))
    u = innovation(hit, torch.zeros_like(hit), s, torch.zeros_like(hit))
    assert s.shape == (8, BANDS, MDCT_FRAMES)
    assert u[:, :, 8:400].square().mean() == pytest.approx(1.0, abs=0.1)


def test_silence_does_not_sound(hit):
    silenced = hit.clone()
    silenced[:, :, 256:] = 0
    share = noise_floor_gate(envelope(silenced))
    assert share.shape == (8, GROUPS, ENVELOPE_FRAMES)
    assert share[:, :, 64:].max() < 1e-2
    assert share[:, :, 2:32].min() > 0.99


def test_combine_undoes_innovation(hit):
    reference = hit.roll(1, 0)
    s, rho = scale(envelope(reference)), torch.full_like(hit, 0.4)
    u = innovation(hit, reference, s, rho)
    inside = u.abs() < 5.99
    assert torch.allclose(combine(u, reference, s, rho)[inside], hit[inside], atol=1e-4)


def test_amount_zero_returns_the_reference_and_two_is_fresher_than_one(hit):
    s, rho = scale(envelope(hit)), torch.full_like(hit, 0.9)
    u = torch.randn(hit.shape, generator=torch.Generator().manual_seed(2))
    amounts = [scale_coherence(rho, torch.tensor(amount), torch.ones(1)) for amount in (0.0, 0.5, 1.0, 2.0)]
    change = [(combine(u, hit, s, at) - hit).norm() for at in amounts]
    assert change[0] == 0
    assert change[1] < change[2] < change[3]


def test_what_strokes_do_not_share_comes_in_steadily_with_the_amount():
    amounts = torch.linspace(0, 1, 11)
    rho = scale_coherence(torch.zeros(1), amounts, torch.ones(1))
    torch.testing.assert_close((1 - rho.square()).sqrt(), (amounts * torch.pi / 2).sin(), atol=0.01, rtol=0)


def test_calibration_moves_the_coherence_at_amount_one():
    rho = scale_coherence(torch.tensor([0.9, 0.5]), torch.tensor(1.0), torch.tensor(2.0))
    torch.testing.assert_close(rho, torch.tensor([0.81, 0.25]))


def test_variations_have_the_coherence_of_the_table(hit):
    table = torch.linspace(0, 0.95, GROUPS)[None, :, None].expand(8, -1, SEGMENTS)
    rho, s = to_bands(table_to_frames(table)), scale(envelope(hit))
    u = torch.randn(hit.shape, generator=torch.Generator().manual_seed(3))
    varied, reference = combine(u, hit, s, rho) / s, hit / s
    power = (varied.square().sum((0, 2)) * reference.square().sum((0, 2))).sqrt()
    measured = (varied * reference).sum((0, 2)) / power
    assert torch.allclose(measured, rho[0, :, 0], atol=0.06)


def test_the_envelope_follows_the_level():
    steps = torch.ones(1, BANDS, MDCT_FRAMES)
    louder = envelope(2 * steps) - envelope(steps)
    assert louder.shape == (1, GROUPS, ENVELOPE_FRAMES)
    assert torch.allclose(louder, torch.tensor(2.0).log().expand_as(louder), atol=1e-3)


def test_every_band_group_weighs_alike_in_a_flat_hit():
    weight = loss_weight(torch.zeros(1, GROUPS, ENVELOPE_FRAMES))
    assert weight.mean() == pytest.approx(1.0, abs=1e-5)
    assert weight[0, 0].sum() == pytest.approx(float(weight[0, 54:64].sum()), rel=1e-4)


def test_what_few_steps_leave_out_is_filled_up_with_noise(hit):
    s, rho = scale(envelope(hit)), torch.full_like(hit, 0.3)
    generator = torch.Generator().manual_seed(4)
    noise = torch.randn(hit.shape, generator=generator)
    for share in (0.0, 0.5, 1.0):
        power = (fill_energy(share * noise, noise, hit, s, rho) / s)[:, :, 8:400].square().mean()
        assert power == pytest.approx(1.0, abs=0.12)


def test_a_hit_that_lacks_nothing_is_left_alone(hit):
    s, rho = scale(envelope(hit)), torch.zeros_like(hit)
    u = 1.2 * torch.randn(hit.shape, generator=torch.Generator().manual_seed(5))
    assert (fill_energy(u, u.flip(0), hit, s, rho) / s - u).abs().mean() < 0.04
