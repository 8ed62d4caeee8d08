"""Fits the small network that hears which drums are struck together in a loop.

    python -m ghostnote.models.train.mixture CORPUS mixture.npz

Loops are put together at random from single hits: one to three at a time, each as loud as its class is in a mix, over
what still rings of the ones before, and cut off by the next. The network has a hidden layer of 192 units on
`ghostnote.bridge.classify.mixture.mixture_features` and an output a class. The F-measure on loops of the valid split's
hits is that on new drums.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from torch import nn

from ghostnote.bridge.classify.mixture import MIXTURE_FEATURES, band_power, mixture_features
from ghostnote.bridge.drums import CLASS_NAMES, label_of
from ghostnote.models.data.corpus import Split, load_splits
from ghostnote.models.dsp.mdct import RATE
from ghostnote.models.program import run_program

_STROKES: Final = 12
"""Moments at which a loop is struck."""
_SECONDS: Final = (0.07, 0.6)
"""The shortest and longest time to the next stroke."""
_LIMBS: Final = (0.5, 0.4, 0.1)
"""How likely one, two or three drums are struck at a time."""
_FREQUENT: Final = {
    **{"kick": 0.2, "snare": 0.2, "closed_hat": 0.2, "open_hat": 0.08, "tom": 0.1, "perc": 0.09, "ride": 0.06},
    **{"rim": 0.05, "clap": 0.06, "crash": 0.05, "pedal_hat": 0.04},
}
_LEVEL_DB: Final = {"closed_hat": -9.0, "pedal_hat": -10.0, "open_hat": -7.0, "ride": -9.0, "crash": -4.0, "perc": -5.0}
"""Of peaks in a mix; 0 for other classes."""
_LEVEL_DEVIATION_DB: Final = 3.0
_VELOCITY_DB: Final = -12.0
_EARLY_FRAMES: Final = 100
_SHARES_AT: Final = (0, 1764, 5292)
_LEAST_SHARE: Final = 0.3
_PITCH_OCTAVES: Final = 0.12
_TILT: Final = 0.2
_HIDDEN: Final = 192
_STEPS: Final = 5000
_BATCH: Final = 512
_LEARNING_RATE: Final = 2e-3
_WEIGHT_DECAY: Final = 1e-3
_DROPOUT: Final = 0.3
_JITTER: Final = 0.15

Floats = NDArray[np.float64]


def make_examples(split: Split, loops: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return features (examples, MIXTURE_FEATURES) and which classes are struck (examples, classes)."""
    audio, files = split
    by_class: dict[str, dict[str, list[int]]] = {}
    for at, file in enumerate(files):
        by_class.setdefault(file.drum_class, {}).setdefault(file.group, []).append(at)
    inputs, targets = [], []
    for _ in range(loops):
        mono, onsets, struck = _loop(audio, by_class, rng)
        ends = [*onsets[1:], len(mono)]
        for onset, end, classes in zip(onsets, ends, struck, strict=True):
            # An onset is found a little early or late.
            start = max(0, onset - int(rng.integers(_EARLY_FRAMES)))
            inputs.append(mixture_features(mono, start, end))
            targets.append(np.isin(np.arange(len(CLASS_NAMES)), classes))
    return np.array(inputs), np.array(targets, float)


def _loop(
    audio: NDArray[np.float32], by_class: Mapping[str, Mapping[str, list[int]]], rng: np.random.Generator
) -> tuple[Floats, list[int], list[list[int]]]:
    """Return a loop (frames,), the frames of its strokes, and the classes struck at each."""
    names = [name for name in _FREQUENT if name in by_class]
    weights = np.array([_FREQUENT[name] for name in names])
    shortest, longest = np.log(_SECONDS).tolist()
    seconds = np.exp(rng.uniform(shortest, longest, _STROKES))
    onsets = (0.05 * RATE + np.concatenate([[0], np.cumsum(seconds)[:-1]]) * RATE).astype(int)
    mono = np.zeros(int(onsets[-1] + seconds[-1] * RATE) + audio.shape[1])
    struck = []
    for onset in onsets:
        limbs = int(rng.choice(3, p=_LIMBS)) + 1
        chosen = rng.choice(len(names), limbs, replace=False, p=weights / weights.sum())
        parts: list[tuple[str, Floats]] = []
        for name in (names[at] for at in chosen):
            groups = by_class[name]
            group = groups[list(groups)[rng.integers(len(groups))]]
            hit = _moved(audio[group[rng.integers(len(group))]], rng)
            level_db = _LEVEL_DB.get(name, 0.0) + _LEVEL_DEVIATION_DB * rng.standard_normal()
            level_db += _VELOCITY_DB * rng.random()
            parts.append((name, hit * 10 ** (level_db / 20) / max(float(np.abs(hit).max()), 1e-6)))
        before = mono[onset : onset + audio.shape[1]].copy()
        for _, hit in parts:
            mono[onset : onset + len(hit)] += hit
        struck.append([label_of(name) for name, hit in parts if _stands_out(hit, mono[onset:], before)])
    return mono, onsets.tolist(), struck


