from pathlib import Path

import numpy as np
import pytest
from tiny import PARTIALS

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.partial_response import KNOTS_HZ, LEAD_FRAMES, draw_filter
from ghostnote.models.data.dataset import make_hit_set
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.statistics.partial_statistics import measure_partials

RATE, FRAMES = 44_100, 32_768
TOM = CLASS_NAMES.index("tom")
PITCHES = [(110.0, 250.0, 431.0, 560.0), (150.0, 333.0, 510.0, 905.0), (205.0, 480.0, 760.0, 1000.0)]


def ringing(pitches):
    t = np.arange(FRAMES) / RATE
    return sum(np.exp(-6 * t) * np.sin(2 * np.pi * hz * t) for hz in pitches).astype(np.float32)[None]


def hit_set(strokes, layer="1"):
    """Return the strokes (drums, strokes, frames) as a set of toms."""
    files = [
        HitFile(Path(f"{d}_{s}.wav"), "tom", f"tom {d}", "rr", layer, 0.5, "train", "")
        for d, own in enumerate(strokes)
        for s in range(len(own))
    ]
    return make_hit_set(np.concatenate([np.stack(own) for own in strokes]), files)


def struck(pitches, count, seed, statistics=PARTIALS):
    partials, rng = ringing(pitches)[0], np.random.default_rng(seed)
    features = np.array([0.9, 0.2, 0.5])
    filters = [draw_filter(statistics, features, TOM, rng).taps() for _ in range(count)]
    return [np.convolve(partials, taps)[LEAD_FRAMES : LEAD_FRAMES + FRAMES].astype(np.float32) for taps in filters]


def test_what_was_drawn_is_measured():
    strokes = [struck(pitches, 8, seed) for seed, pitches in enumerate(PITCHES * 4)]
    found = measure_partials(hit_set(strokes))
    # Two strokes of one drum differ from each other by root two as much as from what they have in common, and the
    # level that all lines of a stroke share is taken out.
    gains = np.sqrt(np.square(found.gain_db).sum(axis=1)) * np.exp(found.class_factors[TOM][0])
    assert 1.0 < gains[2] < 4.5
    assert found.own[4] > 1.2 * found.own[2] > 0.1


def test_strokes_that_are_alike_have_no_deviation():
    strokes = [[ringing(pitches)[0]] * 4 for pitches in PITCHES]
    found = measure_partials(hit_set(strokes))
    assert np.abs(found.gain_db).max() < 0.1
    assert np.max(found.phase) < 0.1
    assert max(found.own) < 0.1


def test_what_velocity_does_to_partials_is_a_slope():
    t = np.arange(FRAMES) / RATE

    def at(level_db):
        # The upper line grows by 1.5 dB for each dB of the lower one.
        low, high = 10 ** (level_db / 20), 0.3 * 10 ** (1.5 * level_db / 20)
        return (np.exp(-6 * t) * (low * np.sin(2 * np.pi * 240 * t) + high * np.sin(2 * np.pi * 1920 * t))).astype(
            np.float32
        )

    levels = [0, -6, -12, -18]
    files = [
        HitFile(Path(f"{d}_{i}.wav"), "tom", f"tom {d}", "velocity", str(i), 0.5, "train", "")
        for d in range(3)
        for i in range(4)
    ]
    hits = make_hit_set(np.stack([at(level) for _ in range(3) for level in levels]), files)
    slopes = np.array(measure_partials(hits).slopes[TOM])
    assert slopes[KNOTS_HZ.index(1920)] - slopes[KNOTS_HZ.index(240)] == pytest.approx(0.5, abs=0.1)


def test_without_repeats_nothing_varies():
    found = measure_partials(hit_set([[ringing(PITCHES[0])[0]]]))
    assert not np.any(found.gain_db)
    assert not np.any(found.own)
    assert len(found.slopes) == len(CLASS_NAMES) + 1
