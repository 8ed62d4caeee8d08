"""Fits the small network that hears a hit's class, for files whose names do not tell it.

    python -m ghostnote.models.train.classifier CORPUS [bridge/classify/classifier.npz]

A layer of 32 units on the features of `ghostnote.bridge.classify.features`, fitted in half a minute with Adam
(Kingma & Ba 2014) on the corpus's train split and judged on its valid and test splits, whose drums the
train split does not have.
"""

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.classifier import WEIGHTS, probabilities
from ghostnote.bridge.classify.features import features, mono_for_features
from ghostnote.bridge.drums import CLASS_NAMES, label_of
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.models.data.corpus import Corpus, HitFile, scan

HIDDEN: Final = 32
STEPS: Final = 600
_RATE: Final = 3e-3
_DECAY: Final = 3e-3
_DROPOUT: Final = 0.3
_JITTER: Final = 0.3
_CLASS_BALANCE: Final = 0.7
"""How far rare classes are raised to the weight of common ones: 0 not at all, 1 fully."""

Floats = NDArray[np.float64]


def corpus_features(corpus: Corpus) -> Floats:
    """Return `(hits, features)` of all hits of a corpus."""
    return np.array([features(mono_for_features(*read_audio(hit.path))) for hit in corpus.hits])


def weigh(hits: tuple[HitFile, ...]) -> Floats:
    """Return the weight of each hit: large groups and common classes count for less than their numbers."""
    groups = {name: sum(h.group == name for h in hits) for name in {h.group for h in hits}}
    weights = np.array([groups[h.group] ** -0.5 for h in hits])
    labels = np.array([h.drum_class for h in hits])
    for name in np.unique(labels):
        weights[labels == name] /= weights[labels == name].sum() ** _CLASS_BALANCE
    scaled: Floats = weights / weights.mean()
    return scaled


def fit(inputs: Floats, labels: NDArray[np.intp], weights: Floats, seed: int = 0) -> dict[str, Floats]:
    """Return the network's weights, under the names that `hitclass` reads."""
    rng = np.random.default_rng(seed)
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    scaled, targets = (inputs - mean) / deviation, np.eye(len(CLASS_NAMES))[labels]
    shapes = ((inputs.shape[1], HIDDEN), (HIDDEN,), (HIDDEN, len(CLASS_NAMES)), (len(CLASS_NAMES),))
    parts = [rng.normal(0, s[0] ** -0.5, s) if len(s) == 2 else np.zeros(s) for s in shapes]
    first, second = [0.0 * p for p in parts], [0.0 * p for p in parts]
    for step in range(1, STEPS + 1):
        noisy = scaled + _JITTER * rng.normal(size=scaled.shape)
        kept = (rng.random((len(scaled), HIDDEN)) > _DROPOUT) / (1 - _DROPOUT)
        for i, slope in enumerate(_slopes(parts, noisy, targets, weights, kept)):
            first[i] = 0.9 * first[i] + 0.1 * slope
            second[i] = 0.999 * second[i] + 0.001 * slope**2
            scale = np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8
            parts[i] = parts[i] - _RATE * first[i] / (1 - 0.9**step) / scale
    return dict(zip(("w1", "b1", "w2", "b2", "mean", "deviation"), (*parts, mean, deviation), strict=True))


def _slopes(
    parts: list[Floats], inputs: Floats, targets: Floats, weights: Floats, kept: Floats
) -> list[Floats]:
    """Return the slopes of the weighted cross-entropy by each part of the network."""
    w1, b1, w2, b2 = parts
    hidden = np.maximum(inputs @ w1 + b1, 0.0) * kept
    out = hidden @ w2 + b2
    chances = np.exp(out - out.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    error = (chances - targets) * weights[:, None] / len(inputs)
    back = (error @ w2.T) * kept * (hidden > 0)
    return [
        inputs.T @ back + _DECAY * w1,
        back.sum(axis=0),
        hidden.T @ error + _DECAY * w2,
        error.sum(axis=0),
    ]


def main(folder: str, target: str = str(WEIGHTS)) -> None:
    """Fit on a corpus folder, write the weights, and print how often each split's class is heard right."""
    corpus = scan(Path(folder))
    inputs = corpus_features(corpus)
    labels = np.array([label_of(hit.drum_class) for hit in corpus.hits])
    splits = np.array([hit.split for hit in corpus.hits])
    train = splits == "train"
    chosen = tuple(hit for hit, used in zip(corpus.hits, train, strict=True) if used)
    weights = fit(inputs[train], labels[train], weigh(chosen))
    halves: dict[str, Any] = {name: part.astype(np.float16) for name, part in weights.items()}
    np.savez_compressed(target, **halves)
    heard = probabilities(inputs).argmax(axis=1)
    for split in ("train", "valid", "test"):
        each = [
            f"{name} {np.mean(heard[of] == label):.2f} of {of.sum()}"
            for label, name in enumerate(CLASS_NAMES)
            if (of := (splits == split) & (labels == label)).any()
        ]
        right = np.mean(heard[splits == split] == labels[splits == split])
        print(f"{split}: {right:.3f} right ({', '.join(each)})")


if __name__ == "__main__":
    main(*sys.argv[1:])
