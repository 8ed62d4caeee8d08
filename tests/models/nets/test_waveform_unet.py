"""The U-Net on waveforms under its three front ends, mono and stereo."""

import pytest
import torch

from ghostnote.bridge.errors import InputError
from ghostnote.models.nets.waveform_unet import WIDTHS, WaveformUNet, WaveformUNetSettings
from ghostnote.models.systems.registry import make_system


def tiny(front, channels=1, stride=8):
    torch.manual_seed(0)
    net = WaveformUNet(WaveformUNetSettings(channels, front, stride, (8, 16, 64), attention_levels=1))
    for parameter in net.parameters():
        # What starts at zero hides everything behind it.
        parameter.data += 0.1 * torch.randn_like(parameter)
    return net.eval()


def run(net, z, label=0, t=0.5):
    with torch.no_grad():
        return net(z, torch.full((len(z),), t), torch.full((len(z),), label))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("front", WIDTHS)
def test_every_front_end_keeps_the_shape_and_listens_to_time_and_class(front, channels):
    net = tiny(front, channels)
    z = torch.randn(2, channels, 256)
    out = run(net, z)
    assert out.shape == z.shape
    assert not torch.allclose(out, run(net, z, label=3), atol=1e-3)
    assert not torch.allclose(out, run(net, z, t=0.9), atol=1e-3)


@pytest.mark.parametrize("front", WIDTHS)
def test_stereo_channels_know_of_each_other(front):
    net, z = tiny(front, 2), torch.randn(1, 2, 256)
    changed = z.clone()
    changed[:, 1] += 1
    assert (run(net, changed) - run(net, z))[:, 0].abs().max() > 1e-3


@pytest.mark.parametrize("front", WIDTHS)
def test_attention_at_depth_reaches_the_whole_hit(front):
    """Three levels of convolutions reach some dozens of frames; attention all 2,048 samples."""
    net, z = tiny(front), torch.randn(1, 1, 2048)
    changed = z.clone()
    changed[..., :8] += 5
    reached = (run(net, changed) - run(net, z)).abs()[0, 0, -512:]
    assert reached.max() > 1e-6


def test_patches_move_with_the_waveform_by_whole_patches_alone():
    """Convolutions over frames commute with shifts of whole frames, here with attention left out."""
    torch.manual_seed(0)
    net = WaveformUNet(WaveformUNetSettings(1, "patch", 8, (16,), attention_levels=0))
    for parameter in net.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    z = torch.zeros(1, 1, 512)
    z[..., 200:240] = torch.randn(40)
    out = run(net, z)
    by_patch, by_sample = (run(net, z.roll(frames, -1)) for frames in (8, 1))
    inner = slice(64, -64)
    assert torch.allclose(by_patch[..., inner], out.roll(8, -1)[..., inner], atol=1e-4)
    assert (by_sample - out.roll(1, -1))[..., inner].abs().max() > 0.05


def test_the_learned_transform_has_as_many_numbers_as_samples():
    net = tiny("transform", channels=2, stride=8)
    assert net.transform.analysis(torch.zeros(1, 2, 256)).shape == (1, 16, 32)


def test_a_front_end_that_there_is_not_is_said():
    with pytest.raises(InputError, match="'wavelet' is not a front end: take one of stack, patch, transform"):
        WaveformUNet(WaveformUNetSettings(front="wavelet"))


def test_a_stereo_system_trains_on_both_channels_and_samples_them():
    torch.manual_seed(0)
    settings = {"decimation": 4, "channels": 2, "front": "patch", "widths": (64,), "attention_levels": 1, "steps": 2}
    system = make_system("waveform", settings)
    label = torch.tensor([0, 1])
    stereo = 0.1 * torch.randn(2, 2, system.frames)
    assert torch.equal(system.to_sample(stereo), 4 * stereo)
    mono = system.to_sample(stereo[:, 0])
    assert torch.equal(mono[:, 0], mono[:, 1])
    loss = system.loss(stereo, label, torch.Generator().manual_seed(0))
    loss.backward()
    assert loss.isfinite()
    with torch.no_grad():
        both = system.sample_channels(label, torch.Generator().manual_seed(1))
        mixed = system.sample(label, torch.Generator().manual_seed(1))
    assert both.shape == (2, 2, system.frames)
    assert not torch.equal(both[:, 0], both[:, 1])
    assert torch.equal(both.mean(1), mixed)


def test_a_solver_that_there_is_not_is_said():
    with pytest.raises(InputError, match="'rk45' is not a solver: take one of sde"):
        make_system("waveform", {"solver": "rk45"})
