import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.dsp.shape import BANDS
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.drum_table import Drum, DrumTable
from ghostnote.bridge.inference.stroke_source import described_drum, generate_drum
from ghostnote.bridge.tools.explore import ExploreSettings, explore
from ghostnote.bridge.tools.sheet import PAGE, TABLE, SheetDrum, class_in_table, read_table, write_sheet
from ghostnote.bridge.tools.spread import TrainingDrums, farthest_first, main_hz, typicality

RATE = 44_100


def test_the_farthest_come_first():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [10.0, 9.0], [0.5, 0.0]])
    assert list(farthest_first(points))[:3] == [0, 3, 2]
    assert sorted(farthest_first(points)) == [0, 1, 2, 3, 4]
    assert list(farthest_first(np.zeros((0, 2)))) == []


def table(levels: list[float], labels: list[int]) -> DrumTable:
    rows = tuple(tuple([level] * BANDS + [-1.0] * BANDS + [0.0] * BANDS) for level in levels)
    return DrumTable(("",) * len(levels), tuple(labels), rows, ((0.0,) * 18,) * len(levels))


def test_copies_of_training_drums_are_nearer_than_those_are_to_each_other():
    training = TrainingDrums(table([-10.0, -20.0, -30.0, -11.0], [1, 1, 1, 0]), 1)
    assert training.limit_db == pytest.approx(10 / np.sqrt(2))
    t60 = np.full(BANDS, 0.5)
    assert training.has_copy(np.full(BANDS, -12.0), t60)
    assert training.distance(np.full(BANDS, -12.0), t60) == pytest.approx(2 / np.sqrt(2))
    assert not training.has_copy(np.full(BANDS, -45.0), t60)
    assert not TrainingDrums(table([-10.0], [1]), 1).has_copy(np.full(BANDS, -10.0), t60)


def test_a_few_drums_of_one_machine_do_not_decide_how_near_a_copy_is():
    others = [-float(level) for level in range(3, 39)]
    training = TrainingDrums(table([-2.0, -2.01, -2.02, -2.03, *others], [1] * (4 + len(others))), 1)
    assert training.limit_db == pytest.approx(1 / np.sqrt(2), rel=0.15)
    assert training.has_copy(np.full(BANDS, -10.4), np.full(BANDS, 0.5))


def test_a_drum_is_typical_where_its_neighbours_are_of_its_class():
    known = table([-10.0, -12.0, -30.0, -32.0], [0, 0, 1, 1])
    drums = [
        Drum(np.full(BANDS, level), np.full(BANDS, 0.5), np.zeros(BANDS), np.zeros((0, 3))) for level in (-11, -31)
    ]
    of_first = typicality(known, 0, drums)
    assert of_first[0] > 0.9
    assert of_first[1] < 0.1
    np.testing.assert_allclose(of_first + typicality(known, 1, drums), 1)


def test_the_main_mode_has_the_most_energy():
    level = np.array([-30.0] + [-3.0] + [-20.0] * (BANDS - 2))
    assert main_hz(level, np.array([[100.0, 0.0, 0.1], [500.0, -6.0, 0.1]])) == 500.0
    assert main_hz(level, np.zeros((0, 3))) == 100.0


def test_a_seed_describes_the_drum_that_it_makes(tiny_generator, monkeypatch):
    drawn = []
    draw = DrumTable.draw

    def recorded(self, *args):
        drawn.append(draw(self, *args))
        return drawn[-1]

    monkeypatch.setattr(DrumTable, "draw", recorded)
    generate_drum(tiny_generator, "perc", 5, kind="cowbell", steps=1)
    described_drum(tiny_generator.card, "perc", 5, "cowbell")
    np.testing.assert_array_equal(drawn[0].level_db, drawn[1].level_db)
    np.testing.assert_array_equal(drawn[0].modes, drawn[1].modes)


def test_explored_drums_are_those_of_their_seeds_and_differ(tiny_generator):
    found = list(explore(ExploreSettings("perc", "cowbell", 4, seed=3, steps=1), generator=tiny_generator))
    assert found[0].seed == 3
    assert len({drum.seed for drum in found}) == 4
    for drum in found:
        same = generate_drum(tiny_generator, "perc", drum.seed, kind="cowbell", steps=1)
        np.testing.assert_array_equal(drum.audio[0], same)
        assert drum.seconds == drum.audio.shape[1] / RATE
        assert 20 < drum.brightness_hz < 22_050


def test_other_drums_come_in_the_place_of_copies(tiny_generator, monkeypatch):
    judged = []

    def has_copy(self, level_db, t60):
        judged.append(level_db)
        return len(judged) <= 9

    monkeypatch.setattr(TrainingDrums, "has_copy", has_copy)
    found = list(explore(ExploreSettings("perc", "cowbell", 2, seed=3, steps=1), generator=tiny_generator))
    assert len(found) == 2
    assert all(drum.seed >= 3 + 8 for drum in found)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    size = 1 << 15
    levels = [np.log(np.abs(np.fft.rfft(x[0], size)[:4096]).reshape(-1, 64).mean(axis=1) + 1e-6) for x in (a, b)]
    return float(np.abs(levels[0] - levels[1]).mean())


