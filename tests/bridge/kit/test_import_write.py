"""Imported kits on the disk: written whole beside their hits or not at all, and kits that lie are refused."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import kit_fakes
import numpy as np
import pytest

from ghostnote.bridge.errors import GhostnoteError, KitError, OutputError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.importers import archive as archives
from ghostnote.bridge.kit.importers.region import MOST_REGIONS
from ghostnote.bridge.kit.importers.source import ImportChoices, kit_name
from ghostnote.bridge.kit.importers.write import import_kit, open_kit
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.sampler.write import FORMATS, export_kit

ALL = ImportChoices()


def sound(path: Path, level: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = level * np.sin(np.arange(3_000) / 9) * np.exp(-np.arange(3_000) / 800)
    write_audio(path, wave[None].astype(np.float32), 44_100, 24)
    return path


def sfz(folder: Path, text: str) -> Path:
    sound(folder / "kick.wav")
    (folder / "kit.sfz").write_text(text)
    return folder / "kit.sfz"


def untouched(folder: Path, source: Path, words: str, choices: ImportChoices = ALL) -> str:
    """Return the message of an import that is refused in one line and leaves nothing behind."""
    folder.mkdir(exist_ok=True)
    before = sorted(folder.rglob("*"))
    with pytest.raises(GhostnoteError, match=words) as caught:
        import_kit(source, folder / "kit.toml", choices)
    assert sorted(folder.rglob("*")) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("form", FORMATS)
def test_an_import_of_an_export_gives_the_same_pads(tmp_path: Path, form: str) -> None:
    exported = kit_fakes.write_kit(tmp_path)
    export_kit(exported, FORMATS[form], tmp_path)
    (source,) = (path for path in tmp_path.iterdir() if path.name != "strokes")
    kit, report = import_kit(source, tmp_path / "mine" / "kit.toml", ALL)
    # Hydrogen has one note an instrument.
    notes = [i.notes[:1] if form == "hydrogen" else i.notes for i in exported.instruments]
    assert [pad.notes for pad in kit.pads] == notes
    names = [i.name.replace("<tom>", "_tom_") if form == "sfz" else i.name for i in exported.instruments]
    assert [pad.name for pad in kit.pads] == names
    assert [pad.drum_class for pad in kit.pads] == [i.drum_class for i in exported.instruments]
    assert [pad.choke for pad in kit.pads] == [i.choke for i in exported.instruments]
    for pad, instrument in zip(kit.pads, exported.instruments, strict=True):
        layers = [(layer.low, layer.high) for layer in instrument.layers for _ in layer.samples]
        assert [(hit.low, hit.high) for hit in pad.hits] == layers
        assert {(hit.gain_db, hit.tune, hit.offset, hit.pan) for hit in pad.hits} == {(0.0, 0.0, 0.0, 0.0)}
        assert (pad.gain_db, pad.pan) == (0.0, 0.0)
    assert load_kit(tmp_path / "mine" / "kit.toml").pads == kit.pads
    assert not [line for line in report if "no name says the class" not in line]


def test_a_decent_sampler_library_is_unpacked_and_read(tmp_path: Path) -> None:
    exported = kit_fakes.write_kit(tmp_path)
    export_kit(exported, FORMATS["decent"], tmp_path / "decent")
    with zipfile.ZipFile(tmp_path / "My kit.dslibrary", "w") as library:
        for path in (tmp_path / "decent").rglob("*"):
            library.write(path, path.relative_to(tmp_path / "decent"))
    kit, _ = import_kit(tmp_path / "My kit.dslibrary", tmp_path / "mine" / "kit.toml", ALL)
    assert [pad.name for pad in kit.pads] == [i.name for i in exported.instruments]
    assert all(file.is_relative_to(tmp_path / "mine" / "kit hits") for pad in kit.pads for file in pad.files)


def test_hits_beside_the_kit_stay_and_others_are_copied(tmp_path: Path) -> None:
    source = sfz(tmp_path / "source", "<region> key=36 sample=kick.wav")
    inside, _ = import_kit(source, tmp_path / "kit.toml", ALL)
    assert inside.pads[0].files == (tmp_path / "source" / "kick.wav",)
    outside, _ = import_kit(source, tmp_path / "mine" / "kit.toml", ALL)
    assert outside.pads[0].files == (tmp_path / "mine" / "kit hits" / "kick.wav",)
    assert sorted(path.name for path in (tmp_path / "mine").rglob("*")) == ["kick.wav", "kit hits", "kit.toml"]


def test_a_kit_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    source = sfz(tmp_path / "source", "<region> key=36 sample=kick.wav")
    import_kit(source, tmp_path / "mine" / "kit.toml", ALL)
    with pytest.raises(KitError, match="already there"):
        import_kit(source, tmp_path / "mine" / "kit.toml", ALL)
    import_kit(source, tmp_path / "mine" / "kit.toml", ALL, replace_old=True)
    assert load_kit(tmp_path / "mine" / "kit.toml").pads[0].hit


def test_a_kit_plays_where_it_lies_and_an_archive_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = sfz(tmp_path / "source", "<region> key=36 sample=kick.wav")
    assert open_kit(source)[0].pads[0].hit == tmp_path / "source" / "kick.wav"
    with zipfile.ZipFile(tmp_path / "kit.zip", "w") as packed:
        for path in (tmp_path / "source").iterdir():
            packed.write(path, f"My kit/{path.name}")
    first = open_kit(tmp_path / "kit.zip")[0].pads
    assert first[0].hit is not None
    assert first[0].hit.is_relative_to(tmp_path / "cache")
    assert open_kit(tmp_path / "kit.zip")[0].pads == first


def test_one_of_several_kits_is_chosen_by_name(tmp_path: Path) -> None:
    folder = sfz(tmp_path / "source", "<region> key=36 sample=kick.wav").parent
    (folder / "other.sfz").write_text("<region> key=38 sample=kick.wav")
    message = untouched(tmp_path / "mine", folder, r"holds 2 kits: kit\.sfz, other\.sfz; choose one: ")
    assert message.endswith(f": ghostnote kit import {folder} --preset kit.sfz, or play it: --kit {folder / 'kit.sfz'}")
    for name in ("third", "", "source"):
        untouched(
            tmp_path / "mine", folder, rf"has no kit '{name}'; it has kit\.sfz, other\.sfz$", ImportChoices(preset=name)
        )
    kit, _ = import_kit(folder, tmp_path / "mine" / "kit.toml", ImportChoices(preset="other"))
    assert (kit.name, kit.pads[0].notes) == ("other", (38,))
    with pytest.raises(KitError, match="has no kit 'third'"):
        import_kit(folder, tmp_path / "mine" / "kit.toml", ImportChoices(preset="third"))


def test_an_archive_is_one_of_the_kits_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = sfz(tmp_path / "source", "<region> key=36 sample=kick.wav").parent
    kick = (folder / "kick.wav").read_bytes()
    packed(folder / "packed.h2drumkit", {"k.sfz": b"<region> key=38 sample=kick.wav", "kick.wav": kick})
    untouched(tmp_path / "mine", folder, r"holds 2 kits: kit\.sfz, packed\.h2drumkit; choose one: ")
    for name in ("packed.h2drumkit", "packed"):
        choices = ImportChoices(preset=name)
        assert kit_name(folder, choices) == "packed"
        assert open_kit(folder, choices)[0].pads[0].notes == (38,)
        kit, _ = import_kit(folder, tmp_path / name / "kit.toml", choices)
        assert kit.pads[0].files == (tmp_path / name / "kit hits" / "kick.wav",)
    (folder / "kit.sfz").unlink()
    assert import_kit(folder, tmp_path / "alone" / "kit.toml", ALL)[0].pads[0].notes == (38,)
    (folder / "packed.h2drumkit").write_bytes(b"no archive")
    untouched(tmp_path / "mine", folder, r"source/packed\.h2drumkit: is damaged, or not an archive")


@pytest.mark.parametrize(
    ("preset", "name"),
    [(None, "all"), ("", "all"), ("Jazz kit", "Jazz kit"), ("kits/Rock/drumkit.sfz", "drumkit"), ("v1.2", "v1.2")],
)
def test_a_kit_is_called_after_its_preset(tmp_path: Path, preset: str | None, name: str) -> None:
    assert kit_name(tmp_path / "all.zip", ImportChoices(preset=preset)) == name


def test_kits_of_the_same_file_name_are_chosen_by_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "source"
    for note, name in ((36, "rock"), (38, "Jazz kit"), (40, "more/rock")):
        sfz(folder / "kits" / name, f"<region> key={note} sample=kick.wav")
    words = rf"{folder}: holds 2 kits: kits/Jazz kit/kit\.sfz, kits/rock/kit\.sfz; choose one: "
    message = untouched(tmp_path / "mine", folder, words)
    assert message.endswith(
        f"import {folder} --preset 'kits/Jazz kit', or play it: --kit '{folder / 'kits' / 'Jazz kit'}'"
    )
    assert open_kit(folder / "kits" / "Jazz kit")[0].pads[0].notes == (38,)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    words = rf"{tmp_path / 'all.zip'}: holds 2 kits: .*import {tmp_path / 'all.zip'} --preset 'kits/Jazz kit'$"
    untouched(tmp_path / "mine", tmp_path / "all.zip", words)
    for name in ("kits/Jazz kit/kit.sfz", "Jazz kit/kit.sfz", "jazz KIT", "kits\\Jazz kit\\", "Jazz kit/kit"):
        for source in (folder, tmp_path / "all.zip"):
            kit, _ = open_kit(source, ImportChoices(preset=name))
            assert kit.pads[0].notes == (38,)
    words = r"has 2 kits 'rock': kits/more/rock/kit\.sfz, kits/rock/kit\.sfz; name one by its path: "
    untouched(tmp_path / "mine", folder, words, ImportChoices(preset="rock"))
    assert open_kit(folder, ImportChoices(preset="more/rock"))[0].pads[0].notes == (40,)
    untouched(tmp_path / "mine", folder, "has no kit 'pop'; it has kits/", ImportChoices(preset="pop"))
    untouched(tmp_path / "mine", sound(tmp_path / "s" / "a.wav").parent, "it has none", ImportChoices(preset="pop"))


def test_missing_samples_are_named_and_left_out_only_if_told_to(tmp_path: Path) -> None:
    source = sfz(tmp_path / "s", "<region> key=36 sample=kick.wav\n<region> key=38 sample=snare.wav")
    untouched(tmp_path / "mine", source, r"1 of its samples are not there: snare\.wav; put them back")
    kit, report = import_kit(source, tmp_path / "mine" / "kit.toml", ImportChoices(partial=True))
    assert [pad.notes for pad in kit.pads] == [(36,)]
    assert any("sample is missing (1)" in line for line in report)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<region> key=36 sample=/etc/passwd", "'/etc/passwd', not from the kit's folder"),
        ("<region> key=36 sample=C:\\kick.wav", "not from the kit's folder"),
        ("<region> key=36 sample=../../etc/passwd", "lies outside"),
        ("<region> key=36 sample=away/kick.wav", "lies outside"),
        (f"<region> key=36 sample={'x' * 300}.wav", "samples are not there"),
        ('#include "kit.sfz"', "includes it again without end"),
        ('#include "../out.sfz"', "lies outside"),
        ('#include "gone.sfz"', "includes 'gone.sfz', which is not there"),
        ("<region> key=36 sample=kick.wav lovel=90 hivel=20", "velocities 90 to 20"),
        ("<region> key=36 sample=kick.wav volume=loud", "volume is 'loud'"),
        ("<region> key=h9 sample=kick.wav", "a key is 'h9'"),
        ("<region> key=9999 sample=kick.wav", r"regions without a key from 0 to 127 \(1\)"),
        ("<region> sample=kick.wav key=36 offset=99999999", "its offset = .* leaves nothing"),
        ("hello", "holds no stroke that a note plays.*; give its strokes notes in its sampler, or import the folder"),
        ("<region> key=36 sample=kick.wav\n" * (MOST_REGIONS + 1), "more than 10,000 regions"),
        ("#define $a xxxxxxxxxxxxxxxx\n" + "#define $a $a$a\n" * 40, "grows to more than"),
        ("<region> key=36 sample=noise.wav", r"noise\.wav"),
    ],
)
def test_an_sfz_file_that_lies_is_refused(tmp_path: Path, text: str, words: str) -> None:
    source = sfz(tmp_path / "deep" / "source", text)
    (source.parent / "noise.wav").write_bytes(b"no sound")
    (tmp_path / "deep" / "out.sfz").write_text("")
    (tmp_path / "elsewhere").mkdir()
    sound(tmp_path / "elsewhere" / "kick.wav")
    (source.parent / "away").symlink_to(tmp_path / "elsewhere")
    assert str(source.parent.parent) in untouched(tmp_path / "mine", source, words)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
XML = {
    "drumkit.xml": [
        ("<drumkit_info><instr", "is not whole XML"),
        (f"{BOMB}<drumkit_info>&b;</drumkit_info>", "is XML that no kit needs"),
        ("<drumkit_info/>", "holds no stroke"),
        (
            "<other/>",
            "holds no kit and no sound file.*; name a folder with a kit, or with one file for each stroke: .wav",
        ),
        (
            "<drumkit_info><instrument><midiOutNote>x</midiOutNote><filename>a.wav</filename></instrument></drumkit_info>",
            "midiOutNote is 'x'",
        ),
        (
            "<drumkit_info><instrument><layer><filename>../a.wav</filename></layer></instrument></drumkit_info>",
            "lies outside",
        ),
        ('<drumkit><instruments><instrument name="K" file="k.xml"/></instruments></drumkit>', "lacks its file 'k.xml'"),
        ("<drumkit><instruments/></drumkit>", "has no MIDI map"),
    ],
    "kit.dspreset": [
        ("<DecentSampler>", "is not whole XML"),
        ("<drumkit/>", "begins with <drumkit>"),
        ('<DecentSampler><groups><group><sample path="a.wav"/></group></groups></DecentSampler>', "not there: a.wav"),
    ],
}


@pytest.mark.parametrize(("name", "text", "words"), [(name, *case) for name, cases in XML.items() for case in cases])
def test_xml_that_lies_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / name).write_text(text)
    untouched(tmp_path / "mine", tmp_path / "source", words)


def packed(path: Path, names: dict[str, bytes], link: str = "") -> Path:
    """Write a zip file or a tar file, by the name's ending."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in names.items():
                file.writestr(name, data)
            if link:
                pointer = zipfile.ZipInfo(link)
                pointer.external_attr = (stat.S_IFLNK | 0o777) << 16
                file.writestr(pointer, "/etc/passwd")
        return path
    with tarfile.open(path, "w:gz") as tape:
        for name, data in names.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tape.addfile(entry, io.BytesIO(data))
        if link:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tape.addfile(entry)
    return path


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "h2drumkit"])
@pytest.mark.parametrize("name", ["../evil.wav", "/evil/evil.wav", "a/../../evil.wav", "C:/evil.wav", "..\\evil.wav"])
def test_an_archive_reaches_no_file_outside(tmp_path: Path, ending: str, name: str) -> None:
    source = packed(tmp_path / f"kit.{ending}", {name: b"x"})
    untouched(tmp_path / "mine", source, "outside its folder")


