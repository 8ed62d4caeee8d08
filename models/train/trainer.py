"""One process's share of a training run: its steps, its checkpoints, and how it resumes from them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn

from ghostnote.bridge.errors import TrainingError
from ghostnote.models.data.augment import Augmentation
from ghostnote.models.data.dataset import HitSet, PairSampler
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.checkpoint import (
    STATE,
    WEIGHTS,
    MovingAverage,
    matching,
    read_generation,
    save_model,
    write_generation,
)
from ghostnote.models.nets.precision import autocast
from ghostnote.models.train.batch import Batch, make_batch
from ghostnote.models.train.objective import Objective, noise_for

_AVERAGE_DECAY = 0.999


@dataclass(frozen=True)
class TrainSettings:
    """How long and how to train."""

    steps: int | None = None
    """Optimiser steps; the cosine schedule ends with them."""
    minutes: float | None = None
    """Or minutes of training, over all sessions."""
    batch: int = 64
    """Examples a step, on each device."""
    draws: int = 3
    """Steps that share a batch's examples, each with new noise: measuring the factors is the dear part."""
    learning_rate: float = 5e-4
    """The peak of the schedule."""
    warmup_steps: int = 200
    """Steps in which the learning rate rises to its peak."""
    pair_share: float = 0.6
    """Share of the examples that have a reference stroke."""
    augmentation: Augmentation = Augmentation()
    """How far drums may depart from their recordings."""
    seed: int = 0
    """Decides initial weights, draws and noise."""
    compile: bool = False
    """Fuse the network with torch.compile: slow to start, faster in a long run."""
    validate_every: int = 500
    """Steps between validation losses and saves."""
    validation_examples: int = 128
    """Examples that a validation loss is measured on."""
    preview_every: int = 2500
    """Steps between grids of generated hits."""


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


class Trainer:
    """One process's share of a run: model, optimiser, average and clock."""

    def __init__(
        self,
        model: Cascade,
        hits: HitSet,
        settings: TrainSettings,
        device: torch.device,
        task: TrainingTask = TrainingTask(),
    ) -> None:
        """Prepare to train `model` on `hits` on `device`."""
        rank = distributed.get_rank() if distributed.is_initialized() else 0
        self.settings, self.device, self.task = settings, device, task
        self.model = model.to(device)
        self.hits = hits.to(device)
        self.average = MovingAverage(self.model, _AVERAGE_DECAY)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=settings.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=0.01,
            fused=device.type in {"cpu", "cuda"},
        )
        self.generator = torch.Generator(device).manual_seed(settings.seed + 7919 * rank)
        self.sampler = PairSampler(self.hits, settings.pair_share, self.generator)
        self.make_batch = task.batches(self.model, self.hits)
        self.objective = task.objective(self.model)
        if distributed.is_initialized():
            self.objective = nn.parallel.DistributedDataParallel(self.objective)
        if settings.compile:
            self.model.sound.compile()
            self.model.shape.compile()
        self.step, self.seconds = 0, 0.0
        self.batch: Batch | None = None

    def done(self) -> float:
        """Return the share of the run that is over."""
        steps, minutes = self.settings.steps, self.settings.minutes
        shares = [self.step / steps if steps else 0.0, self.seconds / 60 / minutes if minutes else 0.0]
        return max(shares)

    def learning_rate(self) -> float:
        """Return the learning rate of the next step: a linear warm-up under a falling cosine."""
        warmup = min(1.0, (self.step + 1) / self.settings.warmup_steps)
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, self.done())))
        return self.settings.learning_rate * warmup * fall

    def train_step(self) -> Tensor:
        """Take one optimiser step; return the losses of sound and shape (2,)."""
        settings, started = self.settings, time.monotonic()
        if self.batch is None or self.step % settings.draws == 0:
            draw = self.sampler.draw(settings.batch)
            self.batch = self.make_batch(draw, settings.augmentation, self.generator)
        with autocast(self.device):
            losses: Tensor = self.objective(self.batch, *self.task.draw(self.batch, self.generator))
        self.optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        require_numbers(losses.detach().sum() + norm, self.step + 1)
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate()
        self.optimiser.step()
        self.step += 1
        self.average.update(self.model, self.step)
        self.seconds += time.monotonic() - started
        return losses.detach()

    def validate(self, hits: HitSet) -> tuple[float, float]:
        """Return the averaged model's losses of sound and shape on `hits`, with the same draws each time."""
        # A model of its own: the one that trains may be compiled, and would be so again without gradients.
        averaged = Cascade(self.model.settings).to(self.device)
        averaged.load_state_dict(self.average.state)
        with autocast(self.device):
            losses = validation_loss(averaged.eval(), hits, self.settings.validation_examples, self.task)
        require_numbers(losses, self.step)
        sound, shape = losses.tolist()
        return sound, shape

    def save(self, run: Path, facts: dict[str, Any]) -> None:
        """Write the averaged weights and the whole state; `TrainingError` where a weight is not a number."""
        facts = {**facts, "step": self.step, "seconds": self.seconds}
        save_model(run / WEIGHTS, self.average.state, self.model.settings, facts)
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state.items()}
        for index, entry in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in entry.items()}
        tensors["generator"] = self.generator.get_state()
        if self.batch is not None:
            tensors |= {f"batch.{name}": getattr(self.batch, name) for name in Batch.__dataclass_fields__}
        write_generation(run / STATE, tensors, facts)

    def resume(self, run: Path) -> None:
        """Go on where `save` was called; `ModelError` for a state that is damaged, or of another model."""
        tensors, facts = read_generation(run / STATE)
        with matching(run / STATE):
            self._restore(tensors, facts)

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        parts: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            kind, _, key = name.partition(".")
            parts.setdefault(kind, {})[key] = tensor.to(self.device)
        self.model.load_state_dict(parts["model"])
        self.average.state = parts["average"]
        entries: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimiser"].items():
            index, _, field = name.partition(".")
            entries.setdefault(int(index), {})[field] = tensor.cpu() if field == "step" else tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": entries})
        self.generator.set_state(tensors["generator"])
        if "batch" in parts:
            self.batch = Batch(**parts["batch"])
        self.step, self.seconds = facts["step"], facts["seconds"]


def require_numbers(values: Tensor, step: int) -> None:
    """Raise `TrainingError` for a loss or a gradient that is not a number."""
    if not values.isfinite().all():
        raise TrainingError(
            f"step {step} comes to values that are not numbers: the run stops, and its last saved state is kept; "
            "go on with a lower learning rate"
        )


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
