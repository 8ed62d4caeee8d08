"""Which drums are struck at each moment of a loop, by small transformers over its strokes, whose odds are averaged.

Each stroke is seen as a mel spectrogram around its onset, and attends to the others of the loop: the same hat is struck
alone elsewhere, a ride keeps time, toms follow each other. Attention depends on how many of the loop's shortest steps
lie between two strokes (relative positions: Shaw et al. 2018).
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.features import FEATURE_RATE
from ghostnote.bridge.dsp.mel import band_points, mel_filters, to_hz

WEIGHTS: Final = Path(__file__).with_name("mixture.npz")
"""The weights that `ghostnote.models.train.mixture` fits."""

BANDS: Final = 40
FRAMES: Final = 28
"""Of a stroke's spectrogram, 10 ms apart; the fourth begins 5 ms before the onset."""
FLOOR_DB: Final = -80.0
"""What lies farther below the loudest cell of a loop counts as this."""
CHANNELS: Final = (16, 32, 64)
KERNELS: Final = (5, 3, 3)
STRIDE: Final = 2
"""Of the convolutions over a stroke's spectrogram."""
HEADS: Final = 4
BLOCKS: Final = 3
DISTANCES: Final = 10
"""How many numbers `step_distances` returns for two strokes."""
MOST_STROKES: Final = 64
"""As many attend to each other."""

_OVERLAP: Final = 8
_HOP, _WINDOW = 441, 1024
_LEAD: Final = 3 * _HOP + 220
_HZ: Final = (30.0, 20_000.0)
_QUIET: Final = 1e-12
_GAP_SECONDS: Final = (0.02, 2.0)
_NO_GAP_SECONDS: Final = 1.0
_USUAL_STEP_SECONDS: Final = 0.25
_STEPS_QUANTILE: Final = 0.25
_PERIODS: Final = (1, 2, 3, 4, 8, 16)
_MIDDLE_DB, _SPREAD_DB = -40.0, 20.0
_LEAST_VARIANCE: Final = 1e-5

Floats = NDArray[np.float64]
Audio = NDArray[np.float32]


def sounding(mono: Audio, onsets: Sequence[int]) -> Floats:
    """Return the log odds of each class that it is struck, (strokes, classes), at the `onsets` of a loop (frames,).

    `mono` is at `FEATURE_RATE`; onsets are frames in ascending order.
    """
    patches, seconds = stroke_patches(mono, onsets), np.asarray(onsets) / FEATURE_RATE
    odds: list[Floats] = []
    own = MOST_STROKES - 2 * _OVERLAP
    for first in range(0, len(onsets), own):
        start, end = max(0, first - _OVERLAP), first + own + _OVERLAP
        found = [_attended(network, patches[start:end], seconds[start:end]) for network in _networks()]
        odds.append(np.mean(found, axis=0)[first - start : first - start + own])
    return np.concatenate(odds)


