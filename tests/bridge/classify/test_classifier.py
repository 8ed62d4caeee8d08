from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.classify.classifier import Audio, class_by_name, class_by_sound, not_a_hit
from ghostnote.bridge.classify.features import FEATURES, features, mono_for_features
from ghostnote.bridge.drums import CLASS_NAMES

RATE = 44_100
RNG = np.random.default_rng(5)


def decay(seconds: float, half_life: float, rate: int = RATE) -> Audio:
    return (0.5 ** (np.arange(round(seconds * rate)) / rate / half_life)).astype(np.float32)


def kick(rate: int = RATE) -> Audio:
    fall = decay(0.6, 0.08, rate)
    turns = np.cumsum(50 + 100 * decay(0.6, 0.02, rate)) / rate
    return (0.9 * np.sin(2 * np.pi * turns) * fall).astype(np.float32)[None]


def noise(seconds: float, half_life: float) -> Audio:
    fall = decay(seconds, half_life)
    return (fall * RNG.uniform(-1, 1, fall.shape)).astype(np.float32)[None]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Kick 01.wav", ("kick", "name")),
        ("Hi-Hat Open 2.wav", ("open_hat", "name")),
        ("drums/Snares/01.wav", ("snare", "folder")),
        ("Claps.wav", ("clap", "name")),
        ("OH Snare 3.wav", ("snare", "name")),
        ("Tom1_OH_v3.wav", ("tom", "name")),
        ("SD_oh.wav", ("snare", "name")),
        ("ch 2 floor tom.wav", ("tom", "name")),
        ("808 OH 1.wav", ("open_hat", "name")),
        ("HiHat OH.wav", ("open_hat", "name")),
        ("drums/Snares/OH 01.wav", ("snare", "folder")),
        ("drums/Hats/OH 01.wav", ("open_hat", "folder")),
        ("drums/Hi-Hats/Open 01.wav", ("open_hat", "folder")),
        ("drums/Snares/Tom OH.wav", ("tom", "name")),
    ],
)
def test_the_name_says_the_class_before_the_folder(path: str, expected: tuple[str, str]) -> None:
    guess = class_by_name(Path(path))
    assert guess is not None
    assert (guess.drum_class, guess.source) == expected


def test_a_name_may_say_nothing() -> None:
    assert class_by_name(Path("packs/01_final.wav")) is None


def test_a_kick_sounds_like_one_at_any_rate_and_level() -> None:
    for audio, rate in ((kick(), RATE), (0.01 * kick(96_000), 96_000), (np.repeat(kick(), 2, axis=0), RATE)):
        guess = class_by_sound(audio, rate)
        assert guess.drum_class == "kick"
        assert guess.source == "sound"
        assert 0.5 < guess.probability <= 1


def test_every_guess_is_a_class_with_a_probability() -> None:
    guess = class_by_sound(noise(0.05, 0.005), RATE)
    assert guess.drum_class in CLASS_NAMES
    assert 1 / len(CLASS_NAMES) <= guess.probability <= 1


def test_features_know_no_level_and_no_lead() -> None:
    plain = features(mono_for_features(kick(), RATE))
    late = features(mono_for_features(np.pad(0.1 * kick(), ((0, 0), (5_000, 0))), RATE))
    assert plain.shape == (FEATURES,)
    assert np.abs(plain - late).max() < 0.5


def test_hits_are_hits() -> None:
    flam = noise(0.6, 0.04)
    flam[:, 1_000:] += noise(0.6, 0.04)[:, :-1_000]
    cymbal = noise(5.0, 0.5)
    for audio in (kick(), noise(0.03, 0.005), flam, cymbal, np.pad(kick(), ((0, 0), (RATE, 2 * RATE)))):
        assert not_a_hit(audio, RATE) is None


def test_loops_melodies_and_held_notes_are_not() -> None:
    loop = np.tile(noise(0.25, 0.03), 8)
    tune = np.concatenate(
        [
            np.sin(np.arange(RATE // 3) * pitch / RATE * 6.28) * decay(1 / 3, 0.1)[: RATE // 3]
            for pitch in (440, 550, 660, 440)
        ]
    )
    held = np.sin(np.arange(3 * RATE) / 30)
    for audio, reason in ((loop, "8 attacks"), (tune[None], "4 attacks"), (held[None], "decay")):
        said = not_a_hit(audio.astype(np.float32), RATE)
        assert said is not None
        assert reason in said
