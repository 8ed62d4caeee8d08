"""Drums of which several strokes were recorded: one instrument each, as soft and loud as the recordings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from batch_fakes import RATE, batch, hit, tree

from ghostnote.bridge.batch.journal import manifest_rows
from ghostnote.bridge.batch.recorded_strokes import strokes_of_many
from ghostnote.bridge.dsp.velocity import hit_level_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.inference.variation import StrokeKey, Variation
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.kit.hits import PadHit


def recorded(folder: Path) -> Path:
    """Write two layers of two strokes of a snare, 12 dB apart, and a kick."""
    folder.mkdir()
    for layer, level in ((1, 0.25), (2, 1.0)):
        for turn in (1, 2):
            write_audio(folder / f"Snare_v{layer}_rr{turn}.wav", level * hit(seed=turn), RATE, 24)
    write_audio(folder / "Kick.wav", hit(seed=9), RATE, 24)
    return folder


def test_strokes_of_one_drum_become_one_instrument(tmp_path: Path) -> None:
    report = batch(recorded(tmp_path / "in"), tmp_path / "out", amount=0.0)
    rows = dict(manifest_rows(report.manifest))
    assert {source: len(own) for source, own in rows.items()} == {"Kick": 4, "Snare": 4}
    assert {row["class"] for row in rows["Snare"]} == {"snare"}
    assert "Snare: 4 files are strokes of one drum, the loudest Snare_v2_rr2.wav" in report.notes
    levels = [hit_level_db(*read_audio(tmp_path / "out" / row["path"])) for row in rows["Snare"]]
    assert levels[2] - levels[0] == pytest.approx(12.04, abs=0.2)


def test_round_robins_start_from_different_recordings(tmp_path: Path) -> None:
    batch(recorded(tmp_path / "in"), tmp_path / "out", amount=0.0, velocities=1, count=2)
    one, other = (read_audio(tmp_path / "out" / "Snare" / f"Snare_v1_rr{turn}.wav")[0] for turn in (1, 2))
    assert abs(np.corrcoef(one[0], other[0])[0, 1]) < 0.3


def test_the_same_bytes_whatever_the_jobs_for_many_strokes(tmp_path: Path) -> None:
    source = recorded(tmp_path / "in")
    batch(source, tmp_path / "one")
    batch(source, tmp_path / "two", jobs=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_changed_stroke_is_made_anew_on_resume(tmp_path: Path) -> None:
    source = recorded(tmp_path / "in")
    batch(source, tmp_path / "out")
    assert batch(source, tmp_path / "out", resume=True).reused == 2
    write_audio(source / "Snare_v1_rr1.wav", 0.2 * hit(seed=5), RATE, 24)
    assert batch(source, tmp_path / "out", resume=True).reused == 1


def test_strokes_of_other_rates_and_channels_are_brought_to_the_loudest_s(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", hit(channels=2, rate=48_000), 48_000, 24)
    write_audio(tmp_path / "b.wav", hit(channels=4), RATE, 24)

    def same(audio: np.ndarray, variation: Variation):
        def strokes(keys: Sequence[StrokeKey]) -> Iterator[np.ndarray]:
            return iter([audio] * len(keys))

        return strokes

    hits = [PadHit(tmp_path / "a.wav", 1, 64), PadHit(tmp_path / "b.wav", 65, 127)]
    made = list(strokes_of_many(hits, 1, RATE, Variation(), same)([StrokeKey(1, 60), StrokeKey(2, 127)]))
    assert [stroke.shape for stroke in made] == [(1, round(0.3 * RATE))] * 2
    with pytest.raises(AudioFileError, match="export them alike"):
        strokes_of_many(hits, 3, RATE, Variation(), same)
