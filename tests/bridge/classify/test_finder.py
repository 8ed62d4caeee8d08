"""The finder: which files are strokes of one drum, in which layers, and which class they are."""

from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from ghostnote.bridge.classify.finder import FoundDrum, find_drums
from ghostnote.bridge.classify.layers import layer_ranges, measured_velocities
from ghostnote.bridge.classify.names import parse_name
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.io.hit_files import hit_files

RATE = 44_100


def put(path: Path, level: float = 0.5, hz: float = 180, noise: float = 0.3, seed: int = 0) -> Path:
    """Write a stroke: a tone and noise, both decaying."""
    t = np.arange(RATE // 4) / RATE
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * hz * t) * np.exp(-18 * t) + noise * rng.uniform(-1, 1, len(t)) * np.exp(-40 * t)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, (level * wave / np.abs(wave).max())[None].astype(np.float32), RATE, 24)
    return path


def found(folder: Path, **options: bool) -> tuple[FoundDrum, ...]:
    return find_drums([(path, folder) for path in hit_files(folder)], **options).drums


def layers(drum: FoundDrum) -> list[tuple[str, tuple[int, int]]]:
    return [(stroke.path.stem, stroke.velocities) for stroke in drum.strokes]


@pytest.mark.parametrize(
    "names",
    [
        ["Snare Vel-001-RR1", "Snare Vel-001-RR2", "Snare Vel-002-RR1", "Snare Vel-002-RR2"],
        ["snare_p_1", "snare_p_2", "snare_f_1", "snare_f_2"],
        ["SD_mf_01", "SD_mf_02", "SD_ff_01", "SD_ff_02"],
        ["Snare-Soft 1", "Snare-Soft 2", "Snare-Hardest 1", "Snare-Hardest 2"],
        [
            "Snare_D1_lo001_hi063_rr1",
            "Snare_D1_lo001_hi063_rr2",
            "Snare_D1_lo064_hi127_rr1",
            "Snare_D1_lo064_hi127_rr2",
        ],
        ["Snare_C1_63_1", "Snare_C1_63_2", "Snare_C1_127_1", "Snare_C1_127_2"],
        ["snare_v1_rr1", "snare_v1_rr2", "snare_v2_rr1", "snare_v2_rr2"],
        ["SnareL1R1", "SnareL1R2", "SnareL2R1", "SnareL2R2"],
        ["snare v1rr1", "snare v1rr2", "snare v2rr1", "snare v2rr2"],
        ["Snare/Soft/1", "Snare/Soft/2", "Snare/Hard/1", "Snare/Hard/2"],
    ],
)
def test_the_ways_to_name_layers_and_round_robins_make_one_drum(tmp_path: Path, names: list[str]) -> None:
    for at, name in enumerate(names):
        put(tmp_path / f"{name}.wav", (0.1, 0.1, 0.9, 0.9)[at], seed=at)
    (drum,) = found(tmp_path)
    assert drum.guess is not None
    assert drum.guess.drum_class == "snare"
    tops = [stroke.velocities[1] for stroke in drum.strokes]
    assert tops == pytest.approx([63.5, 63.5, 127, 127], abs=0.5)
    assert {stroke.path.stem for stroke in drum.strokes[2:]} == {Path(name).stem for name in names[2:]}


def test_words_for_loudness_are_ordered_and_the_hardest_is_on_top(tmp_path: Path) -> None:
    for at, word in enumerate(("Softest", "Soft", "Med", "Hard", "Hardest")):
        put(tmp_path / f"Kick-{word}.wav", 0.1 + 0.2 * at, hz=60, seed=at)
    (kick,) = found(tmp_path)
    assert [stem for stem, _ in layers(kick)] == [f"Kick-{w}" for w in ("Softest", "Soft", "Med", "Hard", "Hardest")]
    assert [velocities for _, velocities in layers(kick)] == [(1, 25), (26, 51), (52, 76), (77, 102), (103, 127)]


