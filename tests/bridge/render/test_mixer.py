import numpy as np
import pytest

from ghostnote.bridge.dsp.limiter import CEILING_DB, Limiter
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.render.mixer import Audio, Mixer, pad_gains

RATE = 48_000


def pad(name: str = "pad", gain_db: float = 0.0, pan: float = 0.0) -> Pad:
    return Pad(name, (36,), "kick", seed=1, gain_db=gain_db, pan=pan)


def ones(frames: int, level: float = 1.0) -> Audio:
    return np.full((2, frames), level, np.float32)


def whole(mixer: Mixer, frames: int, block: int = 512) -> Audio:
    return np.concatenate([mixer.render(min(block, frames - at)).copy() for at in range(0, frames, block)], axis=1)


def test_a_stroke_begins_at_its_offset_and_runs_over_blocks() -> None:
    mixer = Mixer([pad()], RATE)
    mixer.start(0, ones(1000), 300)
    out = whole(mixer, 2048)
    assert not out[:, :300].any()
    np.testing.assert_allclose(out[:, 300:1300], 1, atol=1e-6)
    assert not out[:, 1300:].any()
    assert mixer.remaining_frames == 0


@pytest.mark.parametrize("pan", [-1.0, -0.5, 0.0, 0.3, 1.0])
def test_the_balance_has_constant_power(pan: float) -> None:
    left, right = pad_gains(pad(pan=pan))[:, 0]
    assert left**2 + right**2 == pytest.approx(2, abs=1e-5)
    assert (left > right) == (pan < 0)


def test_gain_is_in_decibels() -> None:
    np.testing.assert_allclose(pad_gains(pad(gain_db=-20)), 0.1, rtol=1e-5)


def test_a_fade_starts_at_its_frame_ends_in_time_and_never_cuts() -> None:
    mixer = Mixer([pad(), pad("other")], RATE)
    mixer.start(0, ones(RATE))
    mixer.start(1, ones(RATE, 0.5))
    mixer.fade((0,), 0.068, 100)
    mixer.render(4096)
    faded, other = mixer.stem(0, 4096)[0], mixer.stem(1, 4096)[0]
    frames = round(0.068 * RATE)
    np.testing.assert_allclose(faded[:100], 1, atol=1e-6)
    assert np.abs(np.diff(faded)).max() < 1.01 / frames
    assert not faded[100 + frames :].any()
    np.testing.assert_allclose(other, 0.5, atol=1e-6)


def test_a_fade_of_a_channel_leaves_the_voices_of_another() -> None:
    mixer = Mixer([pad()], RATE)
    for level, channel in ((0.1, 9), (0.2, 3), (0.4, None)):
        mixer.start(0, ones(RATE, level), channel=channel)
    mixer.fade((0,), 0.01, channel=3)
    np.testing.assert_allclose(mixer.render(2000)[0, 1000:], 0.1, atol=1e-6)
    mixer.fade((0,), 0.01)
    assert not mixer.render(2000)[0, 1000:].any()


def test_a_second_fade_only_ever_shortens() -> None:
    mixer = Mixer([pad()], RATE)
    mixer.start(0, ones(RATE))
    mixer.fade((0,), 0.010)
    mixer.fade((0,), 1.0, 100)
    mixer.fade((0,), 0.002, 240)
    out = mixer.render(1000)[0]
    assert out[239] == pytest.approx(0.5, abs=0.01)
    assert out[240 + 95] > 0
    assert not out[240 + 96 :].any()
    assert np.abs(np.diff(out)).max() < 0.011


def test_a_stroke_after_a_fade_on_the_same_frame_is_not_faded() -> None:
    mixer = Mixer([pad()], RATE)
    mixer.start(0, ones(2000))
    mixer.fade((0,), 0.001, 10)
    mixer.start(0, ones(2000, 0.25), 10)
    np.testing.assert_allclose(mixer.render(1000)[0, 100:], 0.25, atol=1e-6)


