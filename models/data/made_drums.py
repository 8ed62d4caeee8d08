"""Drums that the shipped model makes, by class: loops that are trained on hear more of them than a corpus has."""

from concurrent.futures import ProcessPoolExecutor
from itertools import cycle
from multiprocessing import get_context
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.kinds import kinds_of

Audio = NDArray[np.float32]

FIRST_SEED: Final = 1_000_000
"""No kit that comes along has drums of these seeds."""


def made_drums(count: int, jobs: int) -> dict[str, list[Audio]]:
    """Return `count` new drums (frames,) of each class, of its kinds in turn, at the model's rate."""
    tasks = [
        (name, FIRST_SEED + number, kind)
        for name in CLASS_NAMES
        for number, kind in zip(range(count), cycle([None, *kinds_of(name)]))
    ]
    drums: dict[str, list[Audio]] = {name: [] for name in CLASS_NAMES}
    with ProcessPoolExecutor(jobs, get_context("spawn"), _Worker.start) as pool:
        made = track(pool.map(_Worker.make, tasks, chunksize=8), "Making drums", total=len(tasks))
        for (name, _, _), drum in zip(tasks, made, strict=True):
            drums[name].append(drum)
    return drums


class _Worker:
    """What a process that makes drums keeps."""

    generator: Generator

    @classmethod
    def start(cls) -> None:
        cls.generator = Generator.open()

    @classmethod
    def make(cls, task: tuple[str, int, str | None]) -> Audio:
        name, seed, kind = task
        known = kind if kind in cls.generator.card.drums.kinds else None
        return generate_drum(cls.generator, name, seed, kind=known)
