"""WaveNet on 256 μ-law levels (van den Oord et al. 2016)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.errors import InputError
from ghostnote.models.dsp import mu_law
from ghostnote.models.nets.wavenet import WaveNet, WaveNetSettings
from ghostnote.models.nets.wavenet_generation import generate
from ghostnote.models.systems.system import Stage, System, SystemSettings, Update


@dataclass(frozen=True)
class WaveNetSystemSettings(SystemSettings, WaveNetSettings):
    """A WaveNet, what it is trained on and how it samples."""

    decimation: int = 2
    """22,050 Hz: the receptive field is then 46 ms."""
    window_frames: int = 4096
    """Frames of a hit that a training example has."""
    temperature: float = 1.0
    """Below 1 what is likely is preferred."""


class WaveNetSystem(System):
    """A WaveNet of 10 layers at 22,050 Hz: 0.11 million parameters, 0.8 GFLOP a training window of 0.19 s.

    Steps mean nothing to it: it takes one for each frame.
    """

    title = "WaveNet"
    paper = "van den Oord et al. 2016"
    Settings = WaveNetSystemSettings
    settings: WaveNetSystemSettings

    def __init__(self, settings: WaveNetSystemSettings) -> None:
        """Build the network."""
        super().__init__(settings)
        self.net = WaveNet(settings)

    def stages(self) -> Sequence[Stage]:
        """Return the one stage: one network, one loss."""
        return [Stage(1.0, [Update("net", list(self.net.parameters()), self.loss)])]

    def loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean of −log₂ p over windows of hits (batch, frames), in bits a sample, ().

        A quarter of the windows, at the defaults, begin with their hit. In the others the first frames, of which the
        network does not see all that they follow from, do not count.
        """
        size = min(self.settings.window_frames, audio.shape[1])
        spread = torch.rand(len(audio), generator=generator, device=audio.device)
        start = (spread * (audio.shape[1] + 1) - size).long().clamp_min(0)
        offset = torch.arange(size, device=audio.device)
        levels = mu_law.encode(audio.gather(1, start[:, None] + offset))
        counts = (start == 0)[:, None] | (offset >= min(self.settings.receptive_frames, size - 1))
        return self._bits(levels, label)[counts].mean()

    def bits(self, audio: Tensor, label: Tensor) -> Tensor:
        """Return the bits a sample (batch,) that whole hits (batch, frames) take: their negative log likelihood."""
        return self._bits(mu_law.encode(audio), label).mean(1)

    @torch.no_grad()
    def figures(self, audio: Tensor, label: Tensor) -> Mapping[str, float]:
        """Return the bits that a sample of hits takes, the mean of all."""
        return {"bits a sample": float(self.bits(audio, label).mean())}

    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames), a frame after the other."""
        return self.continue_hits(torch.empty(len(label), 0, device=label.device), label, generator)

    def continue_hits(self, start: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return hits (batch, frames) that begin as `start` (batch, some frames) at full level, and go on as new.

        `InputError` where they begin with more frames than they have.
        """
        if start.shape[1] > self.frames:
            raise InputError(f"a start of {start.shape[1]} frames is longer than a hit, {self.frames}: cut it")
        levels = generate(
            self.net, label, self.frames, generator, given=mu_law.encode(start), temperature=self.settings.temperature
        )
        return torch.cat([start, mu_law.decode(levels[:, start.shape[1] :])], dim=1)

    def _bits(self, levels: Tensor, label: Tensor) -> Tensor:
        """Return −log₂ p of each of the `levels` (batch, frames)."""
        return F.cross_entropy(self.net(levels, label), levels, reduction="none") / math.log(2)
