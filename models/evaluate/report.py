"""A report as tables that can be read: plain text in Markdown, the same for the screen and the file."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ghostnote.models.evaluate.markdown import cell, figure, number, table
from ghostnote.models.evaluate.report_sections import calibration, new, tonality, velocity
from ghostnote.models.evaluate.targets import targets
from ghostnote.models.evaluate.variation import KINDS, MODEL

_SPREADS: Final = {
    "lmd": "log-mel dB",
    "lmd_low": "< 300 Hz",
    "lmd_mid": "between",
    "lmd_high": "> 3 kHz",
    "lmd_attack": "first 46 ms",
    "lmd_later": "later",
    "correlation": "correlation",
    "centroid_percent": "centroid %",
    "t20_percent": "T20 %",
    "level_db": "level dB",
    "onset_ms": "onset ms",
}
_BIASES: Final = {
    "centroid_percent": "centroid %",
    "t20_percent": "T20 %",
    "level_db": "level dB",
    "low_db": "< 300 Hz dB",
    "mid_db": "between dB",
    "high_db": "> 3 kHz dB",
}
_PLAIN: Final = {"correlation", "onset_ms"}


def render(report: Mapping[str, Any]) -> str:
    """Return the whole report as Markdown."""
    sections: tuple[Callable[[Mapping[str, Any]], Iterable[str]], ...] = (
        _head,
        _targets,
        _spread,
        _classes,
        _bias,
        _judge,
        _identity,
        velocity,
        calibration,
        new,
        tonality,
    )
    return "\n".join(line for section in sections for line in section(report)) + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    about = report["about"]
    return [
        f"# {about['model']} on the {about['split']} split",
        "",
        f"{about['hits']} hits, {about['groups']} drums with repeated strokes, {about['trials']} references, "
        f"{about['pairs']} pairs of each kind; {about['steps']} network steps a stroke; seed {about['seed']}; "
        f"{about['seconds']:.0f} s. Figures are medians over drums, in brackets the 95 % interval of a bootstrap "
        "over drums.",
        "",
        *(f"- {warning}" for warning in report["warnings"]),
        "",
    ]


def _targets(report: Mapping[str, Any]) -> list[str]:
    rows = [
        (o.name, number(o.value), _bounds(o.low, o.high), "met" if o.met else "missed")
        for o in targets(report)
    ]
    return ["## Aims", "", *table(("", "found", "aim", ""), rows)]


def _bounds(low: float, high: float) -> str:
    if not math.isfinite(low) or low == 0:
        return f"at most {high:g}"
    return f"{low:g} to {high:g}"


def _spread(report: Mapping[str, Any]) -> list[str]:
    spread = report.get("spread")
    if not spread:
        return []
    real = spread["real"]["values"]
    kinds = [kind for kind in KINDS if kind != "real" and kind in spread]
    rows = [
        (
            title,
            number(real[name]["all"]["value"]),
            *(
                figure(spread[kind]["beside_real"][name]["all"]) + (" (difference)" if name in _PLAIN else "")
                for kind in kinds
            ),
        )
        for name, title in _SPREADS.items()
    ]
    notes = [f"- {kind}: {KINDS[kind]}" for kind in kinds]
    return [
        "## Spread, beside real strokes",
        "",
        "1 is as far from the reference as the drummer's own next stroke.",
        "",
        *table(("", "real", *kinds), rows),
        *notes,
        f"- the edits begin at t = {report['edit_start']:g}",
        "",
    ]


def _classes(report: Mapping[str, Any]) -> list[str]:
    if "spread" not in report:
        return []
    real, made = report["spread"]["real"]["values"], report["spread"][MODEL]["beside_real"]
    accuracy = report.get("judge", {}).get(MODEL, {}).get("all", {}).get("accuracy", {})
    rows = [
        (
            name,
            str(made["lmd"][name]["groups"]),
            cell(real["lmd"], name),
            figure(made["lmd"][name]),
            cell(made["lmd_low"], name),
            cell(made["lmd_high"], name),
            figure(made["correlation"][name]),
            cell(made["centroid_percent"], name),
            cell(made["t20_percent"], name),
            cell(made["level_db"], name),
            cell(accuracy, name),
        )
        for name in made["lmd"]
    ]
    head = (
        "class",
        "drums",
        "real dB",
        "log-mel",
        "< 300 Hz",
        "> 3 kHz",
        "correlation",
        "centroid",
        "T20",
        "level",
        "told",
    )
    return ["## ghostnote by class, beside real strokes", "", *table(head, rows)]


def _bias(report: Mapping[str, Any]) -> list[str]:
    bias = report.get("bias")
    if not bias:
        return []
    rows = [(title, *(figure(bias[kind][name]["all"]) for kind in bias)) for name, title in _BIASES.items()]
    classes = [
        (
            name,
            *(cell(bias[MODEL][key], name) for key in _BIASES),
        )
        for name in bias[MODEL]["centroid_percent"]
    ]
    return [
        "## Bias",
        "",
        *table(("", *bias), rows),
        *table(("ghostnote by class", *_BIASES.values()), classes),
    ]


def _judge(report: Mapping[str, Any]) -> list[str]:
    found = report.get("judge")
    if not found:
        return []
    rows = [
        (kind if part == "all" else f"{kind}, by {part} alone", figure(v["accuracy"]["all"]), v["judge"])
        for kind, parts in found.items()
        for part, v in parts.items()
    ]
    return [
        "## Told from real strokes",
        "",
        "0.5 is chance; the better of two judges, asked about drums that it never heard.",
        "",
        *table(("", "right", "judge"), rows),
    ]


def _identity(report: Mapping[str, Any]) -> list[str]:
    if "identity" not in report:
        return []
    rows = [(kind, figure(found["all"])) for kind, found in report["identity"].items()]
    among = report["among"]
    more = [(kind, figure(v["lmd"]["all"]), figure(v["correlation"]["all"])) for kind, v in among.items()]
    return [
        "## Nearest to its own drum, among all hits of the split",
        "",
        *table(("", "share"), rows),
        "## One stroke after the other, both after the same reference",
        "",
        *table(("", "log-mel dB", "correlation"), more),
    ]
