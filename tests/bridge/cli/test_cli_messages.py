"""What commands say: errors name the value, the rule and the remedy; counts agree with their nouns."""

from pathlib import Path

import mido
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from ghostnote.bridge.cli.app import _built, app
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.io.printable import counted

RATE = 44_100


@pytest.fixture
def hit(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    t = np.arange(RATE // 4) / RATE
    sound = np.exp(-20 * t) * (0.2 * rng.standard_normal(len(t)) + 0.3 * np.sin(2 * np.pi * 190 * t))
    path = tmp_path / "snare.wav"
    write_audio(path, np.pad(sound, (441, 0))[None].astype(np.float32), RATE, 24)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("tweak x.wav --bright 5", "'5' is out of range; choose -2 to 2"),
        ("tweak x.wav --bright much", "'much' is not a number; choose -2 to 2"),
        ("explore -o x -n 0", "'0' is out of range; choose 1 to 999"),
        ("render x.mid --rate 8000.5", "'8000.5' is not a whole number; choose 8000 to 192000"),
        ("tweak x.wav --seed -1", "'-1' is out of range; choose 0 to 4294967295"),
        ("kit export x.toml --to sfz -o x -n 1000", "'1000' is out of range; choose 1 to 999"),
        ("generate snare --seed -3", "'-3' is out of range; choose 0 or more"),
        ("tweak x.wav --bits many", "'many' is not a whole number; give a whole number"),
    ],
)
def test_a_value_that_an_option_cannot_take_is_named_with_what_it_takes(command: str, said: str) -> None:
    with pytest.raises(typer.BadParameter) as error:
        _built().main(command.split(), standalone_mode=False)
    assert said in str(error.value.message)


def test_counts_agree_with_their_nouns() -> None:
    assert [counted(count, "hit") for count in (0, 1, 2)] == ["0 hits", "1 hit", "2 hits"]
    assert counted(2, "loss", "losses") == "2 losses"


def test_repair_counts_what_it_mends(hit: Path, tmp_path: Path) -> None:
    from ghostnote.bridge.io.audio_file import read_audio

    audio, _ = read_audio(hit)
    for at in (4000, 6000):
        audio[:, at : at + 400] = 0
    broken = tmp_path / "broken snare.wav"
    write_audio(broken, audio, RATE, 24)
    assert (
        "mended 2 dropouts: dropout at 0.0907 s, dropout at" in run("repair", broken, "-o", tmp_path / "m.wav").output
    )


def test_repair_of_a_hit_that_is_whole_says_that_nothing_changes(hit: Path, tmp_path: Path) -> None:
    said = run("repair", hit, "-o", tmp_path / "m.wav").output
    assert "nothing broken is found, so its sound stays as it is; give --from and --to" in said
    assert (tmp_path / "m.wav").read_bytes() == hit.read_bytes()


def test_a_picture_is_written_in_the_form_of_its_name_or_refused_before_any_work(hit: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = run("tweak", hit, "--bright", 1, "-o", tmp_path / "no.wav", "--figure", tmp_path / "x.xyz")
    assert isinstance(result.exception, InputError)
    assert ".xyz is not a picture's ending; give it one of ." in str(result.exception)
    assert {"pdf", "png", "svg"} <= set(str(result.exception).replace(".", "").split("one of ")[1].split(", "))
    result = run("tweak", hit, "--bright", 1, "-o", tmp_path / "no.wav", "--figure", tmp_path / "noending")
    assert "its name has no ending" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["snare.wav"]
    for ending, magic in (("svg", b"<?xml"), ("pdf", b"%PDF"), ("JPG", b"\xff\xd8")):
        picture = tmp_path / f"x.{ending}"
        assert run("repair", hit, "-o", tmp_path / "yes.wav", "--figure", picture).exit_code == 0
        assert picture.read_bytes().startswith(magic)


def test_an_unknown_target_is_refused_with_all_classes_and_kinds(hit: Path, tmp_path: Path) -> None:
    result = run("transfer", hit, "--to", "spoon", "-o", tmp_path / "x.wav")
    said = str(result.exception)
    assert "'spoon' is neither a class nor a kind of drum" in said
    assert "classes are kick, snare" in said
    assert "cowbell" in said
    assert "did you mean cowbell?" in str(run("transfer", hit, "--to", "cowbel").exception)
    assert "cowbell" in run("transfer", "--help").output


def test_a_taken_name_is_no_news_where_the_command_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("note_on", note=60, velocity=90)])]).save("song.mid")
    for name in ("song.wav", "song-melody.wav"):
        Path(name).write_bytes(b"here")
    Path("folder").mkdir()
    for command in (
        "melody song.mid --drum none.wav",
        "melody song.mid --kind spoon",
        "render song.mid --kit none.toml",
        "live -o folder --osc off",
    ):
        result = run(*command.split())
        assert result.exit_code != 0
        assert "is there already" not in result.output


