from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.dsp.partials import split
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.description import brightness_hz
from ghostnote.bridge.tools.morph import morph, morph_steps, transition

RATE = 44_100


def drum(hz: tuple[float, ...], t60: float, noise: float = 0.02, seconds: float = 0.5, lead: int = 0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(round(hz[0]))
    sound = sum(np.sin(2 * np.pi * f * t) * 0.4 / (i + 1) for i, f in enumerate(hz)) * 10 ** (-3 * t / t60)
    sound += noise * rng.standard_normal(len(t)) * np.exp(-t / 0.03)
    return np.pad(sound, (lead, 0)).astype(np.float32)[None]


LOW, HIGH = drum((100, 230), 0.6), drum((200, 460), 0.3, lead=900)


def peaks_hz(audio: np.ndarray, below_db: float = 25) -> list[float]:
    body = audio[0, 1000:17_000]
    size = 2**16
    level = 20 * np.log10(np.abs(np.fft.rfft(body * np.hanning(len(body)), size)) + 1e-9)
    level -= level.max()
    found = [i for i in range(60, 3000) if level[i] == level[i - 25 : i + 26].max() and level[i] > -below_db]
    return [i * RATE / size for i in found]


def fall_db(audio: np.ndarray) -> float:
    early, late = (np.square(audio[0, at : at + 3000]).mean() for at in (1000, 8000))
    return float(10 * np.log10(early / late))


def test_half_way_there_is_one_set_of_partials():
    half = morph(LOW, HIGH, RATE, 0.5)[0]
    assert peaks_hz(half) == pytest.approx([np.sqrt(100 * 200), np.sqrt(230 * 460)], rel=0.02)
    crossfade = 0.5 * (LOW[:, : LOW.shape[1] - 900] + HIGH[:, 900 : LOW.shape[1]])
    assert len(peaks_hz(crossfade)) >= 3


def test_steps_go_evenly_from_one_to_the_other():
    steps = morph_steps(LOW, HIGH, RATE, 5)
    pitch = [peaks_hz(step)[0] for step in steps]
    assert pitch == pytest.approx((100 * 2 ** np.linspace(0, 1, 5)).tolist(), rel=0.02)
    falls = [fall_db(step) for step in steps]
    assert falls == sorted(falls)
    onsets = [int(np.argmax(np.abs(step[0]) > 0.01 * np.abs(step).max())) for step in steps]
    assert max(onsets) - min(onsets) < 30
    assert np.array_equal(steps[0][:, : LOW.shape[1] - 44], np.pad(LOW, ((0, 0), (44, 0)))[:, : LOW.shape[1] - 44]) or (
        np.abs(steps[0]).max() == pytest.approx(np.abs(LOW).max())
    )


def test_noise_lies_between_in_decibels():
    rng = np.random.default_rng(5)
    fall = np.exp(-np.arange(20_000) / 5000)
    loud, soft = (gain * fall * rng.standard_normal((1, 20_000)) for gain in (0.3, 0.003))
    half = morph(loud, soft, RATE, 0.5)[0]
    level = 10 * np.log10(np.square(half[0, 2000:9000]).mean() / np.square(loud[0, 2000:9000]).mean())
    assert level == pytest.approx(-20, abs=1)


def test_a_curve_stays_near_the_first():
    even, late = (morph_steps(LOW, HIGH, RATE, 3, curve=curve)[1] for curve in (1.0, 2.0))
    assert peaks_hz(late)[0] == pytest.approx(100 * 2**0.25, rel=0.02)
    assert peaks_hz(late)[0] < peaks_hz(even)[0]


def test_a_transition_begins_as_one_and_ends_as_the_other():
    a, b = drum((100,), 2.0, 0, 1.0), drum((200,), 2.0, 0, 1.0)
    joined = transition(a, b, RATE, start=0.1, seconds=0.3)
    assert np.abs(joined[:, 44:3000] - a[:, : 3000 - 44]).max() < 0.01
    late = joined[0, round(0.5 * RATE) : round(0.95 * RATE)]
    spectrum = np.abs(np.fft.rfft(late * np.hanning(len(late))))
    assert spectrum.argmax() * RATE / len(late) == pytest.approx(200, abs=3)
    level = [np.square(joined[0, at : at + 1000]).mean() for at in range(2000, 40_000, 1000)]
    assert np.abs(np.diff(10 * np.log10(level))).max() < 2


def test_the_end_of_a_transition_is_the_second_hit_itself():
    first, last = morph(LOW, HIGH, RATE, (0, 1))
    moved = transition(LOW, HIGH, RATE, start=0.02, seconds=0.15)
    after = round(0.18 * RATE)
    assert np.abs(moved - last)[:, after:].max() < 0.05 * np.abs(last[:, after:]).max()
    assert np.abs(moved - first)[:, after:].max() > 0.5 * np.abs(last[:, after:]).max()


@pytest.mark.parametrize("seconds", [0.5, 0.2])
def test_what_rings_beside_noise_lies_between_that_of_both(seconds: float):
    noisy, clear = drum((180, 300), 0.3, noise=0.2, seconds=seconds), drum((260, 430), 0.5, noise=0.002)

    def noise_db(sound: np.ndarray) -> float:
        partials, residual = split(sound)
        return float(10 * np.log10(np.square(residual).sum() / np.square(partials).sum()))

    steps = [noise_db(sound) for sound in morph_steps(noisy, clear, RATE, 5)]
    np.testing.assert_allclose(steps, np.linspace(steps[0], steps[-1], 5), atol=1.0)


def test_stereo_meets_mono_and_one_that_does_not_ring():
    stereo = np.concatenate([LOW, 0.5 * LOW])
    steps = morph_steps(stereo, HIGH, RATE, 3)
    assert {step.shape for step in steps} == {(2, steps[0].shape[1])}
    hat = np.random.default_rng(1).standard_normal((1, 9000)) * np.exp(-np.arange(9000) / 900) * 0.3
    assert all(np.isfinite(step).all() and step.any() for step in morph_steps(hat, LOW, RATE, 3))


def test_what_is_out_of_range_is_named():
    with pytest.raises(InputError, match=r"share is 1\.5: choose 0 to 1"):
        morph(LOW, HIGH, RATE, 1.5)
    with pytest.raises(InputError, match="steps is 1: choose 2 to 99"):
        morph_steps(LOW, HIGH, RATE, 1)


def test_the_command(tmp_path: Path):
    from ghostnote.bridge.cli.morph import morph as command
    from ghostnote.bridge.io.audio_file import read_audio, write_audio

    write_audio(tmp_path / "low.wav", LOW, RATE)
    write_audio(tmp_path / "high.flac", HIGH, RATE)
    command(tmp_path / "low.wav", tmp_path / "high.flac", tmp_path / "between", count=3)
    names = sorted(path.name for path in (tmp_path / "between").iterdir())
    assert names == ["low-1.wav", "low-2.wav", "low-3.wav"]
    assert peaks_hz(read_audio(tmp_path / "between" / "low-2.wav")[0])[0] == pytest.approx(100 * 2**0.5, rel=0.02)


def test_between_a_short_drum_and_a_long_one_the_pitch_stays_where_it_is():
    middle = morph(drum((60,), 0.3), drum((120,), 3.0, seconds=2.0), RATE, 0.5)[0][0]
    for begin in (0.1, 0.6, 1.2):
        part = middle[round(begin * RATE) :][: RATE // 2] * np.hanning(RATE // 2)
        hz = np.abs(np.fft.rfft(part, 8 * RATE)).argmax() / 8
        assert hz == pytest.approx(60 * 2**0.5, abs=3), begin


def falling_hz(end: float, start: float, seconds: float) -> np.ndarray:
    return end + (start - end) * np.exp(-np.arange(RATE // 2) / RATE / seconds)


def test_a_tone_that_falls_stays_one():
    courses = [falling_hz(45, 400, 0.06), falling_hz(110, 900, 0.03)]
    fall = 10 ** (-3 * np.arange(RATE // 2) / RATE / 1.2)
    kicks = [(0.5 * np.sin(2 * np.pi * np.cumsum(hz) / RATE) * fall).astype(np.float32)[None] for hz in courses]
    half = morph(*kicks, RATE, 0.5)[0][0]
    angle = np.unwrap(np.angle(np.fft.ifft(np.fft.fft(half) * (np.fft.fftfreq(len(half)) > 0))))
    for seconds in (0.03, 0.06, 0.1, 0.15, 0.25):
        at = round(seconds * RATE)
        found = (angle[at + 441] - angle[at - 441]) / (2 * np.pi * 882 / RATE)
        assert found == pytest.approx(np.sqrt(courses[0][at] * courses[1][at]), rel=0.08)


def test_a_rumble_is_not_what_the_pitch_is():
    t = np.arange(RATE // 2) / RATE
    rumble = (0.6 * np.sin(2 * np.pi * 22 * t) * 10 ** (-3 * t / 0.6)).astype(np.float32)
    half = morph(drum((200, 510), 0.4) + rumble, drum((400, 1020), 0.4), RATE, 0.5)[0]
    assert np.sqrt(200 * 400) in [pytest.approx(hz, rel=0.02) for hz in peaks_hz(half)]
    low = np.abs(np.fft.rfft(half[0], 8 * RATE))[: 8 * 60]
    assert low.argmax() / 8 == pytest.approx(22, abs=2), "does not rise with the pitch"


def test_of_lines_that_are_nearly_as_strong_the_nearest_one_goes_over_into_the_other_pitch():
    t = np.arange(RATE // 2) / RATE
    both = (0.4 * np.sin(2 * np.pi * 370 * t) + 0.42 * np.sin(2 * np.pi * 1560 * t)) * 10 ** (-3 * t / 0.5)
    half = morph(both.astype(np.float32)[None], drum((75,), 0.5), RATE, 0.5)[0]
    assert peaks_hz(half, 10) == [pytest.approx(np.sqrt(370 * 75), rel=0.02)]


def decay_seconds(audio: np.ndarray) -> float:
    left = np.square(audio[0], dtype=np.float64)[::-1].cumsum()[::-1]
    fallen = 10 * np.log10(left / left[0] + 1e-12)
    return float(((fallen < -25).argmax() - (fallen < -5).argmax()) / RATE)


@pytest.mark.parametrize("cut", [0.08, 0.5])
def test_decay_and_brightness_lie_between_even_of_a_drum_that_is_cut(cut: float):
    low, high = drum((90, 200), 0.9)[:, : round(cut * RATE)], drum((400, 3000), 0.25)
    steps = morph_steps(low, high, RATE, 5)
    decays = [decay_seconds(step) for step in steps]
    assert decays == pytest.approx(np.linspace(decays[0], decays[-1], 5), abs=0.015)
    brightness = [np.log2(brightness_hz(step, RATE)) for step in steps]
    assert brightness == pytest.approx(np.linspace(brightness[0], brightness[-1], 5), abs=0.15)


def test_half_way_a_long_drum_and_a_short_one_lasts_half_as_long():
    def lasts(audio: np.ndarray) -> float:
        return float(np.flatnonzero(np.abs(audio[0]) > 1e-3 * np.abs(audio).max())[-1] / RATE)

    long, half, short = morph_steps(drum((300,), 4.0, seconds=3.0), drum((500,), 4.0, seconds=1.0), RATE, 3)
    assert lasts(half) == pytest.approx((lasts(long) + lasts(short)) / 2, rel=0.1)


def test_a_hit_at_one_side_comes_to_the_middle_evenly():
    left = np.concatenate([drum((150, 330), 0.5), np.zeros((1, RATE // 2), np.float32)])
    steps = morph_steps(left, drum((300, 700), 0.5), RATE, 5)
    right_share = [float(np.square(step[1]).sum() / np.square(step).sum()) for step in steps]
    assert right_share == pytest.approx([0, 0.125, 0.25, 0.375, 0.5], abs=0.06)


def test_sides_in_opposite_phase_are_as_bright_as_one():
    wide = np.concatenate([drum((500, 1300), 0.4), -drum((500, 1300), 0.4)])
    ends = [brightness_hz(hit, RATE) for hit in (wide, LOW)]
    assert ends[0] == pytest.approx(brightness_hz(wide[:1], RATE))
    assert brightness_hz(morph(wide, LOW, RATE, 0.5)[0], RATE) == pytest.approx(np.sqrt(ends[0] * ends[1]), rel=0.1)
