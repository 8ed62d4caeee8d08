import errno
import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from batch_fakes import batch, hit
from kit_fakes import NAME, RATE, instrument, unpack, write_kit
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.notes import notes_of_drums
from ghostnote.bridge.render.workers import Audio
from ghostnote.bridge.sampler.build import KitShape, kit_from_pads, kits_from_manifest
from ghostnote.bridge.sampler.hydrogen import MAX_SAMPLES, within_limits
from ghostnote.bridge.sampler.instrument import CREDITS_FILE, Instrument, Layer, SamplerKit
from ghostnote.bridge.sampler.write import FORMATS, export_kit, export_kits, kit_path, parse_formats


@pytest.fixture
def kit(tmp_path: Path) -> SamplerKit:
    return write_kit(tmp_path)


def exported(kit: SamplerKit, name: str, tmp_path: Path) -> Path:
    """Return the folder of a kit that was moved after its export, its strokes gone."""
    export_kit(kit, FORMATS[name], tmp_path / "made")
    path = kit_path(kit, FORMATS[name], tmp_path / "made")
    moved = tmp_path / "moved" / name
    moved.parent.mkdir(exist_ok=True)
    if path.is_file():
        unpack(path, moved)
        return moved / NAME
    path.rename(moved)
    return moved


def xml(path: Path) -> Element:
    return ElementTree.fromstring(path.read_text("utf-8"))


def texts(root: Element, tag: str) -> list[str]:
    return [e.text or "" for e in root.iter(f"{{http://www.hydrogen-music.org/drumkit}}{tag}")]


def test_sfz_takes_turns_within_each_layer_and_finds_its_samples(kit: SamplerKit, tmp_path: Path) -> None:
    folder = exported(kit, "sfz", tmp_path)
    text = (folder / f"{NAME}.sfz").read_text("utf-8")
    lines = text.splitlines()
    regions = [line for line in lines if line.startswith("<region>")]
    assert len(regions) == 5 * 4
    assert all((folder / line.split("sample=")[1]).is_file() for line in regions)
    assert [line.split()[1] for line in regions[:4]] == ["seq_position=1", "seq_position=2"] * 2
    assert lines.count("key=35 pitch_keycenter=35 lovel=65 hivel=127 seq_length=2") == 1
    assert lines.count("group=1 off_by=1 off_mode=normal") == 4
    assert "// Ä. Maker" in lines
    assert "amp_veltrack=0" in lines


def test_hydrogen_has_notes_mute_groups_turns_and_layers_that_share_no_velocity(
    kit: SamplerKit, tmp_path: Path
) -> None:
    folder = exported(kit, "hydrogen", tmp_path)
    root = xml(folder / "drumkit.xml")
    assert texts(root, "midiOutNote") == ["36", "38", "42", "46"]
    assert texts(root, "muteGroup") == ["-1", "-1", "0", "0"]
    assert set(texts(root, "sampleSelectionAlgo")) == {"ROUND_ROBIN"}
    assert set(texts(root, "applyVelocity")) == {"false"}
    assert all((folder / name).is_file() for name in texts(root, "filename"))
    lows, highs = ([float(v) for v in texts(root, tag)][:4] for tag in ("min", "max"))
    for velocity in range(1, 128):
        playing = [at for at in range(4) if lows[at] <= velocity / 127 <= highs[at]]
        assert playing == ([0, 1] if velocity <= 64 else [2, 3])


def test_hydrogen_gets_no_more_samples_than_it_plays(tmp_path: Path) -> None:
    many = SamplerKit("many", (instrument(tmp_path, "tom", "tom", (41,), turns=9),), RATE)
    limited, (note,) = within_limits(many)
    assert "8 of 9 round robins" in note
    assert [len(layer.samples) for layer in limited.instruments[0].layers] == [8, 8]
    one = tuple(Layer(v, v, many.instruments[0].layers[0].samples[:1]) for v in range(1, 128))
    finest = SamplerKit("f", (Instrument("tom", "tom", (41,), None, one),), RATE)
    layers = within_limits(finest)[0].instruments[0].layers
    assert len(layers) == MAX_SAMPLES
    assert [v for layer in layers for v in range(layer.low, layer.high + 1)] == list(range(1, 128))


