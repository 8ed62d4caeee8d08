from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.errors import AudioFileError, InputError
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.io.sample_size import source_bits
from ghostnote.bridge.tools.files import FileHit, ToolResult, plan, process
from ghostnote.bridge.tools.output_form import OutputForm


def tone(hz: float, rate: int, channels: int = 1, seconds: float = 0.3) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    sound = 0.5 * np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.08)
    return np.tile(sound.astype(np.float32), (channels, 1))


def halved(hit: FileHit) -> list[ToolResult]:
    return [ToolResult(hit.audio / 2)]


def at_peak(hit: FileHit) -> np.ndarray:
    return hit.audio * np.float32(1.001 / np.abs(hit.audio).max())


def run(paths, form, tool=halved):
    return list(process(plan(paths, form), form, tool))


@pytest.mark.parametrize(
    ("suffix", "rate", "channels", "bits"), [(".wav", 48_000, 2, 16), (".wav", 8_000, 1, 32), (".flac", 44_100, 3, 24)]
)
def test_results_have_the_form_of_their_source(tmp_path: Path, suffix: str, rate: int, channels: int, bits: int):
    source = tmp_path / f"tom{suffix}"
    write_audio(source, tone(150, rate, channels), rate, bits)
    (outcome,) = run([source], OutputForm("half", tmp_path / "out"))
    (written,) = outcome.written
    assert written == tmp_path / "out" / source.name
    audio, found_rate = read_audio(written)
    assert (audio.shape, found_rate, source_bits(written)) == (tone(150, rate, channels).shape, rate, bits)
    assert np.abs(audio - tone(150, rate, channels) / 2).max() < 2e-4


def test_a_form_that_is_asked_for(tmp_path: Path):
    source = tmp_path / "tom.wav"
    write_audio(source, tone(150, 48_000), 48_000, 16)
    form = OutputForm("half", tmp_path / "out", "flac", 24, 22_050)
    (outcome,) = run([source], form)
    audio, rate = read_audio(outcome.written[0])
    assert (outcome.written[0].name, rate, source_bits(outcome.written[0])) == ("tom.flac", 22_050, 24)
    assert audio.shape == (1, 6615)


def test_folders_keep_their_places_and_nothing_is_replaced(tmp_path: Path):
    for name in ("a/kick.wav", "b/kick.wav"):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        write_audio(tmp_path / "in" / name, tone(60, 44_100), 44_100)
    form = OutputForm("half", tmp_path / "in" / "out")
    first = [outcome.written[0] for outcome in run([tmp_path / "in"], form)]
    assert first == [tmp_path / "in" / "out" / name for name in ("a/kick.wav", "b/kick.wav")]
    again = run([tmp_path / "in"], form)
    # What the first run wrote is not read by the second.
    assert [outcome.written[0].name for outcome in again] == ["kick-2.wav", "kick-2.wav"]
    assert "is there already" in again[0].notes[0]


def test_without_an_output_the_name_of_the_tool_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kit").mkdir()
    write_audio(tmp_path / "kit" / "rim.wav", tone(800, 44_100), 44_100)
    assert run([Path("kit/rim.wav")], OutputForm("half"))[0].written == (Path("rim-half.wav"),)
    assert run([Path("kit")], OutputForm("half"))[0].written == (Path("kit-half/rim.wav"),)


def test_results_without_an_output_are_not_sources_of_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_audio(tmp_path / "rim.wav", tone(800, 44_100), 44_100)
    folder = Path(f"{tmp_path.name}-half")
    for name in ("rim.wav", "rim-2.wav"):
        assert [outcome.written for outcome in run([Path()], OutputForm("half"))] == [(folder / name,)]


def test_several_results_are_numbered_or_labelled(tmp_path: Path):
    write_audio(tmp_path / "tom.wav", tone(150, 44_100), 44_100)

    def two(hit: FileHit) -> list[ToolResult]:
        return [ToolResult(hit.audio), ToolResult(hit.audio, label="soft", note="softer")]

    (outcome,) = run([tmp_path / "tom.wav"], OutputForm("two", tmp_path / "new.wav"), two)
    assert [path.name for path in outcome.written] == ["new-1.wav", "new-soft.wav"]
    assert outcome.notes == ("softer",)


def test_what_fails_is_named_and_the_others_go_on(tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"RIFFnothing")
    for name in ("kick.wav", "tom.wav"):
        write_audio(tmp_path / name, tone(90, 44_100), 44_100)

    def picky(hit: FileHit) -> list[ToolResult]:
        if hit.path.stem == "tom":
            raise InputError("a tom cannot be halved; give a kick")
        return halved(hit)

    outcomes = {
        outcome.task.source.name: outcome for outcome in run([tmp_path], OutputForm("half", tmp_path / "o"), picky)
    }
    assert str(tmp_path / "broken.wav") in outcomes["broken.wav"].problem
    assert outcomes["tom.wav"].problem == f"{tmp_path / 'tom.wav'}: a tom cannot be halved; give a kick"
    assert outcomes["kick.wav"].written
    assert not outcomes["tom.wav"].written


