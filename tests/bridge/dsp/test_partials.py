import numpy as np
import pytest

from ghostnote.bridge.dsp.partials import split

RATE = 44_100
T = np.arange(32_768) / RATE


def ring(hz, decay=8.0, phase=0.3):
    """Return a decaying sinusoid (1, frames); `hz` may change over time."""
    turns = np.cumsum(np.broadcast_to(hz, T.shape)) / RATE
    return (np.exp(-decay * T) * np.sin(2 * np.pi * turns + phase)).astype(np.float32)[None]


def noise(decay=8.0, seed=0, channels=1):
    return (np.exp(-decay * T) * np.random.default_rng(seed).standard_normal((channels, T.size))).astype(np.float32)


def power_db(part, whole):
    return 10 * np.log10(np.square(part).sum() / np.square(whole).sum() + 1e-20)


@pytest.mark.parametrize(
    "hit",
    [
        ring(464.0),
        ring(3012.0),
        ring(700.0, decay=60.0),
        ring(540.0) + 0.7 * ring(800.0, decay=12.0),
        ring(55.0 + 200 * np.exp(-30 * T)),
        ring(300.0 + 200 * np.exp(-10 * T)),
    ],
    ids=["sine", "high", "short", "two", "kick", "glide"],
)
def test_what_rings_is_partial_from_the_first_milliseconds_on(hit):
    _, residual = split(hit)
    assert power_db(residual, hit) < -18
    assert np.abs(residual[:, 441:-4096]).max() < 1e-3 * np.abs(hit).max()


def test_noise_is_residual():
    partials, residual = split(noise())
    assert power_db(residual, noise()) > -1.5
    assert power_db(partials, noise()) < -9


def test_a_sine_in_noise_is_told_from_it():
    sine, rest = ring(700.0), 0.1 * noise()
    partials, residual = split(sine + rest)
    assert power_db(partials - sine, sine) < -15
    assert power_db(residual - rest, rest) < -4


def test_a_click_stays_sharp():
    click = np.zeros((1, 4000), np.float32)
    click[0, 50] = 1.0
    partials, residual = split(click)
    assert power_db(residual, click) > -0.5
    assert np.abs(partials).max() < 0.1
    assert not partials[:, :28].any()


def test_both_parts_add_up_and_silence_has_none():
    for hit in (noise(channels=2) + ring(300.0), np.zeros((1, 5000), np.float32), np.ones((1, 1), np.float32)):
        partials, residual = split(hit)
        assert partials.shape == residual.shape == hit.shape
        np.testing.assert_allclose(partials + residual, hit, atol=1e-6)
    assert not split(np.zeros((1, 5000), np.float32))[0].any()


def test_partials_begin_with_the_hit():
    hit = np.pad(ring(464.0), ((0, 0), (3000, 0)))
    partials, _ = split(hit)
    assert not partials[:, :2970].any()
    assert np.abs(partials[:, 3000:3100]).max() > 0.7 * np.abs(hit[:, 3000:3100]).max()


def test_a_partial_keeps_its_place_between_left_and_right():
    hit = ring(464.0) * np.array([[1.0], [0.4]], np.float32) + 0.05 * noise(channels=2)
    left, right = split(hit)[0]
    assert np.abs(right).max() / np.abs(left).max() == pytest.approx(0.4, abs=0.02)


def test_a_long_ring_goes_on_past_what_the_model_renews():
    t = np.arange(4 * RATE) / RATE
    hit = (np.exp(-1.2 * t) * np.sin(2 * np.pi * 900 * t)).astype(np.float32)[None]
    assert power_db(split(hit)[1], hit) < -25
