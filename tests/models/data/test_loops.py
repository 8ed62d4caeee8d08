from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.loop_mixing import Loop, _powers, _stands_out, colored, equalized, random_equalizer
from ghostnote.models.data.loops import LoopMaker
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.patterns import backbeat, bass_drum, fill, scattered, time_keeper, varied

RATE = 44_100
TIME = np.arange(32_768) / RATE


def split():
    """Return one decaying tone for each class, the higher the later it is in the list."""
    hits = [np.sin(2 * np.pi * 100 * 2 ** (at / 2) * TIME) * np.exp(-TIME / 0.1) for at, _ in enumerate(CLASS_NAMES)]
    files = [HitFile(Path(f"{name}.wav"), name, name, "single", "", None, "train", "") for name in CLASS_NAMES]
    return np.array(hits, np.float32), files


@pytest.fixture(scope="module")
def loops() -> list[Loop]:
    maker, rng = LoopMaker(split()), np.random.default_rng(0)
    return [maker.make(rng) for _ in range(20)]


def test_something_is_struck_at_each_onset_and_sounds_there(loops):
    for loop in loops:
        assert len(loop.onsets) == len(loop.struck)
        assert loop.struck.any(axis=1).all()
        assert all(later - onset >= 0.03 * RATE for onset, later in pairwise(loop.onsets))
        for onset in loop.onsets:
            assert np.abs(loop.mono[onset : onset + 1000]).max() > 0


def test_loops_have_all_classes_and_strokes_of_several_drums(loops):
    struck = np.concatenate([loop.struck for loop in loops])
    assert struck.any(axis=0).all()
    assert (struck.sum(axis=1) > 1).mean() > 0.2


def test_the_same_seed_makes_the_same_loop():
    first, second = (LoopMaker(split()).make(np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.mono, second.mono)
    np.testing.assert_array_equal(first.struck, second.struck)


def test_a_corpus_without_toms_or_cymbals_makes_loops_too():
    audio, files = split()
    kept = [at for at, file in enumerate(files) if file.drum_class in ("kick", "snare")]
    loop = LoopMaker((audio[kept], [files[at] for at in kept])).make(np.random.default_rng(0))
    names = {CLASS_NAMES[at] for at in np.flatnonzero(loop.struck.any(axis=0))}
    assert names <= {"kick", "snare"}


def test_made_drums_play_beside_a_corpuss():
    audio, files = split()
    kept = [at for at, file in enumerate(files) if file.drum_class == "kick"]
    maker, rng = LoopMaker((audio[kept], [files[at] for at in kept]), {"snare": [audio[1]]}), np.random.default_rng(0)
    names = {CLASS_NAMES[at] for _ in range(10) for at in np.flatnonzero(maker.make(rng).struck.any(axis=0))}
    assert names == {"kick", "snare"}


def test_an_equalizer_changes_levels_by_its_gains_and_no_times():
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    gains = np.array([12, 12, 12, 12, 0, 0, 0, 0], np.float32)
    bands = [(60, 300), (6000, 15_000)]
    powers = []
    for sound in (noise, equalized(noise, gains)):
        spectrum = np.square(np.abs(np.fft.rfft(sound)))
        powers.append([spectrum[low:high].mean() for low, high in bands])
    np.testing.assert_allclose(10 * np.log10(np.divide(*powers[::-1])), [12, 0], atol=0.3)
    click = np.zeros(4000, np.float32)
    click[2000] = 1
    assert np.abs(equalized(click, random_equalizer(np.random.default_rng(1)))).argmax() == 2000


def test_some_loops_are_in_a_room_that_rings_after_them():
    click = np.zeros(2 * RATE, np.float32)
    click[1000] = 1
    tails = [np.abs(colored(click, np.random.default_rng(seed))[2000:8000]).max() for seed in range(40)]
    assert 2 < sum(tail > 2e-3 for tail in tails) < 25


def test_what_nobody_can_hear_is_not_asked_for():
    loud, high = split()[0][0], split()[0][-1]
    # One is far softer in the band of another, and then in a band of its own.
    for soft, stands_out in ((np.float32(1e-3) * loud, False), (np.float32(1e-2) * high, True)):
        whole = _powers(loud + soft)
        assert _stands_out(_powers(loud), whole)
        assert _stands_out(_powers(soft), whole) == stands_out


@pytest.mark.parametrize("steps", [12, 16])
def test_velocities_of_patterns_are_between_0_and_1(steps):
    rng = np.random.default_rng(0)
    for _ in range(50):
        for pattern in (
            *(make(rng, steps) for make in (time_keeper, bass_drum, backbeat)),
            *(scattered(rng, steps, 0.3), fill(rng, steps, 4, 8), varied(rng, np.ones(steps))),
        ):
            assert pattern.shape == (steps,)
            assert ((pattern >= 0) & (pattern <= 1)).all()


def test_a_fill_stays_in_its_place():
    pattern = fill(np.random.default_rng(1), 16, 4, 12)
    assert pattern.any()
    assert not pattern[:4].any()
    assert not pattern[12:].any()
