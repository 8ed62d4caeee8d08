"""A whole evaluation: every section that the corpus has data for."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import CorpusError
from ghostnote.bridge.inference.model import Generator
from ghostnote.models.data.manifest import skipped_lines
from ghostnote.models.data.trial_set import (
    Hits,
    TrialSet,
    join,
    load_peer,
    load_sparse_classes,
    load_split,
    make_trials,
)
from ghostnote.models.evaluate.layers import known_strokes, layers
from ghostnote.models.evaluate.new_sounds import new_sounds
from ghostnote.models.evaluate.player import ModelPlayer
from ghostnote.models.evaluate.report_plots import draw_report, draw_sounds, draw_strokes
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.stroke_lines import amount_curve, every_drum, lines_beside_real, lines_beside_references
from ghostnote.models.evaluate.targets import REPORT_FORMAT
from ghostnote.models.evaluate.variation import (
    MODEL,
    between_strokes,
    c2st_by_kind,
    calibration,
    diversity_and_bias,
    make_strokes,
    retrieval_by_kind,
)
from ghostnote.models.evaluate.velocity import velocity

EMBEDDING: Final = "embedding.safetensors"
"""The name of the trained embedding in a report's folder."""

Stage = Callable[[str], Callable[[int, int], None]]
"""Called with the name of a stage as it begins; returns the callback for its progress, (done, total)."""


@dataclass(frozen=True)
class EvaluationRequest:
    """The sounds that a model is compared with, and the report's folder."""

    data: Path
    """The corpus."""
    split: str
    """Which of its hits the model is compared with, or 'all'."""
    output: Path
    """The report's folder; it must exist."""
    train: Path | None = None
    """The corpus whose train split the embedding is trained on; None is the same corpus."""
    layers: bool = False
    """Whether to judge only the strokes of drums of which several were recorded."""
    peer: Path | None = None
    """A folder of another generator's sounds, to compare with the new ones."""


@dataclass
class _Evaluation:
    generator: Generator
    request: EvaluationRequest
    settings: EvaluationSettings
    stage: Stage
    report: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.player = ModelPlayer(self.generator, seed=self.settings.seed)
        self.report["warnings"] = self.warnings

    def name_skipped(self, *sets: Hits) -> None:
        """Warn of each file that was left out, once."""
        said = [line for hits in sets for line in skipped_lines(hits.skipped)]
        self.warnings += [text for text in dict.fromkeys(said) if text not in self.warnings]

    def variations(self, trials: TrialSet) -> None:
        settings, report, stage = self.settings, self.report, self.stage
        strokes, start = make_strokes(self.player, trials, settings, stage("Varying strokes"))
        report["sdedit_start"] = start
        stage("Measuring strokes")
        report["lines"] = lines_beside_real(strokes, trials)
        report["diversity"], report["bias"] = diversity_and_bias(strokes, trials)
        report["retrieval_accuracy"] = retrieval_by_kind(strokes, trials)
        report["between_strokes"] = between_strokes(strokes, trials)
        if len(trials.class_of) > 1:
            report["c2st"] = c2st_by_kind(strokes, trials, settings.seed, stage("Classifying strokes"))
        else:
            self.warnings.append(
                "C2ST accuracy is left out: only one drum has repeated strokes, and it needs another to train on"
            )
        report["velocity"] = velocity(self.player, trials, settings, stage("Changing velocities"))
        report["calibration"] = calibration(self.player, trials, settings, stage("Calibrating the amount"))
        draw_strokes(self.request.output / "strokes.png", trials, strokes[MODEL])

    def layers(self, trials: TrialSet) -> None:
        """Compare strokes made from several recorded ones with a layer that was left out, and with real ones."""
        player, settings = self.player, self.settings
        self.report["layers"] = layers(player, trials, settings, self.stage("Leaving out velocity layers"))
        if len(trials.class_of) > 1:
            self.report["known_strokes"] = known_strokes(player, trials, settings, self.stage("Varying known strokes"))

    def drums(self, hits: Hits) -> None:
        """Compare strokes of every drum with the drum itself, which needs no repeated strokes."""
        drums, settings = every_drum(hits, self.settings.drum_hits), self.settings
        tick = self.stage("Comparing strokes with their reference")
        self.report["drums"] = lines_beside_references(self.player, drums, settings.steps, tick)
        self.report["amount_curve"] = amount_curve(self.player, drums, settings, self.stage("Turning the amount"))

    def new(self, hits: Hits) -> None:
        request, settings = self.request, self.settings
        try:
            train = load_split(request.train or request.data, "train")
        except CorpusError as error:
            self.warnings.append(f"new sounds are left out, as there is nothing to train the embedding on: {error}")
            return
        peer = load_peer(request.peer) if request.peer else None
        self.name_skipped(train, *([peer] if peer else ()))
        cache, tick = request.output / EMBEDDING, self.stage("Generating new sounds")
        self.report["new"], sounds = new_sounds(self.player, hits, train, cache, peer, settings, tick)
        draw_sounds(request.output / "new-sounds.png", sounds)


def evaluate(
    generator: Generator, request: EvaluationRequest, settings: EvaluationSettings, stage: Stage
) -> dict[str, Any]:
    """Return the report on a model as plain data, and draw its figures into the request's folder.

    A warning explains each section that the corpus has no data for. Raises `CorpusError` where there is no hit at
    all, and `OutputError` where a file cannot be written.
    """
    started = time.monotonic()
    evaluation = _Evaluation(generator, request, settings, stage)
    stage("Reading the corpus")
    hits = load_split(request.data, request.split)
    evaluation.name_skipped(hits)
    more = load_sparse_classes(request.data, request.split, hits)
    judged = hits if more is None else join(hits, more)
    trials = None
    with torch.no_grad():
        try:
            trials = make_trials(judged, settings.references, settings.others, settings.seed)
        except CorpusError as error:
            evaluation.warnings.append(f"variations are left out: {error}")
    if trials:
        (evaluation.layers if request.layers else evaluation.variations)(trials)
    if not request.layers:
        evaluation.drums(judged)
        evaluation.new(hits)
    evaluation.report["about"] = {**_about(evaluation, hits, more, trials), "seconds": time.monotonic() - started}
    draw_report(request.output, evaluation.report)
    return evaluation.report


def _about(evaluation: _Evaluation, hits: Hits, more: Hits | None, trials: TrialSet | None) -> dict[str, Any]:
    card, settings = evaluation.generator.card, evaluation.settings
    labels = torch.bincount(hits.labels, minlength=len(CLASS_NAMES)).tolist()
    classes = list(trials.class_of.values()) if trials else []
    return {
        "format": REPORT_FORMAT,
        "model": f"{card.name} {evaluation.generator.checksum[:12]}",
        "split": evaluation.request.split,
        "steps": card.default_steps if settings.steps is None else settings.steps,
        "seed": settings.seed,
        "hits": len(hits.audio),
        "hits_by_class": {name: n for name, n in zip(CLASS_NAMES, labels, strict=True) if n},
        "joined_classes": sorted({file.drum_class for file in more.files}) if more else [],
        "groups": len(classes),
        "groups_by_class": {name: classes.count(name) for name in sorted(set(classes))},
        "trials": len(trials.trials) if trials else 0,
        "pairs": len(trials.rows) if trials else 0,
    }
