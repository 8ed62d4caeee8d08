"""The last tuning of strokes, by ear: until a judge hears less difference from the drummers' own.

The sound network's last step, and the tables that say how coherent strokes are, how far they stray, how sharp their
colour is and how peaked they are, are moved against judges that learn meanwhile: an adversarial post-training (as Sauer
et al. 2023 do for few steps). Pairs are augmented, so that judges hear more drums than there are; without a reference
the network is held to what it was.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.attack import ATTACK_FRAMES
from ghostnote.models.data.dataset import PairSampler
from ghostnote.models.data.trial_set import TrialSet, load_split, make_trials
from ghostnote.models.diffusion.inputs import blank_inputs
from ghostnote.models.diffusion.pipeline import rendered
from ghostnote.models.diffusion.v_prediction import add_noise, linear_schedule
from ghostnote.models.evaluate.c2st import smooth_features
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.checkpoint import WEIGHTS, load_model, save_model
from ghostnote.models.nets.discriminators import Discriminators
from ghostnote.models.statistics.corpus_statistics import Fold
from ghostnote.models.statistics.repeatability import LATENT_SIZE
from ghostnote.models.train.distill_methods import bind
from ghostnote.models.train.objective import make_batch, noise_for
from ghostnote.models.train.stroke_pairs import AUGMENTATION, StrokePairs
from ghostnote.models.train.tunable_statistics import Tables

_REFERENCES: Final = 8
_OTHERS: Final = 2
_CHUNK: Final = 64
_DISTANCE_WEIGHT: Final = 10.0
_ANCHOR_WEIGHT: Final = 5.0
_ANCHORED: Final = 6
"""Sounds without a reference in a step, on which the network is held to what it was."""
_RESTRAINT: Final = 2e-3
_LARGEST_GRADIENT: Final = 5.0
_AVERAGED: Final = 0.995
_SAVE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class TuneSettings:
    """How long and how to tune."""

    minutes: float = 20.0
    """Time in which strokes are tuned; much longer learns the training drums by heart."""
    batch: int = 24
    """Strokes made in a step."""
    steps: int = 2
    """Diffusion steps of a stroke."""
    table_rate: float = 3e-3
    """Learning rate of the tables."""
    network_rate: float = 1e-4
    """Learning rate of the sound network; 0 leaves it as it is."""
    warmup_steps: int = 25
    """Steps in which the judges alone learn."""
    seed: int = 0
    """Decides draws and noise."""


@dataclass(frozen=True)
class TuneProgress:
    """How far a tuning has come."""

    step: int
    done: float
    told: float
    """Share of made strokes that the judges told from real ones lately, on drums that they know."""


class Tuner:
    """A model, the judges, and the pairs of real strokes that they learn from."""

    def __init__(
        self,
        model: Cascade,
        amounts: tuple[float, ...],
        trials: TrialSet,
        settings: TuneSettings,
        device: torch.device | None = None,
    ) -> None:
        """Prepare to tune `model`, whose strokes are made at `amounts`, one for each class, on `device`."""
        device = device or torch.device("cpu")
        self.model, self.settings = model.to(device).eval().requires_grad_(False), settings
        self.amounts = torch.tensor(amounts, device=device)
        self.tables = Tables(model).to(device)
        self.generator = torch.Generator(device).manual_seed(settings.seed)
        self.pairs = StrokePairs(trials, self.generator, device)
        self.sampler = PairSampler(self.pairs.hits, 0.0, self.generator)
        with torch.no_grad():
            parts = self.pairs.audio.split(_CHUNK)
            real = torch.cat([smooth_features(*part.unbind(1)) for part in parts])
        self.discriminators = Discriminators(real, self.generator)
        self.network = list(model.sound.parameters()) if settings.network_rate else []
        self.former = copy.deepcopy(model)
        for parameter in self.network:
            parameter.requires_grad_(True)
        self.tuned = [*self.tables.parameters(), *self.network]
        self.averaged = [parameter.detach().clone() for parameter in self.tuned]
        rates = [(list(self.tables.parameters()), settings.table_rate, 0.98)]
        rates += [(self.network, settings.network_rate, 0.99)] if self.network else []
        self.optimiser = torch.optim.Adam(
            [{"params": group, "lr": rate, "betas": (0.5, beta)} for group, rate, beta in rates]
        )
        self.step, self.told = 0, 0.5

    def take_step(self) -> None:
        """Make strokes, teach the judges, and tune once these know something."""
        is_warm = self.step >= self.settings.warmup_steps
        pair, label, fold = self.pairs.draw(self.settings.batch)
        with torch.no_grad():
            real = self.discriminators.scaled(smooth_features(*pair.unbind(1)))
        with torch.set_grad_enabled(is_warm):
            made = self.discriminators.scaled(
                smooth_features(pair[:, 0], self._strokes(pair[:, 0], label, fold))
            )
        self.discriminators.learn(real, made)
        verdicts = self.discriminators.verdicts(made)
        self.told += 0.05 * (float((verdicts < 0).float().mean()) - self.told)
        if is_warm:
            loss = _DISTANCE_WEIGHT * self.discriminators.distance(made, real) - verdicts.mean(1).sum()
            loss = loss + _RESTRAINT * self.tables.restraint()
            if self.network:
                loss = loss + _ANCHOR_WEIGHT * self._moved()
            self._descend(loss)
        self.step += 1

    def finish(self) -> Cascade:
        """Return the model as it is on the average of the last steps."""
        finished = copy.deepcopy(self.former)
        tables = copy.deepcopy(self.tables)
        into = [*tables.parameters(), *(finished.sound.parameters() if self.network else ())]
        with torch.no_grad():
            for parameter, average in zip(into, self.averaged, strict=True):
                parameter.copy_(average)
            tables.apply_to(finished)
        return finished

    def _strokes(self, hit: Tensor, label: Tensor, fold: Fold) -> Tensor:
        """Return a stroke (batch, HIT_FRAMES) after each `hit`, by what drums other than the `fold`'s tell."""
        self.tables.apply_to(self.model, fold)
        count, device = len(hit), hit.device
        blank = blank_inputs(count, device)
        inputs = replace(
            blank,
            hit=hit,
            has_hit=torch.ones(count, device=device),
            label=label,
            amount=self.amounts[label],
            noise=torch.randn(blank.noise.shape, generator=self.generator, device=device),
            variation_latent=torch.randn(count, LATENT_SIZE, generator=self.generator, device=device),
            schedule=linear_schedule(self.settings.steps).to(device),
        )
        made, _ = rendered(self.model, inputs, half=True)
        return _limited(hit, made)

    def _moved(self) -> Tensor:
        """Return how far the network has moved where there is no reference, as a weighted mean square of v."""
        batch = make_batch(
            self.model, self.pairs.hits, self.sampler.draw(_ANCHORED), AUGMENTATION, self.generator
        )
        t, noise, _ = noise_for(batch, self.generator)
        z = add_noise(batch.innovation, noise, t)
        with torch.autocast(z.device.type, torch.bfloat16):
            with torch.no_grad():
                wanted = bind(self.former, batch)(z, t)
            given = bind(self.model, batch)(z, t)
        return (batch.weight * (given - wanted).square()).mean()

    def _descend(self, loss: Tensor) -> None:
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


