"""Fits the networks that hear which drums are struck together in a loop.

    python -m ghostnote.models.train.mixture CORPUS mixture.npz

Loops are put together at random from the hits of the train split (`ghostnote.models.data.loops`). The F-measure on
loops of the valid split's hits is that on new drums.
"""

import itertools
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ghostnote.bridge.classify.features import FEATURE_RATE
from ghostnote.bridge.classify.mixture import (
    BANDS,
    FLOOR_DB,
    MOST_STROKES,
    gaps_octaves,
    scaled_patches,
    step_distances,
    stroke_patches,
)
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.corpus import load_splits
from ghostnote.models.data.loops import LoopMaker
from ghostnote.models.data.made_drums import made_drums
from ghostnote.models.nets.loop_transformer import LoopTransformer
from ghostnote.models.program import run_program

_BATCH: Final = 32
_SORTED: Final = 16
"""Batches' worth of loops that are sorted by length."""
_LEARNING_RATE: Final = 1.5e-3
_WEIGHT_DECAY: Final = 0.02
_MOST_WARM_UP_STEPS: Final = 200
_MOST_GRADIENT: Final = 1.0
_CHUNK: Final = 250
"""Loops that a process makes at a time."""
_TILT_DB, _WAVE_DB, _NOISE_DB = 3.0, 2.0, 1.0
_WAVES: Final = 2.0
_TEMPO_OCTAVES: Final = 0.2


class Example(NamedTuple):
    """A loop as the network sees it."""

    patches: NDArray[np.float16]
    """(strokes, FRAMES, BANDS)."""
    seconds: NDArray[np.float64]
    """When its strokes come, (strokes,)."""
    struck: NDArray[np.bool_]
    """(strokes, classes)."""


class Batch(NamedTuple):
    """The network's inputs, and what is struck."""

    patches: Tensor
    gaps: Tensor
    distances: Tensor
    present: Tensor
    struck: Tensor


def make_examples(maker: LoopMaker, loops: int, seed: int) -> list[Example]:
    """Return random loops, of their first strokes."""
    rng, examples = np.random.default_rng(seed), []
    for _ in range(loops):
        loop = maker.make(rng)
        onsets = np.array(loop.onsets[:MOST_STROKES])
        patches = stroke_patches(loop.mono, onsets.tolist()).astype(np.float16)
        examples.append(Example(patches, onsets / FEATURE_RATE, loop.struck[:MOST_STROKES]))
    return examples


def make_batch(examples: Sequence[Example], rng: np.random.Generator | None = None) -> Batch:
    """Return examples as tensors, the shorter ones padded; `rng` equalizes and stretches them at random."""
    rows = []
    for example in examples:
        sound, seconds = example.patches.astype(np.float32), example.seconds
        if rng:
            seconds = seconds * 2 ** (_TEMPO_OCTAVES * rng.standard_normal())
            sound = np.maximum(sound + _equalizer(rng) + _NOISE_DB * rng.standard_normal(sound.shape), FLOOR_DB)
        rows.append((scaled_patches(sound), gaps_octaves(seconds), step_distances(seconds), example.struck))
    patches, gaps, distances, struck = zip(*rows, strict=True)
    most = max(map(len, gaps))
    near = [np.pad(each, ((0, most - len(each)), (0, most - len(each)), (0, 0))) for each in distances]
    present = torch.arange(most) < torch.tensor([[len(each)] for each in gaps])
    return Batch(_padded(patches), _padded(gaps), torch.from_numpy(np.stack(near)).float(), present, _padded(struck))


def _padded(parts: Sequence[NDArray[Any]]) -> Tensor:
    return pad_sequence([torch.as_tensor(part).float() for part in parts], batch_first=True)


