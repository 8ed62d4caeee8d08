"""A tiny untrained model and settings, for tests."""

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.nets.cascade import CascadeSettings
from ghostnote.models.nets.unet import UNetSettings
from ghostnote.models.train.trainer import TrainSettings

_WHOLE = CascadeSettings()
TINY = CascadeSettings(
    sound=UNetSettings(_WHOLE.sound.bands, _WHOLE.sound.conditioning, (16, 64), len(CLASS_NAMES), 1, 1, 32),
    shape=UNetSettings(_WHOLE.shape.bands, 0, (16, 64), len(CLASS_NAMES), 1, 1, 32),
)


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