@pytest.mark.parametrize("name", ["kit.h2drumkit", "kit.zip"])
def test_an_archive_s_link_is_refused(tmp_path: Path, name: str) -> None:
    untouched(tmp_path / "mine", packed(tmp_path / name, {}, "a.wav"), "holds a link")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"a.wav": b"x"}, r"kit\.zip: holds no kit .*; \S+kit\.zip/a\.wav: is not a sound file"),
        ({"b.sfz": b"<region> sample=gone.wav key=36"}, r"kit\.zip/b\.sfz: 1 of its samples"),
    ],
)
def test_an_archive_is_named_and_not_where_it_is_unpacked(tmp_path: Path, names: dict[str, bytes], words: str) -> None:
    assert ".part" not in untouched(tmp_path / "mine", packed(tmp_path / "kit.zip", names), words)


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_an_archive_that_grows_without_end_is_stopped(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_RATIO_FROM_BYTES", 2**16)
    source = packed(tmp_path / f"kit.{ending}", {"a.wav": bytes(2**24)})
    untouched(tmp_path / "mine", source, "would fill the disk")


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 3)
    untouched(tmp_path / "mine", packed(tmp_path / "kit.zip", {f"{n}.txt": b"" for n in range(5)}), "more than 3 files")


@pytest.mark.parametrize("name", ["kit.zip", "kit.h2drumkit", "kit.dslibrary"])
def test_an_archive_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4 nothing")
    untouched(tmp_path / "mine", tmp_path / name, "is damaged, or not an archive; download")


