"""Judges `repair`: gaps in held-out hits, filled, beside linear interpolation and autoregressive repair."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.autoregression import burg, expected
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.tools.damage import is_cut
from ghostnote.bridge.tools.repair import repair
from ghostnote.models.evaluate.distributions import bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import ToolRow, ToolSplit, share

Array = NDArray[np.float64]

_RATE: Final = 44_100
_GAPS_MS: Final = (5, 10, 20, 50)
_CUTS_MS: Final = (0.5, 1.0, 2.0, 4.0)
_STARTS_SECONDS: Final = (0.01, 0.06)
_ORDER: Final = 100
_CONTEXT: Final = 2205
_WINDOW: Final = 256
"""Frames of a spectrum, 5.8 ms: the shortest gap fills one."""
_HOP: Final = 64
_FLOOR: Final = 1e-8
_LEAST_DB: Final = 2.0
_INFINITE: Final = float("inf")
_METHODS: Final = ("linear", "expected", "repair")


def judge_repair(split: ToolSplit, tick: Tick) -> Iterator[ToolRow]:
    """Return the rows: cut attacks that are found, and the log-spectral distance in gaps, beside the others'."""
    drums = split.drums()
    found: dict[tuple[int, str], list[float]] = {(ms, name): [] for ms in _GAPS_MS for name in _METHODS}
    for done, index in enumerate(drums):
        tick(done, len(drums))
        hit = np.asarray(split.hit(index)[0], np.float64)
        for ms in _GAPS_MS:
            cases = [_distances(hit, start, ms, split.seed) for start in _STARTS_SECONDS]
            cases = [case for case in cases if case]
            for at, name in enumerate(_METHODS):
                found[ms, name].append(float(np.mean([case[at] for case in cases])) if cases else float("nan"))
    whole = [np.asarray(split.hit(index)[0], np.float64) for index in drums]
    cut = [is_cut(hit[onset_frame(hit[None]) + round(ms * _RATE / 1000) :], _RATE) for hit in whole for ms in _CUTS_MS]
    yield ToolRow("repair", "hits cut 0.5 to 4 ms after their onset that are found, %", share(cut), digits=0)
    mistaken = share([is_cut(hit, _RATE) for hit in whole])
    yield ToolRow("repair", "whole hits that are taken for cut, %", mistaken, digits=0)
    for ms in _GAPS_MS:
        linear, least, ours = (np.array(found[ms, name]) for name in _METHODS)
        figure = f"log-spectral distance in gaps of {ms} ms (dB)"
        yield ToolRow("repair", figure, bootstrap(ours), None, bootstrap(linear), "linear interpolation")
        below = f"{figure}: below linear interpolation's"
        yield ToolRow("repair", below, bootstrap(linear - ours), (_LEAST_DB, _INFINITE))
        least_target = (0.0, _INFINITE) if ms in (5, 50) else None
        below = f"{figure}: below autoregressive interpolation's"
        yield ToolRow("repair", below, bootstrap(least - ours), least_target, bootstrap(least), "its own distance")


def _distances(hit: Array, start_seconds: float, ms: int, seed: int) -> list[float]:
    """Return the distance of each method in one gap; nothing where the hit is too short for it."""
    frames = ms * _RATE // 1000
    start = round(start_seconds * _RATE)
    end = start + frames
    if end + 2 * _WINDOW > len(hit):
        return []
    broken = hit.copy()
    broken[start:end] = 0
    linear, least = broken.copy(), broken.copy()
    linear[start:end] = np.interp(np.arange(start, end), (start - 1, end), (hit[start - 1], hit[end]))
    contexts = [hit[max(0, start - _CONTEXT) : start], hit[end : end + _CONTEXT]]
    order = min(_ORDER, min(map(len, contexts)) // 3)
    least[start:end] = expected(broken, start, end, burg(contexts, order)[0])
    mended = repair(broken[None].astype(np.float32), _RATE, start=start / _RATE, end=end / _RATE, seed=seed).audio[0]
    return [log_spectral_distance(each, hit, start, end) for each in (linear, least, mended)]


def log_spectral_distance(made: Array, real: Array, start: int, end: int) -> float:
    """Return the distance in dB of two signals (frames,) within a gap: RMS over bins, mean over windows."""
    window = np.hanning(_WINDOW + 2)[1:-1]
    first, last = max(0, start - _HOP), min(end + _HOP, len(real))
    powers = []
    for signal in (made, real):
        views = np.lib.stride_tricks.sliding_window_view(signal[first:last], _WINDOW)[::_HOP]
        powers.append(np.square(np.abs(np.fft.rfft(views * window))))
    floor = _FLOOR * powers[1].max() + 1e-20
    apart = 10 * np.log10((powers[0] + floor) / (powers[1] + floor))
    return float(np.sqrt(np.square(apart).mean(axis=1)).mean())
