"""A picture of a loop and where it is struck."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.models.plots.hits import INK, draw_spectrum, log_spectrogram, new_figure, save_figure

_RATE: Final = 44_100


class Marked(Protocol):
    """A stroke as the picture needs it."""

    @property
    def start(self) -> int:
        """The frame at which it begins."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The drums that are struck."""

    @property
    def velocity(self) -> int:
        """1 to 127."""


def draw_slices(path: Path, loop: NDArray[np.float32], rate: int, strokes: Sequence[Marked]) -> None:
    """Draw a loop (channels, frames), its spectrogram, and a row of strokes for each class, into a picture."""
    mono = resample(mixdown(loop, 1), rate, _RATE)[0]
    seconds = len(mono) / _RATE
    figure = new_figure(max(8.0, min(24.0, 1.6 * seconds)), 6.0)
    grid = figure.add_gridspec(3, 1, height_ratios=[1, 2, 1.2])
    wave, spectrum, rows = (figure.add_subplot(grid[at]) for at in range(3))
    wave.plot(np.arange(len(mono)) / _RATE, mono, color=INK, linewidth=0.3)
    levels = log_spectrogram(mono, _RATE)
    draw_spectrum(spectrum, levels, seconds, _RATE, float(levels.max()))
    names = [name for name in CLASS_NAMES if any(name in stroke.classes for stroke in strokes)]
    for stroke in strokes:
        wave.axvline(stroke.start / rate, color="tab:red", linewidth=0.5)
        for name in stroke.classes:
            rows.plot(stroke.start / rate, names.index(name), "o", color=INK, markersize=2 + stroke.velocity / 20)
    rows.set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=7)
    rows.set_ylim(len(names) - 0.5, -0.5)
    rows.set_xlabel("seconds", fontsize=7)
    for axes in (wave, spectrum, rows):
        axes.set_xlim(0, seconds)
    save_figure(path, figure)
