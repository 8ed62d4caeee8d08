"""The diffusion transformer: its identity at the start, its positions, its lengths, and four ways to condition it."""

import pytest
import torch

from ghostnote.bridge.errors import InputError
from ghostnote.models.dsp.mdct import BANDS
from ghostnote.models.nets.diffusion_transformer import (
    CONDITIONS,
    AdaptiveBlock,
    DiffusionTransformer,
    DiffusionTransformerSettings,
    PlainBlock,
)
from ghostnote.models.nets.running_scale import RunningScale
from ghostnote.models.systems.transformer import Transformer, TransformerSettings

FEATURES = 6


def tiny(condition: str, trained: bool = True) -> DiffusionTransformer:
    """Return a small network, whose zeros are random numbers where it is to look `trained`."""
    torch.manual_seed(0)
    net = DiffusionTransformer(FEATURES, 12, DiffusionTransformerSettings(width=32, depth=2, condition=condition))
    for parameter in net.parameters():
        if trained and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net.eval()


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return patches, times and classes of three examples."""
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(3, 10, FEATURES, generator=generator)
    return z, torch.rand(3, generator=generator), torch.tensor([0, 4, 11])


@pytest.mark.parametrize("block", [AdaptiveBlock(32), PlainBlock(32, cross=True), PlainBlock(32, cross=False)])
def test_a_block_is_the_identity_at_the_start(block) -> None:
    x, given = torch.randn(2, 5, 32), torch.randn(2, 2, 32)
    assert torch.equal(block(x, given, None), x)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_patches_that_move_with_their_positions_move_what_is_returned(condition, inputs) -> None:
    z, t, label = inputs
    net, order = tiny(condition), torch.randperm(10, generator=torch.Generator().manual_seed(2))
    position = torch.arange(10).expand(3, 10)
    plain = net(z, t, label)
    assert torch.allclose(net(z[:, order], t, label, position[:, order]), plain[:, order], atol=1e-5)
    assert not torch.allclose(net(z[:, order], t, label), plain[:, order], atol=1e-3)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_examples_of_several_lengths_are_as_each_alone(condition, inputs) -> None:
    z, t, label = inputs
    net, lengths = tiny(condition), torch.tensor([10, 3, 7])
    together = net(z, t, label, lengths=lengths)
    for i, length in enumerate(lengths.tolist()):
        alone = net(z[i : i + 1, :length], t[i : i + 1], label[i : i + 1])
        assert torch.allclose(together[i, :length], alone[0], atol=1e-5)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_attention_looks_both_ways(condition, inputs) -> None:
    z, t, label = inputs
    net, changed = tiny(condition), z.clone()
    changed[:, 5] += 1
    moved = (net(z, t, label) - net(changed, t, label)).abs().amax((0, 2))
    assert (moved > 1e-5).all()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_training_makes_class_and_time_matter(condition, inputs) -> None:
    z, t, _ = inputs
    net, classes = tiny(condition, trained=False), torch.tensor([0, 1, 2])
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    target = torch.randn(z.shape, generator=torch.Generator().manual_seed(3))
    assert net(z, t, classes).abs().max() == 0
    # Behind layers that are zero the gradient arrives one step after the other.
    for _ in range(4):
        optimiser.zero_grad()
        (net(z, t, classes) - target).square().mean().backward()
        optimiser.step()
    before = net(z, t, classes)
    assert (before - net(z, t, classes.roll(1))).abs().amax((1, 2)).min() > 1e-4
    assert (before - net(z, 1 - t, classes)).abs().amax((1, 2)).min() > 1e-4


def test_the_ways_differ_in_what_they_add() -> None:
    count = {each: sum(parameter.numel() for parameter in tiny(each).parameters()) for each in CONDITIONS}
    plain = count["tokens"]
    assert count["channels"] == plain + 2 * 32 * 32
    assert count["cross"] == plain + 2 * (4 * 32 * 32 + 6 * 32)
    modulations = 2 * (6 * 32 * 32 + 6 * 32) + 2 * 32 * 32 + 2 * 32
    assert count["adaln"] == plain + modulations - 2 * 2 * 2 * 32 - 2 * 32


def test_an_unknown_way_is_said() -> None:
    with pytest.raises(InputError, match="'film' is not a way to condition"):
        Transformer(TransformerSettings(condition="film"))


def test_patches_that_do_not_fit_are_said() -> None:
    with pytest.raises(InputError, match="patches of 5 frames do not fit"):
        Transformer(TransformerSettings(patch=5))


def test_the_scale_is_that_of_what_it_learned() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 8, 3, 100, generator=generator) * torch.tensor([0.1, 1.0, 7.0])[:, None] + 2
    scale = RunningScale(3)
    for batch in x:
        scale.learn(batch)
    assert torch.allclose(scale.mean, x.mean((0, 1, 3))[:, None], atol=1e-4)
    assert torch.allclose(scale.deviation, x.std((0, 1, 3))[:, None], rtol=1e-3)
    assert torch.allclose(scale.restore(scale(x[0])), x[0], atol=1e-5)


def test_each_span_has_a_scale_of_its_own_and_the_last_goes_on() -> None:
    level = torch.tensor([5.0, 0.5]).repeat_interleave(50)
    x = torch.randn(8, 3, 100, generator=torch.Generator().manual_seed(0)) * level
    scale = RunningScale(3, 2, 50)
    scale.learn(x)
    assert torch.allclose(scale.deviation, torch.tensor([5.0, 0.5]).expand(3, 2), rtol=0.15)
    assert torch.allclose(scale.restore(scale(x[..., :70])), x[..., :70], atol=1e-5)
    assert torch.equal(scale.restore(torch.ones(1, 3, 120))[..., 110], scale.restore(torch.ones(1, 3, 100))[..., 99])


def test_patches_are_put_together_again_at_any_length() -> None:
    torch.manual_seed(0)
    system = Transformer(TransformerSettings(width=32, depth=1, patch=8, steps=2)).eval()
    x = torch.randn(2, BANDS, 64)
    patches = system.to_patches(x)
    assert patches.shape == (2, 8, BANDS * 8)
    assert torch.equal(patches.unflatten(2, (BANDS, -1)).transpose(1, 2).flatten(2), x)
    label = torch.tensor([0, 3])
    for count in (5, 80):
        hits = system.sample_patches(label, count, torch.Generator().manual_seed(0))
        assert hits.shape == (2, count * 8 * BANDS)
        assert hits.isfinite().all()


def test_noise_passes_by_the_network_with_a_gain_of_its_own(inputs):
    net = tiny("adaln", trained=False)
    gains = torch.linspace(-1, 1, FEATURES)
    with torch.no_grad():
        net.out.bias[FEATURES:] = gains
        torch.testing.assert_close(net(*inputs), gains * inputs[0])
