import os
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from ghostnote.bridge.classify.names import parse_name
from ghostnote.bridge.errors import CorpusError
from ghostnote.models.data.corpus import load_hits, load_splits, scan


def tone(frames: int = 4000, channels: int = 1, rate: int = 44100, hz: float = 200) -> NDArray[np.float32]:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(frames) / rate) * np.exp(-np.arange(frames) / 1000)
    return np.repeat(wave[None], channels, axis=0).astype(np.float32)


def put(path: Path, audio: NDArray[np.float32] | None = None, rate: int = 44100) -> Path:
    audio = tone() if audio is None else audio
    path.parent.mkdir(parents=True, exist_ok=True)
    with AudioFile(str(path), "w", rate, audio.shape[0]) as file:
        file.write(audio)
    return path


def manifest(folder: Path, text: str) -> Path:
    (folder / "manifest.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("path", "drum_class", "group", "layer", "round_robin"),
    [
        ("Kit/Snare_v3_rr2.wav", "snare", "kit/snare", 3, 2),
        ("snare/v3/rr2.wav", "snare", "snare", 3, 2),
        ("Ludwig Snare VL12 RR03.flac", "snare", "ludwig snare", 12, 3),
        ("tom_vel90.wav", "tom", "tom", 90, None),
        ("kicks/Kick 01.wav", "kick", "kicks/kick 01", None, None),
        ("kicks/01.wav", "kick", "kicks/01", None, None),
        ("Open Hi-Hat/take 4.aif", "open_hat", "open hi hat", None, 4),
        ("HiHats Closed/x.wav", "closed_hat", "hihats closed/x", None, None),
        ("Bass Drum/01.wav", "kick", "bass drum/01", None, None),
        ("kicks/ルーム_v2.wav", "kick", "kicks/ルーム", 2, None),
        ("vocals/verse.wav", None, "vocals/verse", None, None),
    ],
)
def test_a_name_tells_class_group_layer_and_round_robin(
    path: str, drum_class: str | None, group: str, layer: int | None, round_robin: int | None
) -> None:
    name = parse_name(PurePosixPath(path))
    assert (name.drum_class, name.group, name.layer, name.round_robin) == (drum_class, group, layer, round_robin)


def test_the_file_name_outweighs_the_folder_and_the_nearest_folder_the_farther() -> None:
    assert parse_name(PurePosixPath("kicks/snare 1.wav")).drum_class == "snare"
    assert parse_name(PurePosixPath("kicks/toms/1.wav")).drum_class == "tom"


def test_composed_and_decomposed_letters_make_one_group() -> None:
    composed, decomposed = (parse_name(PurePosixPath(f"{e}tude/kick_rr1.wav")).group for e in ("é", "é"))
    assert composed == decomposed


def test_round_robins_become_one_group_and_bare_numbers_stay_apart(tmp_path: Path) -> None:
    for name in ("snare_v1_rr1", "snare_v1_rr2", "snare_v2_rr1"):
        put(tmp_path / f"{name}.wav")
    for number, hz in ((1, 60), (2, 900)):
        put(tmp_path / f"Kick {number:02d}.wav", tone(hz=hz))
    hits = scan(tmp_path).hits
    snares = [h for h in hits if h.drum_class == "snare"]
    assert len({h.group for h in snares}) == 1
    assert {h.group_kind for h in snares} == {"rr"}
    assert sorted((h.layer, round(h.velocity or 0, 2)) for h in snares) == [("1", 0.5), ("1", 0.5), ("2", 1.0)]
    kicks = [h for h in hits if h.drum_class == "kick"]
    assert [h.group_kind for h in kicks] == ["single", "single"]
    assert kicks[0].velocity is None


def test_bare_numbers_that_sound_alike_are_strokes_of_one_drum(tmp_path: Path) -> None:
    for number, level in ((1, 0.1), (2, 0.3), (3, 1.0)):
        put(tmp_path / f"Ride-{number}.wav", level * tone())
    hits = scan(tmp_path).hits
    assert {(h.group, h.group_kind) for h in hits} == {("ride:ride", "velocity")}
    assert [h.layer for h in hits] == ["1", "2", "3"]


def test_single_strokes_at_rising_level_are_a_velocity_group(tmp_path: Path) -> None:
    for level in (30, 60, 120):
        put(tmp_path / f"tom_vel{level}.wav")
    hits = scan(tmp_path).hits
    assert {h.group_kind for h in hits} == {"velocity"}
    assert sorted(h.velocity or 0 for h in hits) == pytest.approx([30 / 127, 60 / 127, 1.0])


def test_the_folder_itself_may_name_the_class(tmp_path: Path) -> None:
    put(tmp_path / "Claps" / "01.wav")
    assert scan(tmp_path / "Claps").hits[0].drum_class == "clap"


def test_a_file_that_no_name_explains_goes_by_its_sound_and_hidden_and_other_files_are_ignored(tmp_path: Path) -> None:
    put(tmp_path / "kick.wav")
    put(tmp_path / "mystery.wav", tone(20_000, hz=60))
    put(tmp_path / "._kick.wav")
    (tmp_path / "readme.txt").write_text("kick")
    corpus = scan(tmp_path)
    assert [h.path.name for h in corpus.hits] == ["kick.wav", "mystery.wav"]
    assert corpus.hits[1].drum_class in ("kick", "tom")
    assert not corpus.skipped


