"""Adversarial fine-tuning of strokes, against discriminators that learn meanwhile.

The sound network's last step and the statistics of variation (coherence, spectral deviation, spectral contrast and
sparsity) are trained against discriminators: an adversarial post-training, as Sauer et al. 2023 do for few steps. Pairs
are augmented, so that discriminators see more drums than there are; without a reference, the network is anchored to its
initial state. Lines that a reference lacks cost more: a line that comes in one stroke of sixty escapes discriminators.
"""

import copy
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from ghostnote.bridge.dsp.attack import ATTACK_FRAMES, Attack
from ghostnote.bridge.dsp.filtered_partials import FilteredPartials
from ghostnote.bridge.dsp.partial_response import PartialStatistics
from ghostnote.bridge.dsp.strike import Strike
from ghostnote.bridge.dsp.stroke_filter import StrokeFilter
from ghostnote.models.data.dataset import PairSampler
from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.diffusion.inputs import Inputs, blank_inputs
from ghostnote.models.diffusion.pipeline import render_with_gradients
from ghostnote.models.diffusion.v_prediction import add_noise, linear_schedule
from ghostnote.models.dsp.lines import lacking_db
from ghostnote.models.evaluate.c2st import smooth_features
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.discriminators import Discriminators
from ghostnote.models.nets.precision import autocast
from ghostnote.models.statistics.corpus_statistics import Fold
from ghostnote.models.statistics.repeatability import LATENT_SIZE
from ghostnote.models.train.batch import make_batch
from ghostnote.models.train.distill_methods import bind
from ghostnote.models.train.objective import noise_for, normal_like
from ghostnote.models.train.stroke_pairs import AUGMENTATION, StrokePairs, decaying_noise
from ghostnote.models.train.training_run import require_numbers
from ghostnote.models.train.tunable_statistics import TunableStatistics

_CHUNK: Final = 64
_DISTANCE_WEIGHT: Final = 10.0
_ANCHOR_WEIGHT: Final = 5.0
_ANCHORED: Final = 6
"""Sounds without a reference in a step, on which the network is anchored."""
_LINE_WEIGHT: Final = 0.02
_ALLOWED_DB: Final = 6.0
"""A line of a stroke's noise may stand so far over those of its reference near it: chance is seldom more."""
_LINE_TOP_HZ: Final = 2000.0
"""Lines that references lack are looked for below it: where bands are coded as they are, a network may ring."""
_NOISES: Final = 4
"""Strokes of noise in a step, for which any line is one too many."""
_SIZE_WEIGHT: Final = 2e-3
_LARGEST_GRADIENT: Final = 5.0
_AVERAGED: Final = 0.995


@dataclass(frozen=True)
class FinetuneSettings:
    """How long and how to fine-tune."""

    minutes: float = 20.0
    """Duration; much longer overfits to the training drums."""
    batch: int = 24
    """Strokes generated in a step."""
    steps: int = 2
    """Diffusion steps of a stroke."""
    statistics_rate: float = 3e-3
    """Learning rate of the statistics."""
    network_rate: float = 1e-4
    """Learning rate of the sound network; 0 leaves it as it is."""
    warmup_steps: int = 25
    """Steps in which only the discriminators learn."""
    seed: int = 0
    """Decides draws and noise."""


class _StrokeRenderer(nn.Module):
    """Strokes of a model as a module, so that its statistics can be given from outside for one call."""

    def __init__(self, model: Cascade) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Inputs) -> Tensor:
        return render_with_gradients(self.model, inputs, half=True)[0]


