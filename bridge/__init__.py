"""Drum strokes from a diffusion model, without torch; `docs/python.md` is a tour of this API.

Names are imported when they are first used, so that importing this package costs nothing.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ghostnote.bridge.api import Model, humanize_folder, render_midi
    from ghostnote.bridge.batch.humanize import BatchReport
    from ghostnote.bridge.batch.settings import BatchSettings
    from ghostnote.bridge.drums import CLASS_NAMES
    from ghostnote.bridge.dsp.sliders import Sliders
    from ghostnote.bridge.errors import GhostnoteError, InputError, ModelError, OutputError
    from ghostnote.bridge.inference.variation import StrokeKey, Variation
    from ghostnote.bridge.io.audio_file import read_audio, write_audio
    from ghostnote.bridge.kit.kit import Kit, Pad, default_kit, load_kit
    from ghostnote.bridge.kit.overrides import with_settings
    from ghostnote.bridge.render.offline import RenderReport, RenderSettings
    from ghostnote.bridge.tools.explore import ExploreSettings, FoundDrum, explore
    from ghostnote.bridge.tools.extend import extend
    from ghostnote.bridge.tools.mask import parse_mask
    from ghostnote.bridge.tools.melody import Note, play_melody
    from ghostnote.bridge.tools.morph import morph, morph_steps, transition
    from ghostnote.bridge.tools.repair import Repaired, repair
    from ghostnote.bridge.tools.slice import Stroke, slice_loop
    from ghostnote.bridge.tools.transfer import TransferSettings, transfer
    from ghostnote.bridge.tools.tweak import describe, tweak
    from ghostnote.bridge.tools.upsample import Upsampled, upsample
    from ghostnote.bridge.tools.widen import Width, widen

# A library writes no log by itself: the command line's options do, or the program that uses it.
logging.getLogger("ghostnote").addHandler(logging.NullHandler())

_MODULES = {
    "api": ("Model", "humanize_folder", "render_midi"),
    "batch.humanize": ("BatchReport",),
    "batch.settings": ("BatchSettings",),
    "drums": ("CLASS_NAMES",),
    "dsp.sliders": ("Sliders",),
    "errors": ("GhostnoteError", "InputError", "ModelError", "OutputError"),
    "inference.variation": ("StrokeKey", "Variation"),
    "io.audio_file": ("read_audio", "write_audio"),
    "kit.kit": ("Kit", "Pad", "default_kit", "load_kit"),
    "kit.overrides": ("with_settings",),
    "render.offline": ("RenderReport", "RenderSettings"),
    "tools.explore": ("ExploreSettings", "FoundDrum", "explore"),
    "tools.extend": ("extend",),
    "tools.melody": ("Note", "play_melody"),
    "tools.mask": ("parse_mask",),
    "tools.morph": ("morph", "morph_steps", "transition"),
    "tools.repair": ("Repaired", "repair"),
    "tools.slice": ("Stroke", "slice_loop"),
    "tools.transfer": ("TransferSettings", "transfer"),
    "tools.tweak": ("describe", "tweak"),
    "tools.upsample": ("Upsampled", "upsample"),
    "tools.widen": ("Width", "widen"),
}
__all__ = (
    "CLASS_NAMES", "BatchReport", "BatchSettings", "ExploreSettings", "FoundDrum", "GhostnoteError", "InputError",
    "Kit", "Model", "ModelError", "Note", "OutputError", "Pad", "RenderReport", "RenderSettings", "Repaired",
    "Sliders", "Stroke", "StrokeKey", "TransferSettings", "Upsampled", "Variation", "Width", "default_kit",
    "describe", "explore", "extend", "humanize_folder", "load_kit", "morph", "morph_steps", "parse_mask",
    "play_melody", "read_audio", "render_midi", "repair", "slice_loop", "transfer", "transition", "tweak", "upsample",
    "widen", "with_settings", "write_audio",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
