"""A tiny untrained model and settings, for tests."""

from dataclasses import asdict

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.partial_response import DRUM_FEATURES, KNOTS_HZ, PartialStatistics
from ghostnote.bridge.dsp.shape import BANDS
from ghostnote.bridge.inference.drum_table import DrumTable
from ghostnote.models.nets.cascade import CascadeSettings
from ghostnote.models.nets.unet import UNetSettings
from ghostnote.models.train.trainer import TrainSettings

_WHOLE = CascadeSettings()
TINY = CascadeSettings(
    sound=UNetSettings(
        _WHOLE.sound.bands, _WHOLE.sound.conditioning, (16, 64), len(CLASS_NAMES), 1, 1, inpainting=True, embedding=32
    ),
    shape=UNetSettings(_WHOLE.shape.bands, 0, (16, 64), len(CLASS_NAMES), 1, 1, embedding=32),
)
_KNOTS, _ROWS = len(KNOTS_HZ), len(CLASS_NAMES) + 1
PARTIALS = PartialStatistics(
    gain_db=tuple(tuple(2.0 * (i == j) for j in range(_KNOTS)) for i in range(_KNOTS)),
    phase=(tuple(0.2 * i for i in range(_KNOTS)),) * _ROWS,
    own=tuple(0.1 * i for i in range(_KNOTS)),
    class_factors=((0.0, 0.0),) * _ROWS,
    feature_factors=((0.0, 0.0),) * DRUM_FEATURES,
    slopes=((0.0,) * _KNOTS,) * _ROWS,
)
"""Partials that vary the more, the higher they are."""
DRUMS = DrumTable(
    ("", "", "", "cowbell", "cowbell"),
    (0, 1, 9, 10, 10),
    (tuple([-9.5] * BANDS + [-1.0] * BANDS + [0.0] * BANDS),) * 2
    + (tuple([-9.5] * BANDS + [1.0] * BANDS + [30.0] * BANDS),)
    + (tuple([-9.5] * BANDS + [-1.5] * BANDS + [0.0] * BANDS),) * 2,
    (
        (55.0, -2.0, 0.5, *(0.0,) * 15),
        (190.0, -6.0, 0.2, 340.0, -9.0, 0.2, *(0.0,) * 12),
        (0.0,) * 18,
        (540.0, -2.0, 0.4, 800.0, -2.0, 0.3, *(0.0,) * 12),
        (560.0, -2.0, 0.4, 845.0, -2.0, 0.3, *(0.0,) * 12),
    ),
)
"""A kick, a snare, a ride, and two cowbells."""
FACTS = {"partials": asdict(PARTIALS), "drums": asdict(DRUMS)}
"""What a model's checkpoint must hold beside its weights."""


def small_settings(**changes):
    """Return settings for a run of seconds."""
    return TrainSettings(
        **{
            "batch": 8,
            "draws": 2,
            "warmup_steps": 1,
            "validate_every": 3,
            "validation_examples": 16,
            "preview_every": 1000,
            **changes,
        }
    )
