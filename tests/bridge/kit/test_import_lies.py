"""Kits of other samplers with values that nothing can be: left out and counted, or refused by name."""

from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.importers.source import ImportChoices, Imported, read_source

HIT = np.exp(-np.arange(4_000) / 800)[None].astype(np.float32) / 2


def read(folder: Path, name: str, text: str) -> Imported:
    for sample in ("a.wav", "b.wav"):
        write_audio(folder / sample, HIT, 44_100, 24)
    (folder / name).write_text(text)
    return read_source(folder / name, folder / "work", ImportChoices())


def decent(folder: Path, sample: str = "", groups: str = "", preset: str = "") -> Imported:
    """Read a preset of two samples: one with these settings, and one without."""
    samples = f'<sample path="a.wav" rootNote="36" {sample}/><sample path="b.wav" rootNote="38"/>'
    text = f"<DecentSampler {preset}><groups {groups}><group>{samples}</group></groups></DecentSampler>"
    return read(folder, "kit.dspreset", text)


@pytest.mark.parametrize("volume", ["1.2.3dB", "..dB", f"{'9' * 400}dB", "loud"])
def test_a_volume_that_is_no_number_is_named(tmp_path: Path, volume: str) -> None:
    with pytest.raises(KitError, match=r"kit\.dspreset: volume.* is '.{1,201}', but it must be a number") as caught:
        decent(tmp_path, groups=f'volume="{volume}"')
    assert len(str(caught.value)) < 600


def test_a_controller_of_any_number_is_read(tmp_path: Path) -> None:
    imported = read(tmp_path, "kit.sfz", f"<region> sample=a.wav key=36 locc{'9' * 5_000}=1\n")
    assert [pad.notes for pad in imported.kit.pads] == [(36,)]


@pytest.mark.parametrize(("low", "high"), [(100, 2), (200, 300), (-200, -300), (0, 0)])
def test_decent_samples_without_a_velocity_are_left_out_and_counted(tmp_path: Path, low: int, high: int) -> None:
    imported = decent(tmp_path, sample=f'loVel="{low}" hiVel="{high}"')
    assert [pad.notes for pad in imported.kit.pads] == [(38,)]
    assert "left out: regions without a velocity from 1 to 127 (1)" in imported.report


HYDROGEN = (
    "<drumkit_info><instrumentList><instrument><name>Kick</name><layer><filename>a.wav</filename>{0}</layer>"
    "<layer><filename>b.wav</filename></layer></instrument></instrumentList></drumkit_info>"
)


@pytest.mark.parametrize(
    ("layer", "velocities"), [("<min>0.9</min><max>0.1</max>", None), ("<min>0.5</min><max>0.5</max>", (64, 64))]
)
def test_hydrogen_layers_without_a_velocity_are_left_out(
    tmp_path: Path, layer: str, velocities: tuple[int, int] | None
) -> None:
    imported = read(tmp_path, "drumkit.xml", HYDROGEN.format(layer))
    (pad,) = imported.kit.pads
    assert {(hit.low, hit.high) for hit in pad.hits} - {(1, 127)} == ({velocities} if velocities else set())
    assert ("left out: regions without a velocity from 1 to 127 (1)" in imported.report) == (velocities is None)


def drumgizmo(folder: Path, powers: tuple[str, str], groups: str = "") -> Imported:
    """Read a kit of one drum, whose two strokes have these powers."""
    for name in ("a.wav", "b.wav"):
        write_audio(folder / name, HIT, 44_100, 24)
    samples = "".join(
        f'<sample name="{name}" power="{power}"><audiofile channel="L" file="{name}.wav" filechannel="1"/></sample>'
        for name, power in zip("ab", powers, strict=True)
    )
    (folder / "i.xml").write_text(f'<instrument name="Kick"><samples>{samples}</samples>{groups}</instrument>')
    (folder / "midimap.xml").write_text('<midimap><map note="36" instr="Kick"/></midimap>')
    instruments = '<instruments><instrument name="Kick" file="i.xml"/></instruments>'
    kit = f'<drumkit name="k"><channels><channel name="L"/></channels>{instruments}</drumkit>'
    return read(folder, "drumkit.xml", kit)


def test_drumgizmo_powers_below_0_count_as_0(tmp_path: Path) -> None:
    imported = drumgizmo(tmp_path, ("-5", "-1"))
    assert {(hit.low, hit.high) for hit in imported.kit.pads[0].hits} == {(1, 127)}
    assert "not understood, and left as it is: power below 0 (2)" in imported.report


@pytest.mark.parametrize(
    ("lower", "upper", "velocities"),
    [("0.9", "0.1", None), ("50", "100", None), ("0.5", "0.5", (64, 64)), ("0", "0.5", (1, 64))],
)
def test_drumgizmo_groups_have_velocities_or_are_left_out(
    tmp_path: Path, lower: str, upper: str, velocities: tuple[int, int] | None
) -> None:
    groups = (
        f'<velocities><velocity lower="{lower}" upper="{upper}"><sampleref name="a"/></velocity>'
        '<velocity lower="0" upper="1"><sampleref name="b"/></velocity></velocities>'
    )
    imported = drumgizmo(tmp_path, ("1", "1"), groups)
    pad = imported.kit.pads[0]
    assert {(hit.low, hit.high) for hit in pad.hits} - {(1, 127)} == ({velocities} if velocities else set())
    assert ("left out: regions without a velocity from 1 to 127 (1)" in imported.report) == (velocities is None)
