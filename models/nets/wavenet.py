"""WaveNet: each sample's distribution, given all the samples before it (van den Oord et al. 2016)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.mu_law import LEVELS, SILENCE


@dataclass(frozen=True)
class WaveNetSettings:
    """The shape of a WaveNet."""

    residual: int = 32
    """Channels between layers."""
    skip: int = 64
    """Channels that the layers' outputs are summed in."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    """How many frames apart the two taps of each layer lie."""

    @property
    def receptive_frames(self) -> int:
        """Frames before a sample that its distribution depends on."""
        return 1 + sum(self.dilations)


class GatedLayer(nn.Module):
    """z = tanh(W_f ∗ x + V_f·h) ⊙ σ(W_g ∗ x + V_g·h) with a causal, dilated convolution ∗ and the class h (eq. 3)."""

    def __init__(self, settings: WaveNetSettings, dilation: int) -> None:
        """Build a layer whose two taps lie `dilation` frames apart."""
        super().__init__()
        width = settings.residual
        self.dilation = dilation
        self.conv = nn.Conv1d(width, 2 * width, 2, dilation=dilation)
        self.label = nn.Embedding(len(CLASS_NAMES), 2 * width)
        self.out = nn.Conv1d(width, width, 1)
        self.skip = nn.Conv1d(width, settings.skip, 1)

    def forward(self, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Map `x` (batch, residual, frames) to what the next layer takes, and to what is summed (batch, skip, frames).

        Before the first frame there are zeros.
        """
        gates = self.conv(F.pad(x, (self.dilation, 0))) + self.label(label)[:, :, None]
        filtered, gate = gates.chunk(2, dim=1)
        z = filtered.tanh() * gate.sigmoid()
        return x + self.out(z), self.skip(z)


class WaveNet(nn.Module):
    """Dilated causal convolutions with gates, whose outputs add up to the logits of 256 μ-law levels."""

    def __init__(self, settings: WaveNetSettings) -> None:
        """Build the network that `settings` describe; new, it takes all levels for equally likely."""
        super().__init__()
        self.settings = settings
        self.embed = nn.Embedding(LEVELS, settings.residual)
        self.layers = nn.ModuleList(GatedLayer(settings, dilation) for dilation in settings.dilations)
        self.hidden = nn.Conv1d(settings.skip, settings.skip, 1)
        self.logits = nn.Conv1d(settings.skip, LEVELS, 1)
        for parameter in self.logits.parameters():
            nn.init.zeros_(parameter)

    def forward(self, levels: Tensor, label: Tensor) -> Tensor:
        """Return each frame's logits (batch, LEVELS, frames), given the `levels` (batch, frames) of those before it.

        `label` (batch,) is the class. Silence stands before the first frame.
        """
        x = self.embed(F.pad(levels[:, :-1], (1, 0), value=SILENCE)).transpose(1, 2)
        total: Tensor | int = 0
        for layer in self.layers:
            x, skipped = layer(x, label)
            total = total + skipped
        logits: Tensor = self.logits(F.relu(self.hidden(F.relu(torch.as_tensor(total)))))
        return logits
