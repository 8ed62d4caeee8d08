import numpy as np
import pytest

from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.spectral_cut import band_filtered, find_cut
from ghostnote.bridge.tools.upsample import FILLINGS, upsample

RATE = 44_100


def snare(seconds=0.3, slope=0.5):
    """Return decaying noise that falls toward the top, over a tone, after 20 ms."""
    rng = np.random.default_rng(1)
    t = np.arange(int(seconds * RATE)) / RATE
    noise = rng.standard_normal(len(t) + 1)
    hit = np.exp(-18 * t) * (0.1 * (noise[1:] + slope * noise[:-1]) + 0.2 * np.sin(2 * np.pi * 190 * t))
    return np.pad(hit, (882, 882))[None].astype(np.float32)


def level_db(audio):
    return 10 * np.log10(np.square(audio, dtype=float).sum() + 1e-20)


def band_db(audio, low, high):
    hz = np.fft.rfftfreq(audio.shape[1], 1 / RATE)
    return 10 * np.log10(np.square(np.abs(np.fft.rfft(audio)[:, (hz >= low) & (hz < high)])).sum() + 1e-20)


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("cut", [4000.0, 11_000.0])
def test_the_top_comes_back_about_as_loud_as_it_was_and_the_bottom_stays(tiny_generator, filling, cut):
    hit = snare()
    low = band_filtered(hit, RATE, cut - 150, high=False)
    made = upsample(low, RATE, "snare", above=cut, filling=filling, generator=tiny_generator)
    assert (made.rate, made.cut_hz, made.audio.shape) == (RATE, cut, hit.shape)
    changed = band_filtered(made.audio - low, RATE, cut - 200, high=False)
    assert level_db(changed) < level_db(low) - 90
    assert band_db(low, 1.2 * cut, 18_000) < band_db(hit, 1.2 * cut, 18_000) - 50
    assert band_db(made.audio, 1.2 * cut, 18_000) == pytest.approx(band_db(hit, 1.2 * cut, 18_000), abs=15)


@pytest.mark.parametrize("filling", ["noise", "replicated"])
@pytest.mark.parametrize("cut", [8000.0, 13_000.0, 15_500.0])
def test_the_top_has_no_bump_where_it_begins(filling, cut):
    made = upsample(snare(), RATE, "snare", above=cut, filling=filling).audio
    beside = [
        band_db(made, low, low + 500) - band_db(snare(), low, low + 500)
        for low in (cut, *cut + np.arange(1000, 2500, 500))
    ]
    assert beside[0] < np.mean(beside[1:]) + 3


def test_the_top_decays_with_the_hit_and_begins_no_sooner():
    hit = snare()
    low = band_filtered(hit, RATE, 7850, high=False)
    top = upsample(low, RATE, "snare", above=8000.0).audio - low
    parts = [level_db(top[:, first : first + 2205]) for first in (882, 882 + 4410, 882 + 8820)]
    assert parts[0] > parts[1] + 6 > parts[2] + 9
    assert level_db(top[:, :500]) < parts[0] - 40


@pytest.mark.parametrize("cut", [5000.0, 11_000.0, 16_000.0])
def test_a_cut_is_found_where_it_is(cut):
    low = band_filtered(snare(), RATE, cut, high=False)
    assert find_cut(low, RATE) == pytest.approx(cut, rel=0.06)


@pytest.mark.parametrize("cut", [8000.0, 11_000.0, 15_500.0])
@pytest.mark.parametrize(
    ("hz", "tone", "decay"), [(60.0, 1.0, 0.12), (190.0, 0.5, 0.05), (540.0, 0.3, 0.3), (0, 0, 0.06)]
)
def test_a_cut_is_found_in_a_hit_that_begins_and_ends_abruptly(hz, tone, decay, cut):
    at = np.arange(int(0.4 * RATE)) / RATE
    noise = 0.1 * np.random.default_rng(2).standard_normal(len(at)) * np.exp(-at / 0.05)
    hit = noise + tone * np.cos(2 * np.pi * hz * at) * np.exp(-at / decay)
    low = band_filtered(np.pad(hit, 4000)[None].astype(np.float32), RATE, cut, high=False)
    assert find_cut(low[:, 4000 : 4000 + 13_000], RATE) == pytest.approx(cut, abs=700)


def test_a_hit_that_begins_abruptly_and_has_a_top_has_no_cut():
    assert find_cut(snare()[:, 882:8000], RATE) is None


def test_a_low_rate_becomes_44100_and_gets_what_lies_above_it():
    old = resample(snare(), RATE, 22_050)
    made = upsample(old, 22_050, "snare")
    assert made.rate == RATE
    assert made.cut_hz == pytest.approx(10_700, abs=500)
    assert made.audio.shape == (1, 2 * old.shape[1])
    again = resample(old, 22_050, RATE)
    assert band_db(made.audio, 12_000, 18_000) > band_db(again, 12_000, 18_000) + 30


def test_a_higher_rate_and_two_channels_stay():
    hit = np.repeat(resample(band_filtered(snare(), RATE, 9000.0, high=False), RATE, 96_000), 2, axis=0)
    made = upsample(hit, 96_000, "snare", above=9200.0)
    assert (made.rate, made.audio.shape) == (96_000, hit.shape)


def test_a_hit_that_fades_without_a_cut_is_said_not_to_miss_anything():
    with pytest.raises(InputError, match="fades without a cut"):
        upsample(snare(), RATE, "snare")


@pytest.mark.parametrize("cut", [200.0, 21_000.0])
def test_what_is_no_cut_is_said(cut):
    with pytest.raises(InputError, match="is not a cut: choose 1500 to 20500"):
        upsample(snare(), RATE, "snare", above=cut)


def test_silence_is_said():
    with pytest.raises(InputError, match="is silent"):
        upsample(np.zeros((1, 500)), RATE, "snare")


def test_the_top_of_a_long_hit_decays_to_its_end():
    time = np.arange(3 * 44_100) / 44_100
    noise = np.random.default_rng(3).standard_normal(len(time)) * np.exp(-time / 0.3)
    low = band_filtered((0.1 * noise)[None].astype(np.float32), 44_100, 8_000, high=False)
    top = band_filtered(upsample(low, 44_100, "crash", above=8_000).audio, 44_100, 8_000, high=True)[0]
    early, late = (np.square(top[round(at * 44_100) :][:4_410]).mean() for at in (0.6, 2.1))
    assert 10 * np.log10(early / late) == pytest.approx(1.5 / 0.3 * 20 / np.log(10), abs=5)


def test_at_a_low_rate_what_fades_is_cut_off_by_the_rate():
    t = np.arange(16_000) / 32_000
    kick = (0.8 * np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.1)).astype(np.float32)[None]
    assert find_cut(kick, 32_000) == pytest.approx(0.47 * 32_000)
    assert find_cut(resample(kick, 32_000, RATE), RATE) is None
