from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.inference import drum_cache
from ghostnote.bridge.inference.drum_cache import CachedSource, cache_folder
from ghostnote.bridge.inference.variation import Reference
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.render.workers import Audio

RATE = 44_100
PAD = Pad("Kick", (36,), "kick", seed=7)


class Generating:
    """Counts how often a drum is generated."""

    def __init__(self) -> None:
        self.generated = 0

    def reference(self, pad: Pad) -> Reference:
        if pad.hit:
            return Reference(read_audio(pad.hit)[0], 0)
        self.generated += 1
        draw = np.random.default_rng(pad.seed)
        return Reference(draw.uniform(-0.9, 0.9, (1, 1000)).astype(np.float32), 0)

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        return np.repeat(self.reference(pad).audio, 2, axis=0) * np.float32(index + velocity)


def test_a_drum_is_generated_once_and_sounds_the_same_to_the_bit(tmp_path: Path) -> None:
    plain, generating = Generating(), Generating()
    for _ in range(3):
        source = CachedSource(generating, tmp_path / "model", RATE)
        for index in range(2):
            np.testing.assert_array_equal(source.stroke(PAD, index, 90), plain.stroke(PAD, index, 90))
    assert generating.generated == 1


def test_another_seed_class_or_model_is_another_drum(tmp_path: Path) -> None:
    generating = Generating()
    for folder in ("one", "two"):
        source = CachedSource(generating, tmp_path / folder, RATE)
        for pad in (PAD, replace(PAD, seed=8), replace(PAD, drum_class="tom")):
            source.stroke(pad, 0, 90)
    assert generating.generated == 6


def test_a_pad_with_a_hit_is_left_as_it_is(tmp_path: Path) -> None:
    source = CachedSource(Generating(), tmp_path / "model", RATE)
    source.stroke(PAD, 0, 1)
    (kept,) = (tmp_path / "model").iterdir()
    CachedSource(Generating(), tmp_path / "other", RATE).stroke(replace(PAD, hit=kept), 0, 1)
    assert not (tmp_path / "other").exists()


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    generating = Generating()
    source = CachedSource(generating, tmp_path / "file" / "model", RATE)
    assert source.stroke(PAD, 0, 1).any()
    assert source.stroke(PAD, 0, 1).any()


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drum_cache, "MOST_FILES", 3)
    source = CachedSource(Generating(), tmp_path, RATE)
    for seed in range(6):
        source.stroke(replace(PAD, seed=seed), 0, 1)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(drum_cache.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "ghostnote"
