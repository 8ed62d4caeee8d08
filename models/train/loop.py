"""Training: from a folder of hits to a run that can be exported, and taken up again after a kill."""

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
from torch import distributed

from ghostnote.bridge.errors import CorpusError, InputError
from ghostnote.models.data.corpus import Skipped, load_hits, scan
from ghostnote.models.data.dataset import HitSet, make_hit_set
from ghostnote.models.nets.cascade import Cascade, CascadeSettings
from ghostnote.models.nets.checkpoint import STATE, load_model
from ghostnote.models.statistics.corpus_statistics import measure_tables
from ghostnote.models.train.preview import PREVIEW_STEPS, write_preview
from ghostnote.models.train.shape_objective import shapes_of
from ghostnote.models.train.trainer import Task, Trainer, TrainSettings


@dataclass(frozen=True)
class Progress:
    """Where a run stands, told after each step."""

    step: int
    done: float
    """Share of the run that is over, 0..1."""
    loss: float
    hits_per_second: float
    validation: tuple[float, float] | None = None
    """Losses of sound and shape on the valid split, where just measured."""


def load_split(data: Path, split: str) -> tuple[HitSet, list[str], list[Skipped]]:
    """Return the hits of a split of a corpus, their credits, and the files that were left out."""
    corpus = scan(data)
    files = [hit for hit in corpus.hits if hit.split == split]
    if not files:
        raise CorpusError(f"{data} has no hit in the {split} split: put more drums in it")
    audio, loaded, skipped = load_hits(files)
    credits = sorted({hit.credit for hit in loaded if hit.credit})
    return make_hit_set(audio, loaded), credits, [*corpus.skipped, *skipped]


def measured_model(hits: HitSet, settings: CascadeSettings) -> Cascade:
    """Return a new cascade that knows the tables and statistics of `hits`."""
    model = Cascade(settings)
    model.set_tables(measure_tables(hits), shapes_of(hits.audio))
    return model


def train(
    data: Path,
    run: Path,
    settings: TrainSettings,
    shape: CascadeSettings = CascadeSettings(),
    *,
    initial: Path | None = None,
    task: Task = Task(),
    device: torch.device | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    warn: Callable[[str], None] = lambda message: None,
) -> None:
    """Train on the corpus `data` until the settings' steps or minutes are over, saving into `run`.

    A run that has a saved state goes on from it. `initial` are weights to start a new run from, `task` is what is
    trained. Under `torchrun` each process trains on its share, and the first one saves and reports.
    """
    if not settings.steps and not settings.minutes:
        raise InputError("neither steps nor minutes are given: say how long to train, as in --minutes 90")
    rank = join_processes()
    device = device or default_device(rank)
    hits, credits, skipped = load_split(data, "train")
    valid, _, more = load_split(data, "valid")
    for path, reason in dict([*skipped, *more]).items():
        warn(f"{path} is left out: {reason}")
    torch.manual_seed(settings.seed)
    model = load_model(initial)[0].train() if initial else measured_model(hits, shape)
    trainer = Trainer(model, hits, settings, device, task)
    facts = {
        "training": {"hits": len(hits.audio), "groups": len(hits.groups), "settings": asdict(settings)},
        "credits": credits,
    }
    run_to_end(trainer, run, valid.to(device), facts, report if rank == 0 else None)
    if distributed.is_initialized():
        distributed.destroy_process_group()


def run_to_end(
    trainer: Trainer,
    run: Path,
    valid: HitSet,
    facts: dict[str, Any],
    report: Callable[[Progress], None] | None,
    preview_steps: int = PREVIEW_STEPS,
) -> None:
    """Train to the end, from where `run` stands; the process that has a `report` saves, validates and draws."""
    run.mkdir(parents=True, exist_ok=True)
    if (run / STATE).is_file():
        trainer.resume(run)
    settings, mean = trainer.settings, torch.zeros(2)
    with _finishing_steps() as stop_asked, (run / "metrics.csv").open("a", newline="") as file:
        log = csv.writer(file)
        if file.tell() == 0:
            log.writerow(["step", "minutes", "loss", "validation_sound", "validation_shape"])
        while trainer.done() < 1:
            started = time.monotonic()
            losses = trainer.train_step().cpu()
            mean = losses if trainer.step == 1 else mean.lerp(losses, 0.02)
            rate = settings.batch / (time.monotonic() - started)
            if report is None:
                continue
            if stop_asked():
                trainer.save(run, facts)
                raise KeyboardInterrupt
            over, loss = trainer.done() >= 1, float(mean.sum())
            validation = None
            if over or trainer.step % settings.validate_every == 0:
                validation = trainer.validate(valid)
                figures = (trainer.seconds / 60, loss, *validation)
                log.writerow([trainer.step, *(f"{figure:.4f}" for figure in figures)])
                file.flush()
                trainer.save(run, facts)
            if over or trainer.step % settings.preview_every == 0:
                write_preview(run, load_model(run)[0], steps=preview_steps)
            report(Progress(trainer.step, trainer.done(), loss, rate, validation))


@contextmanager
def _finishing_steps() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back while a step is taken; yield what tells whether it came."""
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


def join_processes() -> int:
    """Join the other processes where `torchrun` started this one; return this one's rank."""
    if "LOCAL_RANK" not in os.environ:
        return 0
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return distributed.get_rank()


def default_device(rank: int = 0) -> torch.device:
    """Return the GPU of this process, or else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", rank)))
    torch.cuda.set_device(device)
    return device
