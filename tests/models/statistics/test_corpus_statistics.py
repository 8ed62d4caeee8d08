from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ghostnote.bridge.drums import label_of
from ghostnote.models.data.dataset import PairSampler, lag, make_hit_set, shift
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.dsp.decomposition import envelope, scale
from ghostnote.models.dsp.mdct import HIT_FRAMES, analyse
from ghostnote.models.dsp.noise_shaping import line_power
from ghostnote.models.statistics.corpus_statistics import cross_fit, measure_statistics
from ghostnote.models.statistics.repeatability import predict, repeatability_features


def hit_file(drum_class, group, layer="1"):
    return HitFile(Path(group), drum_class, group, "rr", layer, 0.5, "train", "")


def strokes(alike, count=8, seed=0):
    """Return strokes of one drum: a share `alike` of their noise is common."""
    rng = np.random.default_rng(seed)
    decay = np.exp(-np.arange(HIT_FRAMES) / 6000)
    common = rng.standard_normal(HIT_FRAMES)
    fresh = rng.standard_normal((count, HIT_FRAMES))
    return (0.1 * decay * (np.sqrt(alike) * common + np.sqrt(1 - alike) * fresh)).astype(np.float32)


def unsplit(hits):
    """Return a set whose partials count as residual."""
    return replace(hits, residual=hits.audio)


def predict_repeatability(hits):
    """Return the coherence and spectral deviation that the statistics of `hits` predict for each of them."""
    repeatability = measure_statistics(hits).repeatability
    y = analyse(hits.audio / hits.audio.abs().amax(1, keepdim=True))
    features = repeatability_features(line_power(y / scale(envelope(y))), envelope(y), hits.labels)
    return predict(repeatability.weight, repeatability.bias, features)


def test_coherence_is_what_strokes_share():
    drums = range(30)
    classes = ["snare" if drum % 2 else "closed_hat" for drum in drums]
    files = [hit_file(name, str(drum)) for drum, name in zip(drums, classes, strict=True) for _ in range(3)]
    audio = [strokes(0.8 if name == "snare" else 0.0, 3, drum) for drum, name in zip(drums, classes, strict=True)]
    hits = unsplit(make_hit_set(np.concatenate(audio), files))
    coherence, _ = predict_repeatability(hits)
    upper = (slice(None), slice(8, None), slice(3, 7))
    assert coherence[hits.labels == label_of("snare")][upper].median() == pytest.approx(0.7, abs=0.1)
    assert coherence[hits.labels == label_of("closed_hat")][upper].median() < 0.15


def test_a_drum_deviates_as_drums_of_its_kind_do():
    rng = np.random.default_rng(3)
    files, audio = [], []
    for drum in range(20):
        louder = 10 ** ((0.5 if drum % 2 else 6.0) * rng.standard_normal((3, 1)) / 20)
        seconds = np.arange(HIT_FRAMES) / 44_100
        thud = 0.2 * louder * np.sin(2 * np.pi * 120 * seconds) * np.exp(-20 * seconds)
        audio.append((strokes(0.9, 3, drum) + thud).astype(np.float32))
        files += [hit_file("rim" if drum % 2 else "tom", str(drum))] * 3
    hits = unsplit(make_hit_set(np.concatenate(audio), files))
    _, spectral_deviation_db = predict_repeatability(hits)
    rim, tom = (spectral_deviation_db[hits.labels == label_of(name)][:, 0].mean() for name in ("rim", "tom"))
    assert tom > 1.5 * rim


