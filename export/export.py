"""From a trained run to the one file that ships."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model_card import BLANK_SEAL, CARD_KEY, FORMAT, SEAL_KEY, Card, seal
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.io.input_file import read_report
from ghostnote.export.calibration import calibrated
from ghostnote.export.graph import build
from ghostnote.export.parity import ParityError, compare, parity_table, tolerance
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, GROUPS, SEGMENTS
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES, RATE
from ghostnote.models.nets.cascade import SHAPE_ROWS, Cascade
from ghostnote.models.nets.checkpoint import drum_table, partial_statistics
from ghostnote.models.statistics.repeatability import LATENT_SIZE


@dataclass(frozen=True)
class ExportSettings:
    """How a model is stored, and its defaults."""

    name: str = "ghostnote"
    """What the model is called on its card."""
    half: bool = True
    """Store large weights as fp16."""
    default_steps: int = 2
    """Steps for the next stroke of a hit."""
    shape_steps: int = 32
    """Steps for the shape of a new hit."""
    amounts: tuple[float, ...] = (1.0,) * (len(CLASS_NAMES) + 1)
    """The graph's amount at which strokes are as diverse as real ones, for each class and for all."""


def read_amounts(report: Path) -> tuple[float, ...]:
    """Return the calibrated amounts of an evaluation's report; `InputError` where it has none."""
    try:
        amounts = read_report(report)["calibration"]["amounts"]
        found = tuple(float(amount) for amount in amounts)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{report} holds no calibration: give the report.json of 'ghostnote evaluate'") from error
    if len(found) != len(CLASS_NAMES) + 1:
        raise InputError(f"{report} has {len(found)} amounts, not one for each class and one for all: evaluate again")
    return found


def make_card(model: Cascade, facts: dict[str, Any], settings: ExportSettings) -> Card:
    """Return the card of `model`, with the `facts` of its training."""
    return Card(
        name=settings.name,
        format=FORMAT,
        rate=RATE,
        hit_frames=HIT_FRAMES,
        bands=BANDS,
        mdct_frames=MDCT_FRAMES,
        shape_size=(SHAPE_ROWS, ENVELOPE_FRAMES),
        coherence_size=(GROUPS, SEGMENTS),
        latent_size=LATENT_SIZE,
        classes=CLASS_NAMES,
        default_steps=settings.default_steps,
        shape_steps=settings.shape_steps,
        amounts=settings.amounts,
        level_spread_db=tuple(round(x, 3) for x in model.level_spread_db.tolist()),
        attack_spread_db=tuple(round(x, 3) for x in model.attack_spread_db.tolist()),
        partials=partial_statistics(facts),
        drums=drum_table(facts),
        training={**facts.get("training", {}), "steps": facts.get("step"), "seconds": facts.get("seconds")},
        credits=tuple(facts.get("credits", ())),
    )


def to_onnx(model: Cascade, card: Card, half: bool = True, eight_bit: bool = False) -> bytes:
    """Return `model` with its card as a sealed ONNX file; see `build` and `calibration`."""
    built = build(model, half, calibrated(model) if eight_bit else None)
    helper.set_model_props(built, {CARD_KEY: card.to_json(), SEAL_KEY: BLANK_SEAL})
    built.producer_name = "ghostnote"
    onnx.checker.check_model(built)
    return seal(built.SerializeToString(deterministic=True))


def with_card(data: bytes, card: Card) -> bytes:
    """Return a model file's bytes with another card, sealed anew."""
    model = onnx.load_model_from_string(data)
    helper.set_model_props(model, {CARD_KEY: card.to_json(), SEAL_KEY: BLANK_SEAL})
    return seal(model.SerializeToString(deterministic=True))


def export_model(model: Cascade, card: Card, path: Path, half: bool = True, eight_bit: bool = False) -> str:
    """Write `model` as `path` if ONNX Runtime computes what torch does, and return the comparison as text.

    Raises `ParityError` where it does not; then nothing is written.
    """
    data = to_onnx(model, card, half, eight_bit)
    cases = compare(model, data)
    worst, limit = max(case.error for case in cases), tolerance(half, eight_bit)
    if worst > limit:
        raise ParityError(
            f"the exported graph differs from torch by {worst:.1e}, more than {limit:.0e}: {path} was not written"
        )
    write_bytes(path, data)
    return parity_table(cases, half, eight_bit)
