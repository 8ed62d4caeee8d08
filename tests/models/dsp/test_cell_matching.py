import math

import pytest
import torch

from ghostnote.models.dsp.cell_matching import cell_targets, match_cells
from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS, cell_db
from ghostnote.models.dsp.mdct import BANDS, MDCT_FRAMES

EVERYWHERE = torch.ones(3, BANDS, MDCT_FRAMES)
UNCHANGED = torch.zeros(3, GROUPS, SEGMENTS)


def coefficients(seed):
    return torch.randn(3, BANDS, MDCT_FRAMES, generator=torch.Generator().manual_seed(seed))


def match_to(reference, c, change_db=UNCHANGED, share=EVERYWHERE):
    cells_db, peaks = cell_targets(reference)
    return match_cells(c, cells_db + change_db, peaks, share)


def sparsity(c):
    return float(c.abs().mean() ** 2 / c.square().mean())


def test_cells_get_the_power_of_the_reference_and_the_change():
    decay = (-torch.arange(MDCT_FRAMES) / 100).exp()
    reference = coefficients(0) * decay
    change_db = UNCHANGED.clone()
    change_db[:, 8:] = 2.0
    made = match_to(reference, 0.8 * coefficients(1) * decay, change_db)
    off = cell_db(made) - cell_db(reference) - change_db
    assert off[:, :, 2:7].abs().mean() < 0.7
    assert off.mean().abs() < 0.5


def test_a_cell_far_off_changes_by_a_limited_gain():
    made = match_to(coefficients(9), 0.01 * coefficients(8))
    raised_db = cell_db(made) - cell_db(0.01 * coefficients(8))
    assert raised_db[:, :3].mean() == pytest.approx(6.0, abs=0.5)
    assert raised_db[:, 4:].mean() == pytest.approx(18.0, abs=0.5)


def test_cells_get_the_sparsity_of_the_reference():
    target_sparsity = coefficients(2)
    target_sparsity = target_sparsity * target_sparsity.abs()
    made = match_to(coefficients(3), target_sparsity)
    assert sparsity(target_sparsity) < 0.4
    assert sparsity(made[:, :, 16:]) == pytest.approx(2 / torch.pi, abs=0.03)


def test_a_decay_within_a_cell_is_not_bent():
    decay = (-torch.arange(MDCT_FRAMES) / 40).exp()
    target_sparsity = coefficients(2)
    made = match_to(coefficients(3) * decay, target_sparsity * target_sparsity.abs() * decay)
    early, late = (made[:, 20:, steps].square().mean() for steps in (slice(256, 288), slice(352, 384)))
    fall_db = float(10 * (early / late).log10())
    assert fall_db == pytest.approx(20 * math.log10(math.e) * 96 / 40, abs=1.5)


def test_the_reference_itself_is_left_alone():
    reference = coefficients(4) * (-torch.arange(MDCT_FRAMES) / 50).exp()
    made = match_to(reference, reference)
    assert torch.allclose(made, reference, rtol=1e-4, atol=1e-7)


def test_what_is_kept_is_left_alone():
    share = EVERYWHERE.clone()
    share[:, :, :100] = 0
    made = match_to(1.9 * coefficients(6), coefficients(5), share=share)
    assert torch.equal(made[:, :, :100], coefficients(5)[:, :, :100])
    assert made[:, :, 200:].norm() / coefficients(5)[:, :, 200:].norm() == pytest.approx(1.9, rel=0.05)


def test_silence_stays_silent_and_finite():
    silent = torch.zeros(3, BANDS, MDCT_FRAMES)
    assert not match_to(silent, silent).any()
    assert torch.isfinite(match_to(silent, coefficients(7))).all()
