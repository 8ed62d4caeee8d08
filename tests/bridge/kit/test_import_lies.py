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
