"""Measures how loud the top of drums is beside what lies below it, for `upsample`.

    python -m ghostnote.models.statistics.top_bands CORPUS top_bands.npz

Mean and covariance of the levels of `ghostnote.bridge.dsp.top_bands.band_levels` over the corpus's train split, each
group of strokes counting alike.
"""

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import typer
from numpy.typing import NDArray

from ghostnote.bridge.dsp.top_bands import FLOOR_DB, band_levels
from ghostnote.models.data.corpus import Split, load_splits
from ghostnote.models.program import run_program

Array = NDArray[np.float64]

_SHRINKAGE: Final = 0.02


def measure(split: Split) -> tuple[Array, Array]:
    """Return mean (levels,) and covariance (levels, levels); levels after a hit's end are at the floor."""
    audio, files = split
    groups = Counter(file.group for file in files)
    weights = np.array([1 / groups[file.group] for file in files])
    rows = []
    for hit in audio:
        levels = band_levels(hit)
        rows.append(np.maximum(np.nan_to_num(levels - np.nanmax(levels), nan=FLOOR_DB), FLOOR_DB).reshape(-1))
    vectors = np.array(rows)
    mean = weights @ vectors / weights.sum()
    centred = vectors - mean
    covariance = (centred * weights[:, None]).T @ centred / weights.sum()
    return mean, (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(np.diag(covariance))


def main(folder: Path, output: Path) -> None:
    """Measure the train split of the corpus FOLDER and write the tables to OUTPUT."""
    splits, _ = load_splits(folder, ("train",))
    mean, covariance = measure(splits["train"])
    np.savez_compressed(output, mean=mean.astype(np.float32), covariance=covariance.astype(np.float32))
    typer.echo(f"{len(splits['train'][1])} hits, {len(mean)} levels: {output}")


if __name__ == "__main__":
    run_program(main)
