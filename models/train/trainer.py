"""One process's share of a run that trains the cascade: its steps, its checkpoints, its pictures."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn

from ghostnote.models.data.augment import Augmentation
from ghostnote.models.data.dataset import HitSet, PairSampler
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.checkpoint import WEIGHTS, load_model, save_model
from ghostnote.models.nets.precision import autocast
from ghostnote.models.train.batch import Batch, make_batch
from ghostnote.models.train.objective import Objective, noise_for
from ghostnote.models.train.preview import PREVIEW_STEPS, write_preview
from ghostnote.models.train.training_run import RunSettings, TrainingRun, require_numbers


@dataclass(frozen=True)
class TrainSettings(RunSettings):
    """How long and how to train the cascade."""

    compile: bool = False
    """Fuse the networks with torch.compile: slow to start, faster in a long run."""
    draws: int = 3
    """Steps that share a batch's examples, each with new noise: measuring the factors is the dear part."""
    pair_share: float = 0.6
    """Share of the examples that have a reference stroke."""
    augmentation: Augmentation = Augmentation()
    """How far drums may depart from their recordings."""
    preview_steps: int = PREVIEW_STEPS
    """Network steps of the generated hits."""


MakeBatch = Callable[[tuple[Tensor, Tensor, Tensor], Augmentation, torch.Generator], Batch]
"""Makes a batch of what a `PairSampler` drew."""


@dataclass(frozen=True)
class TrainingTask:
    """What a run minimises."""

    objective: Callable[[Cascade], nn.Module] = Objective
    """Makes the module that returns a model's losses of sound and shape (2,), given a batch and its times and noise."""
    draw: Callable[[Batch, torch.Generator], tuple[Tensor, ...]] = noise_for
    """Draws times and noise; all lead with the batch."""
    batches: Callable[[Cascade, HitSet], MakeBatch] = lambda model, hits: partial(make_batch, model, hits)
    """Prepares a set of hits for drawing batches from it."""


class Trainer(TrainingRun):
    """One process's share of a run that trains a cascade."""

    losses = ("sound", "shape")
    settings: TrainSettings
    model: Cascade

    def __init__(
        self,
        model: Cascade,
        hits: HitSet,
        settings: TrainSettings,
        device: torch.device,
        task: TrainingTask = TrainingTask(),
    ) -> None:
        """Prepare to train `model` on `hits` on `device`."""
        super().__init__(model, settings, device)
        self.task = task
        self.hits = hits.to(device)
        self.optimiser = self.optimiser_of(self.model.parameters())
        self.sampler = PairSampler(self.hits, settings.pair_share, self.generator)
        self.make_batch = task.batches(self.model, self.hits)
        self.objective = task.objective(self.model)
        if distributed.is_initialized():
            self.objective = nn.parallel.DistributedDataParallel(self.objective)
        if settings.compile:
            self.model.sound.compile()
            self.model.shape.compile()
        self.batch: Batch | None = None

    def train_step(self) -> Tensor:
        """Take one optimiser step; return the losses of sound and shape (2,)."""
        settings, started = self.settings, time.monotonic()
        if self.batch is None or self.step % settings.draws == 0:
            draw = self.sampler.draw(settings.batch)
            self.batch = self.make_batch(draw, settings.augmentation, self.generator)
        with autocast(self.device):
            losses: Tensor = self.objective(self.batch, *self.task.draw(self.batch, self.generator))
        self.descend(self.optimiser, losses.sum())
        self.add_seconds(time.monotonic() - started)
        return losses.detach()

    def validate(self, hits: HitSet) -> tuple[float, ...]:
        """Return the averaged model's losses of sound and shape on `hits`, with the same draws each time."""
        # A model of its own: the one that trains may be compiled, and would be so again without gradients.
        averaged = Cascade(self.model.settings).to(self.device)
        averaged.load_state_dict(self.average.state)
        with autocast(self.device):
            losses = validation_loss(averaged.eval(), hits, self.settings.validation_examples, self.task)
        require_numbers(losses, self.step)
        return tuple(losses.tolist())

    def save(self, run: Path, facts: dict[str, Any]) -> None:
        """Write the averaged weights and the whole state; `TrainingError` where a weight is not a number."""
        facts = {**facts, "step": self.step, "seconds": self.seconds}
        save_model(run / WEIGHTS, self.average.state, self.model.settings, facts)
        fields = Batch.__dataclass_fields__ if self.batch is not None else ()
        self.save_state(run, facts, {f"batch.{name}": getattr(self.batch, name) for name in fields})

    def preview(self, run: Path) -> None:
        """Draw and write what the saved model of `run` generates, into `run`."""
        write_preview(run, load_model(run)[0], steps=self.settings.preview_steps)

    def restore(self, parts: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take over saved tensors, by what they belong to and their name."""
        super().restore(parts)
        # Other processes than the first, which saved it, draw a batch of their own.
        if "batch" in parts and not self.rank:
            self.batch = Batch(**parts["batch"])


@torch.no_grad()
def validation_loss(model: Cascade, hits: HitSet, examples: int, task: TrainingTask, seed: int = 0) -> Tensor:
    """Return both losses (2,) of `model` on `hits` without augmentation; the `seed` decides the draws."""
    generator = torch.Generator(hits.audio.device).manual_seed(seed)
    draw = PairSampler(hits, 0.5, generator).draw(examples)
    # In bf16 a coherence near 1 would round to 1, which leaves no innovation to generate.
    with torch.autocast(hits.audio.device.type, enabled=False):
        batch = task.batches(model, hits)(draw, Augmentation(share=0.0), generator)
    drawn, objective = task.draw(batch, generator), task.objective(model)
    parts = [slice(i, min(i + 32, examples)) for i in range(0, examples, 32)]
    losses = [objective(batch.rows(p), *(x[p] for x in drawn)) * (p.stop - p.start) for p in parts]
    return torch.stack(losses).sum(0) / examples
