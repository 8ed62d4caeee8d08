import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.io.audio_file import read_audio, write_audio

RATE = 44_100
runner = CliRunner()


@pytest.fixture
def snare(tmp_path):
    rng = np.random.default_rng(1)
    t = np.arange(RATE // 4) / RATE
    hit = np.exp(-20 * t) * (0.2 * rng.standard_normal(len(t)) + 0.3 * np.sin(2 * np.pi * 190 * t))
    path = tmp_path / "snare.wav"
    write_audio(path, np.pad(hit, (441, 0))[None].astype(np.float32), RATE, 24)
    return path


def run(*arguments):
    return runner.invoke(app, [str(each) for each in arguments])


def test_widen_writes_two_channels_whose_mean_is_the_hit(snare, tmp_path, tiny_onnx):
    wide = tmp_path / "wide.wav"
    result = run("widen", snare, "-o", wide, "--exact-mono", "--width", "1", "--model", tiny_onnx)
    assert result.exit_code == 0
    audio, rate = read_audio(wide)
    assert (audio.shape[0], rate) == (2, RATE)
    assert np.abs(audio.mean(axis=0) - read_audio(snare)[0][0]).max() < 2**-22


def test_repair_says_what_it_mends(snare, tmp_path):
    audio, _ = read_audio(snare)
    audio[:, 2000:2400] = 0
    broken, mended = tmp_path / "broken snare.wav", tmp_path / "mended.wav"
    write_audio(broken, audio, RATE, 24)
    result = run("repair", broken, "-o", mended)
    assert result.exit_code == 0
    assert "mended 1 dropout: dropout at 0.0454 s" in result.output
    assert np.abs(read_audio(mended)[0][:, 2000:2400]).max() > 0.01


def test_repair_of_half_a_range_is_refused(snare):
    result = run("repair", snare, "--from", "0.1")
    assert result.exception is not None
    assert "only one is given" in str(result.exception)


def test_upsample_says_where_the_new_begins_and_fails_a_file_that_misses_nothing(snare, tmp_path):
    result = run("upsample", snare, "-o", tmp_path / "top.wav", "--above", "9000")
    assert result.exit_code == 0
    assert "new above 9000 Hz" in result.output
    result = run("upsample", snare, "-o", tmp_path / "none.wav")
    assert result.exit_code == 1
    assert "fades without a cut" in result.output
    assert not (tmp_path / "none.wav").exists()


def test_morph_of_one_is_half_way(snare, tmp_path):
    high = tmp_path / "high tom.wav"
    t = np.arange(RATE // 4) / RATE
    write_audio(high, (0.5 * np.exp(-12 * t) * np.sin(2 * np.pi * 380 * t))[None].astype(np.float32), RATE, 24)
    half, three = tmp_path / "half.wav", tmp_path / "three.wav"
    assert run("morph", snare, high, "-n", "1", "-o", half).exit_code == 0
    assert run("morph", snare, high, "-n", "3", "-o", three).exit_code == 0
    assert np.abs(read_audio(half)[0] - read_audio(tmp_path / "three-2.wav")[0]).max() < 2**-20
