from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.dsp.descriptors import DESCRIPTORS, UNITS
from ghostnote.bridge.dsp.sliders import Sliders
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.mask import Region, parse_mask
from ghostnote.bridge.tools.tweak import describe, tweak

RATE = 44_100


def snare(seconds: float = 0.4, rate: int = RATE) -> np.ndarray:
    """Return a hit with a click, two partials and noise, (1, frames)."""
    t = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng(3)
    ring = 0.5 * np.sin(2 * np.pi * 90 * t) * np.exp(-t / 0.06) + 0.3 * np.sin(2 * np.pi * 310 * t) * np.exp(-t / 0.05)
    noise = rng.standard_normal(len(t)) * (0.1 * np.exp(-t / 0.05) + 0.3 * np.exp(-t / 0.004))
    return (0.5 * (ring + noise)).astype(np.float32)[None]


@pytest.fixture(scope="module")
def before() -> dict[str, float]:
    return describe(snare(), RATE)


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_slider_moves_its_own_descriptor_and_no_other(name: str, before: dict[str, float]):
    ends = [describe(tweak(snare(), RATE, Sliders(**{name: at})), RATE) for at in (-1.0, 1.0)]
    moved = {each: (ends[1][each] - ends[0][each]) / unit for each, unit in zip(DESCRIPTORS, UNITS, strict=True)}
    assert ends[0][name] < before[name] < ends[1][name]
    assert moved[name] == pytest.approx(2, abs=0.8)
    others = {each: abs(move) for each, move in moved.items() if each != name}
    assert max(others.values()) < 0.25 * moved[name], others