def test_a_source_that_is_not_there_and_one_of_no_format_are_named(tmp_path: Path) -> None:
    untouched(tmp_path / "mine", tmp_path / "gone", "there is no such file or folder")
    (tmp_path / "some.xml").write_text("<a/>")
    untouched(tmp_path / "mine", tmp_path / "some.xml", "is not a kit of SFZ.*; name one, or a folder of sound files$")
    (tmp_path / "empty").mkdir()
    untouched(tmp_path / "mine", tmp_path / "empty", "holds no kit and no sound file")


def test_ten_thousand_regions_are_read_in_seconds(tmp_path: Path) -> None:
    lines = (f"<region> key={36 + at % 40} lovel=1 hivel={1 + at % 127} sample=kick.wav" for at in range(9_990))
    kit, report = import_kit(sfz(tmp_path, "\n".join(lines)), tmp_path / "kit.toml", ALL)
    assert len(load_kit(tmp_path / "kit.toml").pads) == len(kit.pads) == 40
    assert any("ranges of velocity overlap" in line for line in report)


def test_a_kit_file_that_cannot_be_written_leaves_no_hits(tmp_path: Path) -> None:
    source = sfz(tmp_path / "source", "<region> key=36 sample=kick.wav")
    (tmp_path / "mine" / "kit.toml").mkdir(parents=True)
    with pytest.raises(OutputError):
        import_kit(source, tmp_path / "mine" / "kit.toml", ALL, replace_old=True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["kit.toml"]


def test_a_folder_is_no_kit_for_a_kit_file_s_own_errors(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text("name = 3")
    with pytest.raises(KitError, match="name = 3"):
        open_kit(tmp_path / "kit.toml")
