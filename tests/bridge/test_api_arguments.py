"""What the Python API says of arguments that it cannot take: one of its own errors, before anything is made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from batch_fakes import RATE, hit

from ghostnote.bridge import (
    BatchSettings,
    GhostnoteError,
    InputError,
    Model,
    RenderSettings,
    StrokeKey,
    Variation,
    humanize_folder,
    load_kit,
    read_audio,
    render_midi,
    write_audio,
)

KEY = StrokeKey(0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a folder of hits and a song, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    write_audio("hits/snare.wav", hit(), RATE)
    mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("note_on", note=38, velocity=90)])]).save("song.mid")
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"count": 0}, "count is 0: choose 1 to 999"),
        ({"count": 1.5}, r"count is 1\.5: choose a whole number from 1 to 999"),
        ({"count": None}, "count is None: choose a whole number"),
        ({"velocities": 200}, "velocities is 200: choose 1 to 127"),
        ({"rate": 5}, "rate is 5: choose 8000 to 192000"),
        ({"rate": "x" * 5_000}, "rate is 'xxx[x]*…': choose"),
        ({"seed": -1}, "seed is -1: choose 0 to 4294967295"),
        ({"amount": np.nan}, "amount is nan: choose 0 to 2"),
        ({"amount": "1"}, "amount is '1': choose 0 to 2"),
        ({"width": 7}, "width is 7: choose 0 to 1"),
        ({"steps": 9_999_999}, "steps is 9999999: choose 0 to 64"),
        ({"bits": 16.0}, r"wav files have no 16\.0 bits; choose 16, 24, 32"),
        ({"drum_class": "snaer"}, "'snaer' is not a drum class; did you mean snare"),
    ],
)
def test_a_batch_is_checked_as_on_the_command_line(folder: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=f"^{said}"):
        humanize_folder("hits", "out", BatchSettings(**settings))
    assert sorted(path.name for path in folder.iterdir()) == ["hits", "song.mid"]


def test_the_class_of_a_batch_is_taken_as_words_say_it(folder: Path, tiny_onnx: Path) -> None:
    settings = BatchSettings(count=1, velocities=1, steps=0, drum_class="Closed Hats")
    report = humanize_folder("hits", "out", settings, model=tiny_onnx)
    assert (report.files, report.problems) == (1, ())
    assert "closed_hat" in report.manifest.read_text()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"jobs": -1}, "jobs is -1: choose 1 to 64"),
        ({"jobs": 1.5}, r"jobs is 1\.5: choose a whole number"),
        ({"tail_seconds": -1}, "tail_seconds is -1: choose 0 to 600"),
        ({"polyphony": 0}, "polyphony is 0: choose 1 to"),
        ({"stems": 3}, "stems is 3: give the path of a file or folder"),
        ({"bits": True}, r"mix\.wav: \.wav files have no True bits; choose 16, 24, 32"),
    ],
)
def test_a_render_is_checked(folder: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=f"^{said}"):
        render_midi("song.mid", "mix.wav", settings=RenderSettings(**{"jobs": 1, **settings}))
    assert not (folder / "mix.wav").exists()


SOUND = hit()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((SOUND[0], RATE), r"the sound for a\.wav has the shape \(\d+,\): give \(channels, frames\)"),
        ((SOUND[None], RATE), r"the sound for a\.wav has the shape \(1, 1, \d+\)"),
        (((SOUND * 32_767).astype(np.int16), RATE), r"the sound for a\.wav is of int16: give floating-point numbers"),
        ((SOUND > 0, RATE), "the sound .* is of bool"),
        ((SOUND.astype(complex), RATE), "the sound .* is of complex128"),
        ((None, RATE), "the sound .* is not an array of numbers"),
        (([[0.0], [0.0, 1.0]], RATE), "the sound .* is not an array of numbers"),
        ((SOUND, -5), "rate is -5: choose 1000 to 768000"),
        ((SOUND, 1), "rate is 1: choose 1000 to 768000"),
        ((SOUND, 44_100.5), r"rate is 44100\.5: choose a whole number"),
        ((SOUND, "x"), "rate is 'x': choose a whole number from 1000 to 768000"),
        ((SOUND, RATE, 16.0), r"a\.wav: \.wav files have no 16\.0 bits"),
    ],
)
def test_what_is_no_sound_is_not_written(folder: Path, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(InputError, match=f"^{said}"):
        write_audio("a.wav", *arguments)
    assert not (folder / "a.wav").exists()


def test_a_list_of_numbers_is_a_sound(folder: Path) -> None:
    write_audio("list.wav", SOUND.tolist(), RATE, 32)
    np.testing.assert_array_equal(read_audio("list.wav")[0], SOUND)


@pytest.mark.parametrize("path", [None, 3, "a\0.wav", "x" * 5_000])
@pytest.mark.parametrize(
    "call",
    [
        lambda path: write_audio(path, SOUND, RATE),
        read_audio,
        load_kit,
        lambda path: Model(path or 0),
        lambda path: humanize_folder(path, "out"),
        lambda path: render_midi(path, "mix.wav"),
    ],
)
def test_what_is_no_path_of_a_file_is_an_error_of_our_own(
    folder: Path, call: Callable[[Any], object], path: Any
) -> None:
    with pytest.raises(GhostnoteError):
        call(path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"drum_class": None}, "None is not the name of a drum: give it as text, as 'snare'"),
        ({"drum_class": 3}, "3 is not the name of a drum"),
        ({"rate": np.int16(8_000)}, "rate is of int16, in which it overflows"),
        ({"key": StrokeKey(index=0.5)}, r"index is 0\.5: choose a whole number"),  # type: ignore[arg-type]
        ({"variation": Variation(seed=1.5)}, r"seed is 1\.5: choose a whole number"),  # type: ignore[arg-type]
        ({"variation": Variation(steps=1.5)}, r"steps is 1\.5: choose a whole number"),  # type: ignore[arg-type]
    ],
)
def test_a_stroke_is_made_of_what_it_is_made_of(tiny_onnx: Path, arguments: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"rate": RATE, "drum_class": "snare", "key": KEY, "variation": None, **arguments}
    with pytest.raises(InputError, match=f"^{said}"):
        Model(tiny_onnx).next_stroke(SOUND, **given)


@pytest.mark.parametrize(("drum_class", "seed"), [(None, 0), ("tom", 1.5)])
def test_a_new_drum_has_a_class_and_a_whole_seed(tiny_onnx: Path, drum_class: Any, seed: Any) -> None:
    with pytest.raises(InputError, match=r"as 'snare'|a whole number"):
        Model(tiny_onnx).new_drum(drum_class, seed)