def test_slopes_are_what_level_does_to_the_spectrum():
    soft, seconds = strokes(0.9), np.arange(HIT_FRAMES) / 44_100
    dull = soft + np.sin(2 * np.pi * 200 * seconds) * np.exp(-6 * seconds)
    levels = 10 ** (-np.arange(8) / 10)
    # The softer the stroke, the less of the noise beside the tone: 2 dB less for each dB.
    audio = np.stack(
        [level * (level * noise + tone) for level, noise, tone in zip(levels, soft, dull - soft, strict=True)]
    )
    hits = unsplit(make_hit_set(audio.astype(np.float32), [hit_file("tom", "a", str(i)) for i in range(8)]))
    slopes = measure_statistics(hits).slopes[label_of("tom")]
    assert slopes[12, 2] * 2 * 20 / np.log(10) == pytest.approx(1.0, abs=0.3)


def test_level_spread_is_measured_within_layers():
    audio = np.concatenate([strokes(0.5) * 10 ** (np.array([[-2.0, 2.0] * 4]).T / 20), strokes(0.5)])
    files = [hit_file("snare", "a")] * 8 + [hit_file("kick", "b")] * 8
    spread = measure_statistics(make_hit_set(audio.astype(np.float32), files)).level_spread_db
    assert spread[label_of("snare")] == pytest.approx(2.1, abs=0.5)
    assert spread[label_of("kick")] < 1.0


def test_attack_spread_is_measured_within_layers():
    even = strokes(0.5)
    uneven = even.copy()
    uneven[::2, :220] *= 10 ** (2 / 20)
    uneven[1::2, :220] *= 10 ** (-2 / 20)
    files = [hit_file("snare", "a")] * 8 + [hit_file("kick", "b")] * 8
    hits = make_hit_set(np.concatenate([uneven, even]).astype(np.float32), files)
    spread = measure_statistics(hits).attack_spread_db
    assert spread[label_of("snare")] > spread[label_of("kick")] + 0.5
    assert spread.max() <= 2.0


def test_strokes_are_aligned_where_they_correlate():
    first = strokes(1.0, 1)[0]
    assert lag(first, shift(first, -37)) == 37
    assert lag(first, strokes(0.0, 1, seed=5)[0]) == 0
    moved = make_hit_set(np.stack([first, shift(0.9 * first, 50)]), [hit_file("rim", "a")] * 2).audio
    assert torch.allclose(moved[1, 100:-100], 0.9 * moved[0, 100:-100], atol=1e-6)


def test_pairs_are_two_strokes_of_one_drum():
    files = [hit_file("snare", "a")] * 5 + [hit_file("kick", "b")] * 3
    files.append(HitFile(Path("x"), "clap", "c", "single", "", None, "train", ""))
    hits = make_hit_set(np.concatenate([strokes(0.5, 9)]), files)
    target, reference, paired = PairSampler(hits, 0.5, torch.Generator().manual_seed(0)).draw(400)
    group = torch.tensor([0] * 5 + [1] * 3 + [2])
    assert torch.equal(group[target][paired], group[reference][paired])
    assert torch.all(target[paired] != reference[paired])
    assert 0.4 < paired.float().mean() < 0.6
    assert (target[~paired] == 8).any()


def test_a_fold_is_predicted_from_the_other_drums():
    # All drums share much, but for the last, which shares nothing.
    shares = [0.9] * 6
    drums = [strokes(share, seed=drum) for drum, share in enumerate([*shares, 0.0])]
    files = [hit_file("snare", f"snare {drum}") for drum in range(7) for _ in range(8)]
    hits = make_hit_set(np.concatenate(drums), files)
    folds = cross_fit(hits, 7)
    assert sorted(group for fold in folds for group in fold.groups) == list(range(7))
    whole = measure_statistics(hits).repeatability
    y = analyse(hits.audio / hits.audio.abs().amax(1, keepdim=True))
    features = repeatability_features(line_power(y / scale(envelope(y))), envelope(y), hits.labels)[-1:]
    odd = next(fold for fold in folds if 6 in fold.groups)
    predicted = [
        predict(whole.weight + change.weight, whole.bias + change.bias, features)[0].mean()
        for change in (odd, next(fold for fold in folds if 0 in fold.groups))
    ]
    assert predicted[0] > predicted[1]