def test_near_drums_are_nearer(tiny_generator):
    hit = generate_drum(tiny_generator, "perc", 77, kind="cowbell", steps=1)[None]

    def apart(near: float) -> float:
        settings = ExploreSettings("perc", "cowbell", 3, near=near, steps=1)
        return float(np.mean([distance(hit, drum.audio) for drum in explore(settings, hit, generator=tiny_generator)]))

    own, close, far = (apart(near) for near in (1.0, 0.8, 0.1))
    assert own < 0.01
    assert own < close < far


@pytest.mark.parametrize("same", [("--near", 1), ("--keep", "partials,body,tail"), ("--near", 1, "--keep", "tail")])
def test_where_nothing_moves_there_is_the_hit_alone(tiny_onnx, tmp_path, same):
    options = ("--steps", 1, "--model", tiny_onnx)
    assert run("explore", "--kind", "cowbell", "-n", 1, "-o", tmp_path / "bells", *options).exit_code == 0
    (bell,) = (tmp_path / "bells").glob("*.wav")
    done = run("explore", "--like", bell, "-n", 3, "-o", tmp_path / "near", *same, *options)
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "near").glob("*.wav"))) == 1
    assert "1 of 3: all would be the hit itself" in done.output


def test_a_file_in_place_of_the_folder_holds_no_table(tmp_path):
    (tmp_path / "kick.wav").write_text("a file")
    assert read_table(tmp_path / "kick.wav" / TABLE) == []


def test_kept_parts_stay(tiny_generator):
    hit = generate_drum(tiny_generator, "perc", 77, kind="cowbell", steps=1)[None]
    settings = ExploreSettings("perc", "cowbell", 1, near=0.0, keep=("partials", "body", "tail"), steps=1)
    (same,) = explore(settings, hit, generator=tiny_generator)
    shorter = min(hit.shape[1], same.audio.shape[1]) - 2000
    np.testing.assert_allclose(same.audio[:, :shorter], hit[:, :shorter], atol=2e-3)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (ExploreSettings("snare", near=2), "near is 2: choose 0"),
        (ExploreSettings("snare", keep=("head",)), "'head' cannot be kept of a drum"),
        (ExploreSettings("snare", keep=("tail",)), "tail cannot be kept of no drum"),
        (ExploreSettings("snare", count=0), "count is 0"),
        (ExploreSettings("snare", "brush_snare"), "the model has no brush_snare"),
        (ExploreSettings("drum"), "'drum' is not a drum class"),
    ],
)
def test_what_cannot_be_explored_is_named(tiny_generator, settings: ExploreSettings, match: str):
    with pytest.raises(InputError, match=match):
        list(explore(settings, generator=tiny_generator))


def test_a_sheet_plays_without_the_net_and_begins_a_later_command(tiny_generator, tmp_path):
    found = list(explore(ExploreSettings("perc", "cowbell", 2, steps=1), generator=tiny_generator))
    drums = [SheetDrum(f"<{drum.seed}>.wav", drum) for drum in found]
    write_sheet(tmp_path, drums, {"class": "perc", "kind": "cowbell"}, RATE)
    page = (tmp_path / PAGE).read_text()
    assert page.count("data:audio/flac;base64,ZkxhQ") == 2  # "fLaC"
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|https?:", page)
    assert f"&lt;{found[0].seed}&gt;.wav" in page
    assert f"seed {found[0].seed}" in page
    assert class_in_table(tmp_path / drums[0].file) == ("perc", "cowbell")
    assert class_in_table(tmp_path / "other.wav") is None
    again = [SheetDrum("later.wav", found[0])]
    write_sheet(tmp_path, again, {"class": "perc", "kind": None}, RATE)
    assert [row["file"] for row in read_table(tmp_path / TABLE)] == [*(drum.file for drum in drums), "later.wav"]


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {"drums": [{"seed": 1}]},
        {"drums": [{"file": 3}]},
        {"drums": [{"file": "a.wav", "seed": "first"}]},
        {"drums": [{"file": "a.wav", "seed": True}]},
        {"drums": [{"file": "a.wav", "brightness_hz": "bright"}]},
        {"drums": [{"file": "a.wav", "pitch_hz": [1]}]},
        {"drums": [{"file": "a.wav", "class": 7}]},
    ],
)
@pytest.mark.parametrize("seed", [(), ("--seed", 1)])
def test_a_damaged_table_is_named_before_anything_is_made(tiny_onnx, tmp_path, content, seed):
    (tmp_path / TABLE).write_text(json.dumps(content))
    with pytest.raises(InputError, match="is not a table of drums"):
        class_in_table(tmp_path / "hit.wav")
    failed = run("explore", "--kind", "cowbell", "-n", 1, "-o", tmp_path, "--steps", 1, "--model", tiny_onnx, *seed)
    assert "is not a table of drums" in str(failed.exception)
    assert [path.name for path in tmp_path.iterdir()] == [TABLE]


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_later_command_begins_with_a_drum_of_a_sheet(tiny_onnx, tmp_path):
    options = ("--steps", 1, "--model", tiny_onnx)
    done = run("explore", "--kind", "cowbell", "-n", 2, "-o", tmp_path, *options)
    assert done.exit_code == 0, done.output
    rows = read_table(tmp_path / TABLE)
    assert [row["kind"] for row in rows] == ["cowbell", "cowbell"]
    assert (tmp_path / PAGE).exists()
    liked = tmp_path / rows[0]["file"]
    liked = liked.rename(tmp_path / "favourite.wav")
    rows[0]["file"] = "favourite.wav"
    (tmp_path / TABLE).write_text(json.dumps({"drums": rows}))
    done = run("explore", "--like", liked, "--lock", "body, tail", "-n", 1, "-o", tmp_path / "more", *options)
    assert done.exit_code == 0, done.output
    (row,) = read_table(tmp_path / "more" / TABLE)
    assert (row["class"], row["kind"], row["near"], row["keep"]) == ("perc", "cowbell", 0.7, "body, tail")
    failed = run("explore", "-n", 1, "-o", tmp_path / "none", *options)
    assert "neither --class, --kind nor --like" in str(failed.exception)
    assert not (tmp_path / "none").exists()


