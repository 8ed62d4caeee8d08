"""Effects: those of pedalboard under plain names, and VST3 plugins. Each processes one stream, block by block."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pedalboard
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from ghostnote.bridge.dsp.conversion import MAX_CHANNELS
from ghostnote.bridge.errors import KitError

GRID_FRAMES: Final = 512
"""Plugins get at most so many frames at once. Blocks cut at multiples of it give the same bytes."""
MOST_LATENCY_FRAMES: Final = 16_384
"""More than that nobody plays with."""

_PRIMED_FRAMES: Final = 8192
"""Of silence that a plugin gets first: knobs glide to their values, and the latency shows."""
_HOLD_SECONDS: Final = 0.25
_PLUGIN_HOLD_SECONDS: Final = 2.0
_LONGEST_IMPULSE_SECONDS: Final = 30.0
_LONG: Final = {"cutoff_hz": "cutoff_frequency_hz", "centre_hz": "centre_frequency_hz"}
_NYQUIST_SHARE: Final = 0.45

Audio = NDArray[np.float32]
Number = tuple[float, float, float]
"""Lowest and highest value of a parameter, and the one that it has by default."""
Value = float | bool | str


@dataclass(frozen=True)
class EffectKind:
    """One of pedalboard's effects."""

    plugin: str
    """Its class there."""
    numbers: Mapping[str, Number]
    about: str


_CUTOFF: Final = (20.0, 20_000.0, 440.0)
_GAIN: Final = (-24.0, 24.0, 0.0)
_SHELF: Final = {"cutoff_hz": _CUTOFF, "gain_db": _GAIN, "q": (0.1, 10.0, 0.707)}
_MIX: Final = (0.0, 1.0, 0.5)
_FEEDBACK: Final = (0.0, 0.95, 0.0)
_TIMES: Final = {"attack_ms": (0.1, 500.0, 1.0), "release_ms": (1.0, 5000.0, 100.0)}

EFFECTS: Final[Mapping[str, EffectKind]] = {
    "gain": EffectKind("Gain", {"gain_db": (-60.0, 24.0, 0.0)}, "level"),
    "highpass": EffectKind("HighpassFilter", {"cutoff_hz": (20.0, 20_000.0, 50.0)}, "6 dB an octave"),
    "lowpass": EffectKind("LowpassFilter", {"cutoff_hz": (20.0, 20_000.0, 8000.0)}, "6 dB an octave"),
    "low_shelf": EffectKind("LowShelfFilter", _SHELF, "raises or lowers what lies below"),
    "high_shelf": EffectKind("HighShelfFilter", _SHELF, "raises or lowers what lies above"),
    "peak": EffectKind("PeakFilter", _SHELF, "raises or lowers what lies around"),
    "ladder": EffectKind(
        "LadderFilter",
        {"cutoff_hz": (20.0, 20_000.0, 2000.0), "resonance": (0.0, 1.0, 0.0), "drive": (1.0, 10.0, 1.0)},
        "a resonant low-pass, 12 dB an octave",
    ),
    "compressor": EffectKind(
        "Compressor", {"threshold_db": (-80.0, 0.0, 0.0), "ratio": (1.0, 100.0, 1.0), **_TIMES}, "softens what is loud"
    ),
    "gate": EffectKind(
        "NoiseGate", {"threshold_db": (-100.0, 0.0, -100.0), "ratio": (1.0, 100.0, 10.0), **_TIMES}, "cuts what is soft"
    ),
    "limiter": EffectKind(
        "Limiter",
        {"threshold_db": (-60.0, 0.0, -10.0), "release_ms": (1.0, 5000.0, 100.0)},
        "two compressors and a clipper; brings the threshold up to full scale",
    ),
    "saturation": EffectKind("Distortion", {"drive_db": (0.0, 24.0, 6.0)}, "a soft curve"),
    "distortion": EffectKind("Distortion", {"drive_db": (0.0, 60.0, 25.0)}, "the same curve, driven hard"),
    "clipping": EffectKind("Clipping", {"threshold_db": (-60.0, 0.0, -6.0)}, "cuts the peaks off"),
    "bitcrush": EffectKind("Bitcrush", {"bit_depth": (1.0, 32.0, 8.0)}, "fewer bits"),
    "chorus": EffectKind(
        "Chorus",
        {
            "rate_hz": (0.01, 20.0, 1.0),
            "depth": (0.0, 1.0, 0.25),
            "centre_delay_ms": (1.0, 100.0, 7.0),
            "feedback": _FEEDBACK,
            "mix": _MIX,
        },
        "a second, wavering voice",
    ),
    "phaser": EffectKind(
        "Phaser",
        {
            "rate_hz": (0.01, 20.0, 1.0),
            "depth": (0.0, 1.0, 0.5),
            "centre_hz": (50.0, 15_000.0, 1300.0),
            "feedback": _FEEDBACK,
            "mix": _MIX,
        },
        "notches that move",
    ),
    "delay": EffectKind("Delay", {"delay_seconds": (0.001, 5.0, 0.5), "feedback": _FEEDBACK, "mix": _MIX}, "echoes"),
    "reverb": EffectKind(
        "Reverb",
        {
            "room_size": (0.0, 1.0, 0.5),
            "damping": (0.0, 1.0, 0.5),
            "wet_level": (0.0, 1.0, 0.33),
            "dry_level": (0.0, 1.0, 0.4),
            "width": (0.0, 1.0, 1.0),
        },
        "a room; the dry sound has its own level at 0.5",
    ),
    "convolution": EffectKind("Convolution", {"mix": (0.0, 1.0, 1.0)}, "a recorded room: `impulse_response`, a file"),
}
"""All effects but plugins, by the name that a kit gives as their `type`."""
CONVOLUTION: Final = "convolution"
PLUGIN: Final = "plugin"