def _limited(hit: Tensor, stroke: Tensor) -> Tensor:
    """Return strokes (batch, HIT_FRAMES) whose attack rises no sooner than that of their `hit`; see `bridge.attack`."""
    with torch.no_grad():
        given, own = (x[:, :ATTACK_FRAMES].abs().cummax(1).values for x in (hit, stroke))
        allowed = given * (own[:, -1:] / given[:, -1:].clamp_min(1e-9))
        gain = F.pad(
            (allowed / own.clamp_min(1e-9)).clamp(max=1), (0, hit.shape[1] - ATTACK_FRAMES), value=1.0
        )
    return stroke * gain


def tune(
    data: Path,
    start: Path,
    run: Path,
    amounts: tuple[float, ...],
    settings: TuneSettings,
    report: Callable[[TuneProgress], None] = lambda progress: None,
) -> None:
    """Tune the run `start` on the train split of `data`, and save the model into `run`.

    `amounts` are those of the classes, as they will be exported. What is reached is saved every minute and at an
    interrupt. Raises `CorpusError` where no drum has repeated strokes.
    """
    if len(amounts) < len(CLASS_NAMES):
        raise ValueError(f"{len(amounts)} amounts are not one for each of {len(CLASS_NAMES)} classes")
    model, facts = load_model(start)
    trials = make_trials(load_split(data, "train"), _REFERENCES, _OTHERS, settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tuner = Tuner(model, amounts, trials, settings, device)
    run.mkdir(parents=True, exist_ok=True)
    facts = {**facts, "tuning": asdict(settings)}
    started = saved = time.monotonic()
    try:
        done = 0.0
        # However slow the machine, the model is moved at least once.
        while done < 1 or tuner.step <= settings.warmup_steps:
            tuner.take_step()
            done = (time.monotonic() - started) / 60 / settings.minutes
            report(TuneProgress(tuner.step, min(1.0, done), tuner.told))
            if time.monotonic() - saved > _SAVE_SECONDS:
                saved = time.monotonic()
                _save(tuner, run, facts)
    finally:
        _save(tuner, run, facts)


def _save(tuner: Tuner, run: Path, facts: dict[str, object]) -> None:
    model = tuner.finish().cpu()
    save_model(run / WEIGHTS, model.state_dict(), model.settings, facts)
