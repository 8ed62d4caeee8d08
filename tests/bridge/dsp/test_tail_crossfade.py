from functools import cache

import numpy as np
import pytest

from ghostnote.bridge.dsp.tail_crossfade import Tail, attach_tail

RATE = 44_100
HEAD_FRAMES = 32_768
HOP_FRAMES = 441
PARTIALS_HZ = np.geomspace(90, 7_000, 24)
FRAMES = 130 * HOP_FRAMES
STROKES = 12


@cache
def cymbal(tones, noise, seed, strayed=0.0):
    """Return 1.3 seconds: partials, their phases `strayed` by so many radians at most, and noise of the seed's."""
    rng = np.random.default_rng(seed)
    t = np.arange(FRAMES) / RATE
    phases = np.arange(len(PARTIALS_HZ)) ** 2 + strayed * rng.uniform(-1, 1, len(PARTIALS_HZ))
    partials = [
        np.exp(-t * (1 + hz / 4_000)) * np.sin(2 * np.pi * hz * t + phase)
        for hz, phase in zip(PARTIALS_HZ, phases, strict=True)
    ]
    hiss = np.exp(-2 * t) * rng.standard_normal(len(t))
    return (0.05 * (tones * np.sum(partials, axis=0) + noise * hiss))[None].astype(np.float32)


def levels_db(sounds, highest_hz):
    """Return the level below `highest_hz` in frames of 10 ms, the mean of several sounds."""
    spectra = np.fft.rfft(np.concatenate(sounds))
    spectra[:, np.fft.rfftfreq(FRAMES, 1 / RATE) > highest_hz] = 0
    frames = np.fft.irfft(spectra, FRAMES).reshape(len(sounds), -1, HOP_FRAMES)
    return 10 * np.log10(np.square(frames).mean(axis=(0, 2)))


def joints(tones, noise, strayed):
    """Return hits, and each with a stroke's beginning: the same partials, other noise."""
    hits = [cymbal(tones, noise, seed) for seed in range(STROKES)]
    strokes = [cymbal(tones, noise, 100 + seed, strayed)[:, :HEAD_FRAMES] for seed in range(STROKES)]
    return hits, [attach_tail(stroke, Tail(hit)) for stroke, hit in zip(strokes, hits, strict=True)]


@pytest.mark.parametrize("highest_hz", [1_500, 22_050])
@pytest.mark.parametrize(
    ("tones", "noise", "strayed", "most_db"),
    [
        (1.0, 2.0, 0.0, 0.2),  # A ride whose partials sound alike in every stroke,
        (1.0, 2.0, 0.8, 0.6),  # and one where they do not.
        (1.0, 0.1, 0.0, 0.1),  # Hardly any noise.
        (0.0, 1.0, 0.0, 1.2),  # Noise alone: few of its waves are below 1.5 kHz.
    ],
)
def test_the_level_goes_through_the_joint_as_the_original_s_does(
    tones: float, noise: float, strayed: float, most_db: float, highest_hz: float
) -> None:
    hits, whole = joints(tones, noise, strayed)
    beside = (levels_db(whole, highest_hz) - levels_db(hits, highest_hz))[15:110]
    smooth = np.convolve(beside, np.ones(5) / 5, "valid")
    assert np.ptp(smooth) < most_db


def test_the_noise_of_a_stroke_gives_way_to_the_tones_of_the_original_little_by_little() -> None:
    """Within a moment that would be an audible seam, though the level stays."""
    hits = [cymbal(1.0, 0.0, seed) for seed in range(STROKES)]
    noise = [cymbal(0.0, 1.0, 100 + seed) for seed in range(STROKES)]
    whole = [attach_tail(stroke[:, :HEAD_FRAMES], Tail(hit)) for stroke, hit in zip(noise, hits, strict=True)]
    decay_db = np.mean(
        [between_partials_db(w) - between_partials_db(n) for w, n in zip(whole, noise, strict=True)], axis=0
    )
    quieter, gone = (int(np.argmax(decay_db < db)) for db in (-3, -20))
    assert (gone - quieter) * HOP_FRAMES / RATE > 0.2
    assert decay_db[75:115].max() < -25


