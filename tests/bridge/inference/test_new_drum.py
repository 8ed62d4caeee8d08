import math
from dataclasses import replace

import numpy as np
import pytest

from ghostnote.bridge.dsp.low_spectrum import LOW_HZ
from ghostnote.bridge.dsp.ringing import synthesize
from ghostnote.bridge.dsp.shape import (
    BANDS,
    GROUPS,
    HOP_FRAMES,
    audio_power,
    describe_bands,
    group_exponents,
    group_power,
    scaled,
    to_bands,
    without_gate,
)
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.drum_plan import plan_drum
from ghostnote.bridge.inference.drum_table import Drum
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.new_drum import (
    choose_drum,
    ended,
    moved_shape,
    residual_db,
    synthesize_modes,
    without_steps,
)
from ghostnote.bridge.inference.one_shots import trim
from ghostnote.bridge.inference.stroke_source import generate_drum

RATE, FRAMES = 44_100, 128


def shape(t60: float, level_db: float = -20.0) -> np.ndarray:
    """Return a shape whose groups all fall alike."""
    decibels = level_db - 60 * np.arange(FRAMES) * HOP_FRAMES / RATE / t60
    envelope = group_exponents()[:, None] * np.broadcast_to(decibels * math.log(10) / 20, (GROUPS, FRAMES))
    return np.concatenate([envelope, np.zeros((5, FRAMES))]).astype(np.float32)


def drum(modes: list[tuple[float, float, float]], t60: float = 1.0, prominence: float = 0.0) -> Drum:
    return Drum(
        np.full(BANDS, -9.5), np.full(BANDS, t60), np.full(BANDS, prominence), np.array(modes, float).reshape(-1, 3)
    )


def test_power_of_audio_is_that_of_its_envelope() -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(FRAMES * HOP_FRAMES)).astype(np.float32)
    assert audio_power(noise).sum(axis=0).mean() == pytest.approx(0.01, rel=0.02)
    tone = np.sin(2 * np.pi * 861 / RATE * np.arange(FRAMES * HOP_FRAMES)).astype(np.float32)
    assert audio_power(tone)[1:4, 5:].sum(axis=0).mean() == pytest.approx(0.5, rel=0.02)


def test_a_gate_is_undone() -> None:
    cut = shape(0.5)
    cut[:GROUPS, 50:] = -10.6 * group_exponents()[:, None]
    power = 10 * np.log10(group_power(without_gate(cut[:GROUPS])))
    expected = -20 - 60 * np.arange(FRAMES) * HOP_FRAMES / RATE / 0.5
    wanted = np.broadcast_to(expected - expected[0], power.shape)
    np.testing.assert_allclose((power - power[:, :1])[:, :100], wanted[:, :100], atol=2)


def test_gains_of_a_shape_are_gains_of_its_power() -> None:
    plain = shape(1.0)
    louder = scaled(plain[:GROUPS], np.full((GROUPS, FRAMES), 6.0))
    np.testing.assert_allclose(group_power(louder) / group_power(plain[:GROUPS]), 10**0.6, rtol=1e-4)


def test_a_shape_is_described_by_its_levels_and_decay() -> None:
    level, t60 = describe_bands(to_bands(group_power(shape(0.6)[:GROUPS])))
    np.testing.assert_allclose(t60, 0.6, rtol=0.01)
    assert (10 ** (level / 10)).sum() == pytest.approx(1)


@pytest.mark.parametrize(("from_t60", "to_t60"), [(0.05, 2.0), (0.2, 0.8), (1.0, 0.1)])
def test_a_moved_shape_never_swells(from_t60: float, to_t60: float) -> None:
    short, floor = shape(from_t60), -10.6
    # Noise that a recording ends in must not be raised by a longer decay.
    short[:GROUPS] = np.maximum(short[:GROUPS], (floor + 0.2 * np.random.default_rng(0).random((GROUPS, FRAMES))))
    moved = moved_shape(short, drum([], t60=to_t60))[:GROUPS]
    level = 10 * np.log10(group_power(moved).sum(axis=0))
    assert (level - np.minimum.accumulate(level)).max() < 3
    assert moved.min() >= short[:GROUPS].min()


def test_a_shape_is_moved_to_a_kind() -> None:
    wanted = Drum(np.linspace(-5, -30, BANDS), np.linspace(0.8, 0.3, BANDS), np.zeros(BANDS), np.zeros((0, 3)))
    level, t60 = describe_bands(to_bands(group_power(moved_shape(shape(0.5), wanted)[:GROUPS])))
    np.testing.assert_allclose(t60, wanted.t60, rtol=0.1)
    np.testing.assert_allclose(np.diff(level), np.diff(wanted.level_db), atol=1.5)


