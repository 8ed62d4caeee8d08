"""Training of the other systems, stage by stage, in the same loop as the cascade."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, distributed, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.augment import Augmentation, augment
from ghostnote.models.data.dataset import HitSet, PairSampler
from ghostnote.models.dsp.mdct import RATE, to_peak
from ghostnote.models.nets.checkpoint import WEIGHTS
from ghostnote.models.nets.precision import autocast
from ghostnote.models.plots.hits import draw_hits
from ghostnote.models.systems.audio import decimate, sample_hits
from ghostnote.models.systems.checkpoint import load_system, save_system
from ghostnote.models.systems.registry import make_system
from ghostnote.models.systems.system import Stage, System, Update
from ghostnote.models.train.loop import (
    Report,
    TrainingData,
    Warn,
    default_device,
    joined_processes,
    load_training_data,
    require_end,
    run_to_end,
)
from ghostnote.models.train.training_run import RunSettings, TrainingRun

_VALIDATION_CHUNK: Final = 32
_AUGMENTATION: Final = Augmentation()


class SystemRun(TrainingRun):
    """One process's share of a run that trains a system."""

    losses = ("loss",)
    model: System

    def __init__(self, name: str, system: System, hits: HitSet, settings: RunSettings, device: torch.device) -> None:
        """Prepare to train `system`, whose name is `name`, on `hits` on `device`."""
        super().__init__(system, settings, device)
        self.name, self.hits = name, hits.to(device)
        self.sampler = PairSampler(self.hits, 0.0, self.generator)
        self.stages = system.stages()
        self.began: dict[int, int] = {}
        """The first step of each stage, by its place."""
        for stage in self.stages:
            for update in stage.updates:
                if update.name not in self.optimisers:
                    self.optimiser_of(update.parameters, update.name, update.betas)

    def stage(self) -> Stage:
        """Return the stage that the next step belongs to."""
        end = 0.0
        for stage in self.stages:
            end += stage.share
            if self.done() < end:
                return stage
        return self.stages[-1]

    @property
    def judged(self) -> str:
        """The last update of the stage."""
        return self.stage().updates[-1].name

    def steps_warm(self) -> int:
        """Return how many steps the stage has taken: each warms up, for its weights are new."""
        return self.step - self.began.setdefault(self.stages.index(self.stage()), self.step)

    def train_step(self) -> Tensor:
        """Take one optimiser step; return its loss (1,)."""
        started = time.monotonic()
        stage = self.stage()
        self.began.setdefault(self.stages.index(stage), self.step)
        update = stage.updates[self.step % len(stage.updates)]
        self.taken = update.name
        target = self.sampler.draw(self.settings.batch)[0]
        audio = augment(self.hits.audio[target, None], _AUGMENTATION, self.generator)[:, 0]
        loss = self._loss(update, audio, self.hits.labels[target])
        self.descend(self.optimisers[update.name], loss, update.scale)
        self.add_seconds(time.monotonic() - started)
        return loss.detach()[None]

    def validate(self, hits: HitSet) -> tuple[float, ...]:
        """Return the averaged system's loss on `hits`, that of the stage's last update, with the same draws."""
        averaged = make_system(self.name, self.model.facts()).to(self.device)
        averaged.load_state_dict(self.average.state)
        at = self.stages.index(self.stage())
        update = averaged.eval().stages()[at].updates[-1]
        generator = torch.Generator(self.device).manual_seed(0)
        target = PairSampler(hits, 0.0, generator).draw(self.settings.validation_examples)[0]
        with torch.no_grad():
            parts = [
                float(self._loss(update, hits.audio[part], hits.labels[part], generator)) * len(part)
                for part in target.split(_VALIDATION_CHUNK)
            ]
        return (sum(parts) / len(target),)

    def save(self, run: Path, facts: dict[str, Any]) -> None:
        """Write the averaged weights and the whole state; `TrainingError` where a weight is not a number."""
        facts = {**facts, "step": self.step, "seconds": self.seconds}
        save_system(run / WEIGHTS, self.name, self.model, self.average.state, facts)
        began = torch.tensor([self.began.get(at, -1) for at in range(len(self.stages))])
        self.save_state(run, facts, {"stages.began": began})

    def preview(self, run: Path) -> None:
        """Draw what the saved system of `run` generates, into `run`."""
        system, _ = load_system(run)
        rows = []
        for label, drum_class in enumerate(CLASS_NAMES):
            hits = sample_hits(system, torch.full((2,), label), torch.Generator().manual_seed(label)).numpy()
            rows.append((drum_class, [(f"new {i + 1}", hit) for i, hit in enumerate(hits)]))
        draw_hits(run / "preview.png", rows, RATE)

    def restore(self, parts: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take over saved tensors, and with which step each stage began."""
        super().restore(parts)
        self.began = {at: step for at, step in enumerate(parts["stages"]["began"].tolist()) if step >= 0}

    def _loss(self, update: Update, audio: Tensor, label: Tensor, generator: torch.Generator | None = None) -> Tensor:
        reduced = decimate(to_peak(audio), self.model.settings.decimation)
        with autocast(self.device):
            return update.loss(reduced, label, generator or self.generator)

    def schedule_share(self) -> float:
        """Return the share of the falling cosine that is over: each stage has its own."""
        before = sum(stage.share for stage in self.stages[: self.stages.index(self.stage())])
        return (self.done() - before) / self.stage().share

    def share_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Take the mean of the gradients of all processes, and of what is averaged without gradients."""
        if not distributed.is_initialized():
            return
        averaged = [each.grad for each in parameters if each.grad is not None]
        averaged += [each for each in self.model.buffers() if each.is_floating_point()]
        for tensor in averaged:
            distributed.all_reduce(tensor)
            tensor /= distributed.get_world_size()


def train_system(
    data: Path,
    run: Path,
    name: str,
    settings: RunSettings,
    network: Mapping[str, Any] | None = None,
    *,
    report: Report = lambda progress: None,
    warn: Warn = lambda message: None,
) -> None:
    """Train the system `name` on the corpus `data` until the settings' steps or minutes are over, saving into `run`.

    `network` has those of the system's settings that are not to be its own. A run that has a saved state resumes from
    it. Under `torchrun` each process trains on its share.
    """
    require_end(settings)
    with joined_processes() as rank:
        corpus = load_training_data(data, default_device(rank), warn)
        train_system_on(corpus, run, name, settings, network, report if rank == 0 else None)


def train_system_on(
    corpus: TrainingData,
    run: Path,
    name: str,
    settings: RunSettings,
    network: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> None:
    """Train as `train_system` does on a corpus that is already loaded; the process that has a `report` saves."""
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        system = make_system(name, network)
    trainer = SystemRun(name, system.train(), corpus.train, settings, corpus.device)
    facts = {"training": {"hits": len(corpus.train.audio), "settings": asdict(settings)}, "credits": corpus.credits}
    run_to_end(trainer, run, corpus.valid, facts, report)