def _equalizer(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the gain of a random equalizer in dB, (BANDS,): a tilt and a wave."""
    place = np.linspace(-1, 1, BANDS)
    wave = np.cos(np.pi * (_WAVES * rng.random() * place + 2 * rng.random()))
    return np.asarray(_TILT_DB * rng.standard_normal() * place + _WAVE_DB * rng.standard_normal() * wave, np.float32)


def fit(examples: Sequence[Example], steps: int, seed: int = 0) -> LoopTransformer:
    """Return a network trained on loops, so many steps of 32."""
    torch.manual_seed(seed)
    network, rng = LoopTransformer().train(), np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    drawn = itertools.islice(_batches(examples, rng), steps)
    for batch in track(drawn, "Training", total=steps):
        odds = network(*batch[:-1])
        loss = F.binary_cross_entropy_with_logits(odds[batch.present], batch.struck[batch.present])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), _MOST_GRADIENT)
        optimiser.step()
        rate.step()
    return network.eval()


def _batches(examples: Sequence[Example], rng: np.random.Generator) -> Iterator[Batch]:
    """Yield batches at random for ever, each of loops of similar lengths, so that little is padded."""
    while True:
        some = rng.choice(len(examples), min(len(examples), _BATCH * _SORTED))
        ordered = sorted(some.tolist(), key=lambda at: len(examples[at].seconds))
        places = [ordered[first : first + _BATCH] for first in range(0, len(ordered), _BATCH)]
        for at in rng.permutation(len(places)):
            yield make_batch([examples[place] for place in places[at]], rng)


def _rate(step: int, steps: int) -> float:
    """Return the learning rate's factor: a warm-up, then half a cosine."""
    warm_up = max(1, min(_MOST_WARM_UP_STEPS, steps // 10))
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * step / steps))


@torch.no_grad()
def f_measures(networks: Sequence[LoopTransformer], examples: Sequence[Example]) -> NDArray[np.float64]:
    """Return the F-measure of each class and of all together, (classes + 1,), by the mean odds of networks."""
    right, total = np.zeros(len(CLASS_NAMES) + 1), np.zeros(len(CLASS_NAMES) + 1)
    for first in range(0, len(examples), _BATCH):
        batch = make_batch(examples[first : first + _BATCH])
        odds = torch.stack([network(*batch[:-1])[batch.present] for network in networks])
        found = (odds.mean(0) > 0).numpy()
        wanted = batch.struck[batch.present].numpy() > 0
        for counts, cells in ((right, found & wanted), (total, found * 1 + wanted)):
            counts += np.append(cells.sum(axis=0), cells.sum())
    return np.asarray(2 * right / np.maximum(total, 1))


def _made(maker: LoopMaker, loops: int, jobs: int, about: str) -> list[Example]:
    """Return loops that so many processes make; how many they are does not change them."""
    sizes = [min(_CHUNK, loops - first) for first in range(0, loops, _CHUNK)]
    # Processes whose BLAS starts threads of its own wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(jobs, get_context("spawn"), _Worker.start, (maker,)) as pool:
        made = track(pool.map(_Worker.make, sizes, range(len(sizes))), about, total=len(sizes))
        return [example for chunk in made for example in chunk]


class _Worker:
    """What a process that makes loops keeps."""

    maker: LoopMaker

    @classmethod
    def start(cls, maker: LoopMaker) -> None:
        cls.maker = maker

    @classmethod
    def make(cls, loops: int, seed: int) -> list[Example]:
        return make_examples(cls.maker, loops, seed)


def main(
    folder: Path,
    output: Path,
    loops: int = 10_000,
    steps: int = 3_600,
    networks: int = 4,
    made: int = 120,
    jobs: int = os.cpu_count() or 1,
) -> None:
    """Fit on loops of the corpus FOLDER, write the weights to OUTPUT, and print the F-measure on new drums.

    Beside the corpus's drums the loops have new ones of the shipped model, so many of each class.
    """
    splits, _ = load_splits(folder, ("train", "valid"))
    maker = LoopMaker(splits["train"], made_drums(made, jobs))
    examples = _made(maker, loops, jobs, "Making loops")
    fitted = [fit(examples, steps, seed) for seed in range(networks)]
    halves: dict[str, Any] = {
        f"{at}.{name}": part.numpy().astype(np.float16)
        for at, network in enumerate(fitted)
        for name, part in network.state_dict().items()
    }
    np.savez_compressed(output, **halves)
    measures = f_measures(fitted, _made(LoopMaker(splits["valid"]), max(1, loops // 20), jobs, "Loops of new drums"))
    of_classes = ", ".join(f"{name} {value:.2f}" for name, value in zip(CLASS_NAMES, measures, strict=False))
    typer.echo(f"F-measure on new drums: {measures[-1]:.3f} ({of_classes})")


if __name__ == "__main__":
    run_program(main)