def test_modes_ring_at_their_frequency_with_their_share_and_decay() -> None:
    plan = plan_drum(shape(1.0), drum([(540, -1.0, 0.9), (800, -1.0, 0.5)]), np.random.default_rng(1), pitched=False)
    np.testing.assert_allclose(plan.lines.hz, [540, 800])
    np.testing.assert_allclose(plan.lines.t60, [0.9, 0.5], rtol=0.02)
    energy = to_bands(group_power(shape(1.0)[:GROUPS])).sum(axis=1) * HOP_FRAMES / RATE
    rung = synthesize(plan.lines, FRAMES * HOP_FRAMES, RATE).astype(float)
    assert np.square(rung).sum() / RATE == pytest.approx(10**-0.1 * (energy[1] + energy[2]), rel=0.1)
    # The residual has what they leave.
    left = residual_db(shape(1.0), rung.astype(np.float32))
    assert left[1, 1:20].mean() < -10
    assert left[12].min() > -0.5


def test_a_drum_of_noise_has_no_lines() -> None:
    plan = plan_drum(shape(0.3), drum([]), np.random.default_rng(1), pitched=False)
    assert len(plan.lines.hz) == len(plan.cloud.hz) == 0
    assert not synthesize_modes(plan, 1000).any()


def test_prominent_bands_are_full_of_lines_and_quiet_between() -> None:
    plan = plan_drum(shape(2.0), drum([], 2.0, 35.0), np.random.default_rng(1), pitched=False)
    assert 200 < len(plan.cloud.hz) < 1500
    assert np.median(residual_db(shape(2.0), synthesize_modes(plan, FRAMES * HOP_FRAMES), plan.cloud_power)) < -4


def test_a_drum_lasts_until_it_has_decayed() -> None:
    short, long = (
        plan_drum(shape(t60), drum([], t60), np.random.default_rng(1), pitched=False).seconds for t60 in (0.2, 3.0)
    )
    assert short == pytest.approx(0.743, abs=0.01)
    assert 3.0 < long < 4.5


def test_a_pitched_drum_glides_as_its_shape_does_to_the_pitch_of_its_mode() -> None:
    made = shape(0.5)
    made[GROUPS] = np.exp(-np.arange(FRAMES) / 8) + 0.3
    made[GROUPS + 3 :] = 0.99
    tone = plan_drum(made, drum([(55, -1.0, 0.5), (300, -20, 0.2)]), np.random.default_rng(1), pitched=True).tone
    assert tone is not None
    assert tone.hz[0] / tone.hz[-1] == pytest.approx(2, rel=0.02)
    held = np.square(tone.amplitude)
    assert 2 ** ((np.log2(tone.hz) * held).sum() / held.sum()) == pytest.approx(55, rel=0.01)


def test_a_hit_ends_where_it_is_inaudible_and_in_silence() -> None:
    t = np.arange(3 * RATE) / RATE
    kept = ended((10 ** (-3 * t) * np.cos(2000 * t)).astype(np.float32))
    assert len(kept) / RATE == pytest.approx(1.1, abs=0.01)
    assert kept[-1] == 0


def test_a_kind_that_the_model_lacks_is_named(tiny_generator) -> None:
    with pytest.raises(InputError, match="has no triangle"):
        choose_drum(tiny_generator.card.drums, shape(1.0)[None], np.random.default_rng(0), 10, "triangle")


def test_the_same_seed_makes_the_same_drum(tiny_generator) -> None:
    one, two = (generate_drum(tiny_generator, "perc", 4, kind="cowbell") for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one[:1000], generate_drum(tiny_generator, "perc", 5, kind="cowbell")[:1000])


def test_only_drums_without_a_tone_have_clouds_of_weak_lines() -> None:
    rng = np.random.default_rng(0)
    kick, ride = (plan_drum(shape(1.0), drum([], prominence=24), rng, pitched=pitched) for pitched in (True, False))
    assert not len(kick.cloud.hz)
    assert len(ride.cloud.hz) > 100


def test_the_weak_lines_of_a_drum_fall_as_what_surrounds_them_does() -> None:
    described, low_db = drum([], prominence=24), np.linspace(-24, 0, len(LOW_HZ))
    plain, fallen = (
        plan_drum(shape(1.0), replace(described, low_db=low), np.random.default_rng(0), pitched=False).cloud
        for low in (None, low_db)
    )
    change_db = 20 * np.log10(fallen.amplitude / plain.amplitude)
    assert change_db[plain.hz > LOW_HZ[-1]] == pytest.approx(0, abs=1e-9)
    for low, high in ((70, 200), (200, 400), (400, 650)):
        chosen = (plain.hz > low) & (plain.hz < high)
        wanted = np.interp(np.log2(plain.hz[chosen]), np.log2(LOW_HZ), low_db)
        assert change_db[chosen].mean() - change_db[(plain.hz > 600) & (plain.hz < 700)].mean() == pytest.approx(
            wanted.mean(), abs=4
        )


