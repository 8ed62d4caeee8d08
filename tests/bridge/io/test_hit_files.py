from pathlib import Path

from ghostnote.bridge.io.hit_files import distinct_name, hit_files


def test_hits_are_found_below_in_natural_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("tom10.wav", "Tom2.WAV", "a/kick.flac", "notes.txt", ".hat.wav", ".trash/clap.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in hit_files(tmp_path)] == ["kick.flac", "Tom2.WAV", "tom10.wav"]


def test_a_repeated_name_is_numbered_whatever_its_capitals() -> None:
    taken: set[str] = set()
    names = ["Kick", "kick 2", "KICK", "Kick"]
    assert [distinct_name(name, taken) for name in names] == ["Kick", "kick 2", "KICK 3", "Kick 4"]
    assert distinct_name("kick", taken, "{} ({})") == "kick (2)"