class FineTuner:
    """A model, the discriminators, and the pairs of real strokes that these learn from."""

    def __init__(
        self,
        model: Cascade,
        amounts: tuple[float, ...],
        partials: PartialStatistics,
        trials: TrialSet,
        settings: FinetuneSettings,
        device: torch.device | None = None,
    ) -> None:
        """Prepare to fine-tune `model` on `device`; `amounts` of variation are one for each class.

        The partials of strokes vary by the statistics `partials`, which stay as they are.
        """
        device = device or torch.device("cpu")
        self.model, self.settings = model.to(device).eval().requires_grad_(False), settings
        self.initial = copy.deepcopy(self.model)
        self.amounts = torch.tensor(amounts, device=device)
        self.statistics = TunableStatistics(self.model).to(device)
        self.generator = torch.Generator(device).manual_seed(settings.seed)
        self.pairs = StrokePairs(trials, self.generator, device)
        self.sampler = PairSampler(self.pairs.hits, 0.0, self.generator)
        with torch.no_grad():
            chunks = self.pairs.audio.split(_CHUNK)
            real = torch.cat([smooth_features(chunk[:, :2].sum(1), chunk[:, 2]) for chunk in chunks])
        self.discriminators = Discriminators(real, self.generator)
        self.network = list(model.sound.parameters()) if settings.network_rate else []
        for parameter in self.network:
            parameter.requires_grad_(True)
        self.tuned = [*self.statistics.parameters(), *self.network]
        self.averaged = [parameter.detach().clone() for parameter in self.tuned]
        self.optimiser = self._make_optimiser()
        self.partial_statistics, self.rng = partials, np.random.default_rng(settings.seed)
        self.step, self.distinguished = 0, 0.5

    def take_step(self) -> None:
        """Generate strokes, teach the discriminators, and after the warm-up train against them."""
        is_warm = self.step >= self.settings.warmup_steps
        parts, label, fold = self.pairs.draw(self.settings.batch)
        residual, partials, other = parts.unbind(1)
        hit = residual + partials
        with torch.no_grad():
            real = self.discriminators.scaled(smooth_features(hit, other))
        with torch.set_grad_enabled(is_warm):
            noises = decaying_noise(_NOISES, self.generator, residual.device)
            references = torch.cat([residual, noises])
            classes = torch.randint(len(self.amounts), (_NOISES,), generator=self.generator, device=label.device)
            residuals = self._strokes(references, torch.cat([label, classes]), fold)
            filtered = self._filtered(partials, residual, label)
            strokes = self._finished(residuals[: len(hit)], filtered, hit, partials, label)
            generated = self.discriminators.scaled(smooth_features(hit, strokes))
        self.discriminators.learn(real, generated)
        verdicts = self.discriminators.verdicts(generated)
        self.distinguished += 0.05 * (float((verdicts < 0).float().mean()) - self.distinguished)
        if is_warm:
            loss = _DISTANCE_WEIGHT * self.discriminators.distance(generated, real) - verdicts.mean(1).sum()
            loss = loss + _SIZE_WEIGHT * self.statistics.size()
            loss = loss + _LINE_WEIGHT * lacking_db(references, residuals, _ALLOWED_DB, _LINE_TOP_HZ).sum(1).mean()
            if self.network:
                loss = loss + _ANCHOR_WEIGHT * self._anchor_loss()
            self._descend(loss)
        self.step += 1

    def finish(self) -> Cascade:
        """Return the model at the average of the last steps."""
        finished, statistics = copy.deepcopy(self.initial), copy.deepcopy(self.statistics)
        into = [*statistics.parameters(), *(finished.sound.parameters() if self.network else ())]
        with torch.no_grad():
            for parameter, average in zip(into, self.averaged, strict=True):
                parameter.copy_(average)
            finished.load_state_dict(statistics.changed(), strict=False)
        return finished

    def _make_optimiser(self) -> torch.optim.Optimizer:
        groups: list[dict[str, Any]] = [
            {"params": list(self.statistics.parameters()), "lr": self.settings.statistics_rate, "betas": (0.5, 0.98)}
        ]
        if self.network:
            groups.append({"params": self.network, "lr": self.settings.network_rate, "betas": (0.5, 0.99)})
        return torch.optim.Adam(groups)

    def _strokes(self, hit: Tensor, label: Tensor, fold: Fold) -> Tensor:
        """Return a stroke (batch, HIT_FRAMES) after each residual `hit`, by the statistics outside the `fold`."""
        count, device = len(hit), hit.device
        blank = blank_inputs(count, device)
        inputs = replace(
            blank,
            hit=hit,
            has_hit=torch.ones(count, device=device),
            label=label,
            calibration=self.amounts[label],
            noise=normal_like(blank.noise, self.generator),
            variation_latent=torch.randn(count, LATENT_SIZE, generator=self.generator, device=device),
            schedule=linear_schedule(self.settings.steps).to(device),
        )
        statistics = {f"model.{name}": value for name, value in self.statistics.changed(fold).items()}
        return _limit_attack(hit, functional_call(_StrokeRenderer(self.model), statistics, (inputs,)))

    def _filtered(self, partials: Tensor, residual: Tensor, label: Tensor) -> Tensor:
        """Return the partials (batch, HIT_FRAMES) of a stroke after each reference in two parts."""
        filtered = np.empty(partials.shape, np.float32)
        parts = zip(partials.cpu().numpy(), residual.cpu().numpy(), label.tolist(), strict=True)
        for i, (own, rest, drum_class) in enumerate(parts):
            seed = self.rng.integers(2**32, size=2).tolist()
            taps = StrokeFilter(own[None], rest[None]).taps(self.partial_statistics, drum_class, seed)
            filtered[i] = FilteredPartials(own[None]).through(taps)[0]
        return torch.from_numpy(filtered).to(partials.device)

    def _finished(self, residual: Tensor, partials: Tensor, hit: Tensor, of_hit: Tensor, label: Tensor) -> Tensor:
        """Return strokes (batch, HIT_FRAMES) of two parts with the beginning that a variator gives them.

        `of_hit` are the partials of the `hit`. Gradients pass as if nothing had changed.
        """
        strokes = residual + partials
        sharper_db = self.rng.standard_normal(len(strokes)) * self.model.attack_spread_db[label].cpu().numpy()
        finished = strokes.detach().cpu().numpy().copy()
        sounds = zip(finished, *(part.cpu().numpy() for part in (partials, hit, of_hit)), sharper_db, strict=True)
        for stroke, own, reference, given, sharper in sounds:
            Strike(reference[None], given[None]).apply_to(stroke[None], own[None], float(sharper))
        return strokes + (torch.from_numpy(finished).to(strokes.device) - strokes.detach())

    def _anchor_loss(self) -> Tensor:
        """Return how far the network has moved where there is no reference, as a weighted mean square of v."""
        batch = make_batch(self.model, self.pairs.hits, self.sampler.draw(_ANCHORED), AUGMENTATION, self.generator)
        t, noise, _ = noise_for(batch, self.generator)
        z = add_noise(batch.innovation, noise, t)
        with autocast(z.device):
            with torch.no_grad():
                anchor = bind(self.initial, batch)(z, t)
            v = bind(self.model, batch)(z, t)
        return (batch.weight * (v - anchor).square()).mean()

    def _descend(self, loss: Tensor) -> None:
        require_numbers(loss.detach(), self.step + 1)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for parameter in self.tuned:
            if parameter.grad is not None:
                # A cell without any power has no finite gradient.
                parameter.grad.nan_to_num_(0.0, 0.0, 0.0)
        nn.utils.clip_grad_norm_(self.network, _LARGEST_GRADIENT)
        self.optimiser.step()
        share = max(1 - _AVERAGED, 1 / (1 + (self.step - self.settings.warmup_steps) / 10))
        with torch.no_grad():
            for average, parameter in zip(self.averaged, self.tuned, strict=True):
                average.lerp_(parameter, share)


def _limit_attack(hit: Tensor, stroke: Tensor) -> Tensor:
    """Return strokes (batch, HIT_FRAMES) whose attack rises no sooner than their `hit`'s."""
    gains = torch.ones_like(stroke)
    for gain, own, given in zip(gains, stroke.detach().cpu().numpy(), hit.cpu().numpy(), strict=True):
        gain[:ATTACK_FRAMES] = torch.from_numpy(Attack.of(given[None]).rise_gain(own[None])[0])
    return stroke * gains
