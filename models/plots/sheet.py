"""A picture of many hits: their waveforms in a grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.models.plots.hits import INK, new_figure, save_figure

_MOST_COLUMNS: Final = 8
_SECONDS: Final = 1.0
"""As much of a hit is drawn."""


def draw_sheet(path: Path, cells: Sequence[tuple[str, NDArray[np.float32]]], rate: int) -> None:
    """Draw the waveform of each labelled hit (channels, frames) into a PNG file; errors are as in `draw_hits`."""
    if not cells:
        raise ValueError("a sheet needs at least one hit")
    columns = min(_MOST_COLUMNS, len(cells))
    rows, frames = -(-len(cells) // columns), round(_SECONDS * rate)
    figure = new_figure(2.1 * columns, 1.25 * rows)
    for number, (label, audio) in enumerate(cells, 1):
        axes = figure.add_subplot(rows, columns, number)
        shown = audio[:, :frames].mean(axis=0)
        axes.plot(np.arange(len(shown)) / rate, shown, color=INK, linewidth=0.5)
        axes.set_xlim(0, _SECONDS)
        axes.set_ylim(-1, 1)
        axes.axis("off")
        axes.set_title(label, fontsize=6, pad=2)
    save_figure(path, figure)
