"""The sections of a report about velocity, and drums of which several strokes were recorded."""

from collections.abc import Mapping
from typing import Any, Final

from ghostnote.models.data.left_out import LEAST_GAP_DB
from ghostnote.models.evaluate.layers import MANY, ONE
from ghostnote.models.evaluate.markdown import class_table, estimate, section, table

_PLACES: Final = {
    "between": "Between layers: softer and harder ones are known.",
    "beyond": "Beyond all layers: only softer or only harder ones are known.",
}


def render_velocity(report: Mapping[str, Any]) -> list[str]:
    """Return the section on strokes of another velocity than their reference."""
    found = report["velocity"]
    if not found["changes"]:
        return []
    distances = {kind: found["distance_db"][kind] for kind in ("model", "scaled", "real")}
    slopes = {
        f"{name}, {kind}": by_class for name, kinds in found["slopes"].items() for kind, by_class in kinds.items()
    }
    return section(
        "Velocity",
        "Level-free log-mel dB to real strokes of the velocity, beside the reference scaled in level:",
        class_table({**distances, "ratio": found["ratio_to_scaled"]}, ("ratio",)),
        "Slopes over level, in % for 10 dB:",
        class_table(slopes, digits=1),
    )


def render_layers(report: Mapping[str, Any]) -> list[str]:
    """Return the section on velocity layers that were left out."""
    found = report["layers"]
    lines = section(
        "Left-out velocity layers",
        f"{found['layers']} layers, each left out with those nearer than {LEAST_GAP_DB:g} dB. Level-free log-mel dB to "
        "the layer's real strokes: of real strokes of the layer (floor), of the nearest known layer's (scaled), and of "
        "strokes made from all known ones. Remaining is what is left of the scaled one's excess over the floor, of "
        "drums that have any. Slopes are those of made over real changes; 1 is as real. Beside them are those of the "
        "descriptors themselves, interpolated between the known layers.",
    )
    for place, text in _PLACES.items():
        own = found.get(place, {"layers": 0})
        if own["layers"]:
            slopes = {f"slope of {name}": slope for name, slope in own["slopes"].items()}
            slopes |= {f"{name}, interpolated": slope for name, slope in own["interpolated_slopes"].items()}
            head = ("layers", "remaining", *slopes)
            row = [estimate(own["remaining"]["all"]), *map(estimate, slopes.values())]
            lines += [
                text,
                "",
                *table(head, [(str(own["layers"]), *row)]),
                *class_table({**own["distance_db"], "remaining": own["remaining"]}, ("remaining",)),
            ]
    return lines


def render_known(report: Mapping[str, Any]) -> list[str]:
    """Return the section on how many strokes are known."""
    found = report["known_strokes"]
    accuracy = {kind: found[kind]["all"]["c2st_accuracy"] for kind in (ONE, MANY)}
    return section(
        "C2ST accuracy by the strokes that are known",
        "Strokes made from the reference alone, and from a pad of all strokes but the real one that they are compared "
        "with; 0.5 is indistinguishable.",
        class_table(accuracy, accuracy.keys()),
    )
