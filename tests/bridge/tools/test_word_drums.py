import numpy as np

from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.tools.tweak import tweak
from ghostnote.bridge.tools.word_drums import drums_for_words
from ghostnote.bridge.tools.words import SeedSearch, read_words, seeds_for, sliders_for


def test_drums_that_words_choose_are_those_of_their_seeds_moved_by_the_sliders(tiny_generator):
    wish, search = read_words("bright cowbell"), SeedSearch("perc", "cowbell", seed=3)
    found = list(drums_for_words(tiny_generator, wish, search, 2))
    assert [drum.seed for drum in found] == seeds_for(tiny_generator.card, wish, search)[:2]
    for drum in found:
        plain = generate_drum(tiny_generator, "perc", drum.seed, kind="cowbell")
        np.testing.assert_array_equal(drum.audio, tweak(plain[None], RATE, sliders_for(wish)))
        assert drum.seconds == drum.audio.shape[1] / RATE
