"""The sound tools that the page has, as one table: what each takes, and what it does."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.page import tool_runs
from ghostnote.bridge.page.tool_runs import Run


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
    takes_two: bool = False
    """Whether it takes two hits."""

    def described(self) -> dict[str, Any]:
        """Return what a page needs to show it."""
        return {
            "name": self.name,
            "about": self.about,
            "sliders": [asdict(slider) for slider in self.sliders],
            "has_class": self.has_class,
            "takes_two": self.takes_two,
        }

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
            tool_runs.tweak_hit,
        ),
        Tool(
            "transfer",
            "Another kind of drum out of this one",
            (
                Slider("strength", 0, 1, 0.05, 0.8, "0 is the hit, 1 the other drum"),
                Slider("seed", 0, 99, 1, 1, "which of the other drums"),
            ),
            tool_runs.transfer_hit,
            has_class=True,
        ),
        Tool(
            "morph",
            "Drums between this one and a second one",
            (
                Slider("count", 2, 12, 1, 5, "how many drums, both included"),
                Slider("curve", 0.1, 4, 0.1, 1, "above 1 they stay near the first for longer"),
            ),
            tool_runs.morph_hits,
            takes_two=True,
        ),
        Tool(
            "transition",
            "It begins as the first and becomes the second while it rings",
            (
                Slider("start", 0, 1, 0.01, 0.02, "seconds after which it begins to change"),
                Slider("seconds", 0.01, 2, 0.01, 0.2, "how long it then takes"),
            ),
            tool_runs.join_hits,
            takes_two=True,
        ),
        Tool(
            "extend",
            "Let a tail that was cut ring on",
            (Slider("seconds", 0.1, 10, 0.1, 2, "how long it lasts then"),),
            tool_runs.extend_hit,
        ),
        Tool(
            "widen",
            "Stereo, as of two microphones",
            (
                Slider("width", 0, 1, 0.05, 0.7, "0 leaves the image, 1 makes left and right unlike"),
                Slider("mono_below", 0, 500, 10, 120, "Hz below which both sides are the same"),
            ),
            tool_runs.widen_hit,
        ),
        Tool(
            "upsample",
            "A top for what was recorded dull; 0 finds where it was cut",
            (Slider("above", 0, 20000, 100, 0, "Hz above which all is made anew; 0 finds the cut"),),
            tool_runs.upsample_hit,
        ),
        Tool("repair", "Mend clicks, dropouts, clipping and a cut attack", (), tool_runs.repair_hit),
        Tool("slice", "Cut a drum loop into its strokes, and make a kit of them", (), tool_runs.slice_hits),
    )
}
"""By their names."""
