"""WaveGAN (Donahue, McAuley & Puckette 2019): drums in one step of an adversarial generator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.func import functional_call

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.nets.wavegan import WaveCritic, WaveGenerator
from ghostnote.models.systems.system import Stage, System, SystemSettings, Update

_BETAS: Final = (0.5, 0.9)
_SCALE: Final = 0.4


@dataclass(frozen=True)
class WaveGANSettings(SystemSettings):
    """The shapes of generator and critic."""

    decimation: int = 2
    width: int = 16
    """Channels of the finest hidden layers; the paper's 64 take more than ten times the time."""
    latent: int = 64
    """Numbers of noise a hit."""
    shuffle: int = 2
    """Largest phase shuffle, in frames of each layer."""
    critic_steps: int = 2
    """Updates of the critic for each of the generator; five in the paper."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Return the mean of (|∇x critic(x)| − 1)² at x = `share`·`real` + (1 − `share`)·`fake`.

    `real` and `fake` are (batch, frames), `share` (batch,). A critic of slope 1 between real and generated examples
    measures the Wasserstein distance of the two (Gulrajani et al. 2017).
    """
    with torch.enable_grad():
        between = torch.lerp(fake, real, share[:, None]).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty: Tensor = (gradient.norm(dim=1) - 1).square().mean()
    return penalty


class WaveGAN(System):
    """Wasserstein GAN with gradient penalty over waveforms at 22,050 Hz, a critic and a generator that take turns.

    Generator and critic have 1.6 and 1.1 million parameters; the critic's are not needed to generate.
    """

    title = "WaveGAN"
    paper = "Donahue, McAuley & Puckette 2019"
    Settings = WaveGANSettings
    settings: WaveGANSettings

    def __init__(self, settings: WaveGANSettings) -> None:
        """Build generator and critic."""
        super().__init__(settings)
        self.generator = WaveGenerator(self.frames, settings.width, settings.latent, len(CLASS_NAMES))
        self.critic = WaveCritic(self.frames, settings.width, settings.shuffle, len(CLASS_NAMES))

    def stages(self) -> Sequence[Stage]:
        """Return the one stage: a generator's update, then some of the critic."""
        generator = Update("generator", list(self.generator.parameters()), self.generator_loss, _SCALE, _BETAS)
        critic = Update("critic", list(self.critic.parameters()), self.critic_loss, _SCALE, _BETAS)
        return [Stage(1.0, [generator, *[critic] * self.settings.critic_steps])]

    def critic_loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the generated hits' mean score less the real ones', with the gradient penalty."""
        with torch.no_grad():
            fake = self.generator(self._noise(label, generator), label)

        def score(x: Tensor) -> Tensor:
            scores: Tensor = self.critic(x, label, generator)
            return scores

        share = torch.rand(len(audio), generator=generator, device=audio.device)
        penalty = gradient_penalty(score, audio, fake, share)
        return score(fake).mean() - score(audio).mean() + self.settings.penalty * penalty

    def generator_loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the generated hits' mean score, negative; the critic's weights get no gradient."""
        fake = self.generator(self._noise(label, generator), label)
        weights = {name: weight.detach() for name, weight in self.critic.named_parameters()}
        scores: Tensor = functional_call(self.critic, weights, (fake, label, generator))
        return -scores.mean()

    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames) of the classes `label` (batch,), always in one step."""
        hits: Tensor = self.generator(self._noise(label, generator), label)
        return hits

    def _noise(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise (batch, latent), even between -1 and 1."""
        shape = (len(label), self.settings.latent)
        return 2 * torch.rand(shape, generator=generator, device=label.device) - 1
