"""The drum that tools take from a pad: its recorded stroke, or what the model generates for it."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from page_makers import FakeMakerSpec

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.errors import AudioFileError, InputError
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.line import DaemonLine
from ghostnote.bridge.page.pad_drums import PadDrums, recorded
from ghostnote.bridge.page.studio import ModelMaker, Studio

RATE = 32_000


def write(path: Path, level: float, channels: int = 1) -> Path:
    tone = level * np.sin(np.arange(RATE // 4) / 20) * np.exp(-np.arange(RATE // 4) / 2_000)
    write_audio(path, np.tile(tone, (channels, 1)).astype(np.float32), RATE)
    return path


def pad_of(*hits: PadHit) -> Pad:
    return Pad("Snare", (38,), "snare", hits=hits)


def test_a_recorded_drum_is_its_file_at_its_own_rate(tmp_path: Path) -> None:
    file = write(tmp_path / "My Snare.wav", 0.5, channels=2)
    sound = recorded(Pad("Snare", (38,), "snare", hit=file))
    assert (sound.name, sound.rate, sound.drum_class, sound.audio.shape) == ("My Snare", RATE, "snare", (2, RATE // 4))
    assert np.abs(sound.audio).max() == pytest.approx(0.5, abs=0.01)


def test_of_several_strokes_it_is_the_loudest_of_the_hardest_layer_as_the_kit_plays_it(tmp_path: Path) -> None:
    soft = PadHit(write(tmp_path / "soft.wav", 0.9), 1, 80)
    hard = PadHit(write(tmp_path / "hard.wav", 0.5), 81, 127)
    raised = PadHit(write(tmp_path / "raised.wav", 0.25), 81, 127, gain_db=9.0)
    cut = PadHit(write(tmp_path / "cut.wav", 0.8), 81, 127, offset=200.0)
    sound = recorded(pad_of(soft, hard, raised, cut))
    assert sound.name == "raised"
    assert np.abs(sound.audio).max() == pytest.approx(0.25 * 10 ** (9 / 20), abs=0.02)


def test_a_long_name_leaves_room_for_those_of_tools(tmp_path: Path) -> None:
    sound = recorded(pad_of(PadHit(write(tmp_path / f"{'é' * 100}.wav", 0.5))))
    assert len(sound.name.encode()) <= 60


def test_a_stroke_whose_file_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"gone\.wav"):
        recorded(pad_of(PadHit(tmp_path / "gone.wav")))


def test_a_generated_drum_is_that_of_the_pads_own_seed(tiny_onnx: Path, tiny_generator) -> None:
    pad = Pad("Low", (41,), "tom", seed=5, drum=9, amount=0.3, tune=4.0, bright=0.8)
    (made,) = ModelMaker(tiny_onnx).drum(pad)
    np.testing.assert_array_equal(made.audio, generate_drum(tiny_generator, "tom", 9)[None])
    assert made.rate == tiny_generator.card.rate


def test_no_drum_is_taken_of_a_pad_that_is_not_there_or_without_a_daemon() -> None:
    hub = Hub()
    drums = PadDrums(hub, DaemonLine(hub, "127.0.0.1", 9), Studio(FakeMakerSpec()))
    with pytest.raises(InputError, match="there is no pad 'kick'"):
        asyncio.run(drums.sound("kick"))
    hub.pads[0] = {"slug": "kick", "name": "Kick"}
    with pytest.raises(InputError, match="the daemon is not there"):
        asyncio.run(drums.sound("kick"))
