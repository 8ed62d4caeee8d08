"""Latent diffusion on a codec: an autoencoder of waveforms, then diffusion in its latent (Rombach et al. 2022)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.diffusion.v_prediction import v_loss
from ghostnote.models.dsp.spectral_loss import spectral_loss, waveform_loss
from ghostnote.models.nets.running_scale import RunningScale
from ghostnote.models.nets.unet import UNet, UNetSettings
from ghostnote.models.nets.wave_autoencoder import WaveAutoencoderSettings, make_decoder, make_encoder, stride_of
from ghostnote.models.systems.guided_diffusion import GuidedDiffusion, GuidedSettings
from ghostnote.models.systems.reconstruction import Reconstruction, measure_reconstruction
from ghostnote.models.systems.system import Stage, Update


@dataclass(frozen=True)
class CodecSettings(GuidedSettings, WaveAutoencoderSettings):
    """The shapes of autoencoder and diffusion network."""

    decimation: int = 2
    divergence: float = 0.01
    """Weight of the KL divergence, in nats a number, that keeps latents near unit normal ones."""
    unet: tuple[int, ...] = (96, 128, 160)
    """Channels of each level of the diffusion's U-Net."""
    diffusion_share: float = 0.5
    """Share of the run in which the diffusion is trained; before it, the autoencoder is."""


class Codec(GuidedDiffusion):
    """A variational autoencoder at 22,050 Hz whose latent has a quarter of the waveform's numbers, and v-diffusion.

    Snake activations and a multi-resolution STFT loss are those of DAC (Kumar et al. 2023), without its critics and
    codes. Autoencoder and U-Net have 0.7 and 1.4 million parameters.
    """

    title = "codec latents"
    paper = "Rombach et al. 2022, Kumar et al. 2023"
    Settings = CodecSettings
    settings: CodecSettings

    def __init__(self, settings: CodecSettings) -> None:
        """Build all networks."""
        super().__init__(settings)
        self.encoder = make_encoder(settings, 2 * settings.latent)
        self.decoder = make_decoder(settings)
        self.scale = RunningScale(settings.latent)
        self.net = UNet(UNetSettings(settings.latent, 0, settings.unet, len(CLASS_NAMES), blocks=1))

    def stages(self) -> Sequence[Stage]:
        """Return the autoencoder's stage and the diffusion's."""
        autoencoder = [*self.encoder.parameters(), *self.decoder.parameters()]
        share = self.settings.diffusion_share
        return [
            Stage(1 - share, [Update("autoencoder", autoencoder, self.autoencoder_loss)]),
            Stage(share, [Update("net", list(self.net.parameters()), self.diffusion_loss)]),
        ]

    def autoencoder_loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return how far hits (batch, frames) are from what their latents decode to, with the latents' divergence."""
        mean, deviation = self.posterior(audio)
        if self.training:
            self.scale.learn(mean)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        decoded = self.decoder(mean + deviation * noise)[:, 0]
        loss = spectral_loss(decoded, audio) + waveform_loss(decoded, audio)
        return loss + self.settings.divergence * divergence(mean, deviation)

    def diffusion_loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of v in the scaled latents of hits (batch, frames)."""
        withheld = self.withhold(label, generator)
        return v_loss(lambda z, t: self.predict(z, t, withheld), self.encode(audio), generator)

    def posterior(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and deviations (batch, latent, frames) of the latents of hits (batch, frames)."""
        mean, log_deviation = self.encoder(audio[:, None]).float().chunk(2, dim=1)
        return mean, log_deviation.clamp(-10, 2).exp()

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Return the scaled latents (batch, latent, frames) of hits (batch, frames)."""
        scaled: Tensor = self.scale(self.posterior(audio)[0])
        return scaled

    def predict(self, z: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """Return v of scaled latents `z` (batch, latent, frames) at times `t` (batch,)."""
        v: Tensor = self.net(z, t, self.net.embed(label, torch.zeros_like(t)))
        return v

    def noise(self, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return noise (batch, latent, frames)."""
        shape = (len(label), self.settings.latent, self.frames // stride_of(self.settings))
        return torch.randn(shape, generator=generator, device=label.device)

    def to_audio(self, x: Tensor) -> Tensor:
        """Return scaled latents (batch, latent, frames) as hits (batch, frames)."""
        hits: Tensor = self.decoder(self.scale.restore(x))[:, 0]
        return hits

    def reconstruction(self, audio: Tensor) -> Reconstruction:
        """Return how well the latents keep hits (batch, frames) at the system's rate."""
        with torch.no_grad():
            return measure_reconstruction(self.to_audio(self.encode(audio)), audio)

    def figures(self, audio: Tensor, label: Tensor) -> Mapping[str, float]:
        """Return the figures of `reconstruction`."""
        return self.reconstruction(audio).figures()

    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames) of the classes `label` (batch,)."""
        return self.to_audio(self.denoise(self.noise(label, generator), label, generator, steps))


def divergence(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the KL divergence () of normal latents from unit normal ones, in nats a number (Kingma & Welling 2014)."""
    return 0.5 * (mean.square() + deviation.square() - 1 - 2 * deviation.log()).mean()
