"""WaveGAN: its gradient penalty, its phase shuffle, and whose weights an update moves."""

import pytest
import torch

from ghostnote.models.nets.wavegan import WaveCritic, WaveGenerator, phase_shuffle, reflected_shift
from ghostnote.models.systems.wavegan import WaveGAN, WaveGANSettings, gradient_penalty

FRAMES = 2048


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def tiny() -> WaveGAN:
    torch.manual_seed(0)
    return WaveGAN(WaveGANSettings(decimation=4, width=2, latent=4))


def test_the_penalty_of_a_linear_critic_is_that_of_its_slope(generator) -> None:
    weight = torch.tensor([3.0, 4.0]).requires_grad_()
    real, fake = torch.randn(2, 8, 2, generator=generator)
    penalty = gradient_penalty(lambda x: x @ weight, real, fake, torch.rand(8, generator=generator))
    assert penalty.item() == pytest.approx((5 - 1) ** 2)
    penalty.backward()
    assert weight.grad.tolist() == pytest.approx([2 * (5 - 1) * 3 / 5, 2 * (5 - 1) * 4 / 5])


def test_the_penalty_is_measured_between_real_and_generated_examples() -> None:
    real, fake = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 7.0]])

    def half_the_square(x: torch.Tensor) -> torch.Tensor:
        return x.square().sum(1) / 2

    for share, norm in [(1.0, 3.0), (0.0, 7.0), (0.5, (1.5**2 + 3.5**2) ** 0.5)]:
        penalty = gradient_penalty(half_the_square, real, fake, torch.tensor([share]))
        assert penalty.item() == pytest.approx((norm - 1) ** 2)


def test_a_shift_moves_in_the_reflection() -> None:
    ramp = torch.arange(5.0).expand(3, 2, 5)
    moved = reflected_shift(ramp, torch.tensor([[2], [-1], [0]]))
    assert moved[0].tolist() == [[2, 1, 0, 1, 2]] * 2
    assert moved[1].tolist() == [[1, 2, 3, 4, 3]] * 2
    assert moved[2].tolist() == [[0, 1, 2, 3, 4]] * 2


def test_phase_shuffle_keeps_the_shape_and_moves_each_example_by_up_to_its_reach(generator) -> None:
    x = torch.randn(64, 3, 40, generator=generator)
    shuffled = phase_shuffle(x, 2, generator)
    assert shuffled.shape == x.shape
    found = []
    for before, after in zip(x, shuffled, strict=True):
        shifts = [s for s in range(-4, 5) if torch.equal(after[:, 4:-4], before.roll(s, 1)[:, 4:-4])]
        found += shifts
    assert len(found) == 64
    assert set(found) == {-2, -1, 0, 1, 2}


def test_generator_and_critic_mirror_each_other(generator) -> None:
    label = torch.tensor([0, 3])
    hits = WaveGenerator(FRAMES, 2, 4, 11)(torch.zeros(2, 4), label)
    assert hits.shape == (2, FRAMES)
    assert hits.abs().max() <= 1
    assert WaveCritic(FRAMES, 2, 2, 11)(hits, label, generator).shape == (2,)


def test_an_update_leaves_the_other_network_alone(tiny, generator) -> None:
    audio, label = torch.randn(2, tiny.frames, generator=generator), torch.tensor([0, 3])
    for loss, moved, kept in [
        (tiny.generator_loss, tiny.generator, tiny.critic),
        (tiny.critic_loss, tiny.critic, tiny.generator),
    ]:
        tiny.zero_grad(set_to_none=True)
        loss(audio, label, generator).backward()
        assert all(each.grad is None for each in kept.parameters())
        assert all(each.grad is not None for each in moved.parameters())


def test_the_critic_takes_its_turns(tiny) -> None:
    (stage,) = tiny.stages()
    assert [update.name for update in stage.updates] == ["generator", "critic", "critic"]
