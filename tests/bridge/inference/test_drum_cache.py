import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.inference import drum_cache
from ghostnote.bridge.inference.drum_cache import CachedSource, ready_made
from ghostnote.bridge.inference.variation import Reference
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.io.cache_folder import cache_folder
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.render.workers import Audio

RATE, FRAMES = 44_100, 1_000
PAD = Pad("Kick", (36,), "kick", seed=7)


class Generating(StrokeByStroke):
    """Counts how often a drum is generated."""

    def __init__(self) -> None:
        self.generated = 0

    def reference(self, pad: Pad) -> Reference:
        if pad.hit:
            return Reference(read_audio(pad.hit)[0], 0)
        self.generated += 1
        drum = np.random.default_rng(pad.seed).uniform(-0.9, 0.9, (1, FRAMES)).astype(np.float32)
        drum[:, -1] = 0
        return Reference(drum, 0)

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        return np.repeat(self.reference(pad).audio, 2, axis=0) * np.float32(index + velocity)


def test_a_drum_is_generated_once_and_sounds_the_same_to_the_bit(tmp_path: Path) -> None:
    plain, generating = Generating(), Generating()
    for _ in range(3):
        source = CachedSource(generating, tmp_path / "model", RATE)
        for index in range(2):
            np.testing.assert_array_equal(source.stroke(PAD, index, 90), plain.stroke(PAD, index, 90))
    assert generating.generated == 1


def test_another_seed_class_kind_or_model_is_another_drum(tmp_path: Path) -> None:
    generating = Generating()
    for folder in ("one", "two"):
        source = CachedSource(generating, tmp_path / folder, RATE)
        for pad in (PAD, replace(PAD, seed=8), replace(PAD, drum_class="tom"), replace(PAD, kind="electronic_kick")):
            source.stroke(pad, 0, 90)
    assert generating.generated == 8


def test_a_pad_with_a_hit_is_left_as_it_is(tmp_path: Path) -> None:
    source = CachedSource(Generating(), tmp_path / "model", RATE)
    source.stroke(PAD, 0, 1)
    (kept,) = (tmp_path / "model").iterdir()
    CachedSource(Generating(), tmp_path / "other", RATE).stroke(replace(PAD, hit=kept), 0, 1)
    assert not (tmp_path / "other").exists()


def test_a_ready_made_drum_is_not_generated(tmp_path: Path) -> None:
    generating, drum = Generating(), np.full((1, FRAMES), 0.25, np.float32)
    (tmp_path / "ready").mkdir()
    write_audio(tmp_path / "ready" / "kick-7.flac", drum, RATE, 16)
    source = CachedSource(generating, tmp_path / "model", RATE, tmp_path / "ready")
    np.testing.assert_allclose(source.stroke(PAD, 0, 1), np.repeat(drum, 2, axis=0), atol=1e-4)
    assert generating.generated == 0
    source.stroke(replace(PAD, seed=8), 0, 1)
    assert generating.generated == 1


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    generating = Generating()
    source = CachedSource(generating, tmp_path / "file" / "model", RATE)
    assert source.stroke(PAD, 0, 1).any()
    assert source.stroke(PAD, 0, 1).any()


@pytest.mark.parametrize("damage", ["half", "empty", "other rate", "other length", "nan", "garbage"])
def test_a_damaged_file_is_made_anew_with_the_same_bytes(tmp_path: Path, damage: str) -> None:
    generating = Generating()
    wanted = CachedSource(generating, tmp_path, RATE).stroke(PAD, 3, 90)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    drum = np.full((1, FRAMES), 0.5, np.float32)
    if damage == "other rate":
        write_audio(path, drum, 22_050, 32)
    elif damage == "other length":
        write_audio(path, drum[:, 1:], RATE, 32)
    else:
        nan = data[:-4] + np.float32(np.nan).tobytes()
        broken = {"half": data[: len(data) // 2], "empty": b"", "nan": nan, "garbage": b"la la la" * 99}
        path.write_bytes(broken[damage])
    np.testing.assert_array_equal(CachedSource(generating, tmp_path, RATE).stroke(PAD, 3, 90), wanted)
    assert path.read_bytes() == data
    assert generating.generated == 2


def test_a_file_that_goes_while_it_is_used_costs_nothing_but_time(tmp_path: Path) -> None:
    source = CachedSource(Generating(), tmp_path, RATE)
    wanted = source.stroke(PAD, 0, 90)
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"")
    np.testing.assert_array_equal(source.stroke(PAD, 0, 90), wanted)
    path.unlink()
    np.testing.assert_array_equal(source.stroke(PAD, 0, 90), wanted)
    assert path.is_file()


@pytest.mark.parametrize("xdg", [None, "", "relative/cache"])
@pytest.mark.parametrize("home", [None, "", "relative"])
def test_without_a_home_nothing_is_kept_and_never_in_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, xdg: str | None, home: str | None
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(sys, "platform", "linux")
    for name, value in (("XDG_CACHE_HOME", xdg), ("HOME", home)):
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    if home is None:
        monkeypatch.setattr(Path, "home", no_home)
    folder = cache_folder()
    assert folder is None or (folder.is_absolute() and not folder.is_relative_to(Path.cwd()))
    if home == "relative":
        assert folder is None
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / ".cache" / "ghostnote"


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drum_cache, "MOST_FILES", 3)
    source = CachedSource(Generating(), tmp_path, RATE)
    for seed in range(6):
        source.stroke(replace(PAD, seed=seed), 0, 1)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "ghostnote"


def test_drums_of_another_version_of_the_code_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ready_made("0123456789abcdef0")
    monkeypatch.setattr("ghostnote.bridge.inference.drum_cache.DRUMS_VERSION", 99)
    assert ready_made("0123456789abcdef0").name != before.name
