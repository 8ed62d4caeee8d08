"""The pictures beside a report: bars with their intervals, and hits side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from torch import Tensor

from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.data.trials import Trial
from ghostnote.models.dsp.mdct import RATE
from ghostnote.models.evaluate.diversity import RATIOS
from ghostnote.models.evaluate.markdown import claimed
from ghostnote.models.evaluate.stroke_lines import BANDS
from ghostnote.models.evaluate.variation import MODEL, REAL
from ghostnote.models.plots.hits import Hits, draw_hits, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Bars = Mapping[str, Mapping[str, Any]]
"""Estimates by series and then by label."""

_SHOWN: Final = (("snare",), ("closed_hat", "open_hat"), ("tom", "kick"))
"""Of each row of classes the first that the split has enough strokes of."""
_STROKES: Final = 3
_COLOURS: Final = {
    MODEL: "#24425c",
    "decomposition": "#7fa3c2",
    "dsp_baseline": "#c9803c",
    "sdedit": "#9a9a9a",
    REAL: "#4d8f5b",
}


def draw_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Draw the diversity ratio by measure and by class, the C2ST accuracy and the velocity into `folder`."""
    if "diversity" in report:
        beside = {kind: found["beside_real"] for kind, found in report["diversity"].items() if kind != REAL}
        by_measure = {kind: {name: found[name]["all"] for name in RATIOS} for kind, found in beside.items()}
        by_class = {kind: _by_class(found["lmd"]) for kind, found in beside.items()}
        _draw_bars(folder / "diversity.png", "Diversity ratio", by_measure, 1.0)
        _draw_bars(folder / "diversity-by-class.png", "Log-mel diversity ratio by class", by_class, 1.0)
    if "c2st" in report:
        accuracy = {kind: parts["all"]["c2st_accuracy"] for kind, parts in report["c2st"].items()}
        _draw_bars(folder / "c2st-accuracy.png", "C2ST accuracy", accuracy, 0.5)
    if "lines" in report:
        bands = {band: _by_class(report["lines"][band]["difference"]) for band in BANDS}
        _draw_bars(folder / "line-prominence.png", "Line prominence beside real strokes, dB", bands, 0.0)
    if "amount_curve" in report:
        _draw_curves(folder / "amount.png", report["amount_curve"])
    if report.get("velocity", {}).get("changes"):
        distances = report["velocity"]["distance_db"]
        _draw_bars(folder / "velocity.png", "Log-mel dB to the true velocity", distances, None)


def _by_class(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return estimates by class, None for those of which nothing is claimed."""
    return {name: claimed(name, own) for name, own in found.items()}


def _draw_curves(path: Path, curve: Mapping[str, Any]) -> None:
    """Draw the distance to the reference over the amount, as a share of that at amount 1."""
    figure = new_figure(4.6, 3.6)
    axes = figure.add_subplot()
    axes.set_title("Log-mel distance to the reference", fontsize=10)
    for name, found in curve["distance_db"].items():
        if claimed(name, found[-1]):
            values = np.array([estimate["value"] for estimate in found])
            style = {"color": "black", "linewidth": 2.0} if name == "all" else {"linewidth": 1.0}
            axes.plot(curve["amounts"], values / max(values[-1], 1e-9), label=name.replace("_", " "), **style)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
    axes.set_xlabel("amount", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    save_figure(path, figure)


def draw_strokes(path: Path, trials: TrialSet, made: Tensor) -> None:
    """Draw a reference, real strokes and variations of a snare, a hat and a tom, or of what the split has."""
    full = [
        (row, trial)
        for row, (i, k) in enumerate(trials.rows)
        if k == 0 and len((trial := trials.trials[i]).others) >= _STROKES
    ] or [(row, trials.trials[i]) for row, (i, k) in enumerate(trials.rows) if k == 0]
    by_class = {trial.drum_class: (row, trial) for row, trial in full}
    shown = [next((by_class[name] for name in names if name in by_class), None) for names in _SHOWN]
    chosen = [found for found in shown if found] or [full[-1]]
    draw_hits(path, [_stroke_row(trials, made, row, trial) for row, trial in chosen], RATE)


def _stroke_row(trials: TrialSet, made: Tensor, row: int, trial: Trial) -> tuple[str, Hits]:
    count = min(_STROKES, len(trial.others))
    audio = trials.hits.audio.numpy()
    return trial.drum_class.replace("_", " "), [
        ("reference", audio[trial.reference]),
        *((f"real {k + 1}", audio[trial.others[k]]) for k in range(count)),
        *((f"ghostnote {k + 1}", made[row + k].numpy()) for k in range(count)),
    ]


def draw_sounds(path: Path, sounds: Mapping[str, Tensor], columns: int = 5) -> None:
    """Draw some new sounds of each class."""
    rows = [
        (name.replace("_", " "), [(f"new {i + 1}", hit.numpy()) for i, hit in enumerate(hits[:columns])])
        for name, hits in sounds.items()
    ]
    draw_hits(path, rows, RATE)


def _draw_bars(path: Path, title: str, bars: Bars, ideal: float | None) -> None:
    labels = list(next(iter(bars.values())))
    figure = new_figure(2.5 + 0.32 * len(labels) * len(bars), 3.6)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10)
    for place, (name, estimates) in enumerate(bars.items()):
        _draw_series(axes, name, [estimates.get(label) for label in labels], place, len(bars))
    if ideal is not None:
        axes.axhline(ideal, color="black", linewidth=0.8, linestyle="--")
    names = [label.replace("_percent", "").replace("_db", "").replace("_", " ") for label in labels]
    axes.set_xticks(range(len(labels)), names, rotation=30, ha="right", fontsize=8)
    axes.tick_params(axis="y", labelsize=8)
    if ideal != 0:
        axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    save_figure(path, figure)


def _draw_series(
    axes: "Axes", name: str, estimates: Sequence[Mapping[str, Any] | None], place: int, series: int
) -> None:
    width = 0.8 / series
    finite = [(i, f) for i, f in enumerate(estimates) if f is not None and np.isfinite(f["value"])]
    x = [i - 0.4 + (place + 0.5) * width for i, _ in finite]
    values = np.array([f["value"] for _, f in finite])
    reach = np.array([[f["value"] - f["low"], f["high"] - f["value"]] for _, f in finite]).reshape(-1, 2).T
    colour, whiskers = _COLOURS.get(name, "#8a5a83"), {"linewidth": 0.7, "ecolor": "#333333"}
    axes.bar(x, values, width, yerr=reach.clip(0), label=name, color=colour, error_kw=whiskers)
