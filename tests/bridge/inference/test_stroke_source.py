from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import AudioFileError, ModelError
from ghostnote.bridge.inference.stroke_source import SourceSpec, generate_drum
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.kit.kit import Pad


def pad(**changes):
    return Pad(**{"name": "Snare", "notes": (38,), "drum_class": "snare", "seed": 5, **changes})


@pytest.fixture(scope="module")
def source(tiny_onnx):
    return SourceSpec(tiny_onnx, 48_000).open()


def test_strokes_are_stereo_at_the_output_rate(source):
    stroke = source.stroke(pad(), 0, 100)
    drum = source.reference(pad()).audio
    assert stroke.shape == (2, round(drum.shape[1] * 48_000 / 44_100))
    assert np.array_equal(stroke[0], stroke[1])
    wide = source.stroke(pad(width=0.5), 0, 100)
    assert not np.array_equal(wide[0], wide[1])


def test_a_pads_knobs_shape_its_strokes(source):
    plain, tuned = source.stroke(pad(), 0, 100), source.stroke(pad(tune=12.0), 0, 100)
    assert tuned.shape[1] == pytest.approx(plain.shape[1] / 2, abs=2)
    assert np.array_equal(source.stroke(pad(reverse=True), 0, 100)[:, :1000], plain[:, :-1001:-1])
    assert np.array_equal(source.stroke(pad(tune=0.0), 0, 100), plain)


def test_another_process_makes_the_same_stroke(source, tiny_onnx):
    again = SourceSpec(tiny_onnx, 48_000).open()
    assert np.array_equal(source.stroke(pad(), 3, 90), again.stroke(pad(), 3, 90))


def test_seeds_make_other_drums(source):
    first, second = (source.reference(pad(seed=seed)).audio for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_a_pads_own_hit_is_resampled_once_and_kept(source, tmp_path):
    rate, seconds = 96_000, 1.5
    t = np.arange(int(rate * seconds)) / rate
    audio = (0.5 * np.exp(-3 * t) * np.sin(2 * np.pi * 300 * t)).astype(np.float32)
    path = tmp_path / "tom.wav"
    write_audio(path, audio[None], rate, 24)
    stroke = source.stroke(pad(hit=path, drum_class="tom", amount=0.0), 0, 127)
    assert stroke.shape[1] == 48_000 * seconds
    middle = slice(2000, 20_000)
    expected = 0.5 * np.exp(-3 * np.arange(48_000) / 48_000) * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)
    assert np.corrcoef(stroke[0, middle], expected[middle])[0, 1] > 0.999


def test_a_hit_that_cannot_be_read_is_named(source, tmp_path):
    path = tmp_path / "empty.wav"
    path.write_bytes(b"")
    with pytest.raises(AudioFileError, match=r"empty\.wav"):
        source.stroke(pad(hit=path), 0, 100)


def test_a_model_with_one_wrong_bit_in_its_file_is_refused(tiny_onnx, tmp_path):
    data, path = bytearray(tiny_onnx.read_bytes()), tmp_path / "wrong.onnx"
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"wrong\.onnx .*damaged"):
        SourceSpec(path, 48_000).open()


def test_a_generated_hit_rises_from_silence_and_ends_in_a_fade(tiny_generator):
    made = generate_drum(tiny_generator, "kick", 1)
    assert made.ndim == 1
    assert made[0] == made[-1] == 0
    assert np.abs(made[-200:]).max() < 1e-3
    assert np.abs(made).max() <= 0.9 + 1e-6


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_generate_writes_files_that_their_seeds_make_again(tiny_onnx, tmp_path):
    common = ("generate", "--class", "snare", "--model", tiny_onnx, "--steps", 1)
    assert run(*common, "-n", 3, "-o", tmp_path / "a", "--seed", 10).exit_code == 0
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["snare_10.wav", "snare_11.wav", "snare_12.wav"]
    assert run(*common, "-n", 1, "-o", tmp_path / "b", "--seed", 12).exit_code == 0
    assert (tmp_path / "a" / "snare_12.wav").read_bytes() == (tmp_path / "b" / "snare_12.wav").read_bytes()


def test_generated_files_sort_by_their_seeds(tiny_onnx, tmp_path):
    options = ("--model", tiny_onnx, "--steps", 1, "-n", 3, "--seed", 98, "-o", tmp_path)
    shown = run("generate", "--class", "snare", *options).output.split()
    assert [Path(name).name for name in shown] == ["snare_098.wav", "snare_099.wav", "snare_100.wav"]


def test_generate_makes_its_folder_and_replaces_nothing(tiny_onnx, tmp_path):
    common = ("generate", "--class", "snare", "--model", tiny_onnx, "--steps", 1, "-n", 1)
    folder = tmp_path / "new" / "folder"
    assert "earlier" not in run(*common, "-o", folder).output
    (folder / "snare_0.wav").write_text("changed by hand")
    result = run(*common, "-o", folder)
    assert result.stdout.split() == [str(folder / "snare_0-2.wav")]
    assert "files of earlier runs stay" in result.stderr
    assert (folder / "snare_0.wav").read_text() == "changed by hand"


def test_generate_keeps_to_a_length(tiny_onnx, tmp_path):
    run("generate", "--class", "kick", "--model", tiny_onnx, "--steps", 1, "-n", 1, "-o", tmp_path, "--length", 0.1)
    audio, rate = read_audio(tmp_path / "kick_0.wav")
    assert audio.shape[1] / rate <= 0.1
    assert np.abs(audio[:, -1]).max() < 0.01


def test_generate_names_the_classes(tmp_path):
    result = run("generate", "--class", "cowbel", "-o", tmp_path)
    assert result.exit_code != 0
    assert "'cowbel' is not a drum class" in str(result.exception)
    assert "snare" in str(result.exception)
