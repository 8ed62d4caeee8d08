import csv
import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest
from batch_fakes import RATE, Louder, batch, hit, tree, write_pack

from ghostnote.bridge.batch.full_band import Audio, Strokes
from ghostnote.bridge.batch.humanize import humanize_files, local_pool
from ghostnote.bridge.batch.journal import manifest_rows
from ghostnote.bridge.batch.settings import BatchSettings, check_settings, layer_bounds
from ghostnote.bridge.batch.sources import find_sources
from ghostnote.bridge.classify.classifier import class_by_sound
from ghostnote.bridge.dsp.conversion import mixdown
from ghostnote.bridge.dsp.stereo_image import match_image
from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.bridge.inference.variation import Variation
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.render.workers import auto_jobs


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_pack(tmp_path)


def test_every_hit_becomes_layers_and_round_robins_in_its_place(pack: Path, tmp_path: Path) -> None:
    report = batch(pack, tmp_path / "out")
    names = {name for name in tree(tmp_path / "out") if name.endswith(".wav")}
    assert "Trommeln ü/日本/hat/hat_v2_rr1.wav" in names
    assert {"kick/kick_v1_rr1.wav", "kick 2/kick 2_v1_rr1.wav"} <= names
    assert len(names) == 4 * 4 == report.files
    assert report.problems == ()


def test_strokes_differ_and_layers_rise(pack: Path, tmp_path: Path) -> None:
    batch(pack, tmp_path / "out")
    soft, hard, other = (
        read_audio(tmp_path / "out" / "kick" / f"kick_{name}.wav")[0] for name in ("v1_rr1", "v2_rr1", "v2_rr2")
    )
    assert np.abs(soft).max() < 0.5 * np.abs(hard).max()
    assert not np.array_equal(hard, other)


def test_the_manifest_tells_how_each_file_was_made(pack: Path, tmp_path: Path) -> None:
    report = batch(pack, tmp_path / "out", seed=9)
    with report.manifest.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"] for row in rows} == {n for n in tree(tmp_path / "out") if n.endswith(".wav")}
    snare = next(row for row in rows if row["source"] == "Trommeln ü/Snare 1")
    assert (snare["class"], snare["class_from"]) == ("snare", "name")
    assert (snare["low_velocity"], snare["high_velocity"]) == ("1", "64")
    assert len({row["seed"] for row in rows}) == 4
    assert len(snare["source_sha256"]) == 64


def test_layers_share_out_all_velocities() -> None:
    for count in (1, 3, 4, 127):
        bounds = layer_bounds(count)
        assert [v for low, high in bounds for v in range(low, high + 1)] == list(range(1, 128))


@pytest.mark.parametrize(
    ("name", "channels", "rate", "bits", "seconds"),
    [
        ("kick.wav", 1, 44_100, 16, 0.2),
        ("kick.wav", 2, 96_000, 24, 2.0),
        ("kick.wav", 5, 22_050, 32, 0.1),
        ("kick.flac", 2, 48_000, 16, 0.003),
    ],
)
def test_rate_channels_bits_and_length_stay(
    tmp_path: Path, name: str, channels: int, rate: int, bits: int, seconds: float
) -> None:
    (tmp_path / "in").mkdir()
    original = hit(seconds, channels, rate)
    write_audio(tmp_path / "in" / name, original, rate, bits)
    batch(tmp_path / "in", tmp_path / "out", format=name[-4:].strip("."))
    path = tmp_path / "out" / "kick" / f"kick_v2_rr1{Path(name).suffix}"
    made, made_rate = read_audio(path)
    assert made_rate == rate
    assert made.shape == original.shape
    with (tmp_path / "out" / "manifest.csv").open() as file:
        assert {row["bits"] for row in csv.DictReader(file)} == {str(bits)}


def test_a_width_that_a_file_cannot_have_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, channels in (("kick.wav", 5), ("tom.wav", 2), ("snare.wav", 1)):
        write_audio(tmp_path / "in" / name, hit(channels=channels), RATE)
    report = batch(tmp_path / "in", tmp_path / "out", width=0.5)
    (note,) = report.notes
    assert all(part in note for part in ("kick.wav", "5 channels", "--width", "mix it down"))
    assert batch(tmp_path / "in", tmp_path / "narrow").notes == ()


def test_nothing_changes_where_nothing_varies(tmp_path: Path) -> None:
    """Silence before the hit and what lies above the model's band are the file's own."""
    (tmp_path / "in").mkdir()
    original = np.concatenate([np.full((2, 9_000), 1e-4, np.float32), hit(1.0, 2, 96_000)], axis=1)
    write_audio(tmp_path / "in" / "snare.wav", original, 96_000, 32)
    batch(tmp_path / "in", tmp_path / "out", amount=0.0)
    made, _ = read_audio(tmp_path / "out" / "snare" / "snare_v2_rr1.wav")
    assert np.abs(made - original).max() < 1e-5
    assert np.array_equal(made[:, :8_000], original[:, :8_000])


