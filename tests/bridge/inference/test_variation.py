import numpy as np
import pytest

from ghostnote.bridge.drums import CLASS_NAMES as CLASSES
from ghostnote.bridge.dsp.tail_crossfade import Tail, attach_tail
from ghostnote.bridge.dsp.velocity import velocity_db
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.variation import ROWS, Reference, StrokeKey, Variation, Variator

RATE = 44_100


@pytest.fixture(scope="module")
def variator(tiny_generator):
    return Variator(tiny_generator)


def hit(seconds=0.5, decay=12.0, channels=1, alike=0.5, seed=0):
    """Return a decaying noise burst over a tone, its channels `alike`."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    common, own = rng.standard_normal(len(t)), rng.standard_normal((channels, len(t)))
    noise = np.sqrt(alike) * common + np.sqrt(1 - alike) * own
    return (0.2 * np.exp(-decay * t) * (noise + np.sin(2 * np.pi * 180 * t))).astype(np.float32)


def correlation(a, b):
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def level_db(x):
    return 10 * np.log10((x**2).mean() + 1e-12)


def test_each_index_is_another_stroke_and_each_comes_again(variator):
    reference = Reference(hit(), 1)
    first, second, again = (variator.next_stroke(reference, Variation(seed=3), index=i) for i in (0, 1, 0))
    assert np.array_equal(first, again)
    assert correlation(first, second) < 0.98
    other_seed = variator.next_stroke(reference, Variation(seed=4), index=0)
    assert not np.array_equal(first, other_seed)


@pytest.mark.parametrize("width", [0.0, 0.3])
def test_a_stroke_is_the_same_whether_its_features_were_kept_or_not(tiny_generator, width):
    audio, made = hit(), {}
    for order in ((0, 1), (1, 0)):
        variator, reference = Variator(tiny_generator), Reference(audio, 1)
        for index in order:
            stroke = variator.next_stroke(reference, Variation(seed=3, width=width), index=index, velocity=90)
            assert np.array_equal(made.setdefault(index, stroke), stroke)


@pytest.mark.parametrize(("channels", "width"), [(1, 0.0), (1, 0.3), (2, 0.0)])
def test_how_many_strokes_are_asked_for_together_does_not_show_in_them(tiny_generator, channels, width):
    audio = hit(channels=channels)
    keys = [StrokeKey(index, 127 - 10 * index) for index in range(ROWS + 1)]
    whole = list(Variator(tiny_generator).next_strokes(Reference(audio, 1), keys, Variation(3, width=width)))
    assert len(whole) == len(keys)
    for first, end in [(0, 1), (1, 4), (4, ROWS + 1)]:
        variator, reference = Variator(tiny_generator), Reference(audio, 1)
        alone = variator.next_stroke(
            reference, Variation(seed=3, width=width), index=first, velocity=keys[first].velocity
        )
        some = list(variator.next_strokes(reference, keys[first:end], Variation(3, width=width)))
        assert all(map(np.array_equal, [alone, *some], [whole[first], *whole[first:end]]))


def test_the_features_of_one_reference_are_not_taken_for_another(variator):
    first, second = Reference(hit(seed=1), 1), Reference(hit(seed=2), 1)
    variator.next_stroke(first, Variation(seed=0), index=0)
    stroke = variator.next_stroke(second, Variation(seed=0, amount=0.0), index=0)
    assert correlation(stroke[:, :20_000], second.audio[:, :20_000]) > 0.9999


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_stroke_keeps_length_and_rough_level(variator, steps):
    reference = Reference(hit(0.3), 1)
    stroke = variator.next_stroke(reference, Variation(seed=0, steps=steps), index=0)
    assert stroke.shape == reference.audio.shape
    assert stroke.dtype == np.float32
    assert abs(level_db(stroke) - level_db(reference.audio)) < 6


@pytest.mark.parametrize("width", [0.0, 0.5])
def test_a_stroke_begins_no_sooner_than_its_reference(variator, width):
    silence = np.zeros((1, 60), np.float32)
    reference = Reference(np.concatenate([silence, hit(0.3)], axis=1), 1)
    stroke = variator.next_stroke(reference, Variation(seed=0, width=width), index=0)
    assert np.abs(stroke[:, :60]).max() <= 1e-3 * np.abs(stroke).max()


def test_silence_after_the_reference_stays_silent(variator):
    reference = Reference(np.pad(hit(0.3), ((0, 0), (0, 15_000))), 1)
    stroke = variator.next_stroke(reference, Variation(seed=0), index=0)
    assert np.abs(stroke[:, 14_000:]).max() <= 1e-5 * np.abs(stroke).max()


def test_amount_zero_is_the_reference_and_more_differs_more(variator):
    reference = Reference(hit(0.7), 1)
    alike = [
        correlation(
            variator.next_stroke(reference, Variation(seed=0, amount=amount), index=0)[:, :20_000],
            reference.audio[:, :20_000],
        )
        for amount in (0.0, 0.5, 1.0, 2.0)
    ]
    assert alike[0] > 0.9999
    assert alike[0] > alike[1] > alike[2] > alike[3]


def test_velocity_sets_the_level(variator):
    reference = Reference(hit(), 1)
    soft, hard = (variator.next_stroke(reference, Variation(seed=0), index=0, velocity=v) for v in (32, 127))
    assert level_db(hard) - level_db(soft) == pytest.approx(-velocity_db(32), abs=6)
    assert velocity_db(127) == 0
    assert velocity_db(64) == pytest.approx(-11.9, abs=0.1)


def test_width_parts_the_sides_of_a_mono_hit(variator):
    reference = Reference(hit(), 4)
    sides = [variator.next_stroke(reference, Variation(seed=0, width=width), index=0) for width in (0.2, 1.0)]
    assert [len(stroke) for stroke in sides] == [2, 2]
    narrow, wide = (correlation(*stroke) for stroke in sides)
    assert wide < narrow < 0.9999
    assert len(variator.next_stroke(reference, Variation(seed=0), index=0)) == 1


@pytest.mark.parametrize("alike", [0.0, 0.4, 0.95])
def test_a_stereo_hit_keeps_its_image(variator, alike):
    audio = hit(1.0, channels=2, alike=alike, decay=6.0) * np.array([[1.0], [0.4]], np.float32)
    stroke = variator.next_stroke(Reference(audio, 8), Variation(seed=0), index=0)
    assert stroke.shape == audio.shape
    assert correlation(*stroke) == pytest.approx(correlation(*audio), abs=0.03)
    balance = [level_db(x[0]) - level_db(x[1]) for x in (audio, stroke)]
    assert balance[0] == pytest.approx(balance[1], abs=0.5)


def test_a_dry_hit_in_a_wide_room_keeps_its_image(variator):
    audio = hit(2.0, channels=2, alike=0.0, decay=3.0)
    audio[:, :8_000] += 3 * hit(0.5, decay=30.0)[:, :8_000]
    stroke = variator.next_stroke(Reference(audio, 1), Variation(seed=0, amount=2.0), index=0)
    assert correlation(*stroke) == pytest.approx(correlation(*audio), abs=0.01)
    assert level_db(stroke[0]) - level_db(stroke[1]) == pytest.approx(level_db(audio[0]) - level_db(audio[1]), abs=0.1)


def test_silence_before_the_onset_stays(variator):
    audio = np.concatenate([np.zeros((1, 5000), np.float32), hit()], axis=1)
    stroke = variator.next_stroke(Reference(audio, 1), Variation(seed=0), index=0)
    assert stroke.shape == audio.shape
    assert not stroke[:, :4950].any()
    assert np.abs(stroke[:, 4990:5200]).max() > 0.02


def test_a_long_hit_rings_to_its_end_without_a_step(variator):
    audio = hit(4.0, decay=1.2)
    stroke = variator.next_stroke(Reference(audio, 8), Variation(seed=0), index=0)
    assert stroke.shape == audio.shape
    blocks = np.array([level_db(block) for block in np.array_split(stroke[0], 160)])
    expected = np.array([level_db(block) for block in np.array_split(audio[0], 160)])
    around = slice(20, 40)
    assert np.abs(np.diff(blocks - expected)[around]).max() < 3


def test_a_softer_tail_is_attached_softer():
    original = hit(2.0, decay=2.0)
    softer = 0.25 * hit(2.0, decay=2.0, seed=5)[:, :32_768]
    whole = attach_tail(softer, Tail(original))
    assert whole.shape == original.shape
    after = slice(34_000, 60_000)
    assert level_db(whole[:, after]) - level_db(original[:, after]) == pytest.approx(-12, abs=1.5)


def test_the_crossfade_of_a_hit_with_itself_is_the_hit():
    original = hit(2.0, decay=2.0)
    whole = attach_tail(original[:, :32_768], Tail(original))
    assert np.abs(whole - original).max() < 2e-3


def test_a_stroke_peaks_at_most_twice_as_high_as_its_reference(variator):
    t = np.arange(RATE // 2) / RATE
    square = (0.5 * np.sign(np.sin(2 * np.pi * 55 * t)) * np.exp(-6 * t)).astype(np.float32)[None]
    level_spread = 10 ** (4 * variator.generator.card.level_spread_db[0] / 20)
    strokes = [variator.next_stroke(Reference(square, 0), Variation(seed=1), index=i) for i in range(6)]
    assert max(np.abs(stroke).max() for stroke in strokes) <= 2 * level_spread * np.abs(square).max()


@pytest.mark.parametrize(("hz", "seconds"), [((2500,), 0.02), ((540, 800), 0.06), ((464,), 0.1)])
def test_a_ringing_drum_is_struck_once_and_at_once(hz, seconds):
    t = np.arange(RATE // 2) / RATE
    tones = sum(np.sin(2 * np.pi * f * t) for f in hz)
    drum = (0.4 / len(hz) * tones * np.exp(-t / seconds)).astype(np.float32)[None]

    def first_db(x):
        """Return the level of the first 5 ms beside that of the first 40 ms."""
        return level_db(x[0, :220]) - level_db(x[0, :1764])

    reference, keys = Reference(drum, CLASSES.index("perc")), [StrokeKey(index) for index in range(24)]
    strokes = Variator(Generator.open()).next_strokes(reference, keys, Variation(steps=0))
    assert min(first_db(stroke) - first_db(drum) for stroke in strokes) > -3
