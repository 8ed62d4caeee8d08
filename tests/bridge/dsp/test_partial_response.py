from dataclasses import asdict, replace

import numpy as np
import pytest

from ghostnote.bridge.dsp.filtered_partials import FilteredPartials
from ghostnote.bridge.dsp.partial_response import KNOTS_HZ, PartialStatistics, draw_filter, drum_features

RATE = 44_100
KNOTS = len(KNOTS_HZ)
ROWS = 3
DRUM = np.array([0.7, 0.3, 0.6])
STATISTICS = PartialStatistics(
    gain_db=tuple(tuple(2.0 * (i == j) for j in range(KNOTS)) for i in range(KNOTS)),
    phase=((0.3,) * KNOTS,) * ROWS,
    own=(0.3,) * KNOTS,
    class_factors=((0.0, 0.0),) * ROWS,
    feature_factors=((0.0, 0.0),) * 3,
    slopes=((0.1,) * KNOTS,) * ROWS,
)


def ring(hz, seconds=1.0, decay=6.0):
    t = np.arange(int(seconds * RATE)) / RATE
    return (np.exp(-decay * t) * np.sin(2 * np.pi * hz * t)).astype(np.float32)[None]


def taps(seed=0, statistics=STATISTICS, **given):
    return draw_filter(statistics, DRUM, 0, np.random.default_rng(seed), **given).taps()


def gains_db(hz, count=200, **given):
    """Return the gains of `count` filters at a frequency."""
    turn = np.exp(-2j * np.pi * hz / RATE * np.arange(len(taps())))
    return 20 * np.log10([abs((taps(seed, **given) * turn).sum()) for seed in range(count)])


def spectrum_db(x):
    level = 20 * np.log10(np.abs(np.fft.rfft(x[0, 1500:17_884] * np.blackman(16_384))) + 1e-12)
    return level - level.max()


def test_amount_zero_is_no_filter():
    partials = ring(464.0)
    np.testing.assert_allclose(FilteredPartials(partials).through(taps(amount=0.0)), partials, atol=1e-6)


def test_a_line_stays_one_line_with_its_decay():
    partials = ring(464.0)
    for seed in range(4):
        stroke = FilteredPartials(partials).through(taps(seed))
        hz = np.arange(8193) * (RATE / 16_384)
        assert spectrum_db(stroke)[np.abs(hz - 464) > 30].max() < spectrum_db(partials)[np.abs(hz - 464) > 30].max() + 6
        level = [20 * np.log10(np.abs(x[0, a : a + 4410]).max()) for x in (partials, stroke) for a in (4410, 26_460)]
        assert level[0] - level[1] == pytest.approx(level[2] - level[3], abs=0.2)


def test_gains_vary_as_the_statistics_say():
    shared = replace(STATISTICS, own=(0.0,) * KNOTS, phase=((0.0,) * KNOTS,) * ROWS)
    assert gains_db(960.0, statistics=shared).std() == pytest.approx(2.0, abs=0.35)
    louder = replace(shared, class_factors=((np.log(2), 0.0),) * ROWS)
    assert gains_db(960.0, statistics=louder).std() == pytest.approx(4.0, abs=0.7)
    # A complex number of amplitude 0.3 beside 1 spreads gains by 1.9 dB.
    own = replace(STATISTICS, gain_db=((0.0,) * KNOTS,) * KNOTS, phase=((0.0,) * KNOTS,) * ROWS)
    assert gains_db(960.0, statistics=own).std() == pytest.approx(1.9, abs=0.4)


def test_a_harder_stroke_has_stronger_partials_where_the_slopes_say():
    still = {"amount": 0.0, "count": 1}
    assert gains_db(960.0, difference_db=10.0, **still)[0] == pytest.approx(1.0, abs=0.05)
    assert gains_db(960.0, difference_db=90.0, **still)[0] == pytest.approx(3.0, abs=0.05)


def test_the_same_numbers_give_the_same_filter_and_others_another():
    assert np.array_equal(taps(1), taps(1))
    assert not np.array_equal(taps(1), taps(2))


def test_hardly_anything_sounds_before_the_onset():
    partials = np.pad(ring(464.0), ((0, 0), (2000, 0)))
    stroke = FilteredPartials(partials).through(taps(3))
    assert not np.abs(stroke[:, :1900]).max() > 1e-6
    assert np.abs(stroke[:, :1990]).max() < 0.1 * np.abs(stroke).max()


def test_both_sides_of_a_widened_line_are_as_loud_and_stay_where_they_are():
    sides, angles = FilteredPartials(ring(700.0)), []
    for seed in range(4):
        left, right = sides.through(taps(seed), 1.0)
        balance = 20 * np.log10(np.square(left).sum() / np.square(right).sum()) / 2
        assert abs(balance) < 1.0
        spectra = np.fft.rfft(np.stack([left, right]))
        angles.append(np.angle((spectra[0] * spectra[1].conj()).sum()))
    assert np.ptp(angles) < 0.15
    assert max(np.abs(angles)) <= np.pi / 2 + 0.1


def test_features_tell_bells_from_rattles():
    t = np.arange(32_768) / RATE
    noise = (np.exp(-8 * t) * np.random.default_rng(0).standard_normal(t.size)).astype(np.float32)[None]
    bell, rattle = drum_features(ring(2000.0, 3.0, 1.0), 0.01 * noise), drum_features(0.01 * ring(100.0), noise)
    assert (bell > rattle).all()
    assert (drum_features(np.zeros((1, 100), np.float32), noise[:, :100]) == [0, 0, 0]).all()


def test_statistics_of_another_size_are_refused():
    data = asdict(STATISTICS)
    assert PartialStatistics.from_dict(data, ROWS) == STATISTICS
    for wrong in ({"own": [0.1]}, {"slopes": data["slopes"][:1]}, {"phase": [[float("nan")] * KNOTS] * ROWS}):
        with pytest.raises(ValueError, match="is not a table of"):
            PartialStatistics.from_dict({**data, **wrong}, ROWS)
