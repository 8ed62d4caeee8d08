"""VQ-VAE (van den Oord, Vinyals & Kavukcuoglu 2017): hits as sequences of codes, and a prior over these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.spectral_loss import spectral_loss, waveform_loss
from ghostnote.models.nets.code_prior import CodePrior
from ghostnote.models.nets.vector_quantiser import VectorQuantiser, perplexity
from ghostnote.models.nets.wave_autoencoder import WaveAutoencoderSettings, make_decoder, make_encoder, stride_of
from ghostnote.models.systems.reconstruction import Reconstruction, measure_reconstruction
from ghostnote.models.systems.system import Stage, System, SystemSettings, Update


@dataclass(frozen=True)
class VQVAESettings(SystemSettings, WaveAutoencoderSettings):
    """The shapes of autoencoder, codebook and prior."""

    decimation: int = 2
    codes: int = 512
    """Vectors of the codebook."""
    commitment: float = 0.25
    """Weight of the loss that keeps the encoder near the codes: the paper's β."""
    prior_width: int = 192
    prior_depth: int = 4
    """Blocks of the prior."""
    temperature: float = 1.0
    """Of drawing from the prior; lower is safer and more uniform."""
    prior_share: float = 0.4
    """Share of the run in which the prior learns; before it, the autoencoder does."""


class VQVAE(System):
    """An autoencoder at 22,050 Hz with 256 codes of 9 bits a hit, then a causal transformer over the codes.

    The spectral loss beside the waveform's is that of Jukebox (Dhariwal et al. 2020). Autoencoder and prior have 0.7
    and 2.0 million parameters.
    """

    title = "VQ-VAE"
    paper = "van den Oord, Vinyals & Kavukcuoglu 2017"
    Settings = VQVAESettings
    settings: VQVAESettings

    def __init__(self, settings: VQVAESettings) -> None:
        """Build all networks."""
        super().__init__(settings)
        self.encoder = make_encoder(settings, settings.latent)
        self.quantiser = VectorQuantiser(settings.codes, settings.latent)
        self.decoder = make_decoder(settings)
        self.prior = CodePrior(
            settings.codes,
            self.frames // stride_of(settings),
            len(CLASS_NAMES),
            settings.prior_width,
            settings.prior_depth,
        )

    def stages(self) -> Sequence[Stage]:
        """Return the autoencoder's stage and the prior's."""
        autoencoder = [*self.encoder.parameters(), *self.decoder.parameters()]
        share = self.settings.prior_share
        return [
            Stage(1 - share, [Update("autoencoder", autoencoder, self.autoencoder_loss)]),
            Stage(share, [Update("prior", list(self.prior.parameters()), self.prior_loss)]),
        ]

    def autoencoder_loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return how far hits (batch, frames) are from what their codes decode to, and from their codes."""
        quantised = self.quantiser(self.encoder(audio[:, None]), generator)
        decoded = self.decoder(quantised.vectors)[:, 0]
        loss = spectral_loss(decoded, audio) + waveform_loss(decoded, audio)
        weighted: Tensor = loss + self.settings.commitment * quantised.commitment
        return weighted

    def prior_loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the negative log-likelihood of the codes of hits (batch, frames), in nats a code."""
        codes = self.encode(audio)
        return F.cross_entropy(self.prior(codes, label).flatten(0, 1), codes.flatten())

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Return the codes (batch, codes) of hits (batch, frames), always computed in 32 bits: 16 choose others."""
        with torch.autocast(audio.device.type, enabled=False):
            codes: Tensor = self.quantiser.nearest(self.encoder(audio[:, None]))
        return codes

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Return the hits (batch, frames) of codes (batch, codes)."""
        hits: Tensor = self.decoder(self.quantiser.vectors(codes))[:, 0]
        return hits

    def reconstruction(self, audio: Tensor) -> Reconstruction:
        """Return how well hits (batch, frames) at the system's rate are kept, and how varied their codes are."""
        codes = self.encode(audio)
        used = torch.bincount(codes.flatten(), minlength=self.settings.codes).float()
        return measure_reconstruction(self.decode(codes), audio, perplexity(used))

    def figures(self, audio: Tensor, label: Tensor) -> Mapping[str, float]:
        """Return the figures of `reconstruction`."""
        return self.reconstruction(audio).figures()

    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames) of the classes `label` (batch,), one step for each code."""
        return self.decode(self.prior.sample(label, generator, self.settings.temperature))
