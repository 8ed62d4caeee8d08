"""Envelopes, ends and velocity tracking of other samplers' kits are named where they would be heard, and only there."""

from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.importers.source import ImportChoices, read_source

RATE, FRAMES = 44_100, 3_000


def report(path: Path, text: str) -> str:
    """Return what the import of a kit file says that plays `snare.wav`."""
    times = np.arange(FRAMES) / RATE
    hit = (0.5 * np.sin(2 * np.pi * 150 * times) * np.exp(-20 * times)).astype(np.float32)[None]
    write_audio(path.parent / "snare.wav", hit, RATE, 32)
    path.write_text(text)
    return "\n".join(read_source(path, path.parent / "work", ImportChoices()).report)


@pytest.mark.parametrize(
    ("opcodes", "named"),
    [
        ("ampeg_delay=0.01 ampeg_attack=0.2", "ampeg_delay (1), ampeg_attack (1)"),
        ("ampeg_hold=0.1 ampeg_decay=0.3 ampeg_sustain=0", "ampeg_hold (1), ampeg_decay (1), ampeg_sustain (1)"),
        ("ampeg_sustain=30", "ampeg_sustain (1)"),
        ("end=1000", "end (1)"),
        ("amp_veltrack=0", "amp_veltrack of a single layer (1)"),
    ],
)
def test_sfz_names_what_would_be_heard(tmp_path: Path, opcodes: str, named: str) -> None:
    said = report(tmp_path / "kit.sfz", f"<region> sample=snare.wav key=38 {opcodes}")
    assert said == f"not understood, and left as it is: {named}"


@pytest.mark.parametrize(
    "opcodes",
    [
        "ampeg_delay=0 ampeg_attack=0 ampeg_hold=0.5 ampeg_decay=2 ampeg_sustain=100 ampeg_release=0.3",
        f"end={FRAMES - 1}",
        "amp_veltrack=100",
    ],
)
def test_sfz_is_silent_on_what_has_no_effect(tmp_path: Path, opcodes: str) -> None:
    assert not report(tmp_path / "kit.sfz", f"<region> sample=snare.wav key=38 {opcodes}")


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ('attack="0.2" decay="1" sustain="1" release="1"', "attack (1)"),
        ('decay="0.3" sustain="0.1"', "decay (1), sustain (1)"),
        ('end="1000"', "end (1)"),
        ('ampVelTrack="0.5"', "ampVelTrack of a single layer (1)"),
        ('ampVelTrack="1" attack="0" end="2999"', ""),
        ('attack="0.2" ampEnvEnabled="false"', ""),
    ],
)
def test_decent_sampler_names_what_would_be_heard(tmp_path: Path, attributes: str, named: str) -> None:
    said = report(
        tmp_path / "kit.dspreset",
        f'<DecentSampler><groups><group {attributes}><sample path="snare.wav" rootNote="38"/></group></groups>'
        "</DecentSampler>",
    )
    assert said == (f"not understood, and left as it is: {named}" if named else "")
