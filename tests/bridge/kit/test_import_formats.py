"""Kits of other samplers: what each format says arrives in the pads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.kit.importers.source import ImportChoices, Imported, read_source
from ghostnote.bridge.kit.kit import Pad

RATE = 44_100
KITS = Path("/usr/share/hydrogen/data/drumkits")
debian = pytest.mark.skipif(not KITS.is_dir(), reason="Debian's hydrogen-data is not installed")


def sound(path: Path, level: float = 0.5, channels: int = 1, hz: float = 150) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(3_000) / RATE
    rows = [level / (row + 1) * np.sin(2 * np.pi * hz * (row + 1) * t) * np.exp(-20 * t) for row in range(channels)]
    write_audio(path, np.array(rows, np.float32), RATE, 32)
    return path


def read(path: Path, work: Path | None = None, **choices: object) -> Imported:
    return read_source(path, work or path.parent / "work", ImportChoices(**choices))


def sfz(folder: Path, text: str, *samples: str) -> Imported:
    for name in samples:
        sound(folder / name)
    (folder / "kit.sfz").write_text(text)
    return read(folder / "kit.sfz")


def pads(imported: Imported) -> dict[str, Pad]:
    return {pad.name: pad for pad in imported.kit.pads}


def test_sfz_keys_velocities_round_robins_and_settings_are_kept(tmp_path: Path) -> None:
    imported = sfz(
        tmp_path,
        """
        <group> group_label=Snare key=38 amp_veltrack=0 seq_length=2 loop_mode=one_shot pan=-50 volume=-3
        <region> seq_position=1 lovel=1 hivel=60 sample=soft 1.wav
        <region> seq_position=2 lovel=1 hivel=60 sample=soft 2.wav tune=-50 transpose=2
        <region> lovel=61 hivel=127 sample=hard.wav offset=441 volume=3
        """,
        *("soft 1.wav", "soft 2.wav", "hard.wav"),
    )
    (snare,) = imported.kit.pads
    assert (snare.name, snare.notes, snare.drum_class, snare.pan, snare.gain_db) == ("Snare", (38,), "snare", -0.5, 3.0)
    assert [(h.file.name, h.low, h.high, h.gain_db, h.tune, h.offset) for h in snare.hits] == [
        ("soft 1.wav", 1, 60, -6.0, 0.0, 0.0),
        ("soft 2.wav", 1, 60, -6.0, 1.5, 0.0),
        ("hard.wav", 61, 127, 0.0, 0.0, 10.0),
    ]
    assert imported.report == ()


def test_sfz_includes_defines_default_paths_key_names_and_control_headers(tmp_path: Path) -> None:
    for name in ("Samples/kick.wav", "Samples/Hats/closed.wav", "Samples/Hats/open.wav"):
        sound(tmp_path / name)
    (tmp_path / "Data").mkdir()
    (tmp_path / "Data" / "hats.sfz").write_text(
        "<control> default_path=Samples/Hats/ note_offset=12\n"
        "<group> group=1 off_by=1 pitch_keytrack=0\n"
        "<region> key=$OPEN sample=open.wav #define $X 1\n<region> key=f#1 sample=closed.wav // a comment <region>\n"
    )
    imported = sfz(
        tmp_path,
        """/* a kit
        of parts */
        #define $KICK c2
        #define $OPEN bb1
        <control> default_path=Samples\\
        <global> lovel=1 hivel=127
        <region> lokey=$KICK hikey=$KICK pitch_keycenter=$KICK sample=KICK.wav
        #include "Data/hats.sfz"
        """,
    )
    found = pads(imported)
    assert {name: pad.notes for name, pad in found.items()} == {"kick": (36,), "open": (46,), "closed": (42,)}
    assert found["open"].choke == found["closed"].choke == "hats"
    assert found["kick"].choke is None


def test_sfz_what_is_not_understood_is_named_and_counted_and_nothing_else_plays(tmp_path: Path) -> None:
    imported = sfz(
        tmp_path,
        """
        <global> cutoff=2000 fil_type=lpf_2p
        <group> key=36
        <region> sample=kick.wav
        <region> sample=kick.wav trigger=release
        <region> sample=*silence
        <region> sample=kick.wav locc4=64
        <region> sample=kick.wav loop_mode=loop_continuous key=38
        """,
        "kick.wav",
    )
    assert [pad.notes for pad in imported.kit.pads] == [(36, 38)]
    report = "\n".join(imported.report)
    for words in ("cutoff (3)", "fil_type (3)", "sound on release (1)", "without a sample (1)", "or 16 (1)"):
        assert words in report
    assert "loops, which play once (1)" in report


def test_sfz_ranges_of_the_hi_hat_s_pedal_are_opennesses_and_those_of_controller_16_positions(tmp_path: Path) -> None:
    imported = sfz(
        tmp_path,
        """
        <group> key=42 amp_veltrack=0
        <region> sample=open.wav hicc4=40
        <region> sample=half.wav locc4=41 hicc4=99
        <region> sample=shut.wav locc4=100
        <group> key=38 amp_veltrack=0
        <region> sample=centre.wav hicc16=63
        <region> sample=edge.wav locc16=64
        <group> key=36
        <region> sample=kick.wav hicc4=63
        """,
        *("open.wav", "half.wav", "shut.wav", "centre.wav", "edge.wav", "kick.wav"),
    )
    hat, snare, kick = imported.kit.pads
    assert {hit.file.stem: hit.openness for hit in hat.hits} == {
        "open": (round(87 / 127, 4), 1.0),
        "half": (round(28 / 127, 4), round(86 / 127, 4)),
        "shut": (0.0, round(27 / 127, 4)),
    }
    assert {hit.file.stem: hit.position for hit in snare.hits} == {"centre": (0.0, 0.4961), "edge": (0.5039, 1.0)}
    assert kick.files == (tmp_path / "kick.wav",)
    assert not any("controller" in line or "overlap" in line for line in imported.report)


def test_sfz_random_ranges_are_round_robins_and_keys_of_one_drum_are_one_pad(tmp_path: Path) -> None:
    imported = sfz(
        tmp_path,
        """
        <group> lokey=35 hikey=36 pitch_keytrack=0
        <region> lorand=0 hirand=0.5 sample=kick a.wav
        <region> lorand=0.5 hirand=1 sample=kick b.wav
        """,
        *("kick a.wav", "kick b.wav"),
    )
    (kick,) = imported.kit.pads
    assert kick.notes == (35, 36)
    assert [(hit.low, hit.high) for hit in kick.hits] == [(1, 127), (1, 127)]


def test_sfz_unlike_random_ranges_are_said_to_come_equally_often(tmp_path: Path) -> None:
    often = "<region> key=36 hirand=0.8 sample=a.wav\n<region> key=36 lorand=0.8 sample=b.wav"
    found = sfz(tmp_path, often, "a.wav", "b.wav")
    assert len(found.kit.pads[0].hits) == 2
    assert any("come equally often" in line for line in found.report)


def test_sfz_a_drum_that_follows_the_keys_is_tuned_on_each(tmp_path: Path) -> None:
    imported = sfz(tmp_path, "<region> lokey=41 hikey=43 pitch_keycenter=42 sample=tom.wav", "tom.wav")
    assert [(pad.notes, pad.hits[0].tune if pad.hits else 0.0) for pad in imported.kit.pads] == [
        ((41,), -1.0),
        ((42,), 0.0),
        ((43,), 1.0),
    ]


def test_sfz_the_nearest_header_says_the_keys(tmp_path: Path) -> None:
    text = "<global> lokey=0 hikey=127\n<group> key=36\n<region> sample=a.wav\n<region> key=38 sample=b.wav"
    imported = sfz(tmp_path, text, "a.wav", "b.wav")
    assert {name: (pad.notes, pad.hits) for name, pad in pads(imported).items()} == {"a": ((36,), ()), "b": ((38,), ())}


def test_of_microphones_that_sound_together_the_first_is_taken_and_the_others_are_counted(tmp_path: Path) -> None:
    regions = "".join(
        f"<region> seq_position={turn} sample={mic} {turn}.wav\n" for turn in (1, 2) for mic in ("close", "room")
    )
    names = [f"{mic} {turn}.wav" for turn in (1, 2) for mic in ("close", "room")]
    imported = sfz(tmp_path, f"<group> key=38 group=0 off_by=0 seq_length=2\n{regions}", *names)
    (pad,) = imported.kit.pads
    assert [hit.file.name for hit in pad.hits] == ["close 1.wav", "close 2.wav"]
    assert "left out: regions that sound together with another, as further microphones do (2)" in imported.report


def test_sfz_velocity_tracking_gives_soft_layers_their_level(tmp_path: Path) -> None:
    text = "<group> key=38\n<region> hivel=64 sample=a.wav\n<region> lovel=65 sample=b.wav"
    (snare,) = sfz(tmp_path, text, "a.wav", "b.wav").kit.pads
    assert [hit.gain_db for hit in snare.hits] == pytest.approx([-11.9, 0.0], abs=0.01)


def test_a_one_way_choke_is_said(tmp_path: Path) -> None:
    text = "<region> key=42 group=1 sample=chh.wav\n<region> key=46 group=2 off_by=1 sample=ohh.wav"
    imported = sfz(tmp_path, text, "chh.wav", "ohh.wav")
    assert {pad.choke for pad in imported.kit.pads} == {"hats"}
    assert any("one way in the source" in line for line in imported.report)


HYDROGEN = {
    "new": (
        '<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit"><name>H</name><componentList><drumkitComponent>'
        "<id>0</id><name>Main</name><volume>0.5</volume></drumkitComponent></componentList><instrumentList>{}"
        "</instrumentList></drumkit_info>",
        "<instrumentComponent><component_id>0</component_id><gain>1</gain>{}</instrumentComponent><pan>-0.5</pan>",
        0.5,
    ),
    "old": (
        "<drumkit_info><name>H</name><instrumentList>{}</instrumentList></drumkit_info>",
        "{}<pan_L>1</pan_L><pan_R>0.5</pan_R>",
        1.0,
    ),
    "of format 2": (
        '<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit"><formatVersion>2</formatVersion><name>H</name>'
        "<instrumentList>{}</instrumentList></drumkit_info>",
        "<instrumentComponent><component_id>0</component_id><gain>1</gain>{}</instrumentComponent><pan>-0.5</pan>",
        1.0,
    ),
}


@pytest.mark.parametrize("version", HYDROGEN)
def test_hydrogen_kits_of_all_versions(tmp_path: Path, version: str) -> None:
    kit, component, volume = HYDROGEN[version]
    layer = "<layer><filename>{}</filename><min>{}</min><max>{}</max><gain>1</gain><pitch>-2</pitch></layer>"
    layers = layer.format("soft.wav", 0, 0.5) + layer.format("hard.wav", 0.5, 1)
    instrument = (
        "<instrument><id>0</id><name>Snare</name><volume>0.5</volume><applyVelocity>false</applyVelocity>"
        f"<muteGroup>-1</muteGroup><midiOutNote>38</midiOutNote>{component.format(layers)}</instrument>"
    )
    for name in ("soft.wav", "hard.wav"):
        sound(tmp_path / name)
    (tmp_path / "drumkit.xml").write_text(kit.format(instrument))
    (snare,) = read(tmp_path).kit.pads
    assert (snare.name, snare.notes, snare.pan) == ("Snare", (38,), -0.5)
    assert snare.gain_db == pytest.approx(20 * np.log10(0.5 * volume), abs=0.01)
    assert [(h.file.name, h.low, h.high, h.tune) for h in snare.hits] == [
        ("soft.wav", 1, 63, -2.0),
        ("hard.wav", 64, 127, -2.0),
    ]


def test_a_hydrogen_kit_of_the_first_versions_has_a_file_an_instrument(tmp_path: Path) -> None:
    sound(tmp_path / "kick.wav")
    text = "<drumkit_info><name>Old</name><instrumentList><instrument><name>Kick</name><filename>kick.wav</filename>"
    (tmp_path / "drumkit.xml").write_text(f"{text}</instrument></instrumentList></drumkit_info>")
    (kick,) = read(tmp_path).kit.pads
    assert (kick.name, kick.notes, kick.hit) == ("Kick", (36,), tmp_path / "kick.wav")


@debian
def test_gm_rock_kit_is_eighteen_drums_of_five_layers() -> None:
    imported = read(KITS / "GMRockKit")
    found = pads(imported)
    assert len(found) == 18
    assert [hit.file.name for hit in found["Kick"].hits] == [
        f"Kick-{word}.wav" for word in ("Softest", "Soft", "Med", "Hard", "Hardest")
    ]
    assert all(len(pad.hits) == 5 for name, pad in found.items() if name != "Hand Clap")
    assert (found["Stick"].drum_class, found["Hat Semi-Open"].drum_class) == ("rim", "open_hat")
    assert found["Floor Tom"].notes == (41,)
    assert imported.report == ()


@debian
def test_the_finder_makes_the_same_drums_of_gm_rock_kit_s_files(tmp_path: Path) -> None:
    for path in (KITS / "GMRockKit").glob("*.wav"):
        (tmp_path / path.name).symlink_to(path)
    found = pads(read(tmp_path, tmp_path / "work"))
    assert len(found) == 18
    assert {len(pad.files) for name, pad in found.items() if name != "HandClap"} == {5}
    assert [found[name].notes for name in ("TomFloor", "Tom2", "Tom1")] == [(41, 43), (45, 47), (48, 50)]
    assert (found["HatPedal"].notes, found["Splash"].notes, found["Cowbell"].notes) == ((44,), (55,), (56,))


@debian
def test_tr808_kit_is_sixteen_drums() -> None:
    found = pads(read(KITS / "TR808EmulationKit"))
    assert len(found) == 16
    assert found["Cowbell"].notes == (56,)
    assert found["Tom Low"].pan == pytest.approx(-0.48)


def drumgizmo(folder: Path, power: Callable[[int], float] = lambda at: (at + 1) / 2) -> Path:
    for at in range(2):
        sound(folder / "samples" / f"{at}.wav", 0.1 * (at + 1), channels=3)
    (folder / "kit.xml").write_text(
        '<drumkit name="DG"><channels><channel name="Close"/><channel name="OH left"/><channel name="OH right"/>'
        '</channels><instruments><instrument name="Snare" file="snare.xml"><channelmap in="a" out="Close" main="true"/>'
        '<channelmap in="b" out="OH left"/><channelmap in="c" out="OH right"/></instrument></instruments></drumkit>'
    )
    strokes = "".join(
        f'<sample name="s{at}" power="{power(at)}">'
        + "".join(
            f'<audiofile channel="{channel}" file="samples/{at}.wav" filechannel="{number}"/>'
            for number, channel in enumerate("abc", 1)
        )
        + "</sample>"
        for at in range(2)
    )
    (folder / "snare.xml").write_text(
        f'<instrument version="2.0" name="Snare"><samples>{strokes}</samples></instrument>'
    )
    (folder / "midimap.xml").write_text('<midimap><map note="38" instr="Snare"/></midimap>')
    return folder


def test_drumgizmo_main_channels_are_mixed_or_those_that_are_chosen(tmp_path: Path) -> None:
    folder = drumgizmo(tmp_path / "dg")
    (snare,) = read(folder, tmp_path / "one").kit.pads
    assert (snare.notes, [(hit.low, hit.high) for hit in snare.hits]) == ((38,), [(1, 95), (96, 127)])
    source, _ = read_audio(folder / "samples" / "0.wav")
    mixed, _ = read_audio(snare.hits[0].file)
    assert np.allclose(mixed, source[[0, 0]], atol=1e-6)
    (snare,) = read(folder, tmp_path / "two", channels=("close", "OH left", "OH right")).kit.pads
    mixed, _ = read_audio(snare.hits[0].file)
    assert np.allclose(mixed, source[[0, 0]] + source[1:], atol=1e-6)


def test_drumgizmo_powers_of_any_measure_are_layers(tmp_path: Path) -> None:
    (snare,) = read(drumgizmo(tmp_path, lambda at: 0.001 * (at + 1)), tmp_path / "work").kit.pads
    assert [(hit.low, hit.high) for hit in snare.hits] == [(1, 95), (96, 127)]


def test_drumgizmo_samples_say_their_openness_and_position(tmp_path: Path) -> None:
    folder = drumgizmo(tmp_path)
    text = (folder / "snare.xml").read_text().replace('power="0.5"', 'power="0.5" openness="0.25" position="2"')
    (folder / "snare.xml").write_text(text)
    (snare,) = read(folder, tmp_path / "work").kit.pads
    assert [(hit.openness, hit.position) for hit in snare.hits] == [((0.25, 0.25), (1.0, 1.0)), (None, None)]


def test_drumgizmo_groups_of_the_first_version_are_layers(tmp_path: Path) -> None:
    folder = drumgizmo(tmp_path)
    text = (folder / "snare.xml").read_text().replace("</samples>", "</samples><velocities>{}</velocities>")
    groups = ((0.0, 0.5, "s0"), (0.5, 1.0, "s1"))
    (folder / "snare.xml").write_text(
        text.format(
            "".join(
                f'<velocity lower="{low}" upper="{high}"><sampleref name="{name}" probability="1"/></velocity>'
                for low, high, name in groups
            )
        )
    )
    (snare,) = read(folder, tmp_path / "work").kit.pads
    assert [(hit.low, hit.high) for hit in snare.hits] == [(1, 64), (65, 127)]


def test_drumgizmo_probabilities_of_the_first_version_are_named_and_counted(tmp_path: Path) -> None:
    folder = drumgizmo(tmp_path)
    refs = "".join(f'<sampleref name="s{at}" probability="{0.7 - 0.4 * at}"/>' for at in range(2))
    velocities = f'</samples><velocities><velocity lower="0" upper="1">{refs}</velocity></velocities>'
    (folder / "snare.xml").write_text((folder / "snare.xml").read_text().replace("</samples>", velocities))
    report = read(folder, tmp_path / "work").report
    assert any("probability: strokes come equally often (2)" in line for line in report)


def test_decent_sampler_groups_samples_and_tags(tmp_path: Path) -> None:
    for name in ("c1.wav", "c2.wav", "o.wav"):
        sound(tmp_path / "Samples" / name)
    (tmp_path / "kit.dspreset").write_text(
        """<DecentSampler minVersion="1.6.0" title="DS"><groups volume="-6dB" ampVelTrack="0">
        <group name="Closed Hat" tags="closed" silencedByTags="open" seqMode="round_robin" tuning="1">
          <sample path="Samples/c1.wav" rootNote="42" loNote="42" hiNote="42" seqPosition="1"/>
          <sample path="Samples/c2.wav" rootNote="42" loNote="42" hiNote="42" seqPosition="2" start="441"/></group>
        <group name="Open Hat" tags="open" silencedByTags="closed">
          <sample path="Samples/o.wav" rootNote="46" loNote="46" hiNote="46" pan="100" loVel="1" hiVel="127"/></group>
        </groups><effects><effect type="reverb"/></effects></DecentSampler>"""
    )
    imported = read(tmp_path / "kit.dspreset")
    found = pads(imported)
    assert found["Closed Hat"].gain_db == pytest.approx(-6.0)
    assert [(h.tune, h.offset) for h in found["Closed Hat"].hits] == [(1.0, 0.0), (1.0, 10.0)]
    assert (found["Open Hat"].pan, found["Open Hat"].choke, found["Closed Hat"].choke) == (1.0, "hats", "hats")
    (line,) = imported.report
    assert line == "not understood, and left as it is: ampVelTrack of a single layer (3), effects (1)"


def test_a_folder_of_hits_is_a_kit_by_names_and_sounds(tmp_path: Path) -> None:
    for at, word in enumerate(("Soft", "Hard")):
        sound(tmp_path / "pack" / f"Kick-{word}.wav", 0.2 + 0.5 * at, hz=60)
    sound(tmp_path / "pack" / "Cow Bell.wav", hz=800)
    found = pads(read(tmp_path / "pack"))
    assert {name: (pad.notes, len(pad.files)) for name, pad in found.items()} == {
        "Kick": ((36, 35), 2),
        "Cow Bell": ((56,), 1),
    }
