"""A tiny untrained model and settings, for tests."""

from dataclasses import asdict

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.partial_response import DRUM_FEATURES, KNOTS_HZ, PartialStatistics
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
FACTS = {"partials": asdict(PARTIALS)}
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
