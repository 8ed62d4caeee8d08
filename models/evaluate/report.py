"""A report as tables that can be read: plain text in Markdown, the same for the screen and the file."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ghostnote.models.data.trial_set import LEAST_DRUMS
from ghostnote.models.evaluate.diversity import BIASES, DIFFERENCES, RATIOS
from ghostnote.models.evaluate.markdown import class_table, estimate, number, section, table
from ghostnote.models.evaluate.report_lines import (
    render_amount,
    render_drums,
    render_lines,
    render_new,
    render_tonality,
)
from ghostnote.models.evaluate.report_velocity import render_known, render_layers, render_velocity
from ghostnote.models.evaluate.targets import targets
from ghostnote.models.evaluate.variation import KINDS, MODEL, REAL

_TITLES: Final = {
    "lmd": "log-mel dB",
    "lmd_low": "< 300 Hz",
    "lmd_mid": "between",
    "lmd_high": "> 3 kHz",
    "lmd_attack": "first 46 ms",
    "lmd_later": "later",
    "correlation": "correlation (difference)",
    "centroid_percent": "centroid %",
    "t20_percent": "T20 %",
    "attack_db": "first 5 ms dB",
    "level_db": "level dB",
    "onset_ms": "onset ms (difference)",
    "low_db": "< 300 Hz dB",
    "mid_db": "between dB",
    "high_db": "> 3 kHz dB",
}


def render(report: Mapping[str, Any]) -> str:
    """Return the whole report as Markdown."""
    lines = [*_head(report), *_targets(report)]
    for key, write in _SECTIONS:
        if report.get(key):
            lines += write(report)
    return "\n".join(lines) + "\n"


def _head(report: Mapping[str, Any]) -> list[str]:
    about = report["about"]
    return [
        f"# {about['model']} on the {about['split']} split",
        "",
        f"{about['hits']} hits, {about['groups']} drums with repeated strokes, {about['trials']} references, "
        f"{about['pairs']} pairs of each kind; {about['steps']} network steps a stroke; seed {about['seed']}; "
        f"{about['seconds']:.0f} s. Values are medians over drums, with the 95 % interval of a bootstrap over "
        "drums in brackets.",
        "",
        *_joined(about),
        *(f"- {warning}" for warning in report["warnings"]),
        "",
    ]


def _joined(about: Mapping[str, Any]) -> list[str]:
    text = "Too few drums of these classes are in the split; they are judged on valid and test: "
    return [text + ", ".join(about["joined_classes"]) + ".", ""] if about["joined_classes"] else []


def _targets(report: Mapping[str, Any]) -> list[str]:
    results = targets(report)
    values = [number(result.value, 4 if result.low > 0.99 else 2) for result in results]
    met = ["met" if result.met else "missed" for result in results]
    rows = [(r.name, value, r.bounds, said) for r, value, said in zip(results, values, met, strict=True)]
    return section("Targets", table(("", "value", "target", ""), rows))


def _diversity(report: Mapping[str, Any]) -> list[str]:
    found = report["diversity"]
    kinds = [kind for kind in found if kind != REAL]
    rows = [
        (
            _TITLES[name],
            number(found[REAL]["values"][name]["all"]["value"]),
            *(estimate(found[kind]["beside_real"][name]["all"]) for kind in kinds),
        )
        for name in (*RATIOS, *DIFFERENCES)
    ]
    return section(
        "Diversity ratio",
        "How far strokes are from their reference, over how far the drummer's own next strokes are: "
        "1 varies as much as the drummer.",
        table(("", REAL, *kinds), rows),
        "\n".join(f"- {kind}: {KINDS[kind]}" for kind in kinds),
        f"SDEdit begins at t = {report['sdedit_start']:g}.",
    )


def _classes(report: Mapping[str, Any]) -> list[str]:
    made = report["diversity"][MODEL]["beside_real"]
    columns = {
        "log-mel": made["lmd"],
        "real dB": report["diversity"][REAL]["values"]["lmd"],
        "< 300 Hz": made["lmd_low"],
        "> 3 kHz": made["lmd_high"],
        "correlation": made["correlation"],
        "centroid": made["centroid_percent"],
        "T20": made["t20_percent"],
        "level": made["level_db"],
        "C2ST accuracy": report.get("c2st", {}).get(MODEL, {}).get("all", {}).get("c2st_accuracy", {}),
    }
    return section("Diversity ratio of ghostnote by class", class_table(columns, ("log-mel", "correlation")))


def _bias(report: Mapping[str, Any]) -> list[str]:
    bias = report["bias"]
    rows = [(_TITLES[name], *(estimate(bias[kind][name]["all"]) for kind in bias)) for name in BIASES]
    by_class = {_TITLES[name]: bias[MODEL][name] for name in BIASES}
    return section(
        "Bias",
        "How strokes differ from their reference on the whole; 0 is none.",
        table(("", *bias), rows),
        "ghostnote by class:",
        class_table(by_class),
    )


def _c2st(report: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            kind if part == "all" else f"{kind}, by {part} alone",
            estimate(found["c2st_accuracy"]["all"]),
            found["classifier"],
        )
        for kind, parts in report["c2st"].items()
        for part, found in parts.items()
    ]
    return section(
        "C2ST accuracy",
        "How often a classifier, trained on other drums, tells strokes from real ones (classifier two-sample "
        "test, Lopez-Paz & Oquab 2017): 0.5 is chance. The better of two classifiers counts.",
        table(("", "C2ST accuracy", "classifier"), rows),
    )


def _retrieval(report: Mapping[str, Any]) -> list[str]:
    rows = [(kind, estimate(found["all"])) for kind, found in report["retrieval_accuracy"].items()]
    return section(
        "Retrieval accuracy",
        "The share of strokes whose nearest hit, among all of the split, is of their own drum.",
        table(("", "retrieval accuracy"), rows),
    )


def _between(report: Mapping[str, Any]) -> list[str]:
    rows = [
        (kind, *(estimate(found[name]["all"]) for name in ("lmd", "correlation")))
        for kind, found in report["between_strokes"].items()
    ]
    return section("Between two strokes of the same reference", table(("", "log-mel dB", "correlation"), rows))


def _calibration(report: Mapping[str, Any]) -> list[str]:
    found = report["calibration"]
    rows = [
        (name, *map(number, curve), number(found["factor"][name]))
        for name, curve in found["ratio"].items()
        if found["groups"][name] >= LEAST_DRUMS
    ]
    overall = ("correlation (difference)", *map(number, found["correlation_difference"]), "")
    amounts = ", ".join(f"{amount:g}" for amount in found["amounts"])
    head = ("class", *(f"{amount:g}" for amount in found["tried"]), "amount for 1")
    return section(
        "Diversity ratio by amount",
        table(head, [*rows, overall]),
        f"Amounts for the card, in the order of its classes and then for all: {amounts}",
    )


def _new(report: Mapping[str, Any]) -> list[str]:
    found = report["new"]
    kinds = ("train", "model", "peer")
    rows = [
        (name, str(part["hits"]), *(_distribution(part.get(kind)) for kind in kinds))
        for name, part in found["distributions"].items()
    ]
    classes = ", ".join(f"{name} {number(share)}" for name, share in found["class_accuracy"].items())
    return section(
        "New sounds: Fréchet distance to the split (precision, recall)",
        f"{found['sounds']} sounds; the embedding recognizes the class of "
        f"{100 * found['embedding_accuracy']['split']:.0f} % of the split's hits.",
        table(("", "hits", "other real hits", "ghostnote", "peer"), rows),
        f"Share of new sounds whose class it recognizes: {classes}.",
        "Nearest hit of the train split:",
        _nearest(found["nearest_training_hit"]),
    )


def _distribution(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "–"
    return f"{number(found['frechet'])} ({number(found['precision'])}, {number(found['recall'])})"


def _nearest(nearest: Mapping[str, Any]) -> list[str]:
    head = ("", "hits", "dB, nearest 5 %", "median", "farthest 5 %", "correlation", "highest", "over 0.95")
    rows = [
        (
            name,
            str(found["hits"]),
            *map(number, found["distance_db"].values()),
            *(number(found["correlation"][key]) for key in ("median", "max")),
            str(found["copies"]),
        )
        for name, found in nearest.items()
    ]
    return table(head, rows)


_SECTIONS: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], list[str]]], ...]] = (
    ("diversity", _diversity),
    ("diversity", _classes),
    ("lines", render_lines),
    ("drums", render_drums),
    ("amount_curve", render_amount),
    ("bias", _bias),
    ("c2st", _c2st),
    ("retrieval_accuracy", _retrieval),
    ("between_strokes", _between),
    ("velocity", render_velocity),
    ("layers", render_layers),
    ("known_strokes", render_known),
    ("calibration", _calibration),
    ("new", _new),
    ("new", render_tonality),
    ("new", render_new),
)
"""What writes a section, and the report's key that it needs."""
