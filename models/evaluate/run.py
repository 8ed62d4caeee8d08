"""A whole evaluation: every section in turn, each only where the corpus has what it needs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import CorpusError
from ghostnote.bridge.inference.model import Generator
from ghostnote.models.data.trial_set import Hits, TrialSet, load_split, make_trials
from ghostnote.models.evaluate.new_sounds import new_sounds
from ghostnote.models.evaluate.player import Player
from ghostnote.models.evaluate.report_plots import draw_report, draw_sounds, draw_strokes
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.variation import (
    MODEL,
    among_variations,
    calibration,
    identity,
    judged,
    make_strokes,
    spread_and_bias,
)
from ghostnote.models.evaluate.velocity import velocity

EMBEDDING: Final = "embedding.safetensors"
"""The name of the kept embedding in a report's folder."""
FORMAT: Final = 1

Stage = Callable[[str], Callable[[int, int], None]]
"""Called with the name of a stage as it begins; returns what takes (done, total) within it."""


@dataclass(frozen=True)
class Question:
    """What is asked about which model."""

    data: Path
    """The corpus."""
    split: str
    """Which of its hits the model is held against, or 'all'."""
    output: Path
    """The report's folder; it must exist."""
    train: Path | None = None
    """The corpus whose train split the embedding learns from; None is the same corpus."""
    peer: Path | None = None
    """A folder of another generator's sounds, to stand beside the new ones."""


@dataclass
class _Run:
    generator: Generator
    question: Question
    settings: EvaluationSettings
    stage: Stage
    report: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.player = Player(self.generator, seed=self.settings.seed)
        self.report["warnings"] = self.warnings

    def variations(self, trials: TrialSet) -> None:
        settings, report = self.settings, self.report
        strokes, start = make_strokes(self.player, trials, settings, self.stage("Varying strokes"))
        report["edit_start"] = start
        self.stage("Measuring strokes")
        report["spread"], report["bias"] = spread_and_bias(strokes, trials)
        report["identity"] = identity(strokes, trials, settings)
        report["among"] = among_variations(strokes, trials)
        if len(trials.class_of) > 1:
            report["judge"] = judged(strokes, trials, settings.seed, self.stage("Judging"))
        else:
            self.warnings.append(
                "one drum alone has repeated strokes: a judge would know it already, none is asked"
            )
        report["velocity"] = velocity(self.player, trials, settings, self.stage("Striking softer and harder"))
        report["calibration"] = calibration(
            self.player, trials, settings, self.stage("Calibrating the amount")
        )
        draw_strokes(self.question.output / "strokes.png", trials, strokes[MODEL])

    def new(self, hits: Hits) -> None:
        q = self.question
        try:
            train = load_split(q.train or q.data, "train")
        except CorpusError as error:
            self.warnings.append(
                f"new sounds are left out, for the embedding has nothing to learn from: {error}"
            )
            return
        self.report["new"], sounds = new_sounds(
            self.player,
            hits,
            train,
            q.output / EMBEDDING,
            q.peer,
            self.settings,
            self.stage("Inventing sounds"),
        )
        draw_sounds(q.output / "new-sounds.png", sounds)


def evaluate(
    generator: Generator, question: Question, settings: EvaluationSettings, stage: Stage
) -> dict[str, Any]:
    """Return the report of a model as plain data, and draw its figures into the question's folder.

    A section that the corpus cannot answer is left out and a warning says why. Raises `CorpusError` where there
    is no hit at all, `OutputError` where a file cannot be written.
    """
    started = time.monotonic()
    run = _Run(generator, question, settings, stage)
    stage("Reading the corpus")
    hits = load_split(question.data, question.split)
    run.warnings += [f"{path} is left out: it {reason}" for path, reason in hits.skipped]
    trials = None
    with torch.no_grad():
        try:
            trials = make_trials(hits, settings.references, settings.others, settings.seed)
        except CorpusError as error:
            run.warnings.append(f"variations are left out: {error}")
    if trials:
        run.variations(trials)
    run.new(hits)
    run.report["about"] = {
        **_about(generator, question, settings, hits, trials),
        "seconds": time.monotonic() - started,
    }
    draw_report(question.output, run.report)
    return run.report


def _about(
    generator: Generator,
    question: Question,
    settings: EvaluationSettings,
    hits: Hits,
    trials: TrialSet | None,
) -> dict[str, Any]:
    labels = torch.bincount(hits.labels, minlength=len(CLASS_NAMES)).tolist()
    return {
        "format": FORMAT,
        "model": f"{generator.card.name} {generator.checksum[:12]}",
        "split": question.split,
        "steps": generator.card.default_steps if settings.steps is None else settings.steps,
        "seed": settings.seed,
        "hits": len(hits.audio),
        "hits_by_class": {name: n for name, n in zip(CLASS_NAMES, labels, strict=True) if n},
        "groups": len(trials.class_of) if trials else 0,
        "groups_by_class": _counted(trials),
        "trials": len(trials.trials) if trials else 0,
        "pairs": len(trials.rows) if trials else 0,
    }


def _counted(trials: TrialSet | None) -> dict[str, int]:
    classes = list(trials.class_of.values()) if trials else []
    return {name: classes.count(name) for name in sorted(set(classes))}