def stroke_patches(mono: Audio, onsets: Sequence[int]) -> Audio:
    """Return a mel spectrogram for each onset, (strokes, FRAMES, BANDS), in dB below the loudest cell of all."""
    padded = np.pad(mono, (_LEAD, FRAMES * _HOP + _WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)
    shape, span = np.hanning(_WINDOW).astype(np.float32), FRAMES * _HOP
    # One after the other: all windows of a long loop at once would take a gigabyte.
    spectra = (np.fft.rfft(windows[onset : onset + span : _HOP] * shape) for onset in onsets)
    decibels = np.array([10 * np.log10(np.square(np.abs(each)) @ _filters().T + _QUIET) for each in spectra])
    return np.asarray(np.maximum(decibels - decibels.max(), FLOOR_DB), np.float32)


def scaled_patches(patches: Audio) -> Audio:
    """Return spectrograms (strokes, FRAMES, BANDS) as the network takes them."""
    return (patches - _MIDDLE_DB) / _SPREAD_DB


def gaps_octaves(seconds: Floats) -> Floats:
    """Return how long the next stroke and the one before are away, (strokes, 2), in octaves of seconds."""
    gaps = np.clip(np.diff(seconds), *_GAP_SECONDS)
    following, before = np.append(gaps, _NO_GAP_SECONDS), np.append(_NO_GAP_SECONDS, gaps)
    return np.asarray(np.log2(np.stack([following, before], axis=1)))


def step_distances(seconds: Floats) -> Floats:
    """Return `DISTANCES` numbers for each pair of strokes, (strokes, strokes, DISTANCES), by their times.

    They tell how many steps lie between two strokes, where they lie in bars of up to 16, and which comes first.
    """
    gaps = np.clip(np.diff(seconds), *_GAP_SECONDS)
    step = np.quantile(gaps, _STEPS_QUANTILE) if gaps.size else _USUAL_STEP_SECONDS
    steps = (seconds[:, None] - seconds) / step
    phases = [np.cos(2 * np.pi * steps / period) for period in _PERIODS]
    others = [np.sin(np.pi * steps), np.log2(1 + np.abs(steps)), np.sign(steps), steps == 0]
    return np.stack([*phases, *others], axis=-1).astype(np.float64)


def _attended(w: Mapping[str, Floats], patches: Audio, seconds: Floats) -> Floats:
    """Return the network's log odds for strokes that attend to each other, (strokes, classes)."""
    seen = scaled_patches(patches)[:, None]
    for layer in range(len(CHANNELS)):
        seen = np.maximum(_convolved(w, f"convolutions.{layer}", seen), 0)
    x = _linear(w, "spectrum", seen.reshape(len(seen), -1)) + _linear(w, "gaps", gaps_octaves(seconds))
    bias = _linear(w, "distances.2", np.maximum(_linear(w, "distances.0", step_distances(seconds)), 0))
    for block in range(BLOCKS):
        name = f"blocks.{block}."
        near = bias[..., block * HEADS : (block + 1) * HEADS]
        x = x + _attention(w, name + "attention.", _normed(w, name + "before", x), near)
        x = x + _linear(w, name + "mlp.2", _gelu(_linear(w, name + "mlp.0", _normed(w, name + "between", x))))
    return _linear(w, "head", _normed(w, "last", x))


def _attention(w: Mapping[str, Floats], name: str, x: Floats, bias: Floats) -> Floats:
    """Return what each of `x` (strokes, width) finds in the others; `bias` (strokes, strokes, HEADS) is added."""
    keys, values = np.split(_linear(w, name + "key_value", x), 2, axis=1)
    query, key, value = (
        each.reshape(len(x), HEADS, -1).swapaxes(0, 1) for each in (_linear(w, name + "query", x), keys, values)
    )
    scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[2]) + bias.transpose(2, 0, 1)
    share = np.exp(scores - scores.max(axis=2, keepdims=True))
    found = share / share.sum(axis=2, keepdims=True) @ value
    return _linear(w, name + "out", found.swapaxes(0, 1).reshape(len(x), -1))


def _convolved(w: Mapping[str, Floats], name: str, x: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return images (images, channels, height, width) convolved, at every `STRIDE`-th place."""
    kernel = w[name + ".weight"]
    size = kernel.shape[-1]
    edge = (size // 2, size // 2)
    padded = np.pad(x, ((0, 0), (0, 0), edge, edge))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (2, 3))[:, :, ::STRIDE, ::STRIDE]
    return np.moveaxis(np.tensordot(windows, kernel, ((1, 4, 5), (1, 2, 3))) + w[name + ".bias"], -1, 1)


def _gelu(x: Floats) -> Floats:
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


def _linear(w: Mapping[str, Floats], name: str, x: NDArray[np.floating]) -> Floats:
    return np.asarray(x @ w[name + ".weight"].T + w[name + ".bias"], np.float64)


def _normed(w: Mapping[str, Floats], name: str, x: Floats) -> Floats:
    centred = x - x.mean(axis=1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + _LEAST_VARIANCE)
    return np.asarray(centred / deviation * w[name + ".weight"] + w[name + ".bias"])


@cache
def _filters() -> Audio:
    return mel_filters(np.fft.rfftfreq(_WINDOW, 1 / FEATURE_RATE), to_hz(band_points(*_HZ, BANDS))).astype(np.float32)


@cache
def _networks() -> tuple[dict[str, Floats], ...]:
    with np.load(WEIGHTS) as file:
        parts = {key: file[key].astype(np.float64) for key in file.files}
    numbers = sorted({key.partition(".")[0] for key in parts})
    return tuple(
        {key.removeprefix(f"{at}."): part for key, part in parts.items() if key.startswith(f"{at}.")} for at in numbers
    )
