import numpy as np

from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.tools.tweak import tweak
from ghostnote.bridge.tools.word_drums import drums_for_words, worded
from ghostnote.bridge.tools.words import SeedSearch, read_words, seeds_for, sliders_for


def test_drums_that_words_choose_are_those_of_their_seeds_moved_by_the_sliders(tiny_generator):
    wish, search = read_words("bright cowbell"), SeedSearch("perc", "cowbell", seed=3)
    found = list(drums_for_words(tiny_generator, wish, search, 2))
    assert [drum.seed for drum in found] == seeds_for(tiny_generator.card, wish, search)[:2]
    for drum in found:
        plain = generate_drum(tiny_generator, "perc", drum.seed, kind="cowbell")
        moved = tweak(plain[None], RATE, sliders_for(wish))
        louder = max(1.0, float(np.abs(moved).max() / np.abs(plain).max()))
        np.testing.assert_allclose(drum.audio, moved / louder, atol=1e-6)
        assert drum.seconds == drum.audio.shape[1] / RATE


def test_words_make_no_drum_louder_than_it_was():
    t = np.arange(RATE // 4) / RATE
    drum = (0.9 * np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.05) + 0.05 * np.sin(2 * np.pi * 900 * t)).astype(
        np.float32
    )
    boomy = worded(drum[None], RATE, read_words("very long very boomy kick"), 3.0)
    assert np.abs(boomy).max() <= np.abs(drum).max() * 1.0001
