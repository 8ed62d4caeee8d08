import pytest
import torch
from tiny import TINY

from ghostnote.models.data.augment import Augmentation
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES, RATE
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.train.batch import make_audio_pairs, make_batch, random_mask

NO_AUGMENTATION = Augmentation(share=0.0)


@pytest.fixture(scope="module")
def hits():
    """Return eight hits whose residuals have another pitch than the hits."""
    t = torch.arange(HIT_FRAMES) / RATE
    audio, residual = (torch.stack([torch.sin(2 * torch.pi * hz * t)] * 8) for hz in (200.0, 2000.0))
    return HitSet(audio, residual, torch.zeros(8, dtype=torch.int64), torch.zeros(8), ((0, 1), (2, 3)), ("",) * 8)


def draw(paired):
    index = torch.arange(64) % 8
    return index, index, torch.full((64,), paired)


def is_low(audio):
    """Return which of the hits (batch, frames) are the whole ones."""
    return torch.fft.rfft(audio).abs().argmax(1) * RATE / HIT_FRAMES < 1000


def test_a_quarter_of_the_masks_give_spans_of_time_or_bands():
    like = torch.zeros(2000, BANDS, MDCT_FRAMES)
    mask = random_mask(like, torch.Generator().manual_seed(0))
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    some = mask.flatten(1).any(1)
    assert float(some.float().mean()) == pytest.approx(0.25, abs=0.03)
    # Whatever is given is a rectangle, or all but a span.
    in_time = (mask == mask[:, :1]).all(2).all(1)[some]
    in_bands = (mask == mask[:, :, :1]).all(2).all(1)[some]
    for kind in (in_time, in_bands, ~in_time & ~in_bands):
        assert float(kind.float().mean()) == pytest.approx(1 / 3, abs=0.08)


def test_pairs_are_residuals_and_half_of_the_others_are_whole_hits(hits):
    generator = torch.Generator().manual_seed(0)
    paired = make_audio_pairs(hits, draw(True), NO_AUGMENTATION, generator)
    assert not is_low(paired.audio).any()
    assert not paired.is_whole.any()
    alone = make_audio_pairs(hits, draw(False), NO_AUGMENTATION, generator)
    assert torch.equal(is_low(alone.audio), alone.is_whole > 0)
    assert 20 < int(alone.is_whole.sum()) < 44


def test_what_a_mask_gives_has_no_loss_and_residuals_teach_no_shape(hits):
    model = Cascade(TINY)
    batch = make_batch(model, hits, draw(False), NO_AUGMENTATION, torch.Generator().manual_seed(1))
    assert not (batch.weight * batch.mask).any()
    assert set(batch.shape_weight.tolist()) == {0.0, 1.0}