def test_a_second_run_into_a_folder_goes_on_behind_the_first(tiny_onnx, tmp_path):
    command = ("explore", "--kind", "cowbell", "-n", 2, "-o", tmp_path, "--steps", 1, "--model", tiny_onnx)
    assert run(*command).exit_code == 0
    first = read_table(tmp_path / TABLE)
    (tmp_path / first[1]["file"]).unlink()
    assert run(*command).exit_code == 0
    rows = read_table(tmp_path / TABLE)
    assert rows[:2] == first
    assert min(row["seed"] for row in rows[2:]) > max(row["seed"] for row in first)
    page = (tmp_path / PAGE).read_text()
    shown = re.findall(r'data-file="([^"]+)"', page)
    assert shown == [rows[2]["file"], rows[3]["file"], first[0]["file"]]
    assert "3 drums, 2 of them new: class perc, kind cowbell" in page
    assert run(*command, "--seed", first[0]["seed"]).exit_code == 0
    assert [row["seed"] for row in read_table(tmp_path / TABLE)[-2:]] == [row["seed"] for row in first]


def test_an_interrupted_run_leaves_a_sheet_and_the_next_one_goes_on(tiny_onnx, tmp_path, monkeypatch):
    command = ("explore", "--kind", "cowbell", "-n", 4, "-o", tmp_path, "--steps", 1, "--model", tiny_onnx)
    made = []

    def interrupted(*args, **options):
        made.append(generate_drum(*args, **options))
        if len(made) == 3:
            raise KeyboardInterrupt
        return made[-1]

    with monkeypatch.context() as patched:
        patched.setattr("ghostnote.bridge.tools.explore.generate_drum", interrupted)
        assert run(*command).exit_code == 130
    first = read_table(tmp_path / TABLE)
    assert sorted(row["file"] for row in first) == sorted(path.name for path in tmp_path.glob("*.wav"))
    assert len(first) == 2
    assert "2 drums: class perc" in (tmp_path / PAGE).read_text()
    assert run(*command).exit_code == 0
    rows = read_table(tmp_path / TABLE)
    assert rows[:2] == first
    assert min(row["seed"] for row in rows[2:]) > max(row["seed"] for row in first)
    assert "6 drums, 4 of them new" in (tmp_path / PAGE).read_text()


def test_a_hit_is_the_same_however_its_path_is_typed(tiny_onnx, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("--steps", 1, "--model", tiny_onnx)
    assert run("explore", "--kind", "cowbell", "-n", 1, "-o", "bells", *options).exit_code == 0
    (tmp_path / "bells" / read_table(tmp_path / "bells" / TABLE)[0]["file"]).rename("bell.wav")
    for typed in ("bell.wav", "bells/../bell.wav", tmp_path / "bell.wav"):
        done = run("explore", "--like", typed, "--class", "perc", "-n", 1, "-o", "near", *options)
        assert done.exit_code == 0, done.output
    rows = read_table(tmp_path / "near" / TABLE)
    assert [row["like"] for row in rows] == [str(tmp_path / "bell.wav")] * 3
    # Each run goes on behind the one before.
    assert len({row["seed"] for row in rows}) == 3
    refused = run("explore", "--class", "perc", "--near", 0.5, "-o", "none", *options)
    assert "--near 0.5: is of --like, which is not given" in str(refused.exception)