def test_notes_that_hydrogen_cannot_play_are_named(tmp_path: Path) -> None:
    tom = instrument(tmp_path, "tom", "tom", (41, 43, 45))
    _, (note,) = within_limits(SamplerKit("toms", (tom,), RATE))
    assert note == "Hydrogen has one note an instrument: tom plays 41, not 43, 45"
    _, (note,) = within_limits(SamplerKit("toms", (tom,) * 5, RATE))
    assert note.endswith("; and 2 more")


def test_drumgizmo_maps_notes_and_chokes_and_gives_turns_equal_power(kit: SamplerKit, tmp_path: Path) -> None:
    folder = exported(kit, "drumgizmo", tmp_path)
    root = xml(folder / "drumkit.xml")
    maps = {int(m.attrib["note"]): m.attrib["instr"] for m in xml(folder / "midimap.xml")}
    assert maps == {
        36: "Große Kick & <tom>", 35: "Große Kick & <tom>", 38: "スネア", 42: "hat closed", 46: "hat open",
    }  # fmt: skip
    chokes = {i.attrib["name"]: [c.attrib["instrument"] for c in i.iter("choke")] for i in root.iter("instrument")}
    assert chokes["hat closed"] == ["hat closed", "hat open"]
    assert chokes["スネア"] == []
    for entry in root.iter("instrument"):
        drum = xml(folder / entry.attrib["file"])
        powers = [float(s.attrib["power"]) for s in drum.iter("sample")]
        assert powers[0] == powers[1] < powers[2] == powers[3]
        assert all((folder / f.attrib["file"]).is_file() for f in drum.iter("audiofile"))


def test_decent_has_round_robins_switched_on_and_hats_that_silence_one_another(kit: SamplerKit, tmp_path: Path) -> None:
    folder = exported(kit, "decent", tmp_path)
    groups = list(xml(folder / f"{NAME}.dspreset").iter("group"))
    assert len(groups) == 5 * 2
    assert {g.attrib["seqMode"] for g in groups} == {"round_robin"}
    assert [s.attrib["seqPosition"] for s in groups[0]] == ["1", "2"]
    hats = groups[-1].attrib
    assert hats["tags"] == "drum4"
    assert hats["silencedByTags"] == "drum3,drum4"
    assert "silencedByTags" not in groups[0].attrib
    assert all((folder / s.attrib["path"]).is_file() for g in groups for s in g)


@pytest.mark.parametrize("name", FORMATS)
def test_samples_have_no_dead_time_and_begin_alike(kit: SamplerKit, tmp_path: Path, name: str) -> None:
    for path in exported(kit, name, tmp_path).rglob("*.wav"):
        audio, rate = read_audio(path)
        level = np.abs(audio).max(axis=0)
        loud = np.flatnonzero(level > 0.003 * level.max())
        assert loud[0] <= 0.001 * rate
        assert audio.shape[1] < 4_000


def test_a_kit_is_the_same_bytes_again_and_never_replaces_another(kit: SamplerKit, tmp_path: Path) -> None:
    for place in ("a", "b"):
        export_kits([kit], list(FORMATS.values()), tmp_path / place)
    first, second = (
        {p.relative_to(tmp_path / x): p.read_bytes() for p in (tmp_path / x).rglob("*") if p.is_file()}
        for x in ("a", "b")
    )
    assert first == second
    with pytest.raises(OutputError, match="already there"):
        export_kit(kit, FORMATS["sfz"], tmp_path / "a" / "sfz")
    paths, notes = export_kits([kit], [FORMATS["sfz"]], tmp_path / "a", keep=True)
    assert paths == []
    assert "kept" in notes[0]


@pytest.mark.parametrize("name", FORMATS)
def test_a_kit_is_made_anew_when_a_stroke_is(kit: SamplerKit, tmp_path: Path, name: str) -> None:
    export_kits([kit], [FORMATS[name]], tmp_path / "made")
    stroke = kit.instruments[0].layers[0].samples[0].origin
    path = kit_path(kit, FORMATS[name], tmp_path / "made" / name)
    write_audio(stroke, read_audio(stroke)[0] * np.float32(0.5), RATE, 24)
    os.utime(stroke, ns=(0, path.stat().st_mtime_ns + 1))
    assert export_kits([kit], [FORMATS[name]], tmp_path / "made", keep=True)[0] == [path]
    export_kits([kit], [FORMATS[name]], tmp_path / "fresh")
    fresh, anew = (
        {str(p.relative_to(root)): p.read_bytes() for p in (tmp_path / root).rglob("*") if p.is_file()}
        for root in (tmp_path / "fresh", tmp_path / "made")
    )
    assert anew == fresh


