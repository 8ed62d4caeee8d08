"""Baselines, and figures that show them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.tools.baselines import crossfaded, crossfades, interpolated
from ghostnote.bridge.tools.damage import Damage
from ghostnote.bridge.tools.spectral_cut import band_filtered

RATE = 44_100
A, B = np.ones((1, 4), np.float32), np.full((1, 6), 3, np.float32)


def test_crossfades_are_weighted_means_of_the_longer_length():
    first, half, last = crossfades(A, B, 3)
    assert first.tolist() == [[1, 1, 1, 1, 0, 0]]
    assert half.tolist() == [[2, 2, 2, 2, 1.5, 1.5]]
    np.testing.assert_array_equal(last, B)
    assert crossfades(A, B, 3, curve=2.0)[1][0, 0] == 1.5


def test_a_hit_is_faded_over_when_it_is_said():
    over = crossfaded(np.ones((1, 100), np.float32), np.zeros((1, 50), np.float32), 100, 0.2, 0.4)
    assert over[0, :20].tolist() == [1] * 20
    assert over[0, 40] == pytest.approx(0.5)
    assert over[0, 60:].tolist() == [0] * 40


def test_gaps_are_bridged_by_straight_lines_and_the_rest_stays():
    hit = np.array([[0, 9, 9, 3, 4], [5, 6, 7, 8, 9]], np.float32)
    mended = interpolated(hit, [[Damage("given", 1, 3)], []])
    assert mended.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


@pytest.fixture
def hits(tmp_path: Path) -> tuple[Path, Path]:
    t = np.arange(RATE // 5) / RATE
    paths = tmp_path / "low.wav", tmp_path / "high.wav"
    for path, hz in zip(paths, (100, 300), strict=True):
        noise = 0.05 * np.random.default_rng(1).standard_normal(len(t))
        sound = np.exp(-15 * t) * (np.sin(2 * np.pi * hz * t) + noise) * np.minimum(1, t / 0.002)
        write_audio(path, (0.5 * sound)[None].astype(np.float32), RATE, 24)
    return paths


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        ("morph A B -n 3", [["before", "1", "2", "3"], ["before", "crossfade", "crossfade", "crossfade"]]),
        ("transition A B", [["before", "after", "crossfade"]]),
        ("repair A --from 0.05 --to 0.06", [["before", "after", "linear interpolation"]]),
        ("upsample A --above 9000", [["before", "after", "band replication"]]),
    ],
)
def test_a_figure_shows_the_baseline(
    hits: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, rows: list[list[str]]
):
    pytest.importorskip("matplotlib")
    from ghostnote.models.plots import before_after

    drawn: list[Any] = []
    monkeypatch.setattr(before_after, "draw_before_after", lambda path, made: drawn.extend(made))
    words = [str({"A": hits[0], "B": hits[1]}.get(word, word)) for word in command.split()]
    result = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "out"), "--figure", str(tmp_path / "x.png")])
    assert result.exit_code == 0, result.output
    assert [[label for label, _, _ in row.sounds] for row in drawn] == rows
    for row in drawn:
        assert len({round(audio.shape[1] / rate, 2) for _, audio, rate in row.sounds[1:]}) == 1


def test_the_baseline_of_a_hit_that_has_a_top_is_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("matplotlib")
    from ghostnote.models.plots import before_after

    drawn: list[Any] = []
    monkeypatch.setattr(before_after, "draw_before_after", lambda path, made: drawn.extend(made))
    t = np.arange(RATE // 2) / RATE
    noise = np.random.default_rng(1).standard_normal(len(t)) * np.exp(-8 * t) * np.minimum(1, t / 0.002)
    write_audio(tmp_path / "snare.wav", (0.1 * noise)[None].astype(np.float32), RATE, 32)
    words = ["upsample", "snare.wav", "--above", "9000", "-o", "out.wav", "--figure", "x.png"]
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    (_, hit, _), _, (_, baseline, _) = drawn[0].sounds
    above = [band_filtered(sound, RATE, 9500, high=True) for sound in (hit, baseline)]
    level_db = 10 * np.log10(np.square(above[1]).mean() / np.square(above[0]).mean())
    # The octave below the cut of white noise is as loud as what was above; both together were 3 dB louder.
    assert abs(level_db) < 1.5
