"""WaveNet: causal, as far back as its dilations reach, and the same from its cache as without."""

import numpy as np
import pytest
import torch

from ghostnote.bridge.errors import InputError
from ghostnote.models.dsp import mu_law
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.nets.wavenet import WaveNet, WaveNetSettings
from ghostnote.models.nets.wavenet_generation import CachedWaveNet, generate, pick
from ghostnote.models.systems.audio import continue_hit
from ghostnote.models.systems.registry import make_system
from ghostnote.models.systems.wavenet import WaveNetSystem, WaveNetSystemSettings

SETTINGS = WaveNetSettings(residual=6, skip=5, dilations=(1, 2, 4, 1, 3))
LABEL = torch.tensor([0, 3, 7])


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return shaken(WaveNet(SETTINGS))


def shaken(module):
    """Return a module with weights that hide nothing, as those at zero would."""
    for parameter in module.parameters():
        parameter.data = 0.5 * torch.randn_like(parameter)
    return module.eval()


def levels(frames, seed=1):
    return torch.randint(mu_law.LEVELS, (len(LABEL), frames), generator=torch.Generator().manual_seed(seed))


def test_mu_law_keeps_every_level_and_is_finer_near_zero():
    all_levels = torch.arange(mu_law.LEVELS)
    x = mu_law.decode(all_levels)
    assert torch.equal(mu_law.encode(x), all_levels)
    assert (float(x[0]), float(x[-1])) == pytest.approx((-1, 1))
    steps = x.diff()
    assert steps.argmin() == 127
    assert torch.all(steps[128:].diff() > 0)
    assert mu_law.encode(torch.zeros(1)) == mu_law.SILENCE
    assert mu_law.decode(torch.tensor([mu_law.SILENCE])).abs() < 1e-4
    assert torch.equal(mu_law.encode(torch.tensor([-3.0, 3.0])), torch.tensor([0, 255]))


def test_a_half_is_where_the_curve_says():
    assert mu_law.encode(torch.tensor([0.5])) == round((np.log1p(127.5) / np.log(256) + 1) / 2 * 255)


def test_a_frame_depends_on_those_before_it_as_far_as_the_dilations_reach(net):
    frames, at = 40, 10
    codes = levels(frames)
    changed = codes.clone()
    changed[:, at] = (changed[:, at] + 128) % 256
    with torch.no_grad():
        moved = (net(changed, LABEL) - net(codes, LABEL)).abs().amax((0, 1)) > 1e-6
    assert not moved[: at + 1].any()
    assert moved[at + 1]
    assert SETTINGS.receptive_frames == 12
    assert moved[at + SETTINGS.receptive_frames]
    assert not moved[at + SETTINGS.receptive_frames + 1 :].any()


def test_the_class_changes_what_is_likely(net):
    codes = levels(8)
    assert (net(codes, LABEL) - net(codes, LABEL + 1)).abs().max() > 0.01


def test_cached_logits_are_those_of_the_whole_network(net):
    codes = levels(30)
    cached = CachedWaveNet(net, LABEL)
    inputs = torch.cat([torch.full((3, 1), mu_law.SILENCE), codes[:, :-1]], dim=1).numpy()
    found = np.stack([cached.step(inputs[:, frame]) for frame in range(30)], axis=2)
    with torch.no_grad():
        assert np.allclose(found, net(codes, LABEL).numpy(), atol=1e-4)


def slowly(net, frames, seed):
    """Return what `generate` should, with the whole network anew for each frame."""
    uniform = torch.rand(frames, len(LABEL), generator=torch.Generator().manual_seed(seed)).numpy()
    codes = torch.zeros(len(LABEL), 0, dtype=torch.long)
    for frame in range(frames):
        with torch.no_grad():
            logits = net(torch.nn.functional.pad(codes, (0, 1)), LABEL)[:, :, -1].numpy()
        codes = torch.cat([codes, torch.from_numpy(pick(logits, uniform[frame]))[:, None]], dim=1)
    return codes


def test_cached_generation_is_the_slow_one(net):
    fast = generate(net, LABEL, 40, torch.Generator().manual_seed(4))
    assert torch.equal(fast, slowly(net, 40, 4))
    assert not torch.equal(fast, generate(net, LABEL, 40, torch.Generator().manual_seed(5)))


def test_a_cut_hit_goes_on_as_it_would_have(net):
    whole = generate(net, LABEL, 40, torch.Generator().manual_seed(4))
    cut = generate(net, LABEL, 40, torch.Generator().manual_seed(4), given=whole[:, :25])
    assert torch.equal(cut, whole)
    other = generate(net, LABEL, 40, torch.Generator().manual_seed(4), given=levels(25))
    assert torch.equal(other[:, :25], levels(25))
    assert not torch.equal(other[:, 25:], whole[:, 25:])


