"""Why a lapped transform: how far patches and a strided transform alias, and how little it does.

    python -m ghostnote.models.systems.aliasing -o aliasing.png

The maps show where the energy of small errors in the channels comes out, for a wave of each frequency. A patch is a
waveform at a sixty-fourth of its rate: its errors sound at every image of the wave, all over the spectrum. So do those
of a strided transform whose filters are those that a network starts with, or that it has learned (--run). Those of the
lapped transform stay within some bands of the wave. The curves below are the shares beyond so many bands, and the
images of an equaliser that is made of the channels' gains.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
import torch
import typer

from ghostnote.bridge.errors import InputError
from ghostnote.models.dsp.aliasing import BAND_BINS, Array, equalised_map, error_map, images, response, tilt
from ghostnote.models.dsp.mdct import BANDS, mdct
from ghostnote.models.nets.waveform_unet import LearnedTransform
from ghostnote.models.plots.hits import figure_format, new_figure, save_figure
from ghostnote.models.program import run_program
from ghostnote.models.systems.checkpoint import load_system
from ghostnote.models.systems.waveform_diffusion import WaveformDiffusion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TILT_DB: Final = 24.0
_RANGE_DB: Final = 60.0
_SHOWN: Final = 16
"""As many bands of the maps are drawn: of more, the lines would run together."""
_COLOURS: Final = ("#b5532a", "#c99a2e", "#24425c")


@dataclass(frozen=True, eq=False)
class Aliasing:
    """What a representation does to waves."""

    errors: Array
    """Energy of errors in the channels, (outputs, inputs), in bins from 0 to the Nyquist frequency."""
    beyond: Array
    """The share of it that comes out further away than 0, 1, 2 … bands, (bands,)."""
    equalised: Array
    """The share of images in what an equaliser makes of the waves of each band, (bands,)."""


def patch_kernels() -> Array:
    """Return the filters of patches of 64 samples."""
    return np.eye(BANDS)


def lapped_kernels() -> Array:
    """Return the filters of the MDCT: what its second frame makes of each of the samples that it sees."""
    return np.asarray(mdct(torch.eye(2 * BANDS))[:, :, 1].T.double().numpy())


def transform_kernels(transform: LearnedTransform | None = None) -> Array:
    """Return the filters of a learned transform of one channel, or of one that has learned nothing."""
    if transform is None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            transform = LearnedTransform(1, BANDS)
    return np.asarray(transform.analysis.weight.detach()[:, 0].double().numpy())


def measure(kernels: Array) -> Aliasing:
    """Return the aliasing of a bank of filters (stride, length)."""
    stride = len(kernels)
    responses = response(kernels, stride)
    errors = error_map(responses)
    beyond = np.array([images(errors, band * BAND_BINS).mean() for band in range(stride // 2)])
    equalised = images(equalised_map(responses, tilt(responses, _TILT_DB)))
    return Aliasing(errors, beyond, equalised[:-1].reshape(stride, BAND_BINS).mean(axis=1))


def draw(path: Path, measured: Mapping[str, Aliasing]) -> None:
    """Draw a map of each representation, and both curves of all; errors are as in `save_figure`."""
    count = len(measured)
    figure = new_figure(3.4 * count, 6.4)
    grid = figure.add_gridspec(2, 2 * count, height_ratios=[3, 2])
    maps = [figure.add_subplot(grid[0, 2 * column : 2 * column + 2]) for column in range(count)]
    for axes, (title, aliasing) in zip(maps, measured.items(), strict=True):
        _draw_map(axes, aliasing.errors, title)
    maps[0].set_ylabel("band where its errors sound", fontsize=7)
    left, right = figure.add_subplot(grid[1, :count]), figure.add_subplot(grid[1, count:])
    for (name, aliasing), colour in zip(measured.items(), _COLOURS, strict=True):
        left.plot(_decibels(aliasing.beyond), label=name, color=colour, linewidth=1.4)
        right.plot(_decibels(aliasing.equalised), label=name, color=colour, linewidth=1.4)
    left.set_title("errors beyond so many bands, dB", fontsize=9)
    left.set_xlabel("bands away from the wave", fontsize=7)
    right.set_title(f"images of an equaliser of {_TILT_DB:.0f} dB, dB", fontsize=9)
    right.set_xlabel("band of the wave", fontsize=7)
    for axes in (left, right):
        axes.set_ylim(-_RANGE_DB, 3)
        axes.tick_params(labelsize=6, length=2)
        axes.grid(alpha=0.3)
    left.legend(fontsize=8, frameon=False)
    save_figure(path, figure)


def _draw_map(axes: "Axes", errors: Array, title: str) -> None:
    """Draw the lowest bands of a map, the loudest at 0 dB."""
    shown = errors[: _SHOWN * BAND_BINS, : _SHOWN * BAND_BINS]
    levels = _decibels(shown / errors.max())
    axes.imshow(levels, origin="lower", extent=(0, _SHOWN, 0, _SHOWN), vmin=-_RANGE_DB, vmax=0, cmap="magma")
    axes.set_title(title, fontsize=9, parse_math=False)
    axes.set_xlabel("band of the wave", fontsize=7)
    axes.tick_params(labelsize=6, length=2)


def learned_transform(run: Path) -> LearnedTransform:
    """Return the transform of a run; `InputError` for one that has none of one channel and BANDS bands."""
    system, _ = load_system(run)
    found = system.net.transform if isinstance(system, WaveformDiffusion) else None
    if found is None or found.analysis.in_channels != 1:
        raise InputError(f"{run} has no mono transform: train with --system waveform --set front=transform")
    if found.analysis.stride[0] != BANDS:
        raise InputError(
            f"{run} has a transform of {found.analysis.stride[0]} samples, and is compared with {BANDS} bands: "
            f"train with --set stride={BANDS} as well"
        )
    return found


def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="The picture.")],
    run: Annotated[Path | None, typer.Option(help="Take the strided transform that this run has learned.")] = None,
) -> None:
    """Draw how far patches, a strided transform and the lapped transform alias, and print the shares."""
    figure_format(output)
    measured = {
        "patches": measure(patch_kernels()),
        f"strided transform, {'learned' if run else 'new'}": measure(
            transform_kernels(learned_transform(run) if run else None)
        ),
        "lapped transform": measure(lapped_kernels()),
    }
    draw(output, measured)
    for name, aliasing in measured.items():
        shares = ", ".join(f"{_decibels(aliasing.beyond)[bands]:.1f} dB beyond {bands}" for bands in (1, 2, 4))
        equalised = _decibels(aliasing.equalised.mean(keepdims=True))[0]
        typer.echo(f"{name}: errors {shares} bands; images when equalised {equalised:.1f} dB")


def _decibels(shares: Array) -> Array:
    return np.asarray(10 * np.log10(shares + 1e-12))


if __name__ == "__main__":
    run_program(main)
