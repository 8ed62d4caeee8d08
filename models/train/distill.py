"""Distillation: from a trained model to students of fewer and fewer steps, each the teacher of the next."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from torch import distributed

from ghostnote.bridge.errors import InputError
from ghostnote.models.diffusion.v_prediction import linear_schedule
from ghostnote.models.nets.checkpoint import load_model
from ghostnote.models.train.distill_methods import METHODS, Stage, make_task
from ghostnote.models.train.loop import (
    Report,
    TrainingData,
    TrainProgress,
    Warn,
    default_device,
    joined_processes,
    load_training_data,
    require_end,
    run_to_end,
)
from ghostnote.models.train.trainer import Trainer, TrainSettings


@dataclass(frozen=True)
class DistillSettings:
    """Which students are taught, and how."""

    steps: tuple[int, ...] = (4, 2, 1)
    """Steps of the students, each a divisor of the one before."""
    method: str = "progressive"
    """A name in METHODS."""
    guidance: float = 1.0
    """Classifier-free guidance of the first teacher, folded into its students."""
    teacher_steps: int = 16
    """Even Euler steps of the first teacher, a multiple of the first student's."""


def folder_of(run: Path, steps: int) -> Path:
    """Return the folder of a run's student: a run of its own, which can be exported."""
    return run / f"steps-{steps}"


def make_stages(settings: DistillSettings) -> dict[int, Stage]:
    """Return the stage of each student by its steps; `InputError` for settings that do not go together."""
    if settings.method not in METHODS:
        raise InputError(f"'{settings.method}' is not a method of distillation: use one of {', '.join(METHODS)}")
    if settings.guidance != 1 and not METHODS[settings.method].asks_teacher:
        raise InputError(
            f"the method '{settings.method}' cannot fold in a guidance of {settings.guidance:g}: leave it at 1"
        )
    counts = (settings.teacher_steps, *settings.steps)
    if not settings.steps or any(few < 1 or many % few or many == few for many, few in pairwise(counts)):
        raise InputError(
            f"steps of {', '.join(map(str, settings.steps)) or 'nothing'} after a teacher's "
            f"{settings.teacher_steps} are not a chain: let each divide the one before, as 4,2,1 after 16"
        )
    return {
        few: Stage(tuple(linear_schedule(few).tolist()), many // few, settings.guidance if i == 0 else 1.0)
        for i, (many, few) in enumerate(pairwise(counts))
    }


def distill(
    data: Path,
    teacher: Path,
    run: Path,
    settings: DistillSettings,
    training: TrainSettings,
    *,
    report: Callable[[int, TrainProgress], None] = lambda steps, progress: None,
    warn: Warn = lambda message: None,
) -> None:
    """Teach the students of `settings` one after the other, each into a folder of `run`.

    The steps and minutes of `training` are shared out evenly; `report` gets a student's steps and progress. A run that
    was stopped resumes where it was. Only the sound network is taught: the shape network runs once for a new drum, at
    its own many steps.
    """
    require_end(training)
    stages = make_stages(settings)
    load_model(teacher)
    share = replace(
        training,
        steps=max(1, training.steps // len(stages)) if training.steps else None,
        minutes=training.minutes / len(stages) if training.minutes else None,
    )
    with joined_processes() as rank:
        corpus = load_training_data(data, default_device(rank), warn)
        previous = teacher
        for steps, stage in stages.items():
            folder = folder_of(run, steps)
            reporting = partial(report, steps) if rank == 0 else None
            _teach(previous, folder, stage, settings, share, corpus, reporting)
            if distributed.is_initialized():
                distributed.barrier()
            previous = folder


def _teach(
    previous: Path,
    folder: Path,
    stage: Stage,
    settings: DistillSettings,
    training: TrainSettings,
    corpus: TrainingData,
    report: Report | None,
) -> None:
    """Train one student, which starts as its teacher."""
    teacher, known = load_model(previous)
    student, _ = load_model(previous)
    student.shape.requires_grad_(False)
    task = make_task(settings.method, teacher.requires_grad_(False).to(corpus.device), stage)
    training = replace(training, preview_steps=len(stage.schedule) - 1)
    trainer = Trainer(student.train(), corpus.train, training, corpus.device, task)
    if training.compile and METHODS[settings.method].asks_teacher:
        teacher.sound.compile()
    facts = {
        "training": {**known.get("training", {}), "distilled": asdict(settings)},
        "credits": known.get("credits", []),
    }
    run_to_end(trainer, folder, corpus.valid, facts, report)
