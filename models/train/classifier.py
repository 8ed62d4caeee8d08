"""Fits the small network that recognises a hit's class, for files whose names do not say it.

    python -m ghostnote.models.train.classifier CORPUS classifier.npz

A hidden layer of 32 units on the features of `ghostnote.bridge.classify.features`, fitted in half a minute on the
corpus's train split; the accuracy on its valid and test splits is that on new drums.
"""

from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from torch import nn

from ghostnote.bridge.classify.classifier import probabilities
from ghostnote.bridge.classify.features import features, mono_for_features
from ghostnote.bridge.drums import CLASS_NAMES, label_of
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.models.data.corpus import Corpus, HitFile, scan
from ghostnote.models.program import run_program

HIDDEN: Final = 32
STEPS: Final = 600
_LEARNING_RATE: Final = 3e-3
_WEIGHT_DECAY: Final = 3e-3
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
    groups = Counter(hit.group for hit in hits)
    weights = np.array([groups[h.group] ** -0.5 for h in hits])
    labels = np.array([h.drum_class for h in hits])
    for name in np.unique(labels):
        weights[labels == name] /= weights[labels == name].sum() ** _CLASS_BALANCE
    scaled: Floats = weights / weights.mean()
    return scaled


def fit(inputs: Floats, labels: NDArray[np.intp], weights: Floats, seed: int = 0) -> dict[str, Floats]:
    """Return the network's weights, under the names that `ghostnote.bridge.classify.classifier` reads."""
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    x = torch.from_numpy((inputs - mean) / deviation).float()
    target, weight = torch.from_numpy(labels), torch.from_numpy(weights).float()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second = nn.Linear(x.shape[1], HIDDEN), nn.Linear(HIDDEN, len(CLASS_NAMES))
        network = nn.Sequential(first, nn.ReLU(), nn.Dropout(_DROPOUT), second)
        optimiser = torch.optim.Adam(network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
        for _ in range(STEPS):
            logits = network(x + _JITTER * torch.randn_like(x))
            loss = (weight * F.cross_entropy(logits, target, reduction="none")).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    tensors = {"w1": first.weight.T, "b1": first.bias, "w2": second.weight.T, "b2": second.bias}
    fitted = {name: tensor.detach().numpy().astype(np.float64) for name, tensor in tensors.items()}
    return {**fitted, "mean": mean, "deviation": deviation}


def main(folder: Path, output: Path) -> None:
    """Fit on the corpus FOLDER, write the weights to OUTPUT, and print the accuracy on each split."""
    corpus = scan(folder)
    inputs = corpus_features(corpus)
    labels = np.array([label_of(hit.drum_class) for hit in corpus.hits])
    splits = np.array([hit.split for hit in corpus.hits])
    train = splits == "train"
    weights = fit(inputs[train], labels[train], weigh(tuple(h for h in corpus.hits if h.split == "train")))
    halves: dict[str, Any] = {name: part.astype(np.float16) for name, part in weights.items()}
    np.savez_compressed(output, **halves)
    right = probabilities(inputs, weights).argmax(axis=1) == labels
    for split in ("train", "valid", "test"):
        each = [
            f"{name} {np.mean(right[of]):.2f} of {of.sum()}"
            for label, name in enumerate(CLASS_NAMES)
            if (of := (splits == split) & (labels == label)).any()
        ]
        if each:
            typer.echo(f"{split}: {np.mean(right[splits == split]):.3f} right ({', '.join(each)})")


if __name__ == "__main__":
    run_program(main)