def test_stealing_takes_the_quietest_by_a_short_fade() -> None:
    mixer = Mixer([pad(), pad("quiet"), pad("new")], RATE, polyphony=2)
    mixer.start(1, ones(RATE, 0.1))
    mixer.start(0, ones(RATE))
    mixer.start(2, ones(RATE, 0.5), 50)
    mixer.render(1000)
    quiet = mixer.stem(1, 1000)[0]
    assert quiet[60] == pytest.approx(0.1 * (1 - 10 / 240), abs=1e-3)
    assert not quiet[50 + 240 :].any()
    assert mixer.stem(0, 1000)[0].min() == pytest.approx(1, abs=1e-6)
    assert mixer.stem(2, 1000)[0, 50:].min() == pytest.approx(0.5, abs=1e-6)
    assert mixer.stolen == 1


def test_a_burst_at_one_frame_stays_within_the_polyphony() -> None:
    mixer = Mixer([pad()], RATE, polyphony=4)
    for _ in range(50):
        mixer.start(0, ones(100, 0.1))
    np.testing.assert_allclose(mixer.render(100), 0.4, atol=1e-5)
    assert mixer.stolen == 46


def test_blocks_do_not_change_a_bit() -> None:
    draw = np.random.default_rng(1)
    audio = [draw.standard_normal((2, 3000)).astype(np.float32) for _ in range(4)]

    def play(block: int) -> Audio:
        mixer = Mixer([pad(pan=0.3), pad("b", gain_db=-7)], RATE, polyphony=3)
        starts = {37: 0, 700: 1, 701: 2, 1500: 3}
        parts = []
        for at in range(0, 4200, block):
            for frame in range(at, at + block):
                if frame in starts:
                    mixer.start(starts[frame] % 2, audio[starts[frame]], frame - at)
                if frame == 1600:
                    mixer.fade((0,), 0.02, frame - at)
            parts.append(mixer.render(block).copy())
        return np.concatenate(parts, axis=1)

    np.testing.assert_array_equal(play(60), play(4200 // 3))


def test_stems_sum_to_the_bus() -> None:
    draw = np.random.default_rng(2)
    mixer = Mixer([pad(pan=p, gain_db=g) for p, g in ((-1, 3), (0, 0), (0.7, -9))], RATE)
    for i in range(3):
        mixer.start(i, draw.standard_normal((2, 2000)).astype(np.float32), 10 * i)
    bus = mixer.render(1500)
    np.testing.assert_allclose(sum(mixer.stem(i, 1500) for i in range(3)), bus, atol=1e-5)


def test_a_silent_block_after_sound_is_silent() -> None:
    mixer = Mixer([pad()], RATE)
    mixer.start(0, ones(100))
    mixer.render(200)
    assert not mixer.render(200).any()
    assert not mixer.stem(0, 200).any()


def test_a_block_longer_than_allowed_is_refused() -> None:
    with pytest.raises(ValueError, match="block of at most 256"):
        Mixer([pad()], RATE, block_frames=256).render(257)


def limited(signal: Audio, block: int = 256) -> tuple[Audio, Limiter]:
    limiter = Limiter(RATE)
    parts = [limiter.process(signal[:, at : at + block]) for at in range(0, signal.shape[1], block)]
    return np.concatenate([*parts, limiter.flush()], axis=1)[:, limiter.latency_frames :], limiter


def test_the_limiter_leaves_a_quiet_mix_alone_to_the_bit() -> None:
    signal = np.random.default_rng(3).uniform(-0.89, 0.89, (2, 5000)).astype(np.float32)
    out, limiter = limited(signal)
    np.testing.assert_array_equal(out, signal)
    assert limiter.deepest_db == 0


@pytest.mark.parametrize("block", [64, 1000, 20_000])
def test_the_limiter_holds_the_ceiling_and_lets_go(block: int) -> None:
    t = np.arange(2 * RATE) / RATE
    level = np.where((t > 0.2) & (t < 0.4), 3.0, 0.3)
    signal = (level * np.sin(2 * np.pi * 220 * t)).astype(np.float32)[None].repeat(2, 0)
    signal[0, 1000] = 8
    out, limiter = limited(signal, block)
    assert np.abs(out).max() <= 10 ** (CEILING_DB / 20) + 1e-6
    assert limiter.deepest_db == pytest.approx(20 * np.log10(8) + 1, abs=0.05)
    np.testing.assert_array_equal(out[:, RATE:], signal[:, RATE:])
