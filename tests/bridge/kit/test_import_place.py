"""What an import puts in place: a kit that ghostnote reads again, or nothing, and no file of anybody else is lost."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.create import kit_from_built_in, kit_from_hits
from ghostnote.bridge.kit.importers.source import ImportChoices
from ghostnote.bridge.kit.importers.write import import_kit, open_kit
from ghostnote.bridge.kit.kit import Kit, load_kit, parse_kit

ALL = ImportChoices()
HIT = np.exp(-np.arange(4_000) / 800)[None].astype(np.float32) / 2
REGION = "<region> sample=a.wav key=36\n"


def source(folder: Path, name: str = "k.sfz", text: str = REGION, samples: tuple[str, ...] = ("a.wav",)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for sample in samples:
        write_audio(folder / sample, HIT, 44_100, 24)
    (folder / name).write_text(text)
    return folder / name


def zipped(path: Path, name: str = "k.sfz", text: str = REGION, samples: tuple[str, ...] = ("a.wav",)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = source(path.parent / f"{path.stem} parts", name, text, samples).parent
    with zipfile.ZipFile(path, "w") as packed:
        for part in sorted(folder.iterdir()):
            packed.write(part, part.name)
            part.unlink()
    folder.rmdir()
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(place: Path, archive: Path, words: str) -> None:
    """See that an import by force into `place` is refused in one line, and changes nothing."""
    before = files(place)
    with pytest.raises(KitError, match=words) as caught:
        import_kit(archive, place / "dm.toml", ALL, replace_old=True)
    assert files(place) == before
    assert "\n" not in str(caught.value)
    assert ".part" not in str(caught.value)


def test_an_import_by_force_deletes_no_file_of_the_user(tmp_path: Path) -> None:
    archive, place = zipped(tmp_path / "ok.zip"), tmp_path / "mine"
    (place / "dm hits").mkdir(parents=True)
    (place / "dm hits" / "mine.txt").write_text("mine")
    refused(place, archive, r"dm hits/mine\.txt: is no hit of .*dm\.toml, but would be deleted")
    (place / "dm hits" / "mine.txt").rename(tmp_path / "mine.txt")
    import_kit(archive, place / "dm.toml", ALL, replace_old=True)
    (place / "dm hits" / "deep").mkdir()
    (place / "dm hits" / "deep" / "mine.wav").write_text("mine")
    refused(place, archive, r"dm hits/deep/mine\.wav: is no hit of")


def test_an_import_by_force_deletes_no_hits_of_a_kit_that_no_import_wrote(tmp_path: Path) -> None:
    archive, place = zipped(tmp_path / "ok.zip"), tmp_path / "mine"
    own = place / "dm hits"
    source(own, "about.txt", samples=("snare.wav",))
    (own / "about.txt").unlink()
    (place / "dm.toml").write_text(kit_from_hits("dm", own, place).text)
    refused(place, archive, r"dm\.toml: no import wrote it, so .*dm hits is not replaced")


def test_an_import_by_force_leaves_a_file_where_its_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "dm hits").write_text("mine")
    refused(tmp_path / "mine", zipped(tmp_path / "ok.zip"), "dm hits: is a file")


def test_an_import_by_force_keeps_its_own_source(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    refused(place, zipped(place / "dm hits" / "ok.zip"), r"dm hits/ok\.zip: lies in .*dm hits, which the import would")


def test_an_import_by_force_replaces_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    import_kit(zipped(tmp_path / "one.zip", samples=("a.wav",)), place / "dm.toml", ALL)
    (place / "dm hits" / ".DS_Store").write_text("")
    two = zipped(tmp_path / "two.zip", text="<region> sample=b.wav key=38\n", samples=("b.wav",))
    import_kit(two, place / "dm.toml", ALL, replace_old=True)
    assert sorted(files(place)) == ["dm hits/b.wav", "dm.toml"]
    (place / "dm hits" / "b.wav").unlink()
    import_kit(two, place / "dm.toml", ALL, replace_old=True)
    assert load_kit(place / "dm.toml").pads[0].notes == (38,)


LONG = "n" * 100
DECENT = (
    '<DecentSampler title="{0}"><groups><group>'
    '<sample path="a.wav" rootNote="36" {1}/></group></groups></DecentSampler>'
)
HYDROGEN = (
    "<drumkit_info><name>{0}</name><instrumentList>"
    "<instrument><name>{1}</name><layer><filename>a.wav</filename></layer></instrument>"
    "<instrument><name>{1}</name><layer><filename>a.wav</filename></layer></instrument></instrumentList></drumkit_info>"
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{LONG}.sfz", REGION),
        ("k.sfz", f"<region> sample=a.wav key=36 group_label={LONG}\n<region> sample=a.wav key=38 group_label={LONG}"),
        ("drumkit.xml", HYDROGEN.format(LONG, "k")),
        ("drumkit.xml", HYDROGEN.format("a\nb", "a\nb")),
        ("drumkit.xml", HYDROGEN.format("k", "Q" * 80)),
        ("drumkit.xml", HYDROGEN.format("k", "Q" * 300)),
        ("k.dspreset", DECENT.format(LONG, "")),
        ("k.dspreset", DECENT.format("a&#10;b", "")),
    ],
)
def test_whatever_things_are_called_the_kit_can_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = zipped(tmp_path / "ln.zip", name, text)
    kit, _ = import_kit(archive, tmp_path / "mine" / "k.toml", ALL)
    assert load_kit(tmp_path / "mine" / "k.toml") == kit
    assert len({pad.name.casefold() for pad in kit.pads}) == len(kit.pads)
    assert open_kit(archive)[0].name == kit.name


def test_sounds_of_long_and_of_odd_names_are_a_kit_that_can_be_read_again(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / "hits" / folder).mkdir(parents=True)
        write_audio(tmp_path / "hits" / folder / f"Snare {'x' * 74}.wav", HIT, 44_100, 24)
    write_audio(tmp_path / "hits" / f"Kick {LONG}.wav", HIT, 44_100, 24)
    write_audio(tmp_path / "hits" / "tom\n.wav", HIT, 44_100, 24)
    kit, _ = import_kit(tmp_path / "hits", tmp_path / "k.toml", ALL)
    assert len(load_kit(tmp_path / "k.toml").pads) == len(kit.pads) == 4
    made = kit_from_hits(LONG, tmp_path / "hits", tmp_path)
    assert len(parse_kit(made.text, tmp_path, "k.toml").pads) == 2
    assert parse_kit(kit_from_built_in(LONG).text, tmp_path, "k.toml").name == LONG[:80]


def test_a_linked_folder_s_hits_are_copied_into_the_kit_s(tmp_path: Path) -> None:
    source(tmp_path / "away")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "away")
    import_kit(tmp_path / "mine" / "link" / "k.sfz", tmp_path / "mine" / "k.toml", ALL)
    assert load_kit(tmp_path / "mine" / "k.toml").pads[0].hit == tmp_path / "mine" / "k hits" / "a.wav"


@pytest.mark.parametrize(
    ("name", "text"),
    [("k.dspreset", DECENT.format("k", 'start="3999"')), ("k.sfz", "<region> sample=a.wav key=36 offset=3999\n")],
)
def test_an_offset_that_leaves_nothing_is_refused_by_the_source_s_name(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "mine").mkdir()
    words = r"ln\.zip/a\.wav: its offset = .* ms leaves nothing of its 0\.09 s"
    refused(tmp_path / "mine", zipped(tmp_path / "ln.zip", name, text), words)


def test_a_kit_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    dots = ".".join("k" * 40) + ".wav"
    archive = zipped(tmp_path / "ln.zip", text=f"<region> sample={dots} key=36\n", samples=(dots,))
    (tmp_path / "mine").mkdir()
    refused(tmp_path / "mine", archive, r"ln\.zip, as a kit: line \d+ has a key of more than 32 parts")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ln.zip", "mine"]


def test_a_damaged_kit_of_the_cache_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = zipped(tmp_path / "ok.zip")
    first: Kit = open_kit(archive)[0]
    first.pads[0].files[0].unlink()
    assert open_kit(archive)[0] == first
    assert first.pads[0].files[0].is_file()
