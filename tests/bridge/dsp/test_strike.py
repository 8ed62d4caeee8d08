import numpy as np

from ghostnote.bridge.dsp.strike import Strike

RATE = 44_100
TIME = np.arange(12_000) / RATE


def hiss(seed: int, rise_seconds: float = 0.0005) -> np.ndarray:
    """Return decaying noise above 500 Hz, (1, frames)."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(TIME)))
    spectrum[np.fft.rfftfreq(len(TIME), 1 / RATE) < 500] = 0
    shape = np.minimum(TIME / rise_seconds, 1) * np.exp(-TIME / 0.02)
    return (0.2 * np.fft.irfft(spectrum, len(TIME)) * shape).astype(np.float32)[None]


def attack_db(hit: np.ndarray) -> float:
    return float(10 * np.log10(np.square(hit[:, :220]).sum() / np.square(hit[:, :2646]).sum()))


def test_a_stroke_gets_the_level_and_the_attack() -> None:
    hit, stroke = hiss(0), 0.3 * hiss(1, 0.01)
    was = abs(attack_db(stroke) - attack_db(hit))
    Strike(hit, np.zeros_like(hit)).apply_to(stroke, np.zeros_like(stroke), 0.0)
    assert abs(attack_db(stroke) - attack_db(hit)) < 0.6 * was
    np.testing.assert_allclose(np.square(stroke[:, :2646]).mean(), np.square(hit[:, :2646]).mean(), rtol=1e-3)
