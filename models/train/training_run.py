"""What every training run is: a model and its average, optimisers, a clock, and a state that it resumes from."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, distributed, nn

from ghostnote.bridge.errors import TrainingError
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.nets.checkpoint import STATE, MovingAverage, matching, read_generation, write_generation

_AVERAGE_DECAY: Final = 0.999
_WARMUP_SHARE: Final = 0.05
"""Of a run, or of a stage of it: no warm-up is longer."""
_SOLE: Final = "optimiser"


@dataclass(frozen=True)
class RunSettings:
    """How long and how to train anything."""

    steps: int | None = None
    """Optimiser steps; the cosine schedule ends with them."""
    minutes: float | None = None
    """Or minutes of training, over all sessions."""
    batch: int = 64
    """Examples a step, on each device."""
    learning_rate: float = 5e-4
    """The peak of the schedule."""
    warmup_steps: int = 200
    """Steps in which the learning rate rises to its peak; in a run of few, a twentieth of it is enough."""
    seed: int = 0
    """Decides initial weights, draws and noise."""
    validate_every: int = 500
    """Steps between validation losses and saves."""
    validation_examples: int = 128
    """Examples that a validation loss is measured on."""
    preview_every: int = 2500
    """Steps between grids of generated hits."""


class TrainingRun(ABC):
    """One process's share of a run."""

    losses: ClassVar[tuple[str, ...]]
    """Names of the validation losses."""
    taken: str = ""
    """What the last step was one of, where steps of several kinds take turns."""

    def __init__(self, model: nn.Module, settings: RunSettings, device: torch.device) -> None:
        """Prepare to train `model` on `device`; under `torchrun` each process draws examples of its own."""
        rank = distributed.get_rank() if distributed.is_initialized() else 0
        self.settings, self.device = settings, device
        self.model = model.to(device)
        self.average = MovingAverage(self.model, _AVERAGE_DECAY)
        self.optimisers: dict[str, torch.optim.Optimizer] = {}
        self.generator = torch.Generator(device).manual_seed(_seed_of(settings.seed, rank))
        self.rank = rank
        self.step, self.seconds = 0, 0.0

    @property
    def judged(self) -> str:
        """The kind of step whose loss is reported and validated."""
        return self.taken

    @abstractmethod
    def train_step(self) -> Tensor:
        """Take one optimiser step; return its losses (any,), which add up."""

    @abstractmethod
    def validate(self, hits: HitSet) -> tuple[float, ...]:
        """Return the averaged model's `losses` on `hits`, with the same draws each time."""

    @abstractmethod
    def save(self, run: Path, facts: dict[str, Any]) -> None:
        """Write the averaged weights and the whole state; `TrainingError` where a weight is not a number."""

    @abstractmethod
    def preview(self, run: Path) -> None:
        """Draw what the saved model of `run` generates, into `run`."""

    def optimiser_of(
        self, parameters: Iterable[nn.Parameter], name: str = _SOLE, betas: tuple[float, float] = (0.9, 0.99)
    ) -> torch.optim.Optimizer:
        """Return a new AdamW optimiser of the run, saved with it under `name`."""
        self.optimisers[name] = torch.optim.AdamW(
            parameters,
            lr=self.settings.learning_rate,
            betas=betas,
            weight_decay=0.01,
            fused=self.device.type in {"cpu", "cuda"},
        )
        return self.optimisers[name]

    def done(self) -> float:
        """Return the share of the run that is over."""
        steps, minutes = self.settings.steps, self.settings.minutes
        shares = [self.step / steps if steps else 0.0, self.seconds / 60 / minutes if minutes else 0.0]
        return max(shares)

    def add_seconds(self, seconds: float) -> None:
        """Count `seconds` of training; all processes take the first one's, so that they end with the same step."""
        total = torch.tensor(self.seconds + seconds, dtype=torch.float64, device=self.device)
        if distributed.is_initialized():
            distributed.broadcast(total, 0)
        self.seconds = float(total)

    def steps_warm(self) -> int:
        """Return how many steps the warm-up has taken."""
        return self.step

    def schedule_share(self) -> float:
        """Return the share of the falling cosine that is over."""
        return self.done()

    def learning_rate(self) -> float:
        """Return the learning rate of the next step: a linear warm-up under a falling cosine."""
        share = self.schedule_share()
        warmup = min(1.0, max((self.steps_warm() + 1) / self.settings.warmup_steps, share / _WARMUP_SHARE))
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
        return self.settings.learning_rate * warmup * fall

    def descend(self, optimiser: torch.optim.Optimizer, loss: Tensor, scale: float = 1.0) -> None:
        """Move the optimiser's parameters against the gradient of `loss` (), at `scale` times the learning rate."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [each for group in optimiser.param_groups for each in group["params"]]
        self.share_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, 1.0)
        require_numbers(loss.detach() + norm, self.step + 1)
        for group in optimiser.param_groups:
            group["lr"] = scale * self.learning_rate()
        optimiser.step()
        self.step += 1
        self.average.update(self.model, self.step)

    def share_gradients(self, parameters: Sequence[nn.Parameter]) -> None:  # noqa: B027
        """Take the mean of the gradients of all processes, where the loss itself does not."""

    def save_state(self, run: Path, facts: dict[str, Any], more: Mapping[str, Tensor] = {}) -> None:
        """Write everything that the run needs to continue at the same step, `more` of its tensors among it."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state.items()}
        for kind, optimiser in self.optimisers.items():
            for index, entry in optimiser.state_dict()["state"].items():
                tensors |= {f"{kind}.{index}.{name}": tensor for name, tensor in entry.items()}
        write_generation(run / STATE, {**tensors, **more, "generator": self.generator.get_state()}, facts)

    def resume(self, run: Path) -> None:
        """Go on where `save` was called; `ModelError` for a state that is damaged, or of another model."""
        tensors, facts = read_generation(run / STATE)
        drawn = tensors.pop("generator", torch.empty(0))
        parts: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            kind, _, key = name.partition(".")
            parts.setdefault(kind, {})[key] = tensor.to(self.device)
        with matching(run / STATE):
            self.restore(parts)
            self.generator.set_state(drawn)
            self.step, self.seconds = facts["step"], facts["seconds"]
        if self.rank:
            # The state is the first process's, whose draws are its own.
            self.generator.manual_seed(_seed_of(self.settings.seed, self.rank, self.step))

    def restore(self, parts: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take over saved tensors, by what they belong to and their name."""
        self.model.load_state_dict(parts["model"])
        self.average.state = dict(parts["average"])
        for kind, optimiser in self.optimisers.items():
            entries: dict[int, dict[str, Tensor]] = {}
            for name, tensor in parts.get(kind, {}).items():
                index, _, field = name.partition(".")
                entries.setdefault(int(index), {})[field] = tensor.cpu() if field == "step" else tensor
            optimiser.load_state_dict({**optimiser.state_dict(), "state": entries})


def _seed_of(seed: int, rank: int, step: int = 0) -> int:
    """Return the seed of a process's draws from a step on."""
    return seed + 7919 * rank + 104_729 * rank * step


def require_numbers(values: Tensor, step: int) -> None:
    """Raise `TrainingError` for a loss or a gradient that is not a number."""
    if not values.isfinite().all():
        raise TrainingError(
            f"step {step} comes to values that are not numbers: the run stops, and its last saved state is kept; "
            "go on with a lower learning rate"
        )