@pytest.mark.parametrize(
    "command", ["generate --kind ?", "generate --class ?", "explore -k ?", "transfer x.wav --to ?"]
)
def test_a_question_mark_lists_every_class_and_below_it_its_kinds(command: str) -> None:
    result = run(*command.split())
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(CLASS_NAMES)
    at = lines.index("clap")
    assert lines[at + 1 : at + 3] == ["  finger_snap", "  hand_clap"]
    assert "--kind" in result.stderr


@pytest.mark.parametrize("command", ["tweak --bright 1 -o x.wav", "humanize -o x", "melody --drum"])
def test_a_class_that_is_none_is_refused_alike_by_every_command(hit: Path, command: str) -> None:
    result = run(*command.split(), hit, "--class", "snaer")
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == "'snaer' is not a drum class; did you mean snare?"


def test_a_class_is_taken_as_words_say_it(hit: Path, tmp_path: Path) -> None:
    result = run("tweak", hit, "--class", "Closed Hats", "--bright", 1, "-o", tmp_path / "x.wav")
    assert result.exit_code == 0, result.exception
    assert "closed hat (by given)" in result.output


def generated(folder: Path, model: Path, *arguments: object) -> Result:
    result = run("generate", *arguments, "--model", model, "--steps", 1, "-o", folder)
    assert result.exit_code == 0, result.exception
    return result


def test_words_with_a_seed_make_the_drum_again_that_a_file_is_named_after(tiny_onnx: Path, tmp_path: Path) -> None:
    chosen = generated(tmp_path / "chosen", tiny_onnx, "long dark cowbell", "-n", 2).stdout.split()
    for name in map(Path, chosen):
        seed = int(name.stem.rpartition("_")[2])
        again = generated(tmp_path / "again", tiny_onnx, "long dark cowbell", "--seed", seed, "-n", 1)
        assert Path(again.stdout.strip()).read_bytes() == name.read_bytes()
    more = generated(tmp_path / "more", tiny_onnx, "long dark cowbell", "--seed", 300, "-n", 2).stdout.split()
    assert [Path(name).name for name in more] == ["cowbell_300.wav", "cowbell_301.wav"]


def test_a_class_or_kind_that_contradicts_the_words_is_said_to_count(tiny_onnx: Path, tmp_path: Path) -> None:
    said = generated(tmp_path, tiny_onnx, "dark kick", "--class", "snare", "-n", 1)
    assert "note: --class snare counts, and not the words' kick" in said.stderr
    said = generated(tmp_path, tiny_onnx, "dark snare", "--kind", "cowbell", "-n", 1)
    assert "note: --kind cowbell counts, and not the words' snare" in said.stderr
    assert "counts" not in generated(tmp_path, tiny_onnx, "dark cowbell", "--class", "perc", "-n", 1).stderr


def test_words_without_quotes_are_answered_with_the_quotes() -> None:
    result = run("generate", "tight", "dry", "snare")
    assert isinstance(result.exception, InputError)
    assert 'put the words in quotes, as in "tight dry snare"' in str(result.exception)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("explore -c snare -o", "many drums are made; give a folder"),
        ("humanize {hit} -o", "a hit becomes several strokes; give a folder"),
        ("slice {hit} -o", "a loop becomes several; give a folder"),
        ("generate snare -n 2 -o", "2 drums are to be made; give a folder, or -n 1"),
    ],
)
def test_no_folder_is_made_of_a_sound_files_name(command: str, said: str, hit: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "x.wav"
    result = run(*(part.format(hit=hit) for part in command.split()), output)
    assert str(result.exception) == f"{output}: is the name of a sound file, and {said}"
    assert not output.parent.exists()


def test_one_drum_can_be_written_into_a_file(tmp_path: Path, tiny_onnx: Path) -> None:
    for name in ("new.flac", "new-2.flac"):
        said = generated(tmp_path / "new.flac", tiny_onnx, "-c", "snare")
        assert said.stdout.split() == [str(tmp_path / name)]
    assert {path.name for path in tmp_path.iterdir()} == {"new.flac", "new-2.flac"}