@dataclass(frozen=True)
class Effect:
    """One effect, as a kit has it."""

    kind: str
    """A name of `EFFECTS`, or `PLUGIN`."""
    values: tuple[tuple[str, Value], ...] = ()
    """The parameters that do not have their default."""
    file: Path | None = None
    """The impulse response, or the VST3."""
    bypass: bool = False

    @property
    def name(self) -> str:
        """What it is called in tables and messages."""
        return self.file.name if self.kind == PLUGIN and self.file else self.kind

    @property
    def parameters(self) -> dict[str, Value]:
        """Its parameters with their values; of a plugin those that the kit sets."""
        return _defaults(self.kind) | dict(self.values)


def installed_plugins() -> list[Path]:
    """Return the VST3s that lie where plugins are installed."""
    plugin: Any = pedalboard.VST3Plugin
    return [Path(path) for path in plugin.installed_plugins]


class Slot:
    """An effect at work on one stream (2, frames); made outside the audio thread. `KitError` where it cannot be."""

    def __init__(self, effect: Effect, rate: int) -> None:
        """Load it, set its values, and feed it silence."""
        self._rate = rate
        self.hold_frames = 0
        """For how long it may be silent before sound comes again, so far as that is known."""
        self.latency_frames = 0
        try:
            self._plugin = self._load(effect)
            self._parameters: Mapping[str, Any] | None = None
            if effect.kind == PLUGIN:
                self._parameters = dict(self._plugin.parameters)
            for name, value in effect.parameters.items():
                self.assignment(name, value)()
            self._prime()
        except KitError:
            raise
        except Exception as error:  # whatever a plugin raises: it is named, and the kit is not played
            raise KitError(f"{effect.file or effect.kind} cannot be used: {' '.join(str(error).split())}") from error
        self.hold_frames += self.latency_frames + round(_HOLD_SECONDS * rate)

    def assignment(self, name: str, value: Value) -> Callable[[], None]:
        """Check a value and return what gives it to the plugin, for the audio thread to call; `KitError`."""
        if self._parameters is None:
            number = min(float(value), _NYQUIST_SHARE * self._rate) if name.endswith("_hz") else value
            long = _LONG.get(name, name)
            return partial(setattr, self._plugin, long if hasattr(self._plugin, long) else name, number)
        parameter = self._parameters.get(name)
        if parameter is None:
            raise KitError(f"has no parameter {name!r}; it has {', '.join(sorted(self._parameters)[:40])}")
        try:
            raw = parameter.get_raw_value_for(value)
        except Exception as error:
            raise KitError(f"{name} = {value!r} is refused: {' '.join(str(error).split())}") from error
        return partial(setattr, parameter, "raw_value", raw)

    def process(self, audio: Audio) -> None:
        """Process a stretch (2, frames) in place; `ValueError` for what is no sound of this length."""
        out = self._plugin.process(audio, self._rate, buffer_size=GRID_FRAMES, reset=False)
        if out.shape != audio.shape:
            raise ValueError(f"returns {out.shape[1]} frames for {audio.shape[1]}")
        if not math.isfinite(float(out.sum())):
            raise ValueError("returns sound that is not a number, or endlessly loud")
        audio[:] = out

    def _load(self, effect: Effect) -> Any:
        if effect.kind == PLUGIN:
            plugin = pedalboard.VST3Plugin(str(effect.file))
            if not plugin.is_effect:
                raise KitError(f"{effect.file} is an instrument; name an effect")
            self.hold_frames = round(_PLUGIN_HOLD_SECONDS * self._rate)
            return plugin
        cls = getattr(pedalboard, EFFECTS[effect.kind].plugin)
        if effect.kind != CONVOLUTION:
            return cls()
        self.hold_frames = round(_impulse_seconds(str(effect.file)) * self._rate)
        return cls(str(effect.file))

    def _prime(self) -> None:
        silence = np.zeros((2, _PRIMED_FRAMES), np.float32)
        late = came = 0
        while came < _PRIMED_FRAMES and late <= MOST_LATENCY_FRAMES:
            came = self._plugin.process(silence, self._rate, buffer_size=GRID_FRAMES, reset=False).shape[1]
            late += _PRIMED_FRAMES - came
        # What a plugin says after its first block, pedalboard leaves in.
        self.latency_frames = max(late, getattr(self._plugin, "reported_latency_samples", 0))
        if self.latency_frames > MOST_LATENCY_FRAMES:
            raise KitError(f"it delays by more than {MOST_LATENCY_FRAMES} frames; leave it out")


def _defaults(kind: str) -> dict[str, Value]:
    numbers = EFFECTS[kind].numbers if kind in EFFECTS else {}
    return {name: default for name, (_, _, default) in numbers.items()}


def _impulse_seconds(path: str) -> float:
    with AudioFile(path) as file:
        seconds, channels = float(file.frames / file.samplerate), file.num_channels
    if channels > MAX_CHANNELS:
        raise KitError(f"{path} has {channels:,} channels, but at most {MAX_CHANNELS} are allowed; save fewer")
    if not 0 < seconds <= _LONGEST_IMPULSE_SECONDS:
        raise KitError(f"{path} lasts {seconds:.1f} s, but at most {_LONGEST_IMPULSE_SECONDS:g} s are allowed; cut it")
    return seconds
