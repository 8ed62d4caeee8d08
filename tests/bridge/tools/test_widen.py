import numpy as np
import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.widen import Width, widen

RATE = 44_100


def snare(channels=1, seconds=0.4, rate=RATE):
    """Return noise over a low tone that both decay, after 5 ms of silence."""
    rng = np.random.default_rng(1)
    t = np.arange(int(seconds * rate)) / rate
    hit = np.exp(-15 * t) * (0.15 * rng.standard_normal(len(t)) + 0.3 * np.sin(2 * np.pi * 90 * t))
    return np.repeat(np.pad(hit, (rate // 200, 0))[None], channels, axis=0).astype(np.float32)


def correlation(sides, low, high, rate=RATE):
    hz = np.fft.rfftfreq(sides.shape[1], 1 / rate)
    left, right = np.fft.rfft(sides)[:, (hz >= low) & (hz < high)]
    return (left * right.conj()).real.sum() / np.sqrt((np.abs(left) ** 2).sum() * (np.abs(right) ** 2).sum())


def level_db(audio):
    return 10 * np.log10(np.square(audio, dtype=float).sum())


@pytest.mark.parametrize("width", [0.3, 1.0])
@pytest.mark.parametrize("exact_mono", [False, True])
def test_left_and_right_correlate_as_asked_and_mono_stays_as_loud(tiny_generator, width, exact_mono):
    hit = snare()
    wide = widen(hit, RATE, "snare", Width(width, exact_mono=exact_mono), generator=tiny_generator)
    assert wide.shape == (2, hit.shape[1])
    for low in (500, 2000, 8000):
        assert correlation(wide, low, 2 * low) == pytest.approx(1 - width, abs=0.12)
    assert correlation(wide, 20, 115) > 0.98
    assert level_db(wide.mean(axis=0)) == pytest.approx(level_db(hit[0]), abs=0.3)
    assert level_db(wide[0]) == pytest.approx(level_db(wide[1]), abs=0.3)


def test_without_width_a_hit_stays_as_it_is(tiny_generator):
    for hit in (snare(), snare(channels=2)):
        both = widen(hit, RATE, "snare", Width(0.0), generator=tiny_generator)
        np.testing.assert_array_equal(both, np.stack([hit[0], hit[-1]]))


def test_exact_mono_is_the_hit_itself_and_otherwise_a_variation_of_it(tiny_generator):
    hit = snare()
    widths = [Width(1.0, exact_mono=exact) for exact in (True, False)]
    made = [widen(hit, RATE, "snare", width, generator=tiny_generator) for width in widths]
    errors = [np.abs(wide.mean(axis=0) - hit[0]).max() for wide in made]
    assert errors[0] < 1e-6 < 0.01 < errors[1]


def test_full_scale_is_not_exceeded_where_the_hit_has_peaks_of_full_scale(tiny_generator):
    hit = snare() / np.abs(snare()).max()
    wide = widen(hit, RATE, "snare", Width(1.0, exact_mono=True), generator=tiny_generator)
    assert np.abs(wide).max() <= 1.0 + 1e-6
    assert np.abs(wide.mean(axis=0) - hit[0]).max() < 1e-6


def test_nothing_sounds_before_the_hit(tiny_generator):
    wide = widen(snare(), RATE, "snare", Width(1.0), generator=tiny_generator)
    onset = RATE // 200 - RATE // 1000
    assert np.abs(wide[:, :onset]).max() < 1e-3 * np.abs(wide).max()


def test_a_stereo_hit_that_is_wide_keeps_its_width_but_below_mono(tiny_generator):
    rng = np.random.default_rng(2)
    t = np.arange(RATE // 3) / RATE
    hit = (0.2 * np.exp(-15 * t) * rng.standard_normal((2, len(t)))).astype(np.float32)
    wide = widen(hit, RATE, "closed_hat", Width(0.2), generator=tiny_generator)
    assert correlation(wide, 2000, 4000) == pytest.approx(correlation(hit, 2000, 4000), abs=0.1)
    assert correlation(hit, 20, 110) < 0.7 < 0.95 < correlation(wide, 20, 110)


def test_any_rate_keeps_length_and_the_same_seed_gives_the_same_sound(tiny_generator):
    hit = snare(rate=96_000)
    first, again, other = (
        widen(hit, 96_000, "snare", Width(0.8), generator=tiny_generator, seed=seed) for seed in (1, 1, 2)
    )
    assert first.shape == (2, hit.shape[1])
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("hit", "width", "words"),
    [
        (np.zeros((3, 100)), Width(), "has 3 channels: give 2 at most"),
        (np.stack([snare()[0], -snare()[0]]), Width(), "silent in mono"),
        (snare(), Width(1.5), "choose 0 to 1"),
        (snare(), Width(mono_below=1.0), "choose 20 to"),
    ],
)
def test_what_cannot_be_widened_is_said(tiny_generator, hit, width, words):
    with pytest.raises(InputError, match=words):
        widen(hit, RATE, "snare", width, generator=tiny_generator)


def test_what_is_added_ends_with_the_hit(tiny_generator):
    """Filters that turn low phases reach far: what comes before an attack must not come around to the end."""
    at = np.arange(38_000) / RATE
    hit = (0.8 * np.exp(-16 * at) * np.sin(2 * np.pi * 90 * at)).astype(np.float32)[None]
    wide = widen(hit, RATE, "tom", Width(0.8), generator=tiny_generator)
    side = (wide[0] - wide[1]) / 2
    assert np.abs(side[:4000]).max() > 0.02
    assert np.abs(side[-400:]).max() < 1e-5
    assert abs(side[-1]) < 1e-6
