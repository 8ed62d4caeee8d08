"""The last tuning of the tables, by ear: until a judge hears less difference from the drummers' own strokes.

A few hundred numbers, how coherent strokes are, how far and in which cells they stray, how sharp their colour is, are
moved against judges that are taught at the same time to tell made strokes from real ones (Goodfellow et al. 2014), on
the features of the evaluation's judge. The networks stay as they are. So few numbers, shared by all drums, cannot learn
the training drums by heart: what they gain is gained on drums that were never heard, too.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.cascade import Cascade
from ghostnote.models.checkpoint import WEIGHTS, load_model, save_model
from ghostnote.models.diffusion import cosine_schedule
from ghostnote.models.factors import GROUPS, SEGMENTS
from ghostnote.models.inputs import blank_inputs
from ghostnote.models.judge import smooth_features
from ghostnote.models.pipeline import rendered
from ghostnote.models.steadiness import WANDER
from ghostnote.models.trialset import TrialSet, load_split, make_trials

_REFERENCES: Final = 8
_OTHERS: Final = 2
_CHUNK: Final = 64
_FURTHEST: Final = 5.0
"""Features are limited to so many standard deviations of the real ones'."""
_HIDDEN: Final = 64
_DROPOUT: Final = 0.5
_JUDGE_RATE: Final = 1e-3
_JUDGE_DECAY: Final = 1.0
_JUDGE_STEPS: Final = 4
"""Steps of the judges for one of the tables."""
_JUDGE_BATCH: Final = 96
_KEPT: Final = 50
"""Batches of made strokes that judges go on learning from."""
_RESTRAINT: Final = 2e-3
_SAVE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class TuneSettings:
    """How long and how to tune."""

    minutes: float = 15.0
    """Time in which tables are moved."""
    batch: int = 24
    """Strokes made in a step."""
    steps: int = 2
    """Diffusion steps of a stroke."""
    learning_rate: float = 2e-3
    """Of the tables."""
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


class Tables(nn.Module):
    """What is tuned, as changes to a model's tables; all nought at first."""

    def __init__(self, model: Cascade) -> None:
        """Begin at the tables of `model`, whose own are replaced by each `apply`."""
        super().__init__()
        self.coherence = nn.Parameter(torch.zeros(GROUPS, SEGMENTS))
        self.strayed = nn.Parameter(torch.zeros(GROUPS))
        self.ways = nn.Parameter(torch.zeros(GROUPS, SEGMENTS))
        self.sharpness = nn.Parameter(torch.zeros(GROUPS))
        names = ("coherence_shift", "steady_bias", "ways", "sharpness")
        self.first = {name: getattr(model, name).clone() for name in names}

    def apply_to(self, model: Cascade) -> None:
        """Give `model` the tables with the changes; gradients lead back to these."""
        model.coherence_shift = self.first["coherence_shift"] + self.coherence
        model.steady_bias = self.first["steady_bias"] + F.pad(self.strayed, (GROUPS * SEGMENTS, 0))
        model.ways = self.first["ways"] * self.ways.exp()
        model.sharpness = self.first["sharpness"] + self.sharpness

    def restraint(self) -> Tensor:
        """Return how large the changes are, ()."""
        return torch.stack([parameter.square().sum() for parameter in self.parameters()]).sum()