def test_the_spectrum_of_noise_goes_in_straight_lines_where_it_went_in_steps() -> None:
    rng = np.random.default_rng(0)
    frames, edge_hz = FRAMES * HOP_FRAMES, 35 * RATE / 128
    hz = np.fft.rfftfreq(frames, 1 / RATE)
    gain = np.where(hz > edge_hz, 0.1, 1.0)
    stepped = np.fft.irfft(np.fft.rfft(0.1 * rng.standard_normal(frames)) * gain).astype(np.float32)

    def level_db(x: np.ndarray, low: float, high: float) -> float:
        power = np.square(np.abs(np.fft.rfft(x)))
        return float(10 * np.log10(power[(hz >= low) & (hz < high)].mean()))

    smooth = without_steps(stepped)
    beside = (edge_hz - 700, edge_hz - 300), (edge_hz + 300, edge_hz + 700)
    before, after = (level_db(x, *beside[0]) - level_db(x, *beside[1]) for x in (stepped, smooth))
    assert before == pytest.approx(20, abs=1)
    assert 5 < after < 12
    # What is far from the step, and the narrow groups at the bottom, stay as they are.
    for low, high in ((100, 1300), (2500, 8000), (17_000, 20_000)):
        assert level_db(smooth, low, high) == pytest.approx(level_db(stepped, low, high), abs=1)


def test_a_kick_whose_lines_hardly_stand_out_has_a_thump_that_gives_way_to_its_tone() -> None:
    at = np.arange(FRAMES * HOP_FRAMES) / RATE
    tone = (np.sin(2 * np.pi * 55 * at) * np.exp(-6 * at)).astype(np.float32)
    left = {prominence: residual_db(shape(0.6), tone, beside_tone=prominence)[0] for prominence in (5.0, 20.0, 40.0)}
    assert left[5.0][0] > left[20.0][0] + 5 > left[40.0][0] + 20
    # Of its power beside the tone's, a tenth is left after 0.18 s.
    frames = round(0.184 * RATE / HOP_FRAMES)
    assert left[5.0][0] - left[5.0][frames] == pytest.approx(10, abs=0.5)
    assert left[40.0] == pytest.approx(np.full(FRAMES, left[40.0][0]))


def test_the_more_a_kick_is_thump_the_less_of_it_is_a_line() -> None:
    pitch = shape(0.6)
    tones = [
        plan_drum(pitch, drum([(60.0, -1.0, 0.6)], 0.6, prominence), np.random.default_rng(0), pitched=True).tone
        for prominence in (5.0, 30.0)
    ]
    thump, pure = (one.amplitude for one in tones if one is not None)
    assert 20 * np.log10(thump[0] / pure[0]) == pytest.approx(10 * np.log10(0.35), abs=0.6)
    assert thump[-1] == pytest.approx(pure[-1], rel=0.02)


def test_a_hum_does_not_outlast_a_drum_but_a_ping_may() -> None:
    described = drum([(97, -20.0, 12.0), (4000, -20.0, 3.0)], 0.4)
    lines = plan_drum(shape(0.4), described, np.random.default_rng(0), pitched=False).lines
    np.testing.assert_allclose(lines.t60, [0.8, 3.0], rtol=0.1)


def test_weak_lines_end_with_their_band() -> None:
    # A band that falls by 45 dB, and then slowly.
    sudden = shape(0.3)
    slow = shape(1.5, -65.0)
    both = np.concatenate([np.maximum(sudden[:GROUPS], slow[:GROUPS]), sudden[GROUPS:]])
    cloud = plan_drum(both, drum([], 1.5, prominence=16), np.random.default_rng(0), pitched=False).cloud
    assert np.median(cloud.t60) < 0.5


@pytest.mark.parametrize(("drum_class", "seed"), [("snare", 17), ("tom", 3), ("closed_hat", 5)])
def test_a_written_drum_falls_silent_as_it_was_made(drum_class: str, seed: int) -> None:
    made = generate_drum(Generator.open(), drum_class, seed)
    np.testing.assert_array_equal(trim(made, None, RATE), made)
    assert np.abs(trim(np.pad(made, (0, RATE)), None, RATE)[-44:]).max() < 10 ** (-80 / 20) * np.abs(made).max()


def test_no_decay_of_a_damped_drum_is_longer_than_told():
    ringing = drum([(540, -1.0, 0.9), (800, -1.0, 0.2)], 3.0)
    damped = ringing.damped(0.5)
    np.testing.assert_array_equal(damped.t60, 0.5)
    np.testing.assert_array_equal(damped.modes, [(540, -1.0, 0.5), (800, -1.0, 0.2)])
    np.testing.assert_array_equal(ringing.modes[:, 2], [0.9, 0.2])
