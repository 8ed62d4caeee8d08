"""Strokes of pure tones by the model that ships: the tones stay, and no other comes."""

import numpy as np
import pytest
import torch

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.variation import Reference, Variation, Variator
from ghostnote.models.dsp.lines import ATTACK, main_partial, spurious_lines
from ghostnote.models.dsp.metrics import correlation, distances_to, log_mel

RATE = 44_100
T = np.arange(32_768) / RATE


def ring(hz, decay=8.0):
    """Return a decaying sinusoid (frames,); `hz` may change over time."""
    return 0.5 * np.exp(-decay * T) * np.sin(2 * np.pi * np.cumsum(np.broadcast_to(hz, T.shape)) / RATE)


def noise():
    return np.exp(-8 * T) * np.random.default_rng(0).standard_normal(T.size)


HITS = {
    "sine": ring(464.0),
    "two sines": ring(540.0) + 0.7 * ring(800.0, 12.0),
    "glide": ring(55.0 + 200 * np.exp(-20 * T), 5.0),
    "sine in noise": ring(700.0) + 0.01 * noise(),
}


@pytest.fixture(scope="module")
def variator():
    return Variator(Generator.open())


def strokes(variator, hit, drum_class="perc", count=3, **given):
    """Return strokes (count, frames) after a mono hit."""
    reference = Reference(hit.astype(np.float32)[None], CLASS_NAMES.index(drum_class))
    return np.stack([variator.next_stroke(reference, Variation(**given), index=i)[0] for i in range(count)])


@pytest.mark.parametrize("drum_class", ["perc", "kick", "ride", "tom"])
@pytest.mark.parametrize("hit", HITS.values(), ids=HITS)
def test_an_attack_has_no_combination_tones(variator, hit, drum_class):
    made = torch.from_numpy(strokes(variator, hit, drum_class, 8))
    reference = torch.from_numpy(hit.astype(np.float32)).expand_as(made)
    # The strike itself is a click, at which a filter may ring for some milliseconds.
    assert spurious_lines(reference, made, ATTACK).level_db.max() < -35


@pytest.mark.parametrize("drum_class", ["perc", "kick", "ride", "tom"])
@pytest.mark.parametrize("hit", HITS.values(), ids=HITS)
def test_a_stroke_has_the_lines_of_its_reference_and_no_other_above_60_db(variator, hit, drum_class):
    made = torch.from_numpy(strokes(variator, hit, drum_class))
    reference = torch.from_numpy(hit.astype(np.float32)).expand_as(made)
    assert spurious_lines(reference, made).level_db.max() < -60
    torch.testing.assert_close(main_partial(made), main_partial(reference), atol=3.0, rtol=0)


def test_a_click_stays_a_click_and_silence_is_silent(variator):
    click = np.zeros(8000)
    click[100] = 0.5
    made = strokes(variator, click, "rim")
    assert np.abs(made[:, :60]).max() < 1e-3
    assert np.abs(made[:, 100:300]).max() > 0.1
    assert np.abs(made[:, 2000:]).max() < 0.01
    assert not strokes(variator, np.zeros(8000), "rim").any()


@pytest.mark.parametrize("drum_class", ["perc", "ride", "snare"])
def test_the_amount_is_a_smooth_knob(variator, drum_class):
    hit = ring(700.0) + 0.2 * noise()
    reference = torch.from_numpy(hit.astype(np.float32))[None]
    amounts = np.array([0.01, 0.25, 0.5, 0.75, 1.0])
    made = torch.from_numpy(
        np.concatenate([strokes(variator, hit, drum_class, 1, amount=float(amount)) for amount in amounts])
    )
    distances = distances_to(log_mel(reference), log_mel(made))[0].numpy()
    assert float(correlation(reference, made[:1])[0]) > 0.999
    assert (np.diff(distances) > 0).all()
    assert np.abs(distances / distances[-1] - amounts).max() < 0.25
