"""Pictures of long hits and their next strokes: spectrograms side by side, and level curves one over the other."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.models.plots.hits import INK, draw_spectrum, figure_format, log_spectrogram, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEVEL_RANGE_DB: Final = 90.0

_WINDOW_SECONDS: Final = 0.03
_HOP_SECONDS: Final = 0.005
_COLOURS: Final = 128
_OCHRE: Final = "#f0b060"
_SIDES: Final = ("left", "right")

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class HitAndVariation:
    """A hit and its next stroke."""

    title: str
    original: Audio
    """(channels, frames)."""
    varied: Audio
    """(channels, frames): as many frames."""
    rate: int
    """In Hz."""
    renewed_seconds: float
    """How much of the hit the model generates; the rest is the original's tail."""


def level_curve(audio: Audio, rate: int) -> NDArray[np.float64]:
    """Return `(channels, frames)` levels in dB every 5 ms, of 30 ms around each; full scale is 0 dB."""
    window, hop = round(_WINDOW_SECONDS * rate), round(_HOP_SECONDS * rate)
    weights = np.hanning(window + 2)[1:-1]
    padded = np.pad(np.square(audio.astype(np.float64)), ((0, 0), (window // 2, window // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, ::hop]
    return np.asarray(10 * np.log10(frames @ weights / weights.sum() + 1e-20))


def draw_levels(path: Path, pairs: Sequence[HitAndVariation]) -> None:
    """Draw a row for each pair into a picture: both spectrograms, and each channel's two level curves.

    `ValueError` when there is nothing to draw; other errors are as in `draw_hits`.
    """
    if not pairs or any(pair.original.size == 0 for pair in pairs):
        raise ValueError("a figure needs at least one hit, and every hit at least one frame")
    figure = _figure(pairs)
    if figure_format(path) != "png":
        save_figure(path, figure)
        return
    full, drawn = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png")
    from PIL import Image

    # A palette makes a third of it; spectrograms hold few colours.
    Image.open(full).convert("RGB").quantize(_COLOURS).save(drawn, "PNG", optimize=True)
    write_bytes(path, drawn.getvalue())


def _figure(pairs: Sequence[HitAndVariation]) -> "Figure":
    curves = max(len(pair.varied) for pair in pairs)
    columns = 2 + curves
    figure = new_figure(1.0 + 2.7 * columns, 0.4 + 2.0 * len(pairs))
    grid = figure.add_gridspec(len(pairs), columns)
    for row, pair in enumerate(pairs):
        last = row == len(pairs) - 1
        sounds = [sound.mean(axis=0) for sound in (pair.original, pair.varied)]
        spectra = [log_spectrogram(sound, pair.rate) for sound in sounds]
        top_db = max(float(levels.max()) for levels in spectra)
        seconds = pair.original.shape[1] / pair.rate
        for column, (name, levels) in enumerate(zip((pair.title, "variation"), spectra, strict=True)):
            axes = figure.add_subplot(grid[row, column])
            draw_spectrum(axes, levels, seconds, pair.rate, top_db)
            axes.set_title(name, fontsize=8, parse_math=False)
            _label(axes, "Hz" if column == 0 else "", last=last)
        for channel in range(len(pair.varied)):
            axes = figure.add_subplot(grid[row, 2 + channel])
            _draw_curves(axes, pair, channel, legend=row == 0 and channel == 0)
            _label(axes, "level, dB" if channel == 0 else "", last=last)
    return figure


def _draw_curves(axes: "Axes", pair: HitAndVariation, channel: int, *, legend: bool) -> None:
    """Draw the level of one channel, of the original and the variation."""
    # A mono hit that was widened is compared with its one channel.
    shown = pair.original[[min(channel, len(pair.original) - 1)]], pair.varied[[channel]]
    looks = ("original", _OCHRE, 2.4), ("variation", INK, 0.7)
    for sound, (name, colour, width) in zip(shown, looks, strict=True):
        levels = level_curve(sound, pair.rate)[0]
        axes.plot(np.arange(len(levels)) * _HOP_SECONDS, levels, color=colour, linewidth=width, label=name)
    axes.axvline(pair.renewed_seconds, color="grey", linewidth=0.6, linestyle=":")
    top = float(max(level_curve(sound, pair.rate).max() for sound in shown))
    axes.set_ylim(top - LEVEL_RANGE_DB, top + 3)
    axes.set_xlim(0, pair.original.shape[1] / pair.rate)
    axes.tick_params(labelsize=6, length=2)
    axes.set_title(_SIDES[channel] if len(pair.varied) == 2 else "level", fontsize=8)
    if legend:
        axes.legend(fontsize=6, frameon=False)


def _label(axes: "Axes", vertical: str, *, last: bool) -> None:
    """Name the axes at the outer edges only."""
    axes.set_ylabel(vertical, fontsize=7)
    if last:
        axes.set_xlabel("seconds", fontsize=7)