def _moved(hit: NDArray[np.float32], rng: np.random.Generator) -> Floats:
    """Return a hit at another pitch, and a little brighter or darker: there are few drums, and many in the world."""
    ratio = 2 ** (_PITCH_OCTAVES * rng.standard_normal())
    moved = np.interp(np.arange(len(hit)) * ratio, np.arange(len(hit)), hit, right=0.0)
    tilt = _TILT * rng.standard_normal()
    return np.asarray(moved - tilt * np.append(0, moved[:-1]), np.float64)


def _stands_out(hit: Floats, mixture: Floats, before: Floats) -> bool:
    """Return whether a hit has a fair share of some band at some time: what nobody can hear is not asked for."""
    for first, last in itertools.pairwise(_SHARES_AT):
        whole = band_power(mixture[first:last]) + band_power(before[first:last])
        if (band_power(hit[first:last]) > _LEAST_SHARE * whole + 1e-9).any():
            return True
    return False


def fit(inputs: Floats, targets: Floats, seed: int = 0) -> dict[str, Floats]:
    """Return the network's weights, under the names that `ghostnote.bridge.classify.mixture` reads."""
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    x, y = torch.from_numpy((inputs - mean) / deviation).float(), torch.from_numpy(targets).float()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, second = nn.Linear(MIXTURE_FEATURES, _HIDDEN), nn.Linear(_HIDDEN, len(CLASS_NAMES))
        network = nn.Sequential(first, nn.ReLU(), nn.Dropout(_DROPOUT), second)
        optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
        for _ in range(_STEPS):
            rows = torch.randint(len(x), (_BATCH,))
            logits = network(x[rows] + _JITTER * torch.randn(_BATCH, x.shape[1]))
            loss = F.binary_cross_entropy_with_logits(logits, y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            slower.step()
    tensors = {"w1": first.weight.T, "b1": first.bias, "w2": second.weight.T, "b2": second.bias}
    fitted = {name: tensor.detach().numpy().astype(np.float64) for name, tensor in tensors.items()}
    return {**fitted, "mean": mean, "deviation": deviation}


def f_measures(odds: Floats, targets: Floats) -> Floats:
    """Return the F-measure of each class and of all together, (classes + 1,)."""
    found, wanted = odds > 0, targets > 0
    right = np.append((found & wanted).sum(axis=0), (found & wanted).sum())
    total = np.append(found.sum(axis=0) + wanted.sum(axis=0), found.sum() + wanted.sum())
    measures: Floats = 2 * right / np.maximum(total, 1)
    return measures


def main(folder: Path, output: Path, loops: int = 3500) -> None:
    """Fit on loops of the corpus FOLDER, write the weights to OUTPUT, and print the F-measure on new drums."""
    splits, _ = load_splits(folder, ("train", "valid"))
    rng = np.random.default_rng(0)
    weights = fit(*make_examples(splits["train"], loops, rng))
    halves: dict[str, Any] = {name: part.astype(np.float16) for name, part in weights.items()}
    np.savez_compressed(output, **halves)
    inputs, targets = make_examples(splits["valid"], max(1, loops // 10), rng)
    hidden = np.maximum((inputs - weights["mean"]) / weights["deviation"] @ weights["w1"] + weights["b1"], 0)
    measures = f_measures(hidden @ weights["w2"] + weights["b2"], targets)
    of_classes = ", ".join(f"{name} {value:.2f}" for name, value in zip(CLASS_NAMES, measures, strict=False))
    typer.echo(f"F-measure on new drums: {measures[-1]:.3f} ({of_classes})")


if __name__ == "__main__":
    run_program(main)
