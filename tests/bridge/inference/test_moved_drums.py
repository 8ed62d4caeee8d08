from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.dsp.sliders import Sliders
from ghostnote.bridge.inference import stroke_source
from ghostnote.bridge.inference.drum_cache import CachedSource
from ghostnote.bridge.inference.stroke_source import SourceSpec, StrokeSource
from ghostnote.bridge.inference.variation import StrokeKey
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.tools.tweak import describe, tweak

RATE = 44_100
PLAIN = Pad("Snare", (38,), "snare", seed=5)
MOVED = replace(PLAIN, bright=1.0, longer=0.5)


def hit(level: float = 0.4) -> np.ndarray:
    """Return a snare of 0.25 s, (1, frames)."""
    t = np.arange(RATE // 4) / RATE
    noise = np.random.default_rng(3).standard_normal(len(t)) * np.exp(-t / 0.05)
    ring = np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.07)
    return (level * (ring + 0.3 * noise)).astype(np.float32)[None]


@pytest.fixture(scope="module")
def source(tiny_onnx: Path) -> StrokeSource:
    return SourceSpec(tiny_onnx, RATE).open()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return the file of a hit, and that of what the sliders of `MOVED` make of it."""
    paths = tmp_path / "hit.wav", tmp_path / "moved.wav"
    write_audio(paths[0], hit(), RATE, 32)
    write_audio(paths[1], tweak(hit(), RATE, MOVED.sliders), RATE, 32)
    return paths


def test_a_stroke_of_a_moved_pad_is_a_stroke_of_the_moved_hit(source: StrokeSource, files: tuple[Path, Path]) -> None:
    keys = [StrokeKey(0, 127), StrokeKey(1, 60)]
    moved, expected, plain = (
        source.strokes(replace(pad, hit=file), keys)
        for pad, file in ((MOVED, files[0]), (PLAIN, files[1]), (PLAIN, files[0]))
    )
    for number in range(2):
        np.testing.assert_array_equal(moved[number], expected[number])
        assert moved[number].shape[1] > plain[number].shape[1]


def test_a_generated_drum_is_moved_too(source: StrokeSource) -> None:
    drum, moved = source.reference(PLAIN).audio, source.reference(MOVED).audio
    np.testing.assert_array_equal(moved, tweak(drum, RATE, MOVED.sliders))


def test_a_drum_is_moved_once_for_all_its_strokes(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, calls = SourceSpec(tiny_onnx, RATE).open(), []

    def counted(audio: np.ndarray, rate: int, sliders: Sliders) -> np.ndarray:
        calls.append(sliders)
        return audio * np.float32(0.5)

    monkeypatch.setattr(stroke_source, "tweaked", counted)
    for index in range(3):
        source.stroke(MOVED, index, 90)
    assert [sliders for sliders in calls if sliders != Sliders()] == [MOVED.sliders]


def test_drums_kept_as_files_are_plain_and_their_strokes_the_same(source: StrokeSource, tmp_path: Path) -> None:
    cached = CachedSource(source, tmp_path / "drums", RATE)
    np.testing.assert_array_equal(cached.stroke(MOVED, 2, 90), source.stroke(MOVED, 2, 90))
    np.testing.assert_array_equal(cached.stroke(PLAIN, 2, 90), source.stroke(PLAIN, 2, 90))
    assert len(list((tmp_path / "drums").iterdir())) == 1


def test_each_recorded_stroke_is_moved_and_velocity_layers_stay(source: StrokeSource, tmp_path: Path) -> None:
    for name, level in (("soft", 0.1), ("hard", 0.4)):
        write_audio(tmp_path / f"{name}.wav", hit(level), RATE, 32)
    hits = PadHit(tmp_path / "soft.wav", 1, 60), PadHit(tmp_path / "hard.wav", 61, 127)
    plain, moved = (
        source.strokes(replace(PLAIN, hits=hits, amount=0.0, bright=bright), [StrokeKey(0, 60), StrokeKey(0, 127)])
        for bright in (0.0, 1.5)
    )
    for before, after in zip(plain, moved, strict=True):
        change = describe(after, RATE)["bright"] - describe(before, RATE)["bright"]
        assert change == pytest.approx(6, abs=1.5)
        power = [np.square(stroke[:, : RATE // 10]).mean() for stroke in (before, after)]
        assert 10 * np.log10(power[1] / power[0]) == pytest.approx(0, abs=0.3)
