from pathlib import Path

import numpy as np
import pytest

import ghostnote.bridge.kit.kit as kits
from ghostnote.bridge.classify.mixture import (
    FLOOR_DB,
    MOST_STROKES,
    gaps_octaves,
    sounding,
    step_distances,
    stroke_patches,
)
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.io.audio_file import read_audio

RATE = 44_100
STEP = 5_512


def loop(rows: dict[str, str]) -> tuple[np.ndarray, list[int]]:
    """Return a loop (frames,) of the default kit's drums, a character a step, and the frames of its strokes."""
    steps = max(map(len, rows.values()))
    mono = np.zeros(steps * STEP + 4 * RATE, np.float32)
    for name, row in rows.items():
        path = sorted(Path(kits.__file__).parent.glob(f"drums/*/{name}-*.flac"))[0]
        audio, rate = read_audio(path)
        hit = resample(audio[:1], rate, RATE)[0]
        gain = 0.15 if "hat" in name else 0.5
        for at in (at for at, mark in enumerate(row) if mark == "x"):
            part = hit[: len(mono) - at * STEP]
            mono[at * STEP : at * STEP + len(part)] += gain * part
    struck = sorted({at for row in rows.values() for at, mark in enumerate(row) if mark == "x"})
    return mono, [at * STEP for at in struck]


def classes(odds: np.ndarray) -> list[set[str]]:
    return [{CLASS_NAMES[at] for at in np.flatnonzero(row > 0)} for row in odds]


BEAT = {"acoustic_kick": "x...x...x...x...", "acoustic_snare": "..x...x...x...x.", "acoustic_closed_hat": "x" * 16}


def test_a_hat_that_keeps_time_is_heard_under_kick_and_snare() -> None:
    found = classes(sounding(*loop(BEAT)))
    wanted = [{"closed_hat", *({"kick"} if at % 4 == 0 else {"snare"} if at % 4 == 2 else ())} for at in range(16)]
    assert sum(one == other for one, other in zip(found, wanted, strict=True)) >= 14


def test_how_loud_a_loop_is_does_not_matter() -> None:
    mono, onsets = loop(BEAT)
    np.testing.assert_allclose(sounding(0.01 * mono, onsets), sounding(mono, onsets), atol=0.02)


def test_a_long_loop_is_heard_as_its_parts_are() -> None:
    rows = {name: row * 6 for name, row in BEAT.items()}
    mono, onsets = loop(rows)
    assert len(onsets) > MOST_STROKES
    found = classes(sounding(mono, onsets))
    assert len(found) == len(onsets)
    assert np.mean([one == other for one, other in zip(found, classes(sounding(*loop(BEAT))) * 6, strict=True)]) > 0.9


@pytest.mark.parametrize("strokes", [1, 2])
def test_loops_of_one_or_two_strokes_have_odds_too(strokes: int) -> None:
    mono, onsets = loop({"acoustic_kick": "x..x"[: 4 * strokes - 3]})
    odds = sounding(mono, onsets)
    assert odds.shape == (strokes, len(CLASS_NAMES))
    assert np.isfinite(odds).all()


def test_a_spectrogram_begins_before_its_onset() -> None:
    mono = np.zeros(RATE, np.float32)
    mono[10_000:10_400] = np.random.default_rng(0).standard_normal(400)
    (patch,) = stroke_patches(mono, [10_000])
    assert patch.max() == 0
    assert (patch[0] == FLOOR_DB).all()
    assert patch[3:5].max(axis=0).min() > -40
    assert (patch[8:] == FLOOR_DB).all()


def test_distances_count_the_shortest_usual_step() -> None:
    distances = step_distances(np.array([0.0, 0.2, 0.4, 0.8]))
    # The logarithm of 1, 2 and 4 steps and one more, and the sign.
    np.testing.assert_allclose(distances[0, :, 7], np.log2([1, 2, 3, 5]))
    np.testing.assert_allclose(distances[:, :, 8], np.sign(np.subtract.outer(np.arange(4), np.arange(4))))
    # At another tempo it is the same.
    np.testing.assert_allclose(step_distances(1.3 * np.array([0.0, 0.2, 0.4, 0.8])), distances, atol=1e-9)


def test_gaps_are_those_to_the_next_stroke_and_from_the_one_before() -> None:
    np.testing.assert_allclose(gaps_octaves(np.array([0.0, 0.5, 0.75])), np.log2([[0.5, 1], [0.25, 0.5], [1, 0.25]]))
