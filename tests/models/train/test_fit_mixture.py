import numpy as np
import pytest
import torch

import ghostnote.bridge.classify.mixture as mixture
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.nets.loop_transformer import LoopTransformer
from ghostnote.models.train.mixture import Example, f_measures, fit, make_batch


def example(strokes: int, seed: int = 0) -> Example:
    """Return strokes at random, each with one class, which is loud in a band of its own."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(CLASS_NAMES), size=strokes)
    patches = np.full((strokes, mixture.FRAMES, mixture.BANDS), mixture.FLOOR_DB, np.float16)
    patches[np.arange(strokes), 3:, 3 * labels] = 0
    return Example(patches, np.cumsum(rng.uniform(0.1, 0.4, strokes)), np.eye(len(CLASS_NAMES), dtype=bool)[labels])


@pytest.fixture(scope="module")
def network() -> LoopTransformer:
    torch.manual_seed(0)
    return LoopTransformer().eval()


def test_numpy_computes_what_the_network_does(network, monkeypatch):
    weights = {name: part.numpy().astype(float) for name, part in network.state_dict().items()}
    monkeypatch.setattr(mixture, "_networks", lambda: (weights,))
    one = example(9)
    rng = np.random.default_rng(1)
    onsets = np.round(one.seconds * 44_100).astype(int)
    mono = rng.standard_normal(onsets[-1] + 20_000).astype(np.float32)
    heard = Example(mixture.stroke_patches(mono, onsets.tolist()), onsets / 44_100, one.struck)
    with torch.no_grad():
        wanted = network(*make_batch([heard])[:-1])[0]
    np.testing.assert_allclose(mixture.sounding(mono, onsets.tolist()), wanted, atol=1e-4)
    # The odds of several networks are averaged.
    monkeypatch.setattr(mixture, "_networks", lambda: (weights, {name: 0 * part for name, part in weights.items()}))
    np.testing.assert_allclose(mixture.sounding(mono, onsets.tolist()), wanted / 2, atol=1e-4)


def test_longer_loops_beside_it_do_not_change_a_loop(network):
    short, long = example(5), example(17, 1)
    with torch.no_grad():
        alone, together = (network(*make_batch(loops)[:-1])[0, :5] for loops in ([short], [short, long]))
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-5)


def test_a_few_steps_learn_what_is_plain_to_hear():
    loops = [example(6, seed) for seed in range(16)]
    assert f_measures([fit(loops, 120)], loops)[-1] > 0.9


def test_an_equalizer_moves_spectra_and_not_what_is_struck():
    one = example(6)
    plain, moved = make_batch([one]), make_batch([one], np.random.default_rng(0))
    assert not torch.equal(plain.patches, moved.patches)
    assert torch.equal(plain.struck, moved.struck)
