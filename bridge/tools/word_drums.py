"""New drums that words choose."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.tools.description import brightness_hz, pitch_hz
from ghostnote.bridge.tools.explore import FoundDrum
from ghostnote.bridge.tools.tweak import tweak
from ghostnote.bridge.tools.words import SeedSearch, Wish, seeds_for, sliders_for

if TYPE_CHECKING:
    from ghostnote.bridge.inference.model import Generator


def worded(drum: ArrayLike, rate: int, wish: Wish, strength: float = 1.0) -> NDArray[np.float32]:
    """Return a drum (channels, frames) at `rate` Hz, moved by the sliders that words mean; `InputError` as `tweak`.

    It peaks no higher than it did.
    """
    made = tweak(drum, rate, sliders_for(wish, strength))
    peak = float(np.abs(np.asarray(drum, np.float32)).max(initial=0.0))
    return made * np.float32(min(1.0, peak / max(float(np.abs(made).max(initial=0.0)), PEAK_FLOOR)))


def drums_for_words(generator: "Generator", wish: Wish, search: SeedSearch, count: int) -> Iterator[FoundDrum]:
    """Yield so many drums of the search, those first that words fit best, each moved by the words' sliders.

    `InputError` as of `seeds_for`.
    """
    rate = generator.card.rate
    for seed in seeds_for(generator.card, wish, search)[:count]:
        drum = generate_drum(generator, search.drum_class, seed, kind=search.kind)
        audio = worded(drum[None], rate, wish, search.strength)
        yield FoundDrum(audio, seed, audio.shape[1] / rate, pitch_hz(audio, rate), brightness_hz(audio, rate))
