from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.models.plots.hits import HIGHEST_HZ, LOWEST_HZ, draw_hits, log_spectrogram
from ghostnote.models.plots.levels import HitAndVariation, draw_levels, level_curve

RATE = 44100


def tone(hz: float, frames: int = 8192) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hz * np.arange(frames) / RATE).astype(np.float32)


@pytest.mark.parametrize("hz", [60.0, 500.0, 1000.0, 8000.0])
def test_a_full_sine_stands_in_its_band_at_0_db(hz: float) -> None:
    levels = log_spectrogram(tone(hz), RATE)
    middle = levels[:, levels.shape[1] // 2]
    bands = np.geomspace(LOWEST_HZ, HIGHEST_HZ, levels.shape[0] + 1)
    assert abs(np.log2(bands[np.argmax(middle)] / hz)) < 0.2
    assert middle.max() == pytest.approx(0, abs=1.5)


def test_an_onset_stands_at_its_time() -> None:
    levels = log_spectrogram(np.pad(tone(6000, 4096), (4096, 0)), RATE)
    above = levels.max(axis=0) > -40
    assert np.argmax(above) / above.size == pytest.approx(0.5, abs=0.05)


def test_rows_of_unequal_length_make_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "hits.png"
    draw_hits(path, [("kick", [("$eed 1", tone(60)), ("2", tone(61, 300))]), ("silence", [("3", 0 * tone(1))])])
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == ["hits.png"]


def test_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    empty = np.zeros(0, np.float32)
    refused: list[list[tuple[str, list[tuple[str, NDArray[np.float32]]]]]]
    refused = [[], [("kick", [])], [("kick", [("a", empty)])]]
    for rows in refused:
        with pytest.raises(ValueError, match="at least one"):
            draw_hits(tmp_path / "x.png", rows)


def test_a_path_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        draw_hits(tmp_path / "file" / "x.png", [("kick", [("a", tone(60))])])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_level_curve_tells_the_level_of_each_channel_at_its_time() -> None:
    loud = np.sqrt(2) * tone(1000, RATE)
    curve = level_curve(np.stack([loud, np.float32(0.1) * loud]), RATE)
    assert curve[:, 20:180] == pytest.approx(np.array([[0.0], [-20.0]]).repeat(160, axis=1), abs=0.1)
    stepped = np.concatenate([loud, 0.01 * loud])[None].astype(np.float32)
    assert np.argmax(level_curve(stepped, RATE)[0] < -20) == pytest.approx(200, abs=5)


def test_mono_and_stereo_hits_make_one_picture_of_levels(tmp_path: Path) -> None:
    path, stereo = tmp_path / "levels.png", np.stack([tone(60), tone(70)])
    pairs = [HitAndVariation("$a", stereo, stereo, RATE, 0.1), HitAndVariation("wide", stereo[:1], stereo, RATE, 0.1)]
    draw_levels(path, [*pairs, HitAndVariation("mono", stereo[:1], stereo[:1], RATE, 0.1)])
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="at least one"):
        draw_levels(path, [])


def test_the_command_skips_and_names_a_file_that_cannot_be_read(tmp_path: Path, tiny_onnx: Path) -> None:
    good, bad, picture = tmp_path / "snare.wav", tmp_path / "kick.wav", tmp_path / "hits.png"
    write_audio(good, np.float32(0.5) * tone(200)[None], RATE)
    bad.write_bytes(b"RIFF no sound")
    options = ["-o", str(picture), "--model", str(tiny_onnx), "-n", "1"]
    result = CliRunner().invoke(app, ["figure", str(bad), str(good), *options])
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "kick.wav" in result.stderr
    assert "snare.wav" not in result.stderr
    assert CliRunner().invoke(app, ["figure", str(bad), *options]).exit_code != 0
