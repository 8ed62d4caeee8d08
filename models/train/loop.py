"""Training: from a folder of hits to a run that can be exported, and resumed after a kill."""

import csv
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.atomic_file import output_errors
from ghostnote.models.data.corpus import load_splits
from ghostnote.models.data.dataset import HitSet, make_hit_set
from ghostnote.models.data.manifest import skipped_lines
from ghostnote.models.nets.cascade import Cascade, CascadeSettings
from ghostnote.models.nets.checkpoint import STATE, load_model, previous_of
from ghostnote.models.statistics.corpus_statistics import measure_statistics
from ghostnote.models.statistics.drum_statistics import measure_drums
from ghostnote.models.statistics.partial_statistics import measure_partials
from ghostnote.models.train.shape_objective import measure_shapes
from ghostnote.models.train.trainer import Trainer, TrainingTask, TrainSettings
from ghostnote.models.train.training_run import RunSettings, TrainingRun

Report = Callable[["TrainProgress"], None]
Warn = Callable[[str], None]


@dataclass(frozen=True)
class TrainProgress:
    """Where a run stands after a step."""

    step: int
    done: float
    """Share of the run that is over, 0..1."""
    loss: float
    hits_per_second: float
    validation: tuple[float, ...] | None = None
    """Losses on the valid split, where just measured."""


@dataclass(frozen=True)
class TrainingData:
    """A corpus on the device that trains on it."""

    train: HitSet
    """On the CPU, where its statistics are measured."""
    valid: HitSet
    """On the training device."""
    credits: list[str]
    """Whom to name for the hits of the train split."""

    @property
    def device(self) -> torch.device:
        """The device to train on."""
        return self.valid.audio.device


def load_training_data(data: Path, device: torch.device, warn: Warn) -> TrainingData:
    """Return the train and valid splits of the corpus `data`; `warn` receives files that are left out."""
    splits, skipped = load_splits(data, ("train", "valid"))
    for line in skipped_lines(skipped):
        warn(line)
    train, valid = (make_hit_set(*splits[name]) for name in ("train", "valid"))
    credits = sorted({hit.credit for hit in splits["train"][1] if hit.credit})
    return TrainingData(train, valid.to(device), credits)


def measured_model(hits: HitSet, settings: CascadeSettings, seed: int = 0) -> Cascade:
    """Return a new cascade with the statistics of `hits`; the `seed` decides its weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Cascade(settings)
    model.set_statistics(measure_statistics(hits), measure_shapes(hits.audio))
    return model


def train(
    data: Path,
    run: Path,
    settings: TrainSettings,
    shape: CascadeSettings = CascadeSettings(),
    *,
    initial: Path | None = None,
    task: TrainingTask = TrainingTask(),
    report: Report = lambda progress: None,
    warn: Warn = lambda message: None,
) -> None:
    """Train on the corpus `data` until the settings' steps or minutes are over, saving into `run`.

    A run that has a saved state resumes from it. `shape` is that of a new model; `initial` are weights to start from
    instead. Under `torchrun` each process trains on its share, and the first one saves and reports.
    """
    require_end(settings)
    with joined_processes() as rank:
        corpus = load_training_data(data, default_device(rank), warn)
        model = load_model(initial)[0] if initial else measured_model(corpus.train, shape, settings.seed)
        trainer = Trainer(model.train(), corpus.train, settings, corpus.device, task)
        size = {"hits": len(corpus.train.audio), "groups": len(corpus.train.groups)}
        facts = {"training": {**size, "settings": asdict(settings)}, "credits": corpus.credits}
        facts["partials"] = asdict(measure_partials(corpus.train, settings.seed))
        facts["drums"] = asdict(measure_drums(corpus.train))
        run_to_end(trainer, run, corpus.valid, facts, report if rank == 0 else None)


def require_end(settings: RunSettings) -> None:
    """Raise `InputError` for settings that would train for ever."""
    if not settings.steps and not settings.minutes:
        raise InputError("neither steps nor minutes are given: say how long to train, as in --minutes 90")


def run_to_end(trainer: TrainingRun, run: Path, valid: HitSet, facts: dict[str, Any], report: Report | None) -> None:
    """Train to the end, from where `run` stands; the process that has a `report` saves, validates and draws."""
    with output_errors(run):
        run.mkdir(parents=True, exist_ok=True)
    if (run / STATE).is_file() or previous_of(run / STATE).is_file():
        trainer.resume(run)
    settings, means = trainer.settings, dict[str, Tensor]()
    with _finishing_steps() as stop_asked:
        _log(run, trainer)
        while trainer.done() < 1:
            started = time.monotonic()
            loss = trainer.train_step().cpu().sum()
            means[trainer.taken] = means.get(trainer.taken, loss).lerp(loss, 0.02)
            mean = float(means.get(trainer.judged, loss))
            rate = settings.batch / (time.monotonic() - started)
            if report is None:
                continue
            if stop_asked():
                trainer.save(run, facts)
                raise KeyboardInterrupt
            over, validation = trainer.done() >= 1, None
            if over or trainer.step % settings.validate_every == 0:
                validation = trainer.validate(valid)
                trainer.save(run, facts)
                _log(run, trainer, trainer.step, trainer.seconds / 60, mean, *validation)
            if over or trainer.step % settings.preview_every == 0:
                trainer.preview(run)
            report(TrainProgress(trainer.step, trainer.done(), mean, rate, validation))


def _log(run: Path, trainer: TrainingRun, *figures: float) -> None:
    """Append a row to the table of the run, which begins with its head; `OutputError`.

    Where steps of several kinds take turns, it says of which its losses are.
    """
    path = run / "metrics.csv"
    with output_errors(path), path.open("a", newline="") as file:
        log = csv.writer(file)
        if file.tell() == 0:
            head = ["step", "minutes", "loss", *(f"validation_{name}" for name in trainer.losses)]
            log.writerow([*head, "of"] if trainer.judged else head)
        if figures:
            row = [figures[0], *(f"{figure:.4f}" for figure in figures[1:])]
            log.writerow([*row, trainer.judged] if trainer.judged else row)


@contextmanager
def _finishing_steps() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back while a step is taken; yield a function that returns whether it came."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda got, _: asked.append(got)) for number in numbers]
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def joined_processes() -> Iterator[int]:
    """Join the other processes where `torchrun` started this one, until the block ends; yield this one's rank."""
    if "LOCAL_RANK" not in os.environ:
        yield 0
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield distributed.get_rank()
    finally:
        distributed.destroy_process_group()


def default_device(rank: int = 0) -> torch.device:
    """Return the GPU of this process, or else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", rank)))
    torch.cuda.set_device(device)
    return device
