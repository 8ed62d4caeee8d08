"""New drums that words choose."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.tools.description import brightness_hz, pitch_hz
from ghostnote.bridge.tools.explore import FoundDrum
from ghostnote.bridge.tools.tweak import tweak
from ghostnote.bridge.tools.words import SeedSearch, Wish, seeds_for, sliders_for

if TYPE_CHECKING:
    from ghostnote.bridge.inference.model import Generator


def drums_for_words(generator: "Generator", wish: Wish, search: SeedSearch, count: int) -> Iterator[FoundDrum]:
    """Yield so many drums of the search, those first that words fit best, each moved by the words' sliders.

    `InputError` as of `seeds_for`.
    """
    sliders = sliders_for(wish, search.strength)
    for seed in seeds_for(generator.card, wish, search)[:count]:
        drum = generate_drum(generator, search.drum_class, seed, kind=search.kind)
        audio = tweak(drum[None], RATE, sliders)
        yield FoundDrum(audio, seed, audio.shape[1] / RATE, pitch_hz(audio, RATE), brightness_hz(audio, RATE))
