"""Systems beside one another: how near what they generate comes to real hits, and what it costs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.mdct import to_peak
from ghostnote.models.evaluate.hit_embedding import HitEmbedding, accuracy, spectrogram
from ghostnote.models.evaluate.markdown import number, table
from ghostnote.models.evaluate.new_lines import drums_of, mean_distances
from ghostnote.models.evaluate.new_sounds import distributions, embed_hits, nearest_training, open_embedding
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.settings import EvaluationSettings

_BATCH: Final = 8
_LEAST: Final = 2
_MOST_REAL: Final = 64
_HEAD: Final = (
    *("system", "parameters", "minutes", "s a hit", "Fréchet over real", "precision", "recall", "class"),
    *("diversity", "nearest", "copies"),
)


@dataclass(frozen=True)
class JudgedSystem:
    """A trained system, ready to generate."""

    name: str
    sample: Callable[[Tensor, int], Tensor]
    """Labels (batch,) and the first hit's seed, from which others count up, to hits (batch, HIT_FRAMES)."""
    parameters: int | None = None
    minutes: float | None = None
    """How long it was trained."""
    figures: Callable[[Tensor, Tensor], Mapping[str, float]] = lambda audio, label: {}
    """What only this kind of system can measure on hits (batch, HIT_FRAMES) of the classes `label` (batch,)."""


@dataclass(frozen=True)
class Real:
    """The hits that systems are judged by."""

    split: Hits
    train: Hits
    cache: Path
    """Where the embedding is kept."""


class SystemJudge:
    """Judges systems by one embedding, trained on the train split."""

    def __init__(self, real: Real, settings: EvaluationSettings, tick: Tick) -> None:
        """Prepare the embedding of real hits."""
        spectrograms = spectrogram(real.train.audio)
        self.real, self.settings = real, settings
        self.network: HitEmbedding = open_embedding(real.train, spectrograms, real.cache, settings, tick)
        self.sets = {
            "split": embed_hits(self.network, real.split),
            "train": embed_hits(self.network, real.train, spectrograms),
        }

    def judge(self, system: JudgedSystem, tick: Tick) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return the figures of a system, and its hits by class."""
        labels = torch.arange(len(CLASS_NAMES)).repeat_interleave(self.settings.new_per_class)
        started, parts = time.perf_counter(), []
        for at, part in enumerate(labels.split(_BATCH)):
            parts.append(system.sample(part, self.settings.seed + at * _BATCH))
            tick(min(len(labels), (at + 1) * _BATCH), len(labels))
        seconds = (time.perf_counter() - started) / len(labels)
        hits = torch.cat(parts)
        made = {**self.sets, "model": embed_hits(self.network, Hits(hits, (), labels))}
        by_class = {name: hits[labels == label] for label, name in enumerate(CLASS_NAMES)}
        figures = {
            "name": system.name,
            "parameters": system.parameters,
            "minutes": system.minutes,
            "seconds_per_hit": seconds,
            "distributions": distributions(made, self.settings)["all"],
            "class_accuracy": accuracy(self.network, spectrogram(hits), labels),
            "diversity": self._diversity(by_class),
            "nearest_training_hit": nearest_training(made["model"], made["train"]),
            "own": dict(system.figures(*self._some_real())),
        }
        return figures, by_class

    def real_figures(self) -> dict[str, Any]:
        """Return what real hits of the split come to, in the same terms."""
        return {
            "class_accuracy": accuracy(self.network, spectrogram(self.real.split.audio), self.real.split.labels),
            "nearest_training_hit": nearest_training(self.sets["split"], self.sets["train"]),
        }

    def _some_real(self) -> tuple[Tensor, Tensor]:
        """Return hits of the split, at most _MOST_REAL spread over all, at full level, and their classes."""
        count = len(self.real.split.audio)
        chosen = torch.linspace(0, count - 1, min(count, _MOST_REAL)).long()
        return to_peak(self.real.split.audio[chosen]), self.real.split.labels[chosen]

    def _diversity(self, by_class: Mapping[str, Tensor]) -> float:
        """Return how far apart hits of a class lie, over how far drums of the split do: the median of the classes."""
        ratios = []
        for label, name in enumerate(CLASS_NAMES):
            drums = drums_of((self.real.split,), label)
            if min(len(drums), len(by_class[name])) >= _LEAST:
                ratios.append(mean_distances(by_class[name]).mean() / mean_distances(drums).mean())
        return float(np.median(ratios)) if ratios else float("nan")


def systems_table(report: Mapping[str, Any]) -> str:
    """Return the figures of a report on systems as Markdown."""
    nearest = report["real"]["nearest_training_hit"]
    median, recognised = f"{nearest['distance_db']['median']:.1f} dB", number(report["real"]["class_accuracy"])
    copies = str(nearest["copies"])
    real = ("real hits", *("–",) * 3, "1.00", "–", "–", recognised, "1.00", median, copies)
    rows = [*(_row(figures) for figures in report["systems"]), real]
    own = [
        f"- {figures['name']}, on real hits: "
        + ", ".join(f"{name} {value:.2f}" for name, value in figures["own"].items())
        for figures in report["systems"]
        if figures["own"]
    ]
    return "\n".join(["# Systems", "", *_about(report["about"]), *table(_HEAD, rows), *own])


def _about(about: Mapping[str, Any]) -> Sequence[str]:
    return [
        f"{about['hits']} hits of the {about['split']} split, {about['new_per_class']} new hits a class, "
        f"seed {about['seed']}. Fréchet distance over that of real hits of the train split; precision and recall by "
        "nearest neighbours; the share of new hits that a classifier takes for their class; distance among new hits of "
        "a class over that of real drums; log-mel distance to the nearest training hit, median. Real hits are those of "
        "the split, whose Fréchet distance and diversity are 1 by definition. Seconds a hit are in batches of 8; "
        "parameters are of all networks that were trained.",
        "",
    ]


def _row(figures: Mapping[str, Any]) -> tuple[str, ...]:
    found = figures["distributions"]["model"]
    nearest = figures["nearest_training_hit"]
    return (
        figures["name"],
        "–" if figures["parameters"] is None else f"{figures['parameters'] / 1e6:.2f} M",
        number(figures["minutes"], 0),
        f"{figures['seconds_per_hit']:.3f}",
        number(found["frechet"] / figures["distributions"]["train"]["frechet"]),
        number(found["precision"]),
        number(found["recall"]),
        number(figures["class_accuracy"]),
        number(figures["diversity"]),
        f"{nearest['distance_db']['median']:.1f} dB",
        str(nearest["copies"]),
    )
