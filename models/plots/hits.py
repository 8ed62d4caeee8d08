"""Pictures of hits: each one's waveform above its spectrogram, side by side."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import InputError, MissingExtraError
from ghostnote.bridge.io.atomic_file import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Hits = Sequence[tuple[str, NDArray[np.float32]]]
"""Labelled mono hits, each `(frames,)`."""

LOWEST_HZ: Final = 30.0
HIGHEST_HZ: Final = 18000.0
RANGE_DB: Final = 70.0
_BANDS: Final = 144
_HOP_FRAMES: Final = 128
_LONG_FRAMES: Final = 3072
_SHORT_FRAMES: Final = 512
_FFT_FRAMES: Final = 8192
_BLEND_HZ: Final = (200.0, 1500.0)
_NO_PICTURES: Final = {"pgf", "raw", "rgba"}
"""Formats of matplotlib that need LaTeX, or that nothing shows."""
INK: Final = "#24425c"
"""The colour of what is drawn."""


def log_spectrogram(audio: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Return `(bands, frames)` levels in dB, bands evenly spaced in log frequency, a full sine at 0 dB.

    Low bands come from long windows, which resolve a kick's pitch, and high ones from short windows,
    which resolve its attack; the two are crossfaded from 200 to 1500 Hz.
    """
    edges_hz = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, rate / 2), _BANDS + 1)
    low, high = np.log(_BLEND_HZ)
    share = np.clip((np.log(edges_hz[:-1]) - low) / (high - low), 0, 1)[:, None]
    fine, quick = (_levels(audio, rate, frames, edges_hz) for frames in (_LONG_FRAMES, _SHORT_FRAMES))
    n_frames = min(fine.shape[1], quick.shape[1])
    return np.asarray((1 - share) * fine[:, :n_frames] + share * quick[:, :n_frames])


def draw_hits(path: Path, rows: Sequence[tuple[str, Hits]], rate: int = 44100) -> None:
    """Draw rows of hits into a picture, whole or not at all; its name's ending says which format.

    All hits share the axes of time and frequency; those of a row share amplitude and level, to be compared.
    Raises `ValueError` when there is nothing to draw; other errors are as in `save_figure`.
    """
    if not rows or any(audio.size == 0 for _, hits in rows for _, audio in hits) or not any(h for _, h in rows):
        raise ValueError("a figure needs at least one hit, and every hit at least one frame")
    save_figure(path, _figure(rows, rate))


def _levels(
    audio: NDArray[np.float32], rate: int, window_frames: int, edges_hz: NDArray[np.float64]
) -> NDArray[np.float64]:
    window = np.hanning(window_frames)
    padded = np.pad(audio.astype(np.float64), window_frames // 2 + 1)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_frames)[::_HOP_FRAMES]
    # Padding makes a grid of frequencies fine enough to read the lowest bands from.
    magnitude = np.abs(np.fft.rfft(frames * window, _FFT_FRAMES, axis=1)) / (window.sum() / 2)
    bins = np.round(edges_hz * _FFT_FRAMES / rate).astype(int)
    # The loudest of a band's bins: a thin partial must not fall between two rows of the picture.
    loudest = np.maximum.reduceat(magnitude[:, : bins[-1] + 1], bins[:-1], axis=1)
    return np.asarray(20 * np.log10(np.maximum(loudest.T, 1e-10)))


def new_figure(width_inches: float, height_inches: float) -> "Figure":
    """Return an empty figure; `MissingExtraError` without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("drawing a figure", "figures") from None
    figure = Figure(figsize=(width_inches, height_inches), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def figure_format(path: Path) -> str:
    """Return the format that a picture's name asks for, as 'png'.

    `InputError` where matplotlib does not write that, `MissingExtraError` without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError:
        raise MissingExtraError("drawing a figure", "figures") from None
    offered = sorted(set(FigureCanvasAgg.get_supported_filetypes()) - _NO_PICTURES)
    ending = path.suffix[1:].lower()
    if ending not in offered:
        said = f"{path.suffix} is not a picture's ending" if ending else "its name has no ending"
        raise InputError(f"{path}: {said}; give it one of .{', .'.join(offered)}")
    return ending


def save_figure(path: Path, figure: "Figure") -> None:
    """Write a figure in the format that its name ends in, whole or not at all; errors are as in `figure_format`.

    `OutputError` where the file cannot be written.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format=figure_format(path))
    write_bytes(path, drawn.getvalue())


def _figure(rows: Sequence[tuple[str, Hits]], rate: int) -> "Figure":
    columns = max(len(hits) for _, hits in rows)
    seconds = max(audio.size for _, hits in rows for _, audio in hits) / rate
    figure = new_figure(1.0 + 2.5 * columns, 0.5 + 2.4 * len(rows))
    grid = figure.add_gridspec(2 * len(rows), columns, height_ratios=[1, 2] * len(rows))
    for i, (title, hits) in enumerate(rows):
        peak = max([float(np.abs(audio).max()) for _, audio in hits], default=0.0) or 1.0
        spectrograms = [log_spectrogram(audio, rate) for _, audio in hits]
        top_db = max((float(s.max()) for s in spectrograms), default=0.0)
        for j, ((label, audio), levels) in enumerate(zip(hits, spectrograms, strict=True)):
            wave, spectrum = figure.add_subplot(grid[2 * i, j]), figure.add_subplot(grid[2 * i + 1, j])
            _draw_wave(wave, audio, rate, peak, label)
            draw_spectrum(spectrum, levels, audio.size / rate, rate, top_db)
            for axes in (wave, spectrum):
                axes.set_xlim(0, seconds)
            _label_edges(wave, spectrum, title, first=j == 0, last=i == len(rows) - 1)
    return figure


def _draw_wave(axes: "Axes", audio: NDArray[np.float32], rate: int, peak: float, label: str) -> None:
    axes.plot(np.arange(audio.size) / rate, audio, color=INK, linewidth=0.4)
    axes.set_ylim(-1.05 * peak, 1.05 * peak)
    # At the right, where the name of the row does not reach.
    axes.set_title(label, fontsize=8, loc="right", parse_math=False)
    axes.set_axis_off()


def draw_spectrum(axes: "Axes", levels: NDArray[np.float64], seconds: float, rate: int, top_db: float) -> None:
    """Draw a `log_spectrogram` of so many seconds; `top_db` is the brightest."""
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, 1),
        vmin=top_db - RANGE_DB,
        vmax=top_db,
        cmap="magma",
        interpolation="bilinear",
    )
    octaves = np.log(min(HIGHEST_HZ, rate / 2) / LOWEST_HZ)
    axes.set_facecolor("black")
    axes.set_yticks([float(np.log(hz / LOWEST_HZ) / octaves) for hz in (100, 1000, 10000)], ["100", "1k", "10k"])
    axes.tick_params(labelsize=6, length=2)


def _label_edges(wave: "Axes", spectrum: "Axes", title: str, *, first: bool, last: bool) -> None:
    """Name the row at its left end and the axes at the outer edges only."""
    if first:
        look: dict[str, Any] = {"fontsize": 10, "fontweight": "bold", "parse_math": False, "va": "bottom"}
        wave.text(0, 1.05, title, transform=wave.transAxes, **look)
        spectrum.set_ylabel("Hz", fontsize=7)
    else:
        spectrum.set_yticklabels([])
    if last:
        spectrum.set_xlabel("seconds", fontsize=7)
    else:
        spectrum.set_xticklabels([])
