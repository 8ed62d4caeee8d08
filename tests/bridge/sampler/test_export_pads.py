"""A kit's pads for other samplers, in one go."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.sampler.build import KitShape
from ghostnote.bridge.sampler.export_pads import Strokes, export_pads
from ghostnote.bridge.sampler.write import parse_formats

KIT = Kit("two", 1, (Pad("Kick", (36,), "kick", seed=1), Pad("Snare", (38,), "snare", seed=2)))
NOTE = "effects are not part of the samples: add them in the sampler"


class Noise(StrokeByStroke):
    def stroke(self, pad: Pad, index: int, velocity: int) -> NDArray[np.float32]:
        noise = np.random.default_rng((pad.seed, index)).uniform(-0.5, 0.5, (2, 2_000)) * velocity / 127
        return (noise * np.exp(-np.arange(2_000) / 300)).astype(np.float32)


class Spec:
    def open(self) -> Noise:
        return Noise()


def test_every_format_gets_a_folder_and_every_stroke_is_counted(tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []
    strokes = Strokes(Spec(), 44_100, made=lambda done, of: counts.append((done, of)))
    paths, notes = export_pads(KIT, strokes, KitShape(2, 3), parse_formats("sfz,hydrogen"), tmp_path)
    assert paths == [tmp_path / "sfz" / "two", tmp_path / "hydrogen" / "two.h2drumkit"]
    assert len(list((tmp_path / "sfz" / "two" / "samples").iterdir())) == 2 * 3 * 2
    assert counts == [(done, 12) for done in range(1, 13)]
    assert notes == []


@pytest.mark.parametrize(
    "kit", [replace(KIT, effects=(Effect("gain"),)), KIT.with_effects({"Kick": (Effect("gain"),)})], ids=["mix", "pad"]
)
def test_effects_are_named_as_left_out(kit: Kit, tmp_path: Path) -> None:
    _, notes = export_pads(kit, Strokes(Spec(), 44_100), KitShape(1, 1), parse_formats("sfz"), tmp_path)
    assert notes == [NOTE]


def test_a_hit_of_more_channels_than_samples_have_is_named(tmp_path: Path) -> None:
    surround = np.tile(np.linspace(0.5, 0, 2_000, dtype=np.float32), (6, 1))
    write_audio(tmp_path / "kick.wav", surround, 44_100, 24)
    kit = replace(KIT, pads=(replace(KIT.pads[0], hit=tmp_path / "kick.wav"), KIT.pads[1]))
    _, notes = export_pads(kit, Strokes(Spec(), 44_100), KitShape(1, 1), parse_formats("sfz"), tmp_path / "out")
    assert notes == ["Kick: kick.wav has 6 channels, and is mixed down to 2 in the kit 'two'"]