def test_sliders_at_zero_return_the_hit_and_the_level_stays():
    hit = snare()
    assert tweak(hit, RATE, Sliders()) is hit or np.array_equal(tweak(hit, RATE, Sliders()), hit)
    changed = tweak(hit, RATE, Sliders(boomy=2, bright=-2))
    power = [np.square(sound[:, : RATE // 10]).mean() for sound in (hit, changed)]
    assert 10 * np.log10(power[1] / power[0]) == pytest.approx(0, abs=0.2)
    assert changed.shape == hit.shape


def test_any_rate_and_channels():
    stereo = np.concatenate([snare(rate=48_000), 0.5 * snare(rate=48_000)])
    changed = tweak(stereo, 48_000, Sliders(noisy=1, longer=1))
    assert changed.shape[0] == 2
    assert changed.shape[1] > stereo.shape[1]
    assert np.abs(changed[1] * 2 - changed[0]).max() < 2e-2 * np.abs(changed).max()


def test_a_mask_keeps_what_it_names():
    hit = snare()
    early = tweak(hit, RATE, Sliders(bright=2), mask=parse_mask("0-50ms"))
    end = round(0.05 * RATE)
    assert np.array_equal(early[:, :end], hit[:, :end])
    assert np.abs(early[:, end + 500 :] - hit[:, end + 500 :]).max() > 1e-3
    lows = tweak(hit, RATE, Sliders(boomy=2, bright=2), mask=parse_mask("-1khz"))
    change = np.abs(np.fft.rfft(lows - hit))[0]
    hz = np.fft.rfftfreq(hit.shape[1], 1 / RATE)
    assert change[hz < 900].max() < 0.05 * change[hz > 4000].max()


def test_masks_as_text():
    assert parse_mask("0-20ms, 2khz-").regions == (Region(seconds=(0, 0.02)), Region(hz=(2000, float("inf"))))
    assert parse_mask("0.1s-@-500hz").regions == (Region((0.1, float("inf")), (0, 500)),)
    for wrong in ("", "20", "20-10ms", "0-1s@2-3s", "0-20"):
        with pytest.raises(InputError, match="mask"):
            parse_mask(wrong)


def test_what_is_out_of_range_is_named():
    with pytest.raises(InputError, match="bright is 3: choose -2 to 2"):
        tweak(snare(), RATE, Sliders(bright=3))
    with pytest.raises(InputError, match="silent"):
        tweak(np.zeros((1, 400)), RATE, Sliders(bright=1))


@pytest.mark.parametrize("frames", [89, 700])
def test_hits_of_almost_nothing(frames: int):
    short = np.full((1, frames), 0.3, np.float32)
    for name in DESCRIPTORS:
        assert np.isfinite(tweak(short, RATE, Sliders(**{name: 1}))).all()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from ghostnote.bridge.cli.tweak import tweak as command
    from ghostnote.bridge.io.audio_file import read_audio, write_audio

    write_audio(tmp_path / "snare.wav", snare(), RATE, 32)
    command([tmp_path / "snare.wav"], tmp_path / "out.wav", bright=1.5)
    made, rate = read_audio(tmp_path / "out.wav")
    assert np.array_equal(made, tweak(snare(), rate, Sliders(bright=1.5)))
    command([tmp_path / "snare.wav"], tmp_path / "as_it_is.wav", bright=0)
    assert (tmp_path / "as_it_is.wav").read_bytes() == (tmp_path / "snare.wav").read_bytes()
    assert "snare (by name)" in capsys.readouterr().out
    with pytest.raises(InputError, match="no slider is given"):
        command([tmp_path / "snare.wav"], tmp_path / "out.wav")


@pytest.mark.parametrize("steps", [1, 2])
def test_longer_is_as_much_longer_as_it_says_where_a_recording_was_faded(steps: int):
    t = np.arange(int(0.35 * RATE)) / RATE
    noise = np.random.default_rng(4).standard_normal(len(t))
    fade = np.cos(np.clip((t - 0.2) / 0.15, 0, 1) * np.pi / 2) ** 2
    hat = (0.2 * np.exp(-9 * t) * noise * fade)[None].astype(np.float32)
    before, after = (describe(sound, RATE)["longer"] for sound in (hat, tweak(hat, RATE, Sliders(longer=steps))))
    assert 2 ** (after - before) == pytest.approx(1.32**steps, rel=0.06)


@pytest.mark.parametrize("steps", [-2, -1, 1, 2])
def test_longer_is_as_much_longer_as_it_says_where_a_fast_decay_ends_in_a_slow_one(steps: int):
    t = np.arange(int(0.74 * RATE)) / RATE
    noise = np.random.default_rng(4).standard_normal(len(t))
    machine = (0.2 * noise * (np.exp(-28 * t) + 0.015 * np.exp(-t)))[None].astype(np.float32)
    before, after = (
        describe(sound, RATE)["longer"] for sound in (machine, tweak(machine, RATE, Sliders(longer=steps)))
    )
    assert 2 ** (after - before) == pytest.approx(1.32**steps, rel=0.08)


def moves(hit: np.ndarray, name: str, steps: tuple[float, ...] = (-2, -1, 1, 2)) -> list[float]:
    """Return by how many steps a slider's descriptor moves at each of `steps` of it."""
    sounds = [hit, *(tweak(hit, RATE, Sliders(**{name: at})) for at in steps)]
    before, *after = (describe(sound, RATE)[name] for sound in sounds)
    return [(value - before) / UNITS[DESCRIPTORS.index(name)] for value in after]


def test_noise_moves_where_it_becomes_partials_as_it_gets_louder():
    t = np.arange(int(0.4 * RATE)) / RATE
    click = np.random.default_rng(3).standard_normal(len(t)) * np.exp(-t / 0.004)
    kick = 0.6 * np.sin(2 * np.pi * (60 * t - 0.4 * np.exp(-t / 0.02))) * np.exp(-t / 0.1) + 0.3 * click
    moved = moves(kick[None].astype(np.float32), "noisy")
    assert moved == sorted(moved)
    assert moved == pytest.approx([-2, -1, 1, 2], abs=0.6)


def test_a_level_that_flutters_gets_as_even_as_it_says():
    t = np.arange(int(0.74 * RATE)) / RATE
    hiss = 0.2 * np.random.default_rng(4).standard_normal(len(t)) * np.exp(-t / 0.3)
    ride = (hiss + 0.02 * np.sin(2 * np.pi * 420 * t))[None].astype(np.float32)
    assert moves(ride, "rough", (-2, -1, 1)) == pytest.approx([-2, -1, 1], abs=0.15)
