"""The sections of a report about spectral lines: of strokes, over the amount, and of new drums."""

from collections.abc import Mapping
from typing import Any, Final

from ghostnote.models.data.trial_set import LEAST_DRUMS
from ghostnote.models.evaluate.markdown import claimed, class_table, estimate, number, section, table
from ghostnote.models.evaluate.new_lines import FIELDS
from ghostnote.models.evaluate.stroke_lines import AUDIBLE_DB, BANDS, REFERENCE, RIPPLE, SPURIOUS, SPURIOUS_SHARES
from ghostnote.models.evaluate.variation import MODEL, REAL

_WORST: Final = 12
_FIELD_TITLES: Final = {
    "partials": "partials",
    "persistence": "lasting",
    "pitch_deviation": "pitch deviation cents",
    "length": "ends s",
    "end_level": "there dB",
    "decay": "decay dB/s",
    "t60": "T60 s",
    "gated": "gated",
    "diversity": "drum to drum dB",
}


def render_lines(report: Mapping[str, Any]) -> list[str]:
    """Return the section on strokes beside the drummer's own."""
    found = report["lines"]
    return section(
        "Lines of strokes beside real ones",
        "Line prominence is the 99th percentile of a band's lines over their median, in dB; the difference is that "
        f"of ghostnote's strokes from the drummer's. A class of fewer than {LEAST_DRUMS} drums has dashes: nothing is "
        "claimed of it.",
        _prominence(found, REAL),
        "Ripple is how much the level of the reference's strongest partial deviates from its smooth decay, in dB RMS. "
        "Spurious is the strongest line that the reference lacks, in dB under the reference's strongest; shares are of "
        f"strokes with one over {AUDIBLE_DB:.0f} dB, in the body and in the first 0.1 s, as means over drums.",
        _ripple_and_spurious(found, REAL),
    )


def render_drums(report: Mapping[str, Any]) -> list[str]:
    """Return the section on strokes of every drum beside the drum itself."""
    found = report["drums"]
    spurious = [(hit[MODEL][SPURIOUS], hit) for hit in found["hits"] if hit[MODEL][SPURIOUS] is not None]
    worst = sorted(spurious, key=lambda pair: -pair[0])[:_WORST]
    rows = [
        (hit["file"], hit["class"], number(level, 1), number(hit[MODEL]["spurious_hz"], 0), _ripple(hit))
        for level, hit in worst
    ]
    return section(
        "Lines of strokes of every drum beside its own",
        "One stroke of each hit, drums without repeated strokes too; the difference is from the reference.",
        _prominence(found, REFERENCE),
        _ripple_and_spurious(found, REFERENCE),
        "The strongest spurious lines:",
        table(("", "class", "dB", "Hz", "ripple dB (reference)"), rows),
    )


def render_amount(report: Mapping[str, Any]) -> list[str]:
    """Return the section on how strokes leave their reference as the amount rises."""
    found = report["amount_curve"]
    distances = found["distance_db"]
    columns: dict[str, dict[str, Any]] = {f"{amount:g}": {} for amount in found["amounts"]}
    for name, curve in distances.items():
        for amount, value in zip(columns.values(), curve, strict=True):
            amount[name] = value
    columns = {"departure": found["departure"], "correlation at 0.01": found["correlation"], **columns}
    return section(
        "Log-mel dB to the reference by amount",
        "Departure is how far the curve lies at most from the straight line to its value at 1, as a share of that.",
        class_table(columns, ("departure",), digits=3),
    )


def render_tonality(report: Mapping[str, Any]) -> list[str]:
    """Return the section on the pitch of new kicks and toms."""
    rows = [
        (f"{name}, {kind}", *(estimate(tone[field], 1) for field in ("partial_hz", "prominence_db", "glide_cents")))
        for name, kinds in report["new"]["tonality"].items()
        for kind, tone in kinds.items()
    ]
    return section("Pitch of new kicks and toms", table(("", "Hz", "prominence dB", "glide cents"), rows))


def render_new(report: Mapping[str, Any]) -> list[str]:
    """Return the section on the partials, ends and diversity of new drums."""
    fields = (*FIELDS, "diversity")
    rows = [
        (
            f"{name}, {kind} ({max(found['groups'] for found in values.values())})",
            *(estimate(claimed(name, values[field]), 1, interval=field in BANDS) for field in fields),
        )
        for name, kinds in report["new"]["lines"].items()
        for kind, values in kinds.items()
    ]
    return section(
        "Partials, ends and diversity of new drums beside the corpus",
        "Line prominence by band in dB; how many partials last through both halves of the body, and which share of the "
        "first half's they are; how far the strongest deviates from a smooth pitch, in cents RMS; when a drum ends and "
        "at which level, how fast it decays there, when it has decayed by 60 dB, and which share is cut off before; "
        "and how far drums of a class are from each other. The corpus is cut at 0.74 s.",
        table(("class (drums)", *(_FIELD_TITLES.get(field, field) for field in fields)), rows),
    )


def _prominence(found: Mapping[str, Any], base: str) -> list[str]:
    columns = {f"{band} {kind}": found[band][kind] for band in BANDS for kind in (base, MODEL, "difference")}
    return class_table(columns, [f"{band} difference" for band in BANDS], digits=1)


def _ripple_and_spurious(found: Mapping[str, Any], base: str) -> list[str]:
    spurious = [kind for kind in (REAL, MODEL) if kind in found[SPURIOUS]]
    columns = {f"spurious {kind}": found[SPURIOUS][kind] for kind in spurious}
    for name, share in zip(("share", "attack share"), SPURIOUS_SHARES.values(), strict=True):
        columns |= {f"{name} {kind}": found[share][kind] for kind in spurious}
    columns |= {f"ripple {kind}": found[RIPPLE][kind] for kind in (base, MODEL, "difference")}
    return class_table(columns, (f"share {MODEL}", "ripple difference"))


def _ripple(hit: Mapping[str, Any]) -> str:
    return f"{number(hit[MODEL][RIPPLE])} ({number(hit[REFERENCE][RIPPLE])})"
