"""Descriptions of the corpus's drums, one for each: levels and decay of their bands, lines, and modes."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ghostnote.bridge.dsp.band_lines import body_spectrum, has_body, line_prominence
from ghostnote.bridge.dsp.low_spectrum import body_window, low_levels
from ghostnote.bridge.dsp.ringing import T60_NEPERS
from ghostnote.bridge.dsp.shape import BAND_HZ, BANDS, T60_SECONDS, describe_bands, group_power, to_bands
from ghostnote.bridge.inference.drum_table import MODES, DrumTable
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.dsp.decomposition import envelope
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE, analyse, to_peak

Array = NDArray[np.float64]

_MOST_DRUMS: Final = 48
"""Drums of one kind that are described."""
_LONGEST_WINDOW: Final = 8192
_STEP_SHARE: Final = 0.5
"""How much later the second begins, as a share of the window."""
_LINE_DB: Final = 18.0
_SURROUNDINGS_HZ: Final = 600.0
_WEAKEST_DB: Final = -35.0
_LOWEST_HZ: Final = 35.0
_HIGHEST_HZ: Final = 12_000.0
_TINY: Final = 1e-12


def measure_drums(hits: HitSet) -> DrumTable:
    """Return the table of the drums of `hits`: of each the loudest stroke, and of each kind at most `_MOST_DRUMS`."""
    chosen = _chosen(hits)
    audio = to_peak(hits.audio[chosen].cpu())
    envelopes = torch.cat([envelope(analyse(part)) for part in audio.split(64)]).numpy()
    described = [_described(x, e) for x, e in zip(audio.numpy().astype(float), envelopes, strict=True)]
    return DrumTable(
        tuple(_kind(hits, i) for i in chosen),
        tuple(int(hits.labels[i]) for i in chosen),
        tuple(bands for bands, _ in described),
        tuple(modes for _, modes in described),
        tuple(tuple(low_levels(x).round(1).tolist()) for x in audio.numpy().astype(float)),
    )


def _kind(hits: HitSet, i: int) -> str:
    return hits.kinds[i] if hits.kinds else ""


def _chosen(hits: HitSet) -> list[int]:
    """Return the loudest stroke of each drum, as many of each kind as count."""
    level = hits.peak_db.cpu().numpy()
    loudest = [max(group, key=lambda i: float(level[i])) for group in hits.groups]
    grouped = {i for group in hits.groups for i in group}
    drums = sorted([*loudest, *(i for i in range(len(level)) if i not in grouped)])
    sizes = Counter((int(hits.labels[i]), _kind(hits, i)) for i in drums)
    seen: Counter[tuple[int, str]] = Counter()
    kept = []
    for i in drums:
        key = int(hits.labels[i]), _kind(hits, i)
        seen[key] += 1
        # Evenly spread over all of the kind.
        share = min(1.0, _MOST_DRUMS / sizes[key])
        if int(seen[key] * share) > int((seen[key] - 1) * share):
            kept.append(i)
    return kept


def _described(x: Array, log_envelope: NDArray[np.float32]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the columns of a hit (HIT_FRAMES,), its bands' and its modes'."""
    power = to_bands(group_power(log_envelope))
    level, t60 = describe_bands(power)
    # Of a drum that has died away too soon nothing is known.
    prominence = line_prominence(body_spectrum(x)) if has_body(x) else np.zeros(BANDS)
    bands = np.stack([level, np.log2(t60), prominence])
    energy = power.sum(axis=1) * (256 / RATE)
    return tuple(bands.round(2).ravel().tolist()), tuple(_modes(x, energy).ravel().tolist())


def _modes(x: Array, energy: Array) -> Array:
    """Return the strongest lines of a hit whose bands hold `energy`, as `Drum.modes`; frequency 0 for none."""
    window, start = body_window(x, _LONGEST_WINDOW)
    first, second = (_spectrum(x[at : at + window], window) for at in (start, start + int(window * _STEP_SHARE)))
    found = np.zeros((MODES, 3))
    at = 0
    for peak in _peaks(first, window):
        hz = _vertex(first, peak) * RATE / (2 * window)
        fall = (first[peak - 2 : peak + 3].max() - second[peak - 2 : peak + 3].max()) / (window * _STEP_SHARE) * RATE
        t60 = float(np.clip(60 / max(fall, 1e-3), *T60_SECONDS))
        # A decaying line's level is that of the window's middle.
        amplitude = 10 ** (first[peak] / 20 + 3 * (start + window / 2) / RATE / t60)
        rate = 2 * T60_NEPERS / t60
        own = amplitude**2 / 2 * (1 - np.exp(-rate * HIT_FRAMES / RATE)) / rate
        band = int(np.clip(np.searchsorted(BAND_HZ, hz, "right") - 1, 0, BANDS - 1))
        share = 10 * np.log10(own / max(energy[band], _TINY) + _TINY)
        if share > _WEAKEST_DB and at < MODES:
            found[at] = round(hz, 1), round(min(share, 0.0), 1), round(t60, 3)
            at += 1
    return found


def _spectrum(x: Array, window: int) -> Array:
    """Return the level of lines in dB, (bins,), at twice the window's resolution: a sine's amplitude at its peak."""
    shape = np.hanning(window)
    return np.asarray(20 * np.log10(np.abs(np.fft.rfft(x * shape, 2 * window)) * 2 / shape.sum() + _TINY))


def _peaks(level: Array, window: int) -> Sequence[int]:
    """Return the bins of lines that stand out, the strongest first."""
    per_hz = 2 * window / RATE
    around = int(_SURROUNDINGS_HZ / 2 * per_hz)
    low, high = int(_LOWEST_HZ * per_hz), int(_HIGHEST_HZ * per_hz)
    highest = np.lib.stride_tricks.sliding_window_view(level, 7).max(axis=1)
    tops = low + 3 + np.flatnonzero(level[low + 3 : high] == highest[low : high - 3])
    found = [int(i) for i in tops if level[i] - np.median(level[max(0, i - around) : i + around]) > _LINE_DB]
    found.sort(key=lambda i: -level[i])
    return [i for i in found if level[i] > level[found[0]] + _WEAKEST_DB]


def _vertex(level: Array, peak: int) -> float:
    """Return where the parabola through a peak has its vertex, in bins."""
    left, middle, right = level[peak - 1 : peak + 2]
    return float(peak + (left - right) / (2 * min(left - 2 * middle + right, -_TINY)))