def test_groups_are_divided_the_same_way_every_time_and_never_inside(tmp_path: Path) -> None:
    for drum in range(30):
        for repeat in (1, 2):
            put(tmp_path / f"kick {drum:02d}_rr{repeat}.wav", tone(64))
    hits = scan(tmp_path).hits
    splits = {(h.group, h.split) for h in hits}
    assert len(splits) == 30
    assert 1 <= sum(split == "valid" for _, split in splits) <= 8
    assert scan(tmp_path).hits == hits


@pytest.mark.parametrize("names", [("kick a", "kick b"), ("snare 1", "tom 1"), ("rim", "clap", "ride")])
def test_a_small_corpus_leaves_neither_side_empty(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        put(tmp_path / f"{name}.wav", tone(64))
    assert {h.split for h in scan(tmp_path).hits} == {"train", "valid"}


def test_a_manifest_says_it_all_and_the_credit_names_author_and_licence(tmp_path: Path) -> None:
    put(tmp_path / "a" / "x1.wav")
    manifest(
        tmp_path,
        "path,licence,attribution,class,group,velocity,split,layer,group_kind,further\n"
        'a/x1.wav,CC-BY-4.0,"Jo, Some Drums",rim,jo.rim,0.25,test,2,variants,?\n',
    )
    (hit,) = scan(tmp_path).hits
    assert hit.path == tmp_path / "a" / "x1.wav"
    assert (hit.drum_class, hit.group, hit.group_kind, hit.layer) == ("rim", "jo.rim", "variants", "2")
    assert (hit.velocity, hit.split, hit.credit) == (0.25, "test", "Jo, Some Drums (CC-BY-4.0)")


def test_a_licence_that_the_attribution_states_is_not_said_twice(tmp_path: Path) -> None:
    put(tmp_path / "x.wav")
    manifest(tmp_path, "path,class,attribution,licence\nx.wav,kick,Jo (CC BY 3.0),CC-BY-3.0\n")
    assert scan(tmp_path).hits[0].credit == "Jo (CC BY 3.0)"


def test_a_manifest_of_path_and_class_is_enough(tmp_path: Path) -> None:
    put(tmp_path / "x.wav")
    put(tmp_path / "y.wav")
    hits = scan(manifest(tmp_path, "\ufeffpath,class\nx.wav,kick\ny.wav,snare\n")).hits
    assert [h.group_kind for h in hits] == ["single", "single"]
    assert {h.split for h in hits} == {"train", "valid"}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("gone.wav,kick,,", "no such file"),
        ("../x.wav,kick,,", "leads out"),
        ("/etc/x.wav,kick,,", "leads out"),
        ("x.wav,gong,,", "'gong'"),
        ("x.wav,kick,loud,", "'loud'"),
        ("x.wav,kick,nan,", "'nan'"),
        ("x.wav,kick,64,", "'64'"),
        ("x.wav,kick,,tests", "'tests'"),
        ("x.wav", "''"),
    ],
)
def test_a_bad_row_is_skipped_with_its_value(tmp_path: Path, row: str, says: str) -> None:
    put(tmp_path / "x.wav")
    corpus = scan(manifest(tmp_path, f"path,class,velocity,split\nx.wav,kick,0.5,train\n{row}\n"))
    assert len(corpus.hits) == 1
    assert says in corpus.skipped[0][1]


@pytest.mark.parametrize("text", ["", "name,kind\nx.wav,kick\n", "path,group\nx.wav,a\n"])
def test_a_table_without_the_needed_columns_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CorpusError, match="column"):
        scan(manifest(tmp_path, text))


def test_a_manifest_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"path,class\n\xff\xfe\x00")
    with pytest.raises(CorpusError, match="UTF-8"):
        scan(tmp_path)


