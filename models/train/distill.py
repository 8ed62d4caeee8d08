"""Distillation: from a trained model to students of fewer and fewer steps, each the teacher of the next."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import torch
from torch import distributed

from ghostnote.bridge.errors import InputError
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.diffusion.v_prediction import linear_schedule
from ghostnote.models.nets.checkpoint import load_model, read_tensors, save_model, weights_file
from ghostnote.models.train.distill_methods import METHODS, Stage, make_task
from ghostnote.models.train.loop import Progress, default_device, join_processes, load_split, run_to_end
from ghostnote.models.train.schedule_search import Schedule, Yardstick, choose_schedule
from ghostnote.models.train.trainer import Trainer, TrainSettings

SCHEDULES: Final = "schedules"
"""The fact of a model that tells the times chosen for a number of steps."""


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
    """Even straight steps of the first teacher, a multiple of the first student's."""
    examples: int = 64
    """Hits of the valid split that schedules are chosen by."""


@dataclass(frozen=True)
class Student:
    """Where distillation stands, told after each step."""

    steps: int
    """The student's steps."""
    progress: Progress


def folder_of(run: Path, steps: int) -> Path:
    """Return the folder of a run's student: a run of its own, that can be exported."""
    return run / f"steps-{steps}"


def make_stages(settings: DistillSettings) -> dict[int, Stage]:
    """Return the stage of each student by its steps; `InputError` for settings that do not go together."""
    if settings.method not in METHODS:
        raise InputError(f"'{settings.method}' is no method of distillation: use one of {', '.join(METHODS)}")
    if settings.guidance != 1 and not METHODS[settings.method].asks_teacher:
        raise InputError(
            f"the method '{settings.method}' cannot fold in a guidance of {settings.guidance:g}: leave it at 1"
        )
    counts = (settings.teacher_steps, *settings.steps)
    if not settings.steps or any(few < 1 or many % few or many == few for many, few in pairwise(counts)):
        raise InputError(
            f"steps of {', '.join(map(str, settings.steps)) or 'nothing'} after a teacher's "
            f"{settings.teacher_steps} are no chain: let each divide the one before, as 4,2,1 after 16"
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
    device: torch.device | None = None,
    report: Callable[[Student], None] = lambda student: None,
    warn: Callable[[str], None] = lambda message: None,
) -> None:
    """Teach the students of `settings` one after the other, each into a folder of `run`.

    The steps and minutes of `training` are shared out evenly. A run that was stopped goes on where it was.
    Only the sound network is taught: the shape network runs once for a new drum, at its own many steps.
    """
    if not training.steps and not training.minutes:
        raise InputError("neither steps nor minutes are given: say how long to train, as in --minutes 90")
    stages = make_stages(settings)
    load_model(teacher)
    rank = join_processes()
    device = device or default_device(rank)
    hits, _, skipped = load_split(data, "train")
    valid, _, more = load_split(data, "valid")
    for path, reason in dict([*skipped, *more]).items():
        warn(f"{path} is left out: {reason}")
    share = _shared_out(training, len(stages))
    previous, valid = teacher, valid.to(device)
    for steps, stage in stages.items():
        folder = folder_of(run, steps)
        if not _is_finished(folder, steps):
            told = _teller(report, steps) if rank == 0 else None
            _teach(previous, folder, stage, settings, share, hits, valid, device, told)
            if rank == 0:
                _set_schedule(folder, teacher, steps, settings, valid)
        if distributed.is_initialized():
            distributed.barrier()
        previous = folder
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _shared_out(training: TrainSettings, stages: int) -> TrainSettings:
    return replace(
        training,
        steps=max(1, training.steps // stages) if training.steps else None,
        minutes=training.minutes / stages if training.minutes else None,
    )


def _teller(report: Callable[[Student], None], steps: int) -> Callable[[Progress], None]:
    return lambda progress: report(Student(steps, progress))


def _is_finished(folder: Path, steps: int) -> bool:
    """Return whether a student is there with its schedule: what is written last."""
    file = weights_file(folder)
    return file.is_file() and str(steps) in read_tensors(file)[1].get(SCHEDULES, {})


def _teach(
    previous: Path,
    folder: Path,
    stage: Stage,
    settings: DistillSettings,
    training: TrainSettings,
    hits: HitSet,
    valid: HitSet,
    device: torch.device,
    report: Callable[[Progress], None] | None,
) -> None:
    """Train one student, which starts as its teacher."""
    torch.manual_seed(training.seed)
    teacher, known = load_model(previous)
    student, _ = load_model(previous)
    student.shape.requires_grad_(False)
    trainer = Trainer(
        student.train(),
        hits,
        training,
        device,
        make_task(settings.method, teacher.requires_grad_(False).to(device), stage),
    )
    if training.compile and METHODS[settings.method].asks_teacher:
        teacher.sound.compile()
    facts = {
        "training": {**known.get("training", {}), "distilled": asdict(settings)},
        "credits": known.get("credits", []),
    }
    steps = len(stage.schedule) - 1
    run_to_end(trainer, folder, valid, facts, report, preview_steps=steps)


def _set_schedule(folder: Path, teacher: Path, steps: int, settings: DistillSettings, valid: HitSet) -> None:
    """Choose a finished student's times on the valid split, and write them among its facts."""
    first = load_model(teacher)[0].to(valid.audio.device)
    yardstick = Yardstick(first, valid, settings.examples, settings.guidance)
    _keep_schedules(folder, yardstick, (steps,))


def choose_schedules(run: Path, data: Path, steps: tuple[int, ...], examples: int) -> dict[int, Schedule]:
    """Choose the times of a model's steps by its own many steps, and write them among its facts."""
    model, _ = load_model(run)
    device = default_device()
    valid = load_split(data, "valid")[0].to(device)
    return _keep_schedules(run, Yardstick(model.to(device), valid, examples), steps)


def _keep_schedules(run: Path, yardstick: Yardstick, steps: tuple[int, ...]) -> dict[int, Schedule]:
    """Choose times for each number of steps of a model, and write them into its file."""
    model, facts = load_model(run)
    model = model.to(yardstick.noise.device)
    chosen = {n: choose_schedule(lambda times: yardstick.distance_db(model, times), n) for n in steps}
    told = {str(n): asdict(found) for n, found in chosen.items()}
    facts = {**facts, SCHEDULES: {**facts.get(SCHEDULES, {}), **told}}
    save_model(weights_file(run), model.state_dict(), model.settings, facts)
    return chosen