def test_levels_are_drawn_by_their_probabilities():
    logits = np.log(np.array([[0.5, 0.25, 0.25] + [1e-12] * 253], np.float32))
    drawn = [int(pick(logits, np.array([u], np.float32))[0]) for u in (0.0, 0.49, 0.51, 0.74, 0.76, 0.999)]
    assert drawn == [0, 0, 1, 1, 2, 2]
    cold = [int(pick(logits, np.array([u], np.float32), 0.1)[0]) for u in (0.0, 0.49, 0.51, 0.9)]
    assert cold == [0, 0, 0, 0]


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    settings = WaveNetSystemSettings(decimation=4, residual=6, skip=5, dilations=(1, 2, 4), window_frames=32)
    return WaveNetSystem(settings)


def test_a_new_network_takes_eight_bits_a_sample(system):
    audio = 0.3 * torch.randn(2, 64).clamp(-1, 1)
    assert system.bits(audio, LABEL[:2]).tolist() == pytest.approx([8, 8])
    assert float(system.loss(audio, LABEL[:2], torch.Generator()).detach()) == pytest.approx(8)


def test_bits_are_the_logarithm_of_the_probability(system):
    bias = system.net.logits.bias.data
    bias[mu_law.SILENCE] = np.log(255)
    assert system.bits(torch.zeros(1, 64), LABEL[:1]).item() == pytest.approx(1, rel=1e-4)
    bias.zero_()


@pytest.mark.parametrize("seed", range(6))
def test_windows_count_the_frames_whose_past_is_whole(seed):
    """Their bits are then those that the same frames take in the whole hit."""
    torch.manual_seed(0)
    settings = WaveNetSystemSettings(decimation=4, residual=6, skip=5, dilations=(1, 2, 4), window_frames=32)
    system = shaken(WaveNetSystem(settings))
    audio = 0.5 * torch.rand(1, 64) - 0.25
    whole = system._bits(mu_law.encode(audio), LABEL[:1])[0]
    start = max(0, int(torch.rand(1, generator=torch.Generator().manual_seed(seed)) * 65 - 32))
    counted = whole[:32] if start == 0 else whole[start + settings.receptive_frames : start + 32]
    found = system.loss(audio, LABEL[:1], torch.Generator().manual_seed(seed))
    assert float(found.detach()) == pytest.approx(float(counted.detach().mean()), rel=1e-4)


def test_a_system_continues_a_hit_that_was_cut(system):
    start = 0.2 * torch.randn(3, 8000)
    with torch.no_grad():
        hits = system.continue_hits(start, LABEL, torch.Generator().manual_seed(0))
    assert hits.shape == (3, system.frames)
    assert torch.equal(hits[:, :8000], start)
    assert hits[:, 8000:].std() > 0.01
    with pytest.raises(InputError, match="8193 frames is longer than a hit, 8192"):
        system.continue_hits(torch.zeros(1, 8193), LABEL[:1], torch.Generator())


def test_a_hit_goes_on_at_its_own_level_and_rate(system):
    start = 0.05 * torch.randn(1, 8001)
    hit = continue_hit(system, start, LABEL[:1], torch.Generator().manual_seed(0))
    assert hit.shape == (1, HIT_FRAMES)
    assert torch.equal(hit[:, :8000], start[:, :8000])
    assert 1e-4 < hit[:, 8000:].std() < 1
    louder = continue_hit(system, 4 * start, LABEL[:1], torch.Generator().manual_seed(0))
    assert torch.allclose(louder[:, :8000], 4 * hit[:, :8000])
    assert torch.allclose(louder[:, 8000:], 4 * hit[:, 8000:], atol=1e-5)
    with pytest.raises(InputError, match="leaves nothing of a hit's 32768"):
        continue_hit(system, torch.zeros(1, HIT_FRAMES), LABEL[:1], torch.Generator())
    with pytest.raises(InputError, match="makes hits as a whole"):
        continue_hit(make_system("wavegan", {"width": 2}), start, LABEL[:1], torch.Generator())


def test_training_lowers_the_bits():
    """A square wave of eight frames is all there is: what comes next is certain once the wave is known."""
    torch.manual_seed(0)
    system = WaveNetSystem(
        WaveNetSystemSettings(decimation=4, residual=8, skip=8, dilations=(1, 2, 4, 8), window_frames=64)
    )
    wave = 0.5 * torch.ones(4, 64) * torch.where(torch.arange(64) // 4 % 2 == 0, 1.0, -1.0)
    optimiser = torch.optim.Adam(system.parameters(), 0.02)
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        optimiser.zero_grad()
        loss = system.loss(wave, torch.zeros(4, dtype=torch.long), generator)
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 1