def test_no_folder_or_nothing_in_it_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="not a folder"):
        scan(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="snare_v3_rr2"):
        scan(tmp_path)
    (tmp_path / "mystery.wav").write_bytes(b"no sound")
    with pytest.raises(CorpusError, match=r"mystery\.wav"):
        scan(tmp_path)


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac", ".ogg", ".mp3"])
def test_any_format_rate_and_channels_become_mono_of_one_length(tmp_path: Path, suffix: str) -> None:
    for rate, channels in ((48000, 2), (22050, 1), (44100, 2)):
        put(tmp_path / f"kick {rate}{suffix}", tone(rate // 10, channels, rate), rate)
    audio, loaded, skipped = load_hits(scan(tmp_path).hits, frames=8192)
    assert audio.shape == (3, 8192)
    assert audio.dtype == np.float32
    assert len(loaded) == 3
    assert not skipped
    spectrum = np.abs(np.fft.rfft(audio, 44100, axis=1))
    assert np.all(np.abs(spectrum.argmax(axis=1) - 200) <= 8)


def test_levels_are_kept_and_a_long_hit_ends_in_a_fade(tmp_path: Path) -> None:
    steady = np.full((1, 20000), 0.25, np.float32)
    put(tmp_path / "kick.wav", steady)
    audio, *_ = load_hits(scan(tmp_path).hits, frames=8192)
    np.testing.assert_allclose(audio[0, :7000], 0.25, atol=1e-4)
    assert audio[0, -1] == 0
    assert np.all(np.diff(audio[0, -200:]) < 0)


def test_silence_before_the_onset_is_cut(tmp_path: Path) -> None:
    put(tmp_path / "kick.wav", np.pad(tone(), ((0, 0), (30000, 0))))
    audio, *_ = load_hits(scan(tmp_path).hits, frames=8192)
    assert np.argmax(np.abs(audio[0]) > 0.1) < 0.003 * 44100


def _nan(path: Path) -> None:
    with AudioFile(str(path), "w", 44100, 1, bit_depth=32) as file:
        file.write(np.full((1, 100), np.nan, np.float32))


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"RIFF____WAVE" + bytes(range(200))),
    "frameless": lambda path: put(path, np.zeros((1, 0), np.float32)),
    "silent": lambda path: put(path, np.zeros((1, 400), np.float32)),
    "nan": _nan,
    "endless": lambda path: put(path, np.full((1, 61 * 8000), 0.1, np.float32), 8000),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_bad_file_is_left_out_with_its_reason(tmp_path: Path, kind: str) -> None:
    put(tmp_path / "kick 1.wav")
    BROKEN[kind](tmp_path / "kick 2.wav")
    put(tmp_path / "kick 3.wav")
    hits = scan(tmp_path).hits
    audio, loaded, skipped = load_hits(hits, frames=1024)
    assert audio.shape == (2, 1024)
    assert np.abs(audio).max(axis=1).min() > 0.1
    assert [h.path.name for h in loaded] == ["kick 1.wav", "kick 3.wav"]
    ((path, reason),) = skipped
    assert path == hits[1].path
    assert len(reason) > 8
    assert not reason.startswith(str(path))


def test_when_no_file_is_good_the_error_names_one(tmp_path: Path) -> None:
    (tmp_path / "kick.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match=r"kick\.wav"):
        load_hits(scan(tmp_path).hits)


def test_no_hits_make_an_empty_array() -> None:
    audio, loaded, skipped = load_hits([], frames=64)
    assert audio.shape == (0, 64)
    assert not loaded
    assert not skipped


def test_progress_counts_every_file(tmp_path: Path) -> None:
    for i in range(3):
        put(tmp_path / f"kick {i}.wav", tone(128))
    seen: list[tuple[int, int]] = []
    load_hits(scan(tmp_path).hits, frames=64, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("bad", range(3))
def test_the_split_is_made_after_unreadable_files_are_out(tmp_path: Path, bad: int) -> None:
    names = ("kick.wav", "snare.wav", "tom.wav")
    for number, name in enumerate(names):
        put(tmp_path / name, np.zeros((1, 400), np.float32) if number == bad else tone())
    splits, skipped = load_splits(tmp_path, ("train", "valid"))
    assert [path.name for path, _ in skipped] == [names[bad]]
    used = [hit.path.name for _, hits in splits.values() for hit in hits]
    assert sorted(used) == sorted(name for name in names if name != names[bad])
    assert all(len(audio) == len(hits) == 1 for audio, hits in splits.values())


def test_splits_that_a_manifest_gives_are_loaded_alone(tmp_path: Path) -> None:
    put(tmp_path / "x.wav")
    put(tmp_path / "y.wav", np.zeros((1, 400), np.float32))
    manifest(tmp_path, "path,class,split\nx.wav,kick,test\ny.wav,kick,train\n")
    splits, skipped = load_splits(tmp_path, ("test",))
    assert len(splits["test"][0]) == 1
    assert not skipped
    with pytest.raises(CorpusError, match=r"'valid', only in test, train"):
        load_splits(tmp_path, ("train", "valid"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_names_that_are_not_utf8_are_skipped_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path / "kick.wav")
    folder = os.fsencode(tmp_path / "snare") + b"\xe9"
    Path(os.fsdecode(folder)).mkdir()
    for name in (os.fsencode(tmp_path) + b"/kick \xfc.wav", folder + b"/snare.wav"):
        Path(os.fsdecode(name)).write_bytes((tmp_path / "kick.wav").read_bytes())
    corpus = scan(tmp_path)
    assert [hit.path.name for hit in corpus.hits] == ["kick.wav"]
    assert sorted(str(path.relative_to(tmp_path)) for path, _ in corpus.skipped) == ["kick ?.wav", "snare?/snare.wav"]
    assert {reason for _, reason in corpus.skipped} == {"has a name that is not UTF-8: rename it"}


def test_the_stems_of_a_song_that_was_rendered_are_no_hits(tmp_path: Path) -> None:
    put(tmp_path / "kick.wav")
    put(tmp_path / "36_Kick.wav")
    (tmp_path / ".ghostnote-stems").write_text("36_Kick.wav\n")
    assert [hit.path.name for hit in scan(tmp_path).hits] == ["kick.wav"]