def test_a_stroke_above_full_scale_comes_down_to_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    loud = hit() / np.abs(hit()).max()
    write_audio(tmp_path / "in" / "tom.wav", loud, RATE, 24)
    report = batch(tmp_path / "in", tmp_path / "out", amount=2.0, velocities=1)
    with report.manifest.open() as file:
        gains = [float(row["gain_db"]) for row in csv.DictReader(file)]
    assert max(gains) < 0
    (note,) = report.notes
    assert f"the strokes of tom by {-gains[0]:.1f} dB" in note


def test_one_gain_brings_a_hot_instrument_below_full_scale_and_keeps_its_layers(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    loud = hit() / np.abs(hit()).max()
    write_audio(tmp_path / "in" / "tom.wav", loud, RATE, 24)
    batch(tmp_path / "in", tmp_path / "out", amount=2.0, velocities=4)
    batch(tmp_path / "in", tmp_path / "free", amount=2.0, velocities=4, bits=32)
    free = [read_audio(path)[0] for path in sorted((tmp_path / "free" / "tom").iterdir())]
    hot = max(np.abs(stroke).max() for stroke in free)
    assert hot > 1.05
    for path, stroke in zip(sorted((tmp_path / "out" / "tom").iterdir()), free, strict=True):
        assert np.abs(read_audio(path)[0] - stroke / hot).max() < 1e-6


def test_the_stereo_image_stays() -> None:
    rng = np.random.default_rng(3)
    middle, sides = rng.standard_normal((1, 40_000)), rng.standard_normal((2, 40_000))
    for share, balance in ((0.0, 1.0), (0.6, 0.5), (-0.7, 2.0), (0.999, 1.0)):
        original = (share * middle * [[1.0], [np.sign(share)]] + (1 - abs(share)) * sides) * [[1.0], [balance]]
        varied = (rng.standard_normal((2, 40_000)) + 0.5 * middle).astype(np.float32)
        made = match_image(varied, original.astype(np.float32))
        assert np.corrcoef(made)[0, 1] == pytest.approx(np.corrcoef(original)[0, 1], abs=0.01)
        levels = [20 * np.log10(x[0].std() / x[1].std()) for x in (made, original)]
        assert levels[0] == pytest.approx(levels[1], abs=0.1)
        assert np.square(made).sum() == pytest.approx(np.square(varied).sum(), rel=0.01)
    assert np.abs(match_image(varied, varied) - varied).max() < 1e-4


def test_the_same_bytes_whatever_the_jobs(pack: Path, tmp_path: Path) -> None:
    batch(pack, tmp_path / "one")
    batch(pack, tmp_path / "two", jobs=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_hit_s_strokes_do_not_depend_on_its_neighbours_or_their_number(pack: Path, tmp_path: Path) -> None:
    batch(pack, tmp_path / "all", count=3)
    batch(pack / "kick.flac", tmp_path / "one", count=2)
    path = "kick/kick_v2_rr2.wav"
    assert (tmp_path / "all" / path).read_bytes() == (tmp_path / "one" / path).read_bytes()


def test_bad_files_and_loops_are_named_and_stop_nothing(pack: Path, tmp_path: Path) -> None:
    (pack / "broken.wav").write_bytes(b"RIFF no sound")
    loop = np.tile(hit(0.3), 8)
    write_audio(pack / "snare loop.wav", loop, RATE)
    report = batch(pack, tmp_path / "out")
    assert report.sources == 4
    assert any("broken.wav" in problem for problem in report.problems)
    assert len(report.problems) == 1
    assert any("snare loop.wav" in p and "8 attacks" in p and "--force" in p for p in report.left_out)
    assert batch(pack, tmp_path / "forced", force=True).sources == 5


def test_sides_of_opposite_polarity_are_humanized_by_the_louder_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, sides in (("kick", [[1], [-1]]), ("unnamed", [[1], [-0.9999]]), ("four", [[1], [1], [-1], [-1]])):
        write_audio(tmp_path / "in" / f"{name}.wav", hit() * np.array(sides, np.float32), RATE, 24)
    report = batch(tmp_path / "in", tmp_path / "out")
    assert (report.sources, report.problems, report.left_out) == (3, (), ())
    assert np.array_equal(mixdown(np.stack([0.5 * hit()[0], -0.5 * hit()[0]]), 1)[0], 0.5 * hit()[0])
    assert class_by_sound(np.concatenate([hit(), -hit()]), RATE) == class_by_sound(hit(), RATE)


def test_names_that_are_too_long_or_not_utf_8_are_humanized_under_others(tmp_path: Path) -> None:
    source = tmp_path / "in" / ("ü" * 120)
    source.mkdir(parents=True)
    write_audio(source / f"{'k' * 251}.wav", hit(), RATE)
    latin = tmp_path / "in" / os.fsdecode(b"Trommel \xfc.wav")
    try:
        latin.write_bytes((source / f"{'k' * 251}.wav").read_bytes())
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    report = batch(tmp_path / "in", tmp_path / "out")
    assert (report.sources, report.problems) == (2, ())
    assert any("too long a name" in note and "~" in note for note in report.notes)
    rows = [row for _, rows in manifest_rows(report.manifest) for row in rows]
    assert {row["source"] for row in rows if "/" not in row["source"]} == {"Trommel ü"}
    assert all((tmp_path / "out" / row["path"]).is_file() for row in rows)
    assert batch(tmp_path / "in", tmp_path / "out", resume=True).reused == 2


def test_names_that_meet_the_manifest_or_the_strokes_of_others_are_set_apart(tmp_path: Path) -> None:
    names = ("manifest.csv.wav", "manifest.csv/kick.wav", "kick.wav", "kick/kick_v1_rr1.wav.wav", "Kick_v2_RR1.WAV.wav")
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        write_audio(tmp_path / "in" / name, hit(), RATE)
    report = batch(tmp_path / "in", tmp_path / "out", jobs=2)
    assert (report.sources, report.problems) == (5, ())
    assert len(list(manifest_rows(report.manifest))) == 5
    assert len(list((tmp_path / "out").rglob("*.wav"))) == 5 * 4


class Failing(Louder):
    """Fails on toms as whatever a file may raise."""

    def strokes(self, hit: Audio, drum_class: str, variation: Variation) -> Strokes:
        errors = {"tom": MemoryError(), "clap": IndexError("odd"), "ride": OSError(errno.EIO, "damaged disk")}
        if drum_class in errors:
            raise errors[drum_class]
        return super().strokes(hit, drum_class, variation)


class FailingSpec:
    def open(self) -> Failing:
        return Failing()


def test_whatever_one_file_raises_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("tom", "clap", "ride", "kick"):
        write_audio(tmp_path / "in" / f"{name}.wav", hit(), RATE)
    write_audio(tmp_path / "in" / "snare.wav", 1e20 * hit(), RATE, 32)
    sources = find_sources([tmp_path / "in"], tmp_path / "out")
    report = humanize_files(sources, tmp_path / "out", BatchSettings(1, 1), FailingSpec(), local_pool(1))
    assert report.sources == 1
    for name, reason in (("tom", "memory"), ("clap", "odd"), ("ride", "damaged disk"), ("snare", "e\\+19.*full scale")):
        assert any(re.search(f"{name}.wav: .*{reason}", problem) for problem in report.problems), report.problems


class Full(Louder):
    def strokes(self, hit: Audio, drum_class: str, variation: Variation) -> Strokes:
        raise OutputError("the disk is full") from OSError(errno.ENOSPC, "no space")


class FullSpec:
    def open(self) -> Full:
        return Full()


def test_a_full_disk_ends_the_run(pack: Path, tmp_path: Path) -> None:
    sources = find_sources([pack], tmp_path / "out")
    with pytest.raises(OutputError, match="full"):
        humanize_files(sources, tmp_path / "out", BatchSettings(1, 1), FullSpec(), local_pool(1))


def test_sources_inside_the_output_are_said(pack: Path) -> None:
    with pytest.raises(InputError, match="holds the sources"):
        find_sources([pack], pack)


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "far").mkdir()
    write_audio(tmp_path / "far" / "kick.wav", hit(), RATE)
    for name, target in (("link", tmp_path / "far"), ("again", tmp_path / "far")):
        (tmp_path / "in" / name).symlink_to(target)
    (tmp_path / "far" / "loop").symlink_to(tmp_path / "in")
    (source,) = find_sources([tmp_path / "in"], tmp_path / "out")
    assert source.place == "again/kick"


def test_the_output_inside_the_input_is_no_input(pack: Path) -> None:
    batch(pack, pack / "out")
    assert batch(pack, pack / "out", resume=True).reused == 4


def test_what_cannot_be_written_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mp3"):
        check_settings(BatchSettings(format="mp3"))
    with pytest.raises(InputError, match="flac files have no 32 bits"):
        check_settings(BatchSettings(format="flac", bits=32))
    with pytest.raises(InputError, match="no such file"):
        find_sources([tmp_path / "nowhere"], tmp_path / "out")
    with pytest.raises(InputError, match="no sound file"):
        find_sources([tmp_path], tmp_path / "out")


def test_few_strokes_are_no_work_for_many_processes() -> None:
    assert auto_jobs(10) == 1
