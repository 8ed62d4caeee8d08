"""The networks of WaveGAN: a generator of waveforms and its critic (Donahue, McAuley & Puckette 2019)."""

from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_KERNEL: Final = 25
_STRIDE: Final = 4
_SCALES: Final = (16, 8, 4, 2, 1)
"""Channels of the layers, in units of the width, from the coarsest to the finest."""
_SLOPE: Final = 0.2


def coarsest_frames(frames: int) -> int:
    """Return the frames of the coarsest layer of networks for waveforms of `frames`."""
    return int(frames // _STRIDE ** len(_SCALES))


def phase_shuffle(x: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Return `x` (batch, channels, frames), each example moved by a random number of frames up to ±`reach`.

    What is moved in at an edge is the signal's reflection there. A critic that sees only shuffled layers cannot learn
    the regular artefacts of transposed convolutions by their phase.
    """
    shift = torch.randint(-reach, reach + 1, (len(x), 1), generator=generator, device=x.device)
    return reflected_shift(x, shift)


def reflected_shift(x: Tensor, shift: Tensor) -> Tensor:
    """Return `x` (batch, channels, frames) moved later by `shift` (batch, 1) frames, reflected at its edges."""
    last = x.shape[-1] - 1
    source = (torch.arange(last + 1, device=x.device) - shift).abs()
    source = last - (last - source).abs()
    return x.gather(2, source[:, None].expand_as(x))


class WaveGenerator(nn.Module):
    """A waveform from noise and a class: five transposed convolutions, each of four times the frames."""

    def __init__(self, frames: int, width: int, latent: int, classes: int) -> None:
        """Build a generator of `frames` frames; its finest hidden layer has `width` channels."""
        super().__init__()
        channels = [scale * width for scale in _SCALES]
        self.label = nn.Embedding(classes, latent)
        self.start = nn.Linear(2 * latent, channels[0] * coarsest_frames(frames))
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(coarse, fine, _KERNEL, _STRIDE, padding=11, output_padding=1)
            for coarse, fine in pairwise([*channels, 1])
        )

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Return waveforms (batch, frames) within ±1 from noise (batch, latent) and classes (batch,)."""
        x = self.start(torch.cat([z, self.label(label)], dim=1))
        x = x.unflatten(1, (self.layers[0].in_channels, -1))
        for layer in self.layers:
            x = layer(F.relu(x))
        return torch.tanh(x[:, 0].float())


class WaveCritic(nn.Module):
    """Real or not, as a number without bounds: five strided convolutions, the generator's mirror image.

    The class enters by a projection (Miyato & Koyama 2018): its embedding's product with the last features.
    """

    def __init__(self, frames: int, width: int, shuffle: int, classes: int) -> None:
        """Build a critic of `frames` frames, whose hidden layers are shuffled by up to ±`shuffle` of theirs."""
        super().__init__()
        channels = [scale * width for scale in reversed(_SCALES)]
        self.shuffle = shuffle
        self.layers = nn.ModuleList(
            nn.Conv1d(fine, coarse, _KERNEL, _STRIDE, padding=11) for fine, coarse in pairwise([1, *channels])
        )
        features = channels[-1] * coarsest_frames(frames)
        self.score = nn.Linear(features, 1)
        self.label = nn.Embedding(classes, features)
        nn.init.zeros_(self.label.weight)

    def forward(self, x: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the scores (batch,) of waveforms `x` (batch, frames) as hits of classes `label` (batch,)."""
        x = x[:, None]
        for layer in self.layers[:-1]:
            x = phase_shuffle(F.leaky_relu(layer(x), _SLOPE), self.shuffle, generator)
        features = F.leaky_relu(self.layers[-1](x), _SLOPE).flatten(1)
        score: Tensor = self.score(features)[:, 0] + (self.label(label) * features).mean(1)
        return score
