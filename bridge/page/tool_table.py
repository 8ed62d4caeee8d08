"""The sound tools that the page has, as one table: what each takes, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.classifier import class_by_sound
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError

if TYPE_CHECKING:
    from ghostnote.bridge.inference.model import Generator

Audio = NDArray[np.float32]
Values = Mapping[str, float]
OpenModel = Callable[[], "Generator"]
Made = tuple[Audio, int]
"""A hit (channels, frames) and its rate in Hz."""
Run = Callable[[Audio, int, Values, str, OpenModel], Made]
"""Makes a hit of one at a rate, by numbers, a class and the model."""


@dataclass(frozen=True)
class Slider:
    """A number that a tool takes."""

    name: str
    low: float
    high: float
    step: float
    start: float
    about: str


@dataclass(frozen=True)
class Tool:
    """A sound tool."""

    name: str
    about: str
    sliders: tuple[Slider, ...]
    run: Run
    has_class: bool = False
    """Whether it takes a class of drum."""

    def described(self) -> dict[str, Any]:
        """Return what a page needs to show it."""
        sliders = [asdict(slider) for slider in self.sliders]
        return {"name": self.name, "about": self.about, "sliders": sliders, "has_class": self.has_class}

    def checked(self, given: Mapping[str, Any]) -> tuple[dict[str, float], str]:
        """Return the numbers and the class that a page asks for; `InputError`."""
        values = {}
        for slider in self.sliders:
            value = given.get(slider.name, slider.start)
            if isinstance(value, bool) or not isinstance(value, int | float) or not slider.low <= value <= slider.high:
                raise InputError(
                    f"{slider.name} = {value!r}, but it must be a number from {slider.low:g} to {slider.high:g}"
                )
            values[slider.name] = float(value)
        drum_class = str(given.get("class", CLASS_NAMES[0]))
        if drum_class not in CLASS_NAMES:
            raise InputError(f"class = {drum_class[:40]!r}, but it must be one of {', '.join(CLASS_NAMES)}")
        return values, drum_class


def _transfer(audio: Audio, rate: int, values: Values, drum_class: str, model: OpenModel) -> Made:
    from ghostnote.bridge.tools.transfer import TransferSettings, transfer

    settings = TransferSettings(drum_class, strength=values["strength"], seed=int(values["seed"]))
    return transfer(audio, rate, settings, model()), rate


def _tweak(audio: Audio, rate: int, values: Values, _: str, __: OpenModel) -> Made:
    from ghostnote.bridge.tools.tweak import Sliders, tweak

    return tweak(audio, rate, Sliders(**values)), rate


def _extend(audio: Audio, rate: int, values: Values, _: str, __: OpenModel) -> Made:
    from ghostnote.bridge.tools.extend import extend

    return extend(audio, rate, values["seconds"]), rate


def _widen(audio: Audio, rate: int, values: Values, _: str, model: OpenModel) -> Made:
    from ghostnote.bridge.tools.widen import Width, widen

    width = Width(values["width"], values["mono_below"])
    return widen(audio, rate, class_by_sound(audio, rate).drum_class, width, generator=model()), rate


def _upsample(audio: Audio, rate: int, values: Values, _: str, model: OpenModel) -> Made:
    from ghostnote.bridge.tools.upsample import upsample

    drum_class, above = class_by_sound(audio, rate).drum_class, values["above"]
    made = upsample(audio, rate, drum_class, above=above or None, generator=model())
    return made.audio, made.rate


def _repair(audio: Audio, rate: int, _: Values, __: str, ___: OpenModel) -> Made:
    from ghostnote.bridge.tools.repair import repair

    return repair(audio, rate).audio, rate


_TWEAKS: Final = {
    "bright": "highs, above 4 kHz",
    "boomy": "lows, below 120 Hz",
    "warm": "150 to 500 Hz",
    "noisy": "noise beside what rings",
    "punch": "the attack beside what follows",
    "hard": "the highs of the attack",
    "longer": "how long the tail takes to decay",
    "tighter": "how fast the body decays",
    "rough": "how much the level flutters",
}
TOOLS: Final = {
    tool.name: tool
    for tool in (
        Tool(
            "tweak",
            "Change one quality, and keep the others",
            tuple(Slider(name, -2, 2, 0.1, 0, about) for name, about in _TWEAKS.items()),
            _tweak,
        ),
        Tool(
            "transfer",
            "Another kind of drum out of this one",
            (
                Slider("strength", 0, 1, 0.05, 0.8, "0 is the hit, 1 the other drum"),
                Slider("seed", 0, 99, 1, 1, "which of the other drums"),
            ),
            _transfer,
            has_class=True,
        ),
        Tool(
            "extend",
            "Let a tail that was cut ring on",
            (Slider("seconds", 0.1, 10, 0.1, 2, "how long it lasts then"),),
            _extend,
        ),
        Tool(
            "widen",
            "Stereo, as of two microphones",
            (
                Slider("width", 0, 1, 0.05, 0.7, "0 leaves the image, 1 makes left and right unlike"),
                Slider("mono_below", 0, 500, 10, 120, "Hz below which both sides are the same"),
            ),
            _widen,
        ),
        Tool(
            "upsample",
            "A top for what was recorded dull; 0 finds where it was cut",
            (Slider("above", 0, 20000, 100, 0, "Hz above which all is made anew; 0 finds the cut"),),
            _upsample,
        ),
        Tool("repair", "Mend clicks, dropouts, clipping and a cut attack", (), _repair),
    )
}
"""By their names."""