def test_a_link_to_nothing_is_named(tmp_path: Path):
    write_audio(tmp_path / "tom.wav", tone(150, 44_100), 44_100, 24)
    (tmp_path / "circle.wav").symlink_to("circle.wav")
    (tmp_path / "gone.wav").symlink_to("nowhere.wav")
    (tmp_path / "folder.wav").mkdir()
    problems = [outcome.problem for outcome in run([tmp_path], OutputForm("half", tmp_path / "o"))]
    assert "its links go in a circle" in problems[0]
    assert "there is no such file" in problems[1]
    assert problems[2:] == [None]


def test_what_would_clip_is_turned_down(tmp_path: Path):
    write_audio(tmp_path / "tom.wav", tone(150, 44_100), 44_100, 24)
    loud = run([tmp_path / "tom.wav"], OutputForm("loud", tmp_path / "o"), lambda hit: [ToolResult(hit.audio * 4)])
    audio, _ = read_audio(loud[0].written[0])
    assert np.abs(audio).max() == pytest.approx(1, abs=1e-4)
    assert "or it would clip" in loud[0].notes[0]
    (barely,) = run([tmp_path / "tom.wav"], OutputForm("loud", tmp_path / "o"), lambda hit: [ToolResult(at_peak(hit))])
    assert not any("turned down" in note for note in barely.notes)


def test_results_of_one_hit_are_turned_down_as_one(tmp_path: Path):
    write_audio(tmp_path / "tom.wav", tone(150, 44_100), 44_100, 24)
    gains = (1.0, 4.0, 2.0)
    (made,) = run(
        [tmp_path / "tom.wav"],
        OutputForm("loud", tmp_path / "o"),
        lambda hit: [ToolResult(hit.audio * gain) for gain in gains],
    )
    peaks = [np.abs(read_audio(path)[0]).max() for path in made.written]
    assert peaks == pytest.approx([0.25, 1.0, 0.5], abs=1e-3)
    (note,) = made.notes
    assert note.startswith("all 3 are turned down by")


def test_what_a_hit_is(tmp_path: Path):
    write_audio(tmp_path / "tom.wav", tone(150, 48_000, 2), 48_000)
    (outcome,) = run([tmp_path / "tom.wav"], OutputForm("half", tmp_path / "o"))
    assert outcome.hit.pitch_hz == pytest.approx(150, rel=0.01)
    assert outcome.hit.summary == "tom (by name), 150 Hz, 0.30 s, stereo at 48000 Hz"
    noise = np.random.default_rng(1).standard_normal((1, 9000)).astype(np.float32) * 0.1
    assert FileHit(Path("x.wav"), noise * np.exp(-np.arange(9000) / 2000, dtype=np.float32), 44_100).pitch_hz is None


@pytest.mark.parametrize(
    ("form", "error", "said"),
    [
        (OutputForm("half", Path("new.wav")), InputError, "2 sources; give a folder"),
        (OutputForm("half", format="mp3"), InputError, "choose one of wav"),
        (OutputForm("half", format="flac", bits=32), AudioFileError, "no 32 bits"),
        (OutputForm("half", bits=20), InputError, "--bits 20: no format has that; choose one of 16, 24, 32"),
        (OutputForm("half", Path("a.flac"), "wav"), InputError, "leave --format out"),
        (OutputForm("half", drum_class="gong"), InputError, "'gong' is not a drum class"),
    ],
)
def test_forms_that_cannot_be_written(tmp_path: Path, form: OutputForm, error: type[Exception], said: str):
    for name in ("kick.wav", "tom.wav"):
        write_audio(tmp_path / name, tone(90, 44_100), 44_100)
    with pytest.raises(error, match=said):
        plan([tmp_path], form)


def test_paths_without_sound(tmp_path: Path):
    with pytest.raises(InputError, match="no sound files found"):
        plan([tmp_path], OutputForm("half"))
    with pytest.raises(InputError, match="there is no such file"):
        plan([tmp_path / "gone.wav"], OutputForm("half"))


def test_an_output_that_cannot_be_written_is_no_folder(tmp_path: Path) -> None:
    write_audio(tmp_path / "snare.wav", np.full((1, 4_000), 0.1, np.float32), 44_100)
    with pytest.raises(InputError, match=r"out\.mp3: \.mp3 cannot be written; choose one of \.wav"):
        plan([tmp_path / "snare.wav"], OutputForm("tweak", tmp_path / "out.mp3"))