@pytest.mark.parametrize("name", FORMATS)
def test_the_model_s_credits_are_a_file_apart_from_the_kit_s_licence(
    kit: SamplerKit, tmp_path: Path, name: str
) -> None:
    credits = ("A pack by Anna, CC BY 4.0", "Cymbals by Bob (CC0-1.0)")
    folder = exported(replace(kit, credits=credits), name, tmp_path)
    text = (folder / CREDITS_FILE).read_text("utf-8")
    assert "- A pack by Anna, CC BY 4.0, https://creativecommons.org/licenses/by/4.0/\n- Cymbals by Bob" in text
    assert "trimmed, resampled and scaled" in text
    assert "the strokes of your own sample are yours" in text
    assert "CC0-1.0\n" not in text.replace("(CC0-1.0)", "")
    for other in folder.rglob("*"):
        if other.suffix in (".sfz", ".xml", ".dspreset", ".txt") and other.name != CREDITS_FILE:
            assert "Anna" not in other.read_text("utf-8")
    bare = exported(replace(kit, credits=()), name, tmp_path / "bare")
    assert not (bare / CREDITS_FILE).exists()


def test_a_kit_has_the_folder_s_name_and_the_most_common_rate_and_says_which_differs(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name, rate in (("kick", 44_100), ("snare", 44_100), ("tom", 96_000), ("sub/ride", 48_000)):
        write_audio(tmp_path / "in" / f"{name}.wav", hit(rate=rate), rate)
    manifest = batch(tmp_path / "in", tmp_path / "out").manifest
    kits, notes = kits_from_manifest(manifest, KitShape(name="in"))
    assert {(kit.name, kit.rate, len(kit.instruments)) for kit in kits} == {("in", 44_100, 3), ("sub", 48_000, 1)}
    assert notes == ("tom: has 96000 Hz, and 44100 Hz in the kit 'in', as most drums there",)
    kits, _ = kits_from_manifest(manifest, KitShape(name="Mine", prefix=True))
    assert {kit.name for kit in kits} == {"Mine", "Mine - sub"}


@pytest.mark.parametrize("name", FORMATS)
def test_drums_are_as_loud_beside_each_other_as_their_sources(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    for drum, peak in (("tom", 1.0), ("kick", 0.5)):
        write_audio(tmp_path / "in" / f"{drum}.wav", peak * hit() / np.abs(hit()).max(), RATE, 24)
    report = batch(tmp_path / "in", tmp_path / "out", amount=2.0, velocities=1)
    (made,), _ = kits_from_manifest(report.manifest, KitShape(name=NAME))
    gains = {instrument.name: instrument.gain_db for instrument in made.instruments}
    assert gains["tom"] == 0
    assert gains["kick"] < -1
    folder = exported(made, name, tmp_path)
    for drum, gain_db in gains.items():
        samples = [path for path in folder.rglob(f"*{drum}*") if path.suffix in (".wav", ".flac")]
        in_kit, written = (
            max(np.abs(read_audio(path)[0]).max() for path in paths)
            for paths in (samples, (tmp_path / "out" / drum).iterdir())
        )
        assert in_kit == pytest.approx(written * 10 ** (gain_db / 20), rel=0.01)


def test_a_source_of_more_channels_than_samples_have_is_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_audio(tmp_path / "in" / "kick.wav", np.repeat(hit()[:1], 6, axis=0), RATE)
    _, notes = kits_from_manifest(batch(tmp_path / "in", tmp_path / "out").manifest, KitShape(name="in"))
    assert notes == ("kick: has 6 channels, and is mixed down to 2 in the kit 'in'",)


def test_nothing_is_left_where_a_kit_cannot_be_written(
    kit: SamplerKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> bytes:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("ghostnote.bridge.sampler.write._archive", full)
    with pytest.raises(OutputError, match="disk is full"):
        export_kit(kit, FORMATS["hydrogen"], tmp_path / "made")
    assert list((tmp_path / "made").iterdir()) == []


def test_an_unknown_format_is_named_with_those_that_there_are() -> None:
    assert [f.name for f in parse_formats("sfz, Decent,sfz")] == ["sfz", "decent"]
    with pytest.raises(InputError, match=r"'sf2'.*sfz"):
        parse_formats("sfz,sf2")


def test_drums_get_general_midi_notes_and_then_free_ones() -> None:
    notes = notes_of_drums(["kick", "snare", "snare", "tom", "kick", "kick", "perc"])
    assert notes[:3] == [(36,), (38,), (40,)]
    assert notes[3] == (41, 43, 45, 47, 48, 50)
    assert notes[4] == (35,)
    assert len(notes[5]) == 1
    assert notes[6] == (56,)
    crowd = notes_of_drums(["snare"] * 140)
    claimed = [note for each in crowd for note in each]
    assert sorted(claimed) == list(range(128))
    assert crowd[-1] == ()


class Noise(StrokeByStroke):
    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        draw = np.random.default_rng((pad.seed, index))
        side = draw.uniform(-0.5, 0.5, 2_000) * np.exp(-np.arange(2_000) / 300) * velocity / 127
        return np.stack([side, side]).astype(np.float32)


class Spec:
    def open(self) -> Noise:
        return Noise()


def test_a_kit_of_pads_sounds_as_it_does_in_a_render(tmp_path: Path) -> None:
    pads = (Pad("Kick", (36,), "kick", seed=1), Pad("Hat", (42,), "closed_hat", gain_db=-6, pan=-1, choke="hats"))
    with kit_from_pads(Kit("two", 1, pads), Spec(), RATE, KitShape(count=2, velocities=3), 1) as made:
        assert [len(i.layers) for i in made.instruments] == [3, 3]
        assert made.instruments[1].choke == "hats"
        export_kit(made, FORMATS["sfz"], tmp_path)
    kick = read_audio(tmp_path / "two" / "samples" / "001 Kick v3 rr1.wav")[0]
    hat = read_audio(tmp_path / "two" / "samples" / "002 Hat v3 rr1.wav")[0]
    assert len(kick) == 1
    assert len(hat) == 2
    assert np.abs(hat[0]).max() > 1e4 * np.abs(hat[1]).max()


EVIL = "\x1b[2J<region> sample=a\nb\u202ec\x9b"


@pytest.mark.parametrize("name", FORMATS)
def test_no_raw_escape_code_or_line_end_is_saved_in_a_kit(kit: SamplerKit, tmp_path: Path, name: str) -> None:
    first = replace(kit.instruments[0], name=EVIL)
    evil = SamplerKit(EVIL, (first, *kit.instruments[1:]), kit.rate, EVIL, EVIL, (EVIL,))
    (path,), _ = export_kits([evil], [FORMATS[name]], tmp_path / "made")
    if path.is_file():
        unpack(path, tmp_path / "unpacked")
        path = tmp_path / "unpacked"
    files = [file for file in path.rglob("*") if file.is_file()]
    assert not [file.name for file in files if set(file.name) & set(EVIL[:1] + "\n\u202e\x9b")]
    for file in (file for file in files if file.suffix != ".wav"):
        text = file.read_text("utf-8")
        assert not set(text) & set("\x1b\u202e\x9b")
        assert "a\nb" not in text
        assert file.suffix not in (".xml", ".dspreset") or xml(file) is not None


@pytest.mark.parametrize("name", FORMATS)
def test_a_stroke_that_cannot_be_read_back_is_named_and_left_out(kit: SamplerKit, tmp_path: Path, name: str) -> None:
    layers = kit.instruments[0].layers
    damaged = [sample.origin for sample in layers[0].samples] + [layers[1].samples[0].origin]
    lost = [sample.origin for layer in kit.instruments[1].layers for sample in layer.samples]
    for path in (*damaged, *lost):
        path.write_bytes(b"no sound")
    (path,), notes = export_kits([kit], [FORMATS[name]], tmp_path / "made")
    assert path.exists()
    for origin in (*damaged, *lost):
        assert any(str(origin) in note and "left out" in note for note in notes)
    if name == "sfz":
        text = (path / f"{NAME}.sfz").read_text("utf-8")
        assert text.count("<region>") == 2 * 1 + 2 * 4
        assert "key=36 pitch_keycenter=36 lovel=1 hivel=127 seq_length=1" in text
        assert "key=38" not in text
