"""Recorded strokes as sound: their settings, and their level over velocity."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.dsp.velocity import hit_level_db, velocity_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.inference.velocity_layers import VelocityLayers, read_hit
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.render.workers import Request, stroke_results

RATE = 44_100


def sound(path: Path, level: float = 0.5, hz: float = 200, frames: int = 9_000, channels: int = 1) -> Path:
    t = np.arange(frames) / RATE
    wave = level * np.sin(2 * np.pi * hz * t) * np.exp(-12 * t)
    write_audio(path, np.repeat(wave[None], channels, axis=0).astype(np.float32), RATE, 32)
    return path


def pad(*hits: PadHit, **changes: object) -> Pad:
    return Pad(**{"name": "Snare", "notes": (38,), "drum_class": "snare", "seed": 5, "hits": hits, **changes})


def test_the_level_follows_the_recordings_between_layers_and_the_velocity_beyond() -> None:
    soft, hard = PadHit(Path("s"), 1, 40), PadHit(Path("h"), 41, 127)
    layers = VelocityLayers.measured((soft, hard), {soft: -20.0, hard: -2.0}.get)
    assert layers.louder_db(hard, 127) == pytest.approx(0.0)
    assert layers.louder_db(soft, 40) == pytest.approx(0.0)
    halfway = round(127 * 10 ** (velocity_db(40) / 80))
    assert layers.louder_db(hard, halfway) == pytest.approx(-9.0, abs=0.2)
    assert layers.louder_db(soft, 20) == pytest.approx(velocity_db(20) - velocity_db(40))


def test_a_stroke_that_nothing_varies_is_the_recorded_one_at_its_layer_s_level(tiny_onnx, tmp_path: Path) -> None:
    hits = (
        PadHit(sound(tmp_path / "soft.wav", 0.1, 150), 1, 50),
        PadHit(sound(tmp_path / "hard.wav", 0.8, 300), 51, 127),
    )
    source = SourceSpec(tiny_onnx, RATE).open()
    for velocity, level, hz in ((50, 0.1, 150), (127, 0.8, 300)):
        stroke = source.stroke(pad(*hits, amount=0.0), 0, velocity)[0]
        expected = level * np.sin(2 * np.pi * hz * np.arange(9_000) / RATE) * np.exp(-12 * np.arange(9_000) / RATE)
        assert np.corrcoef(stroke[200:8_000], expected[200:8_000])[0, 1] > 0.99
        assert hit_level_db(stroke[None], RATE) == pytest.approx(hit_level_db(expected[None], RATE), abs=0.5)


def test_louder_velocities_are_louder_strokes_throughout(tiny_onnx, tmp_path: Path) -> None:
    hits = tuple(
        PadHit(sound(tmp_path / f"{at}.wav", level), 32 * at + 1, min(32 * at + 32, 127))
        for at, level in enumerate((0.05, 0.2, 0.4, 0.9))
    )
    source = SourceSpec(tiny_onnx, RATE).open()
    levels = [hit_level_db(source.stroke(pad(*hits, amount=0.0), 0, v), RATE) for v in range(8, 128, 8)]
    assert all(after > before - 0.1 for before, after in pairwise(levels))


def test_another_process_makes_the_same_strokes_of_many_hits(tiny_onnx, tmp_path: Path) -> None:
    hits = tuple(PadHit(sound(tmp_path / f"{at}.wav", hz=150 + 20 * at), 1, 127) for at in range(3))
    one, other = (SourceSpec(tiny_onnx, 48_000).open() for _ in range(2))
    for index in (0, 5, 2, 5):
        assert np.array_equal(one.stroke(pad(*hits), index, 90), other.stroke(pad(*hits), index, 90))


def test_the_same_strokes_of_many_hits_whatever_the_jobs(tiny_onnx, tmp_path: Path) -> None:
    hits = tuple(
        PadHit(sound(tmp_path / f"{at}.wav", hz=150 + 20 * at), 1 + 60 * (at // 2), 60 + 67 * (at // 2))
        for at in range(4)
    )
    requests = [Request(pad(*hits), index, 30 + 9 * index) for index in range(10)]
    one, two = (list(stroke_results(SourceSpec(tiny_onnx, RATE), requests, jobs)) for jobs in (1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_file_that_is_gone_is_an_error_offline_and_another_stands_in_for_it_live(tiny_onnx, tmp_path: Path) -> None:
    hits = tuple(PadHit(sound(tmp_path / f"{at}.wav"), 1, 127) for at in range(2))
    hits[0].file.unlink()
    offline = SourceSpec(tiny_onnx, RATE).open()
    with pytest.raises(AudioFileError, match=r"0\.wav"):
        [offline.stroke(pad(*hits), index, 90) for index in range(2)]
    live = SourceSpec(tiny_onnx, RATE, goes_on=True).open()
    assert all(live.stroke(pad(*hits), index, 90).any() for index in range(2))
    hits[1].file.unlink()
    with pytest.raises(AudioFileError, match=r"\.wav"):
        SourceSpec(tiny_onnx, RATE, goes_on=True).open().stroke(pad(*hits), 0, 90)


def test_a_recorded_stroke_is_read_with_its_offset_tuning_gain_and_place(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.wav", hz=400)
    plain = read_hit(PadHit(path), RATE)
    assert np.allclose(read_hit(PadHit(path, gain_db=-6.0206), RATE), plain / 2, atol=1e-6)
    assert np.array_equal(read_hit(PadHit(path, offset=100), RATE), plain[:, 4_410:])
    up = read_hit(PadHit(path, tune=12), RATE)
    assert up.shape == (1, 4_500)
    assert np.abs(np.fft.rfft(up[0], RATE)).argmax() == pytest.approx(800, abs=12)
    left, right = read_hit(PadHit(path, pan=-1.0), RATE)
    assert np.abs(right).max() < 1e-6
    assert np.abs(left).max() == pytest.approx(np.abs(plain).max() * 2**0.5, rel=1e-4)


def test_an_offset_beyond_the_end_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="nothing is left after its offset of 9000 ms"):
        read_hit(PadHit(sound(tmp_path / "x.wav"), offset=9000), RATE)
