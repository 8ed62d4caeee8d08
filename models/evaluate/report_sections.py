"""The sections of a report on velocity, calibration and new sounds."""

from collections.abc import Mapping
from typing import Any

from ghostnote.models.evaluate.markdown import cell, figure, number, table


def velocity(report: Mapping[str, Any]) -> list[str]:
    """Return what is said of soft and hard strokes."""
    found = report.get("velocity", {})
    if not found.get("asks"):
        return []
    distances = found["distance_db"]
    rows = [
        (name, *(cell(distances[k], name) for k in ("real", "model", "scaled")), figure(ratio))
        for name, ratio in found["ratio_to_scaled"].items()
    ]
    slopes = [
        (f"{what}, {name}", *(cell(kinds[k], name, 1) for k in ("real", "model", "difference")))
        for what, kinds in found["slopes"].items()
        for name in kinds["real"]
    ]
    return [
        "## Velocity: log-mel dB to the true velocity, level-free",
        "",
        *table(("class", "real to real", "ghostnote", "scaled", "ghostnote over scaled"), rows),
        "Slopes over level, in % for 10 dB:",
        "",
        *table(("", "real", "ghostnote", "difference"), slopes),
    ]


def calibration(report: Mapping[str, Any]) -> list[str]:
    """Return the spread at each amount, and the amounts for the card."""
    found = report.get("calibration")
    if not found:
        return []
    tried = [f"{amount:g}" for amount in found["tried"]]
    rows = [
        (name, *(number(v) for v in curve), number(found["factor"][name]))
        for name, curve in found["ratio"].items()
    ]
    overall = ("correlation, difference", *(number(v) for v in found["correlation_difference"]), "")
    amounts = ", ".join(f"{a:g}" for a in found["amounts"])
    return [
        "## Spread ratio by amount",
        "",
        *table(("class", *tried, "amount for 1"), [*rows, overall]),
        f"Amounts for the card, in the order of its classes and then for all: {amounts}",
        "",
    ]


def new(report: Mapping[str, Any]) -> list[str]:
    """Return what is said of new sounds."""
    found = report.get("new")
    if not found:
        return []
    rows = [
        (
            name,
            str(section["hits"]),
            *(
                f"{number(section[kind]['frechet'])} ({number(section[kind]['precision'])}, "
                f"{number(section[kind]['recall'])})"
                if kind in section
                else "–"
                for kind in ("train", "model", "peer")
            ),
        )
        for name, section in found["distributions"].items()
    ]
    nearest = [
        (
            name,
            str(v["hits"]),
            *(number(v["distance_db"][q]) for q in ("p5", "median", "p95")),
            number(v["correlation"]["median"]),
            number(v["correlation"]["max"]),
            str(v["copies"]),
        )
        for name, v in found["nearest_training_hit"].items()
    ]
    head = ("", "hits", "dB, nearest 5 %", "median", "farthest 5 %", "correlation", "highest", "over 0.95")
    told = ", ".join(f"{name} {number(share)}" for name, share in found["told_class"].items())
    return [
        "## New sounds: Fréchet distance to the split (precision, recall)",
        "",
        f"{found['sounds']} sounds; the embedding tells the class of "
        f"{100 * found['embedding_accuracy']['split']:.0f} % of the split's hits.",
        "",
        *table(("", "hits", "other real hits", "ghostnote", "peer"), rows),
        f"New sounds whose class is told: {told}.",
        "",
        "Nearest hit of the train split:",
        "",
        *table(head, nearest),
    ]


def tonality(report: Mapping[str, Any]) -> list[str]:
    """Return the pitch of new kicks and toms."""
    found = report.get("new", {}).get("tonality", {})
    rows = [
        (f"{name}, {kind}", *(figure(v[key], 1) for key in ("partial_hz", "prominence_db", "glide_cents")))
        for name, kinds in found.items()
        for kind, v in kinds.items()
    ]
    return (
        ["## Pitch of new kicks and toms", "", *table(("", "Hz", "prominence dB", "glide cents"), rows)]
        if rows
        else []
    )
