from pathlib import Path

from ghostnote.bridge.io.hit_files import STEM_LIST, distinct_name, hit_files, short_name, unread_sounds, without_stems


def test_hits_are_found_below_in_natural_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("tom10.wav", "Tom2.WAV", "a/kick.flac", "notes.txt", ".hat.wav", ".trash/clap.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in hit_files(tmp_path)] == ["kick.flac", "Tom2.WAV", "tom10.wav"]


def test_the_stems_of_a_song_are_hits_only_where_they_are_asked_for(tmp_path: Path) -> None:
    for name in ("stems/01_Kick_36.wav", "stems/mine.wav", "01_Kick_36.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "stems" / STEM_LIST).write_text("01_Kick_36.wav\n02_Snare_38.wav")
    assert [str(path.relative_to(tmp_path)) for path in hit_files(tmp_path)] == ["01_Kick_36.wav", "stems/mine.wav"]
    assert len(hit_files(tmp_path, stems=True)) == 3
    assert "stems of a song" in without_stems(tmp_path / "stems")
    assert without_stems(tmp_path) == ""


def test_a_repeated_name_is_numbered_whatever_its_capitals() -> None:
    taken: set[str] = set()
    names = ["Kick", "kick 2", "KICK", "Kick"]
    assert [distinct_name(name, taken) for name in names] == ["Kick", "kick 2", "KICK 3", "Kick 4"]
    assert distinct_name("kick", taken, "{} ({})") == "kick (2)"


def test_a_long_name_is_cut_between_letters_with_a_hash_of_the_whole() -> None:
    assert short_name("kurz", 20) == "kurz"
    one, other = (short_name("ü" * 30 + end, 21) for end in "ab")
    assert one != other
    assert one.startswith("üüüüüü~")
    assert len(one.encode()) <= 21


def test_sound_files_of_formats_that_are_not_read_are_named(tmp_path: Path) -> None:
    for name in ("kick.wav", "notes.txt", "tom.caf", "kick.W64", ".hidden.caf"):
        (tmp_path / name).touch()
    (line,) = unread_sounds([tmp_path, tmp_path / "kick.wav", tmp_path])
    assert line == "2 files of other formats were left out: kick.W64, tom.caf; convert them to WAV or FLAC"
    (tmp_path / "tom.caf").unlink()
    (line,) = unread_sounds([tmp_path])
    assert line == "1 file of another format was left out: kick.W64; convert it to WAV or FLAC"
    (tmp_path / "kick.W64").unlink()
    assert unread_sounds([tmp_path]) == ()
