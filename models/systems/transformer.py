"""A diffusion transformer (DiT, Peebles & Xie 2023) over the lapped transform of hits."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ghostnote.bridge.errors import InputError
from ghostnote.models.diffusion.v_prediction import v_loss
from ghostnote.models.dsp.mdct import BANDS, MDCT_FRAMES, analyse, synthesise
from ghostnote.models.nets.cascade import ANY_CLASS
from ghostnote.models.nets.diffusion_transformer import DiffusionTransformer, DiffusionTransformerSettings
from ghostnote.models.nets.precision import full_precision
from ghostnote.models.nets.running_scale import RunningScale
from ghostnote.models.systems.guided_diffusion import GuidedDiffusion, GuidedSettings
from ghostnote.models.systems.system import Stage, Update


@dataclass(frozen=True)
class TransformerSettings(GuidedSettings, DiffusionTransformerSettings):
    """The shapes of patches and network."""

    patch: int = 4
    """Frames of the transform in a patch, 1.45 ms each."""
    shortened: float = 0.5
    """Share of the training batches that are cut to a random length."""


class Transformer(GuidedDiffusion):
    """v-diffusion over patches of all bands by 4 frames of the lapped transform, at 44,100 Hz.

    Patches of the waveform would cost the same, but adjoin without overlap: an error at an edge is a click. Here
    neighbours overlap by half a frame, and companded coefficients give quiet tails their due. 4 million parameters with
    AdaLN, 0.8 GFLOP a step for a hit's 128 patches.
    """

    title = "diffusion transformer"
    paper = "Peebles & Xie 2023"
    Settings = TransformerSettings
    settings: TransformerSettings

    def __init__(self, settings: TransformerSettings) -> None:
        """Build the network; `InputError` for settings that do not fit the transform."""
        super().__init__(settings)
        if settings.decimation != 1 or MDCT_FRAMES % settings.patch:
            raise InputError(
                f"a decimation of {settings.decimation} or patches of {settings.patch} frames do not fit the lapped "
                f"transform: leave the decimation at 1, and let the patch divide {MDCT_FRAMES}"
            )
        # A hit is loud for a moment and silent for long: scaled alike, most patches would be next to nothing.
        self.scale = RunningScale(BANDS, self.patches, settings.patch)
        self.net = DiffusionTransformer(BANDS * settings.patch, ANY_CLASS + 1, settings)

    @property
    def patches(self) -> int:
        """Patches of a whole hit."""
        return MDCT_FRAMES // self.settings.patch

    def stages(self) -> Sequence[Stage]:
        """Return the one stage: one network, one loss."""
        return [Stage(1.0, [Update("net", list(self.net.parameters()), self.loss)])]

    def loss(self, audio: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of v, in training for a part of the batches over a hit's beginning alone."""
        with full_precision(audio.device):
            coefficients = analyse(audio)
        if self.training:
            self.scale.learn(coefficients)
        patches = self.to_patches(self.scale(coefficients))[:, : self._length(generator)]
        withheld = self.withhold(label, generator)
        return v_loss(lambda z, t: self.predict(z, t, withheld), patches, generator)

    def predict(self, z: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """Return v of patches `z` (batch, patches, features) at times `t` (batch,)."""
        v: Tensor = self.net(z, t, label)
        return v

    def noise(self, label: Tensor, generator: torch.Generator, patches: int | None = None) -> Tensor:
        """Return noise (batch, patches, features)."""
        shape = (len(label), patches or self.patches, BANDS * self.settings.patch)
        return torch.randn(shape, generator=generator, device=label.device)

    def to_patches(self, x: Tensor) -> Tensor:
        """Return coefficients (batch, BANDS, frames) as patches (batch, patches, features)."""
        patches: Tensor = x.unflatten(2, (-1, self.settings.patch))
        return patches.transpose(1, 2).flatten(2)

    def to_audio(self, x: Tensor) -> Tensor:
        """Return patches (batch, patches, features) as hits (batch, frames)."""
        coefficients = x.unflatten(2, (BANDS, -1)).transpose(1, 2).flatten(2)
        return synthesise(self.scale.restore(coefficients))

    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames) of the classes `label` (batch,)."""
        return self.sample_patches(label, self.patches, generator, steps)

    def sample_patches(
        self, label: Tensor, patches: int, generator: torch.Generator, steps: int | None = None
    ) -> Tensor:
        """Return the first `patches` patches of new hits, (batch, patches x patch x BANDS)."""
        return self.to_audio(self.denoise(self.noise(label, generator, patches), label, generator, steps))

    def _length(self, generator: torch.Generator) -> int:
        """Return how many patches of a batch are trained on: all, or at least a quarter."""
        if not self.training:
            return self.patches
        draw, share = (float(each) for each in torch.rand(2, generator=generator, device=generator.device))
        return self.patches if draw >= self.settings.shortened else round(self.patches * (0.25 + 0.75 * share))
