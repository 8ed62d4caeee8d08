"""A picture of what several systems generate: spectrograms by class, a strip of each system below the other."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.mdct import RATE, to_peak
from ghostnote.models.plots.hits import draw_spectrum, log_spectrogram, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Strip = Mapping[str, Tensor]
"""Hits (hits, frames) by class."""

SHOWN: Final = 2
"""Hits of each class, one below the other."""
_REAL: Final = "real hits"
_COLUMN_INCHES: Final = 0.95
_ROW_INCHES: Final = 0.7
_MARGIN_INCHES: Final = 0.3


def draw_systems(path: Path, real: Hits, made: Mapping[str, Strip]) -> None:
    """Draw some hits of every class that each system made, below real ones. Errors are as in `save_figure`.

    A column is a class; the pictures of a strip share their levels.
    """
    strips = {_REAL: spread(real), **made}
    height = _MARGIN_INCHES + _ROW_INCHES * SHOWN * len(strips)
    figure = new_figure(_MARGIN_INCHES + _COLUMN_INCHES * len(CLASS_NAMES), height)
    grid = figure.add_gridspec(SHOWN * len(strips), len(CLASS_NAMES))
    for number, (name, strip) in enumerate(strips.items()):
        levels = {kind: [log_spectrogram(hit.numpy(), RATE) for hit in hits[:SHOWN]] for kind, hits in strip.items()}
        top_db = max((float(each.max()) for found in levels.values() for each in found), default=0.0)
        for column, kind in enumerate(CLASS_NAMES):
            for row in range(SHOWN):
                axes = figure.add_subplot(grid[number * SHOWN + row, column])
                found = levels.get(kind, [])
                if row < len(found):
                    draw_spectrum(axes, found[row], 1.0, RATE, top_db)
                else:
                    axes.patch.set_visible(False)
                    axes.spines[:].set_visible(False)
                _label(axes, kind if number == row == 0 else "", name if column == row == 0 else "")
    save_figure(path, figure)


def spread(hits: Hits) -> Strip:
    """Return at most SHOWN hits of every class, from all over `hits`, at full level."""
    rows = {kind: (hits.labels == label).nonzero()[:, 0] for label, kind in enumerate(CLASS_NAMES)}
    chosen = {kind: of[torch.linspace(0, len(of) - 1, min(SHOWN, len(of))).long()] for kind, of in rows.items()}
    return {kind: to_peak(hits.audio[of]) for kind, of in chosen.items()}


def _label(axes: "Axes", above: str, beside: str) -> None:
    """Leave out the scales; what stands above a column, and beside a strip."""
    look: dict[str, Any] = {"fontsize": 7, "fontweight": "bold", "parse_math": False}
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(above.replace("_", " "), **look)
    if beside:
        axes.set_ylabel(beside, loc="top", **look)
