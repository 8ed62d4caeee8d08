"""Archives that are damaged or cannot be unpacked: named with what is wrong, and nothing of them is left."""

import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from ghostnote.bridge.errors import GhostnoteError, KitError
from ghostnote.bridge.kit.importers.source import ImportChoices
from ghostnote.bridge.kit.importers.write import import_kit

SFZ = b"<region> sample=a.wav key=36\n"
UTF_8 = 0x800


def raw_zip(path: Path, name: bytes, flag: int = 0, method: int = 0) -> Path:
    """Write a zip file of one member, whose headers say what is given."""
    shared = (flag, method, 0, 0, zlib.crc32(SFZ), len(SFZ), len(SFZ), len(name), 0)
    member = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, *shared) + name + SFZ
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, *shared, 0, 0, 0, 0, 0) + name
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(entry), len(member), 0)
    path.write_bytes(member + entry + end)
    return path


def tar(path: Path, name: str, pax: dict[str, str]) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tape:
        entry = tarfile.TarInfo(name)
        entry.size, entry.pax_headers = len(SFZ), pax
        tape.addfile(entry, io.BytesIO(SFZ))
    return path


def message(tmp_path: Path, archive: Path) -> str:
    """Return the one line that an import of an archive is refused with, which leaves nothing behind."""
    place = tmp_path / "mine"
    place.mkdir()
    with pytest.raises(GhostnoteError) as caught:
        import_kit(archive, place / "kit.toml", ImportChoices())
    assert isinstance(caught.value, KitError)
    assert not [*place.iterdir()]
    text = str(caught.value)
    assert text.startswith(f"{archive}: ")
    assert ".part" not in text
    assert "\n" not in text
    assert len(text) < 1_000
    return text


@pytest.mark.parametrize(
    ("name", "flag", "method"), [(b"", 0, 0), (b".", 0, 0), (b"k\xff\xfe.sfz", UTF_8, 0), (b"k.sfz", 0, 97)]
)
def test_a_zip_file_s_damaged_header_is_named(tmp_path: Path, name: bytes, flag: int, method: int) -> None:
    archive = raw_zip(tmp_path / "kit.zip", name, flag, method)
    assert "is damaged, or not an archive (" in message(tmp_path, archive)


@pytest.mark.parametrize(
    "pax",
    [
        {"GNU.sparse.size": "abc"},
        {"GNU.sparse.map": "a,b"},
        {"GNU.sparse.realsize": "x"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
    ],
)
def test_a_tar_file_s_damaged_header_is_named(tmp_path: Path, pax: dict[str, str]) -> None:
    assert "is damaged, or not an archive" in message(tmp_path, tar(tmp_path / "kit.tar", "k.sfz", pax))


def test_a_tar_file_s_member_without_a_name_is_named(tmp_path: Path) -> None:
    assert "holds a file without a name, '.'" in message(tmp_path, tar(tmp_path / "kit.tar", ".", {}))


@pytest.mark.parametrize("name", ["n" * 300 + ".sfz", f"{'n' * 300}/k.sfz"])
def test_a_member_s_name_that_is_too_long_is_named(tmp_path: Path, name: str) -> None:
    archive = raw_zip(tmp_path / "kit.zip", name.encode())
    assert f"holds '{'n' * 200}…', but its name is too long here" in message(tmp_path, archive)


@pytest.mark.parametrize("names", [("k.sfz/a.wav", "k.sfz"), ("k.sfz", "k.sfz/a.wav")])
def test_a_file_and_a_folder_of_one_name_are_named(tmp_path: Path, names: tuple[str, str]) -> None:
    with zipfile.ZipFile(tmp_path / "kit.zip", "w") as packed:
        for name in names:
            packed.writestr(name, SFZ)
    words = f"holds '{names[1]}', but a file and a folder have one name"
    assert words in message(tmp_path, tmp_path / "kit.zip")