def between_partials_db(sound):
    """Return the level between the partials from 1.5 to 7 kHz, a value each 10 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound[0], 2048), 4096)[::HOP_FRAMES]
    powers = np.square(np.abs(np.fft.rfft(frames * np.blackman(4096), axis=1)))
    hz = np.fft.rfftfreq(4096, 1 / RATE)
    gaps = (hz > 1_500) & (hz < 7_000) & (np.abs(hz[:, None] - PARTIALS_HZ).min(axis=1) > 80)
    return 10 * np.log10(powers[:, gaps].sum(axis=1) + 1e-12)


def test_what_is_weak_in_the_original_rings_on_as_weak_whatever_the_stroke_has_there() -> None:
    """As a room's rumble, of which the stroke has more by the model's own noise."""
    rng = np.random.default_rng(7)
    spectrum = np.fft.rfft(rng.standard_normal((2, FRAMES)))
    spectrum[:, np.fft.rfftfreq(FRAMES, 1 / RATE) > 60] = 0
    rumble = np.fft.irfft(spectrum, FRAMES)
    rumble *= 1e-3 / rumble.std()
    hits = [(cymbal(1.0, 1.0, seed) + rumble[:1]).astype(np.float32) for seed in range(4)]
    strokes = [(cymbal(1.0, 1.0, 100 + seed) + 4 * rumble[1:])[:, :HEAD_FRAMES] for seed in range(4)]
    whole = [attach_tail(stroke.astype(np.float32), Tail(hit)) for stroke, hit in zip(strokes, hits, strict=True)]
    beside = (levels_db(whole, 60) - levels_db(hits, 60))[85:125]
    assert abs(beside.mean()) < 3.5


@pytest.mark.parametrize("alike", [0.9, 0.5, 0.1])
def test_a_widened_hit_stays_as_wide_in_its_tail(alike: float) -> None:
    hit = np.repeat(cymbal(0.3, 2.0, 1), 2, axis=0)
    own, other = cymbal(0.0, 2.0, 2), cymbal(0.0, 2.0, 3)
    shared, parted = np.sqrt((1 + alike) / 2) * own, np.sqrt((1 - alike) / 2) * other
    stroke = np.concatenate([shared + parted, shared - parted])[:, :HEAD_FRAMES]
    whole = attach_tail(stroke, Tail(hit), widened=True)
    tail = whole[:, HEAD_FRAMES:]
    assert np.corrcoef(tail)[0, 1] == pytest.approx(alike, abs=0.2)
    assert 20 * np.log10(tail[0].std() / tail[1].std()) == pytest.approx(0, abs=0.3)
    assert np.ptp(np.convolve(levels_db([whole[:1]], 22_050)[60:90], np.ones(5) / 5, "valid")) < 5
    narrow = attach_tail(stroke, Tail(hit))[:, HEAD_FRAMES:]
    assert np.array_equal(narrow[0], narrow[1])


def test_beginning_and_end_are_the_stroke_s_and_the_original_s() -> None:
    hit = cymbal(1.0, 1.0, 1)
    stroke = cymbal(1.0, 1.0, 2, 1.0)[:, :HEAD_FRAMES]
    whole = attach_tail(stroke, Tail(hit))
    assert whole.shape == hit.shape
    assert whole.dtype == np.float32
    assert np.abs(whole - hit)[:, :5_000].max() > 0.05
    assert np.abs(whole[:, :6_000] - stroke[:, :6_000]).max() < 1e-6
    late = slice(HEAD_FRAMES, None)
    assert np.corrcoef(whole[0, late], hit[0, late])[0, 1] > 0.97


@pytest.mark.parametrize("frames", [HEAD_FRAMES + 1, HEAD_FRAMES + 5_000, 10 * RATE])
def test_any_longer_length_stays(frames: int) -> None:
    hit = np.random.default_rng(4).standard_normal((2, frames)).astype(np.float32)
    whole = attach_tail(hit[:, :HEAD_FRAMES], Tail(hit))
    assert whole.shape == hit.shape
    assert np.abs(whole - hit).max() < 1e-3 * np.abs(hit).max()


def test_the_tail_of_a_widened_hit_dies_away_with_it() -> None:
    """Low phases that are turned apart would ring on."""
    rng = np.random.default_rng(5)
    decay = np.exp(-14 * np.arange(60_000) / RATE)
    hit = (rng.standard_normal((1, 60_000)) * decay).astype(np.float32)
    other = (rng.standard_normal((1, HEAD_FRAMES)) * decay[:HEAD_FRAMES]).astype(np.float32)
    whole = attach_tail(np.concatenate([hit[:, :HEAD_FRAMES], other]), Tail(hit), widened=True)
    assert np.abs(whole[:, -4410:]).max() < 1e-4