def test_layers_that_are_counted_from_the_loudest_are_turned_round(tmp_path: Path) -> None:
    for layer, level in ((1, 0.9), (2, 0.3), (3, 0.1)):
        put(tmp_path / f"snare_v{layer}.wav", level, seed=layer)
    (snare,) = found(tmp_path)
    assert [stem for stem, _ in layers(snare)] == ["snare_v3", "snare_v2", "snare_v1"]


def test_a_number_in_the_middle_is_the_drum_s_and_not_the_stroke_s(tmp_path: Path) -> None:
    for tom, hz in ((1, 200), (2, 120)):
        for word, level in (("Soft", 0.2), ("Hard", 0.8)):
            put(tmp_path / f"Tom {tom} {word}.wav", level, hz)
    assert [len(drum.strokes) for drum in found(tmp_path)] == [2, 2]


def test_bare_numbers_are_strokes_where_they_sound_alike_and_drums_where_they_do_not(tmp_path: Path) -> None:
    for number, level in ((1, 0.1), (2, 0.3), (3, 0.9)):
        put(tmp_path / f"Ride-{number}.wav", level, 400, seed=number)
    for number, (hz, noise) in enumerate(((50, 0.0), (180, 2.0)), 1):
        put(tmp_path / f"Kick {number}.wav", hz=hz, noise=noise)
    for number, hz in ((1, 200), (2, 150)):
        put(tmp_path / f"Tom {number}.wav", hz=hz, noise=0.05)
    assert sorted(len(drum.strokes) for drum in found(tmp_path)) == [1, 1, 1, 1, 3]


def test_a_stroke_that_sounds_quite_different_is_another_drum(tmp_path: Path) -> None:
    for turn in (1, 2, 3):
        put(tmp_path / f"snare_rr{turn}.wav", seed=turn)
    put(tmp_path / "snare_rr4.wav", hz=3000, noise=0.0)
    assert sorted(len(drum.strokes) for drum in found(tmp_path)) == [1, 3]


def test_one_word_for_loudness_alone_says_nothing(tmp_path: Path) -> None:
    for number, hz in ((1, 50), (2, 400)):
        put(tmp_path / f"Hard Kick {number:02d}.wav", hz=hz, noise=0.0)
    assert [len(drum.strokes) for drum in found(tmp_path)] == [1, 1]


def test_a_file_that_cannot_be_opened_is_a_drum_of_its_own_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path / "snare_v1.wav")
    (tmp_path / "snare_v2.wav").write_bytes(b"no sound")
    result = find_drums([(path, tmp_path) for path in hit_files(tmp_path)])
    assert [len(drum.strokes) for drum in result.drums] == [1, 1]
    assert list(result.unusable) == [tmp_path / "snare_v2.wav"]


@pytest.mark.parametrize(
    ("name", "drum_class"),
    [
        ("Open HH", "open_hat"),
        ("HH Pedal", "pedal_hat"),
        ("Half Open", "open_hat"),
        ("HH half-open 2", "open_hat"),
        ("HatSemiOpen-Hard", "open_hat"),
        ("hh_foot", "pedal_hat"),
        ("Cow Bell", "perc"),
        ("Wood Block", "perc"),
        ("Closed HH", "closed_hat"),
        ("Ride Bell", "ride"),
    ],
)
def test_names_of_hats_and_percussion_are_understood(name: str, drum_class: str) -> None:
    assert parse_name(PurePosixPath(f"{name}.wav")).drum_class == drum_class


def test_a_file_that_no_name_explains_goes_by_its_sound_if_asked(tmp_path: Path) -> None:
    put(tmp_path / "mystery.wav", hz=55, noise=0.0)
    assert found(tmp_path)[0].guess is None
    guess = found(tmp_path, by_sound=True)[0].guess
    assert guess is not None
    assert (guess.drum_class, guess.source) == ("kick", "sound")


def test_levels_tell_velocities_where_names_tell_nothing() -> None:
    assert measured_velocities([-40.0, -12.0, -0.5, 0.0]) == [13, 65, 127, 127]
    assert measured_velocities([]) == []


def test_layers_share_the_velocities_or_are_numbered_by_them() -> None:
    assert layer_ranges([1, 2]) == [(1, 64), (65, 127)]
    assert layer_ranges([30, 90, 120]) == [(1, 30), (31, 90), (91, 127)]
