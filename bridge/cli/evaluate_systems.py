"""`ghostnote evaluate --system`: trained systems beside one another and beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghostnote.bridge.cli.evaluate_progress import stages
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.input_file import real_path

if TYPE_CHECKING:
    from torch import Tensor

    from ghostnote.models.evaluate.systems import JudgedSystem

REPORT: Final = "systems.json"
TABLES: Final = "systems.md"
PICTURE: Final = "systems.png"
MODEL: Final = "ghostnote"
"""What the instrument's own model is called in the table."""


@dataclass(frozen=True)
class SystemsRequest:
    """Which runs are judged, and on what."""

    data: Path
    split: str
    output: Path
    runs: tuple[Path, ...]
    model: Path | None = None
    steps: int | None = None
    seed: int = 0
    quick: bool = False


def run_systems_evaluation(request: SystemsRequest) -> None:
    """Judge systems under a progress bar, write the figures as JSON and Markdown, draw their hits, print the table."""
    import json
    from dataclasses import replace

    from rich.console import Console
    from rich.markdown import Markdown

    from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
    from ghostnote.models.data.trial_set import load_split
    from ghostnote.models.evaluate.report_plots import draw_sounds
    from ghostnote.models.evaluate.run import EMBEDDING
    from ghostnote.models.evaluate.settings import QUICK_SYSTEMS, EvaluationSettings
    from ghostnote.models.evaluate.systems import Real, SystemJudge, systems_table
    from ghostnote.models.evaluate.systems_picture import draw_systems

    # Opened first: a run that is none ends the command before the long work.
    systems = [_opened_model(request.model), *(_opened(run, request.steps) for run in request.runs)]
    _require_names_apart([system.name for system in systems])
    prepare_folder(request.output)
    settings = replace(QUICK_SYSTEMS if request.quick else EvaluationSettings(), seed=request.seed)
    real = Real(load_split(request.data, request.split), load_split(request.data, "train"), request.output / EMBEDDING)
    figures, made = [], {}
    with stages() as stage:
        judge = SystemJudge(real, settings, stage("embedding"))
        for system in systems:
            found, sounds = judge.judge(system, stage(system.name))
            figures.append(found)
            draw_sounds(request.output / f"{system.name}.png", sounds)
            made[system.name] = sounds
    about = {"split": request.split, "hits": len(real.split.audio), "seed": request.seed}
    about["new_per_class"] = settings.new_per_class
    report = {"about": about, "systems": figures, "real": judge.real_figures()}
    write_bytes(request.output / REPORT, json.dumps(report, indent=1).encode())
    tables = systems_table(report)
    write_bytes(request.output / TABLES, tables.encode())
    draw_systems(request.output / PICTURE, real.split, made)
    Console().print(Markdown(tables))
    echo(f"{request.output / REPORT}, with the table and pictures beside it")


def _require_names_apart(names: Sequence[str]) -> None:
    """Raise `InputError` where two rows and pictures would have one name."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"two systems are called '{twice}': runs are named by their folders, and '{MODEL}' is the instrument's own "
            "model; rename a folder, or evaluate them one after the other"
        )


def _opened(run: Path, steps: int | None) -> JudgedSystem:
    """Return a trained system, called by its run's folder."""
    import torch

    from ghostnote.models.evaluate.systems import JudgedSystem
    from ghostnote.models.systems.audio import decimate, sample_hits
    from ghostnote.models.systems.checkpoint import load_system

    system, facts = load_system(run)

    def sample(label: Tensor, seed: int) -> Tensor:
        return sample_hits(system, label, torch.Generator().manual_seed(seed), steps)

    def figures(audio: Tensor, label: Tensor) -> Mapping[str, float]:
        return system.figures(decimate(audio, system.settings.decimation), label)

    parameters = sum(each.numel() for each in system.parameters())
    return JudgedSystem(real_path(run).name, sample, parameters, facts["seconds"] / 60, figures)


def _opened_model(model: Path | None) -> JudgedSystem:
    """Return the model of the instrument as a system; its hits, of any length, are cut or padded with silence."""
    from torch.nn.functional import pad

    from ghostnote.bridge.inference.model import Generator
    from ghostnote.models.dsp.mdct import HIT_FRAMES
    from ghostnote.models.evaluate.player import ModelPlayer
    from ghostnote.models.evaluate.systems import JudgedSystem

    generator = Generator.open(model)

    def sample(label: Tensor, seed: int) -> Tensor:
        sounds = ModelPlayer(generator, seed=seed).new_sounds(label.tolist())
        return pad(sounds, (0, HIT_FRAMES - sounds.shape[1]))

    return JudgedSystem(MODEL, sample)
