"""Pads of many recorded strokes: how a kit lists them, and which of them a stroke starts from."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.hits import PadHit, picks
from ghostnote.bridge.kit.kit import Kit, Pad, load_kit
from ghostnote.bridge.kit.save import save_kit


def sound(path: Path, level: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    decay = np.exp(-np.arange(4_000) / 800) * np.sin(np.arange(4_000) / 9)
    write_audio(path, (level * decay)[None].astype(np.float32), 44_100, 24)
    return path


def kit(folder: Path, hits: str) -> Kit:
    path = folder / "kit.toml"
    path.write_text(f'[[pad]]\nname = "Snare"\nnotes = [38]\nhits = {hits}\n')
    return load_kit(path)


def turns(hits: tuple[PadHit, ...], velocity: int, count: int, seed: int = 1) -> list[str]:
    return [next(picks(hits, seed, index, velocity)).file.name for index in range(count)]


def layer(count: int, low: int = 1, high: int = 127) -> tuple[PadHit, ...]:
    return tuple(PadHit(Path(f"{low}_{turn}.wav"), low, high) for turn in range(count))


def test_a_list_says_files_velocities_and_settings(tmp_path: Path) -> None:
    for name in ("soft.wav", "hard.wav"):
        sound(tmp_path / name)
    made = kit(
        tmp_path,
        '[{ file = "soft.wav", velocity = [1, 60], gain_db = -3, pan = 0.5, tune = -1.5, offset = 10 },\n'
        ' { file = "hard.wav", velocity = 127 }]',
    )
    assert made.pads[0].hits == (
        PadHit(tmp_path / "soft.wav", 1, 60, -3.0, 0.5, -1.5, 10.0),
        PadHit(tmp_path / "hard.wav", 127, 127),
    )
    assert made.pads[0].files == (tmp_path / "soft.wav", tmp_path / "hard.wav")


def test_without_a_velocity_the_level_says_it(tmp_path: Path) -> None:
    for name, level in (("a.wav", 0.8), ("b.wav", 0.2), ("c.wav", 0.19)):
        sound(tmp_path / "hits" / name, level)
    for hits in ('"hits"', '["hits/a.wav", "hits/b.wav", "hits/c.wav"]'):
        found = {hit.file.name: hit.high for hit in kit(tmp_path, hits).pads[0].hits}
        assert found["a.wav"] == 127
        assert found["b.wav"] == found["c.wav"] == pytest.approx(127 * (0.195 / 0.8) ** 0.5, abs=1)


def test_a_kit_of_many_strokes_is_saved_as_it_was(tmp_path: Path) -> None:
    hits = tuple(PadHit(sound(tmp_path / "x" / f"{n}.wav"), 1 + n * 60, 60 + n * 60, tune=n * 0.5) for n in (0, 1))
    pad = Pad("Snare", (38,), "snare", hits=hits, seed=9)
    save_kit(Kit("k", 1, (pad,)), tmp_path / "kit.toml")
    assert load_kit(tmp_path / "kit.toml").pads == (pad,)


@pytest.mark.parametrize(
    ("hits", "words"),
    [
        ("[]", "a folder, or a list"),
        ("3", "a folder, or a list"),
        ('"nothing"', "holds no sound file"),
        ('"gone"', "hits = 'gone' does not exist; copy the file or folder into /"),
        ('"gone.wav"', "hits = 'gone.wav' does not exist; copy the sound file into /"),
        ('["../x.wav"]', "outside the kit's folder"),
        ('["/etc/x.wav"]', "outside the kit's folder"),
        ('["nothing"]', "is a folder"),
        ("[{ velocity = 3 }]", "stroke 1 of hits: it has no file; add file"),
        ('[{ file = "a.wav", velocity = 128 }]', "whole number from 1 to 127"),
        ('[{ file = "a.wav", velocity = [90, 20] }]', "lowest must come first"),
        ('[{ file = "a.wav", velocity = [1, 2, 3] }]', "the lowest and the highest"),
        ('[{ file = "a.wav", tune = 90 }]', "from -48 to 48"),
        ('[{ file = "a.wav", tuen = 1 }]', "did you mean tune"),
        ('["a.wav", { file = "a.wav", velocity = 600 }]', "Snare': stroke 2 'a.wav' of hits: velocity = 600, but"),
        ('["a.wav", { file = "a.wav", tune = "x" }]', "stroke 2 'a.wav' of hits: tune = 'x', but"),
        ('["a.wav", { file = "a.wav", openness = 2 }]', "stroke 2 'a.wav' of hits: openness = 2, but"),
        ('["a.wav", { file = "a.wav", position = [1, 0] }]', "stroke 2 'a.wav' of hits: position = "),
        ('["a.wav", { file = "a.wav", offset = -1 }]', "stroke 2 'a.wav' of hits: offset = -1, but"),
        ('["a.wav", { file = "a.wav", pitch = 1 }]', "stroke 2 'a.wav' of hits: the key 'pitch' is unknown"),
        ('["a.wav", "gone.wav"]', "stroke 2 of hits: file = 'gone.wav' does not exist"),
        ('["a.wav", 3]', "stroke 2 of hits: file = 3, but"),
        ('["bad.wav"]', "bad.wav"),
        ('"nothing"\nhit = "a.wav"', "exclude each other"),
        ('"nothing"\nvelocity = 90', "exclude each other"),
    ],
)
def test_each_mistake_in_hits_is_named(tmp_path: Path, hits: str, words: str) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(KitError, match=words) as caught:
        kit(tmp_path, hits)
    assert "pad 1 'Snare'" in str(caught.value)


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_round_robins_alternate_and_never_repeat_in_a_row(count: int) -> None:
    played = turns(layer(count), 100, 40 * count)
    assert all(one != other for one, other in pairwise(played))
    assert all(played.count(hit.file.name) == 40 for hit in layer(count))


def test_round_robins_of_three_or_more_are_in_random_order_by_the_seed() -> None:
    hits = layer(4)
    assert turns(hits, 100, 40, seed=1) == turns(hits, 100, 40, seed=1) != turns(hits, 100, 40, seed=2)
    assert len({tuple(turns(hits, 100, 40)[at : at + 4]) for at in range(0, 40, 4)}) > 3


def test_a_stroke_starts_from_the_nearest_layer_and_others_stand_in_for_it() -> None:
    hits = (*layer(2, 1, 40), *layer(1, 60, 90), *layer(1, 91, 127))
    assert {next(picks(hits, 1, index, 45)).low for index in range(4)} == {1}
    assert {next(picks(hits, 1, index, 55)).low for index in range(4)} == {60}
    order = [hit.low for hit in picks(hits, 1, 0, 127)]
    assert order == [91, 60, 1, 1]


def test_between_two_layers_strokes_of_both_take_turns_and_near_one_its_own_alone() -> None:
    hits = (*layer(2, 40, 40), *layer(1, 64, 64), *layer(1, 127, 127))
    played = {velocity: [next(picks(hits, 1, index, velocity)).low for index in range(12)] for velocity in (42, 50, 62)}
    assert set(played[42]) == {40}
    assert (played[50].count(40), played[50].count(64)) == (8, 4)
    assert set(played[62]) == {64}