class Tuner:
    """A model's tables, the judges, and the pairs of real strokes that they learn from."""

    def __init__(
        self, model: Cascade, amounts: tuple[float, ...], trials: TrialSet, settings: TuneSettings
    ) -> None:
        """Prepare to tune `model`, whose strokes are made at `amounts`, one for each class."""
        self.model, self.settings = model.requires_grad_(False), settings
        self.amounts = torch.tensor(amounts)
        self.tables = Tables(model)
        self.references, self.labels = trials.references, trials.labels
        names = trials.row_groups
        counts = {name: names.count(name) for name in set(names)}
        self.weights = torch.tensor([1 / counts[name] for name in names])
        self.generator = torch.Generator().manual_seed(settings.seed)
        with torch.no_grad():
            pairs = zip(self.references.split(_CHUNK), trials.real.split(_CHUNK), strict=True)
            real = torch.cat([smooth_features(a, b) for a, b in pairs])
        self.mean, self.std = real.mean(0), real.std(0).clamp_min(1e-3)
        self.real = self._scaled(real)
        features = real.shape[1]
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            self.judges = nn.ModuleList([_network(features), nn.Linear(features, 1)])
        self.of_judges = torch.optim.AdamW(
            self.judges.parameters(), lr=_JUDGE_RATE, weight_decay=_JUDGE_DECAY
        )
        self.of_tables = torch.optim.Adam(
            self.tables.parameters(), lr=settings.learning_rate, betas=(0.5, 0.98)
        )
        self.heard: list[Tensor] = []
        self.step, self.told = 0, 0.5

    def take_step(self) -> None:
        """Make strokes, teach the judges, and move the tables once the judges know something."""
        is_warm = self.step >= self.settings.warmup_steps
        with torch.set_grad_enabled(is_warm):
            made = self._features()
        self.heard = [*self.heard[1 - _KEPT :], made.detach()]
        for _ in range(_JUDGE_STEPS):
            self._teach()
        self.judges.eval()
        verdicts = torch.stack([judge(made)[:, 0] for judge in self.judges])
        self.told += 0.05 * (float((verdicts < 0).float().mean()) - self.told)
        if is_warm:
            loss = -verdicts.mean(1).sum() + _RESTRAINT * self.tables.restraint()
            self.of_tables.zero_grad(set_to_none=True)
            loss.backward()
            # A cell without any power has no finite gradient.
            for parameter in self.tables.parameters():
                if parameter.grad is not None:
                    parameter.grad.nan_to_num_(0.0, 0.0, 0.0)
            self.of_tables.step()
        self.step += 1

    def finish(self) -> Cascade:
        """Return the model with the tables as they are now."""
        with torch.no_grad():
            self.tables.apply_to(self.model)
        return self.model

    def _features(self) -> Tensor:
        """Return the scaled features of strokes made for drawn references."""
        chosen = self._drawn(self.settings.batch)
        hit, label, count = self.references[chosen], self.labels[chosen], len(chosen)
        self.tables.apply_to(self.model)
        blank = blank_inputs(count)
        inputs = replace(
            blank,
            hit=hit,
            has_hit=torch.ones(count),
            label=label,
            amount=self.amounts[label],
            noise=torch.randn(blank.noise.shape, generator=self.generator),
            wander=torch.randn(count, WANDER, generator=self.generator),
            schedule=cosine_schedule(self.settings.steps),
        )
        made, _ = rendered(self.model, inputs)
        return self._scaled(smooth_features(hit, made))

    def _teach(self) -> None:
        """Teach the judges one step: real strokes above nought, made ones below."""
        heard = torch.cat(self.heard)
        made = heard[torch.randint(len(heard), (_JUDGE_BATCH,), generator=self.generator)]
        real = self.real[self._drawn(_JUDGE_BATCH)]
        self.judges.train()
        with torch.enable_grad():
            losses = [
                F.softplus(judge(made)).mean() + F.softplus(-judge(real)).mean() for judge in self.judges
            ]
            self.of_judges.zero_grad(set_to_none=True)
            torch.stack(losses).sum().backward()
            self.of_judges.step()

    def _drawn(self, count: int) -> Tensor:
        return torch.multinomial(self.weights, count, True, generator=self.generator)

    def _scaled(self, features: Tensor) -> Tensor:
        return ((features - self.mean) / self.std).clamp(-_FURTHEST, _FURTHEST)


def tune(
    data: Path,
    start: Path,
    run: Path,
    amounts: tuple[float, ...],
    settings: TuneSettings,
    report: Callable[[TuneProgress], None] = lambda progress: None,
) -> None:
    """Tune the tables of the run `start` on the train split of `data`, and save the whole model into `run`.

    `amounts` are those of the classes, as they will be exported. What is reached is saved every minute and at an
    interrupt. Raises `CorpusError` where no drum has repeated strokes.
    """
    if len(amounts) < len(CLASS_NAMES):
        raise ValueError(f"{len(amounts)} amounts are not one for each of {len(CLASS_NAMES)} classes")
    model, facts = load_model(start)
    trials = make_trials(load_split(data, "train"), _REFERENCES, _OTHERS, settings.seed)
    tuner = Tuner(model, amounts, trials, settings)
    run.mkdir(parents=True, exist_ok=True)
    facts = {**facts, "tuning": asdict(settings)}
    started = saved = time.monotonic()
    try:
        done = 0.0
        # However slow the machine, tables are moved at least once.
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
    model = tuner.finish()
    save_model(run / WEIGHTS, model.state_dict(), model.settings, facts)


def _network(features: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(features, _HIDDEN), nn.LeakyReLU(0.1), nn.Dropout(_DROPOUT), nn.Linear(_HIDDEN, 1)
    )
