import pytest
import torch

from ghostnote.models.data.augment import Augmentation, augment, resample
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE

SECONDS = torch.arange(HIT_FRAMES) / RATE


def ringing(hz, decay=10.0):
    return torch.sin(2 * torch.pi * hz * SECONDS) * (-decay * SECONDS).exp()


def flat(batch):
    return torch.ones(batch, 1, HIT_FRAMES // 2)


def test_resampling_changes_pitch_and_time_together():
    ratio = torch.tensor([1.1, 0.9]).reshape(2, 1, 1)
    x = ringing(1000.0)[None, None].expand(2, 1, -1)
    found = resample(x, ratio, flat(2))[:, 0, :29_000]
    expected = torch.stack([ringing(1100.0, 11.0), ringing(900.0, 9.0)])[:, :29_000]
    assert (found - expected).abs().max() < 0.01


def test_what_would_alias_is_dropped():
    x = ringing(20_000.0, 1.0)[None, None]
    found = resample(x, torch.full((1, 1, 1), 1.25), flat(1))
    # The onset itself is a step, and holds every frequency.
    assert found[0, 0, 200:25_000].abs().max() < 0.02


def test_a_pair_gets_one_change():
    x = ringing(300.0)[None, None].repeat(4, 2, 1)
    x[:, 1] *= 0.5
    changed = augment(x, Augmentation(share=1.0), torch.Generator().manual_seed(0))
    assert torch.allclose(changed[:, 1], 0.5 * changed[:, 0], atol=1e-5)
    assert (changed[0] - changed[1]).abs().max() > 0.01


def test_no_share_changes_nothing_but_polarity():
    x = ringing(300.0)[None, None].repeat(4, 1, 1)
    found = augment(x, Augmentation(share=0.0), torch.Generator().manual_seed(0))
    assert (found.abs() - x.abs()).abs().max() < 1e-3


@pytest.mark.parametrize("seed", [0, 1])
def test_augmentation_is_decided_by_its_generator(seed):
    x = ringing(300.0)[None, None]
    once, again = (augment(x, Augmentation(), torch.Generator().manual_seed(seed)) for _ in range(2))
    assert torch.equal(once, again)
