"""Recorded strokes as sound: their settings, their level and timbre over velocity, and how much they differ."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.dsp.timbre import difference_db
from ghostnote.bridge.dsp.velocity import hit_level_db, velocity_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.inference.recorded_drum import RecordedDrum
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.inference.variation import Reference, StrokeChange, StrokeKey, Variation, Variator
from ghostnote.bridge.inference.velocity_layers import MeasuredHit, VelocityLayers, read_hit
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


def decaying(level_db: float = -6.0, decay: float = 12.0, seed: int = 0) -> np.ndarray:
    """Return decaying noise (1, frames) at a level."""
    t = np.arange(20_000) / RATE
    audio = (np.random.default_rng(seed).standard_normal(len(t)) * np.exp(-decay * t))[None].astype(np.float32)
    return audio * np.float32(10 ** ((level_db - hit_level_db(audio, RATE)) / 20))


def measured(sounds: dict[PadHit, np.ndarray]) -> VelocityLayers:
    return VelocityLayers.measured(tuple(sounds), RATE, sounds.get)


def test_the_level_follows_the_recordings_between_layers_and_the_velocity_beyond() -> None:
    soft, hard = PadHit(Path("s"), 1, 40), PadHit(Path("h"), 41, 127)
    layers = measured({soft: decaying(-20.0), hard: decaying(-2.0)})
    assert layers.louder_db(hard, 127) == pytest.approx(0.0)
    assert layers.louder_db(soft, 40) == pytest.approx(0.0)
    halfway = round(127 * 10 ** (velocity_db(40) / 80))
    assert layers.louder_db(hard, halfway) == pytest.approx(-9.0, abs=0.2)
    assert layers.louder_db(soft, 20) == pytest.approx(velocity_db(20) - velocity_db(40))
    # The layers say what a velocity does to the timbre, so the model need not, but beyond them.
    assert layers.harder_db(hard, halfway) == 0
    assert layers.harder_db(soft, 20) == layers.louder_db(soft, 20)
    assert measured({hard: decaying()}).harder_db(hard, 20) == pytest.approx(velocity_db(20))


def test_the_timbre_between_layers_lies_between_theirs(tiny_onnx, tmp_path: Path) -> None:
    files = {"soft": decaying(-20, decay=25), "hard": decaying(-2, decay=6)}
    for name, audio in files.items():
        write_audio(tmp_path / f"{name}.wav", audio, RATE, 32)
    hits = PadHit(tmp_path / "soft.wav", 1, 40), PadHit(tmp_path / "hard.wav", 41, 127)
    source = SourceSpec(tiny_onnx, RATE).open()

    def length(velocity: int) -> float:
        energy = np.square(source.stroke(pad(*hits, amount=0.0), 0, velocity)[0]).cumsum()
        return float((energy < 0.99 * energy[-1]).mean())

    lengths = [length(velocity) for velocity in (20, 40, 55, 70, 90, 110, 127)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.05)
    assert all(after > before for before, after in pairwise(lengths[1:]))


@pytest.mark.parametrize(
    ("repeats", "apart", "low", "high"), [(8, 3.0, 1.2, 2.0), (8, 0.0, 0.49, 0.6), (2, 0.0, 0.6, 1.0)]
)
def test_strokes_differ_as_the_recorded_ones_do_and_few_say_little(
    repeats: int, apart: float, low: float, high: float
) -> None:
    """What is made of a stroke decays a little faster; the recorded ones differ by more than that, or not at all."""
    sounds = {PadHit(Path(f"{at}")): decaying(decay=12 + apart * (-1) ** at, seed=0) for at in range(repeats)}
    drum = RecordedDrum(measured(sounds), lambda hit: decaying(decay=13 + apart * (-1) ** int(hit.file.name)))
    share = max(0.25, 1 / repeats)
    assert low <= drum.change(next(iter(sounds)), 127).amount / share <= high


def test_strokes_half_way_between_layers_have_the_timbre_of_neither_stroke_but_of_the_layers() -> None:
    soft = [PadHit(Path(f"soft{at}"), 1, 40) for at in range(2)]
    hard = [PadHit(Path(f"hard{at}"), 41, 127) for at in range(2)]
    sounds = {hit: decaying(decay=12 + 6 * at) for at, hit in enumerate((*soft, *hard))}
    layers = measured(sounds)
    drum = RecordedDrum(layers, lambda hit: sounds[hit])
    halfway = round(127 * 10 ** (velocity_db(40) / 80))

    def apart(velocity: int) -> float:
        first, second = (MeasuredHit.of(drum.finish(hit, velocity, sounds[hit], RATE), RATE).timbre for hit in hard)
        return difference_db(first, second)

    assert [layers.between(velocity) for velocity in (20, 40, 127)] == [0, 0, 0]
    assert layers.between(halfway) == pytest.approx(1, abs=0.03)
    assert apart(halfway) < 0.5 * apart(127)
    assert drum.change(hard[0], halfway).amount == pytest.approx(drum.change(hard[0], 127).amount / 2, rel=0.03)


def test_one_stroke_known_is_varied_as_the_model_predicts() -> None:
    hit = PadHit(Path("x"))
    change = RecordedDrum(measured({hit: decaying()}), lambda _: decaying(seed=1)).change(hit, 127)
    assert (change.amount, change.level_deviations) == (1.0, (0.0, 0))


def test_levels_vary_as_the_recorded_ones_do(tiny_generator) -> None:
    reference, key = Reference(decaying(), 1), StrokeKey(0, 127, StrokeChange(0.0, 0.0))
    known = replace(key, change=StrokeChange(0.0, 0.0, 1.0, (97 * 25.0, 97)))
    variator = Variator(tiny_generator)

    def spread_db(of: StrokeKey) -> float:
        keys = [replace(of, index=index) for index in range(24)]
        strokes = variator.next_strokes(reference, keys, Variation(3, steps=0))
        return float(np.std([hit_level_db(stroke, RATE) for stroke in strokes]))

    assert 3.5 < spread_db(known) < 6.5
    assert spread_db(key) < 3


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
