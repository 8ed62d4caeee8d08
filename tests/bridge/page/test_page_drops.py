"""Dropped files: what is taken, and where it goes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from page_rig import write_hit

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.page import drops as module
from ghostnote.bridge.page.drops import Drops, checked_path


@pytest.fixture
def drops() -> Iterator[Drops]:
    with Drops() as made:
        yield made


def add(drops: Drops, drop: str, path: str, data: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for begin in range(0, len(data), 1000):
            yield data[begin : begin + 1000]

    asyncio.run(drops.add(drop, path, chunks()))


def dropped(drops: Drops, folder: Path, *paths: str, hertz: float = 55.0) -> str:
    drop = drops.begin()
    for path in paths:
        add(drops, drop, path, write_hit(folder / "sound.wav", hertz).read_bytes())
    return drop


NAMES = ("../a.wav", "a/../../b.wav", "/etc/passwd.wav", "", ".", "..", "a//b.wav", "a\0.wav", "C:\\a.wav", "a\n.wav")


@pytest.mark.parametrize("name", [*NAMES, "x" * 300 + ".wav", "/".join("abcdefghij") + ".wav", "run.exe", "page.html"])
def test_names_that_could_lead_anywhere_else_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        checked_path(name)


@pytest.mark.parametrize("name", ["Kick 1.wav", "kit/hits/snäre.FLAC", "日本.aiff", "my kit.sfz", "a...b.wav"])
def test_plain_names_are_taken(name: str) -> None:
    assert checked_path(name) == Path(name)


def test_a_sound_goes_into_the_kits_folder_under_a_free_name(drops: Drops, tmp_path: Path) -> None:
    kits = tmp_path / "kits"
    kits.mkdir()
    places = [drops.to_pad(dropped(drops, tmp_path, "Boom.WAV"), "kick", kits)[0] for _ in range(2)]
    assert places == ["page hits/kick/Boom.wav", "page hits/kick/Boom 2.wav"]
    assert all((kits / place).is_file() for place in places)


def test_several_sounds_become_a_folder_of_strokes_and_name_the_class(drops: Drops, tmp_path: Path) -> None:
    drop = dropped(drops, tmp_path, "Snare/soft.wav", "Snare/hard.wav")
    add(drops, drop, "Snare/read me.txt", b"by nobody")
    place, drum_class = drops.to_pad(drop, "kick", tmp_path)
    assert drum_class == "snare"
    assert sorted(file.name for file in (tmp_path / place).rglob("*") if file.is_file()) == ["hard.wav", "soft.wav"]


def test_a_drop_is_used_once_and_the_oldest_gives_way(drops: Drops, tmp_path: Path) -> None:
    first = dropped(drops, tmp_path, "a.wav")
    drops.to_pad(first, "kick", tmp_path)
    with pytest.raises(InputError, match="not here any more"):
        drops.to_pad(first, "kick", tmp_path)
    oldest = dropped(drops, tmp_path, "a.wav")
    for _ in range(module.MOST_DROPS):
        drops.begin()
    with pytest.raises(InputError, match="not here any more"):
        add(drops, oldest, "b.wav", b"")


def test_too_much_is_refused_and_left_nowhere(drops: Drops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 5_000)
    monkeypatch.setattr(module, "MOST_FILES", 2)
    drop = drops.begin()
    add(drops, drop, "a.wav", bytes(5_000))
    with pytest.raises(InputError, match="too large"):
        add(drops, drop, "b.wav", bytes(5_001))
    with pytest.raises(InputError, match="more than 2 files"):
        add(drops, drop, "c.wav", b"")
    with pytest.raises(InputError, match=r"a\.wav"):
        drops.to_pad(drop, "kick", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_kit_is_refused_and_a_kit_is_made_beside_others(drops: Drops, tmp_path: Path) -> None:
    kits = tmp_path / "kits"
    kits.mkdir()
    (kits / "Pack.toml").write_text("taken")
    name, _ = drops.to_kit(dropped(drops, tmp_path, "Pack/Kick.wav", "Pack/Clap.wav"), kits)
    assert name == "Pack 2.toml"
    assert {pad.drum_class for pad in load_kit(kits / name).pads} == {"kick", "clap"}
    drop = drops.begin()
    add(drops, drop, "broken.sfz", b"<region>")
    with pytest.raises(GhostnoteError):
        drops.to_kit(drop, kits)
    assert sorted(path.name for path in kits.iterdir()) == ["Pack 2 hits", "Pack 2.toml", "Pack.toml"]


def test_nothing_is_left_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Drops() as drops:
        drops.begin()
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
