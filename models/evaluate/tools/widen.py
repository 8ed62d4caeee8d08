"""Judges `widen`: how alike left and right are by band, and what mono keeps."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import label_of
from ghostnote.bridge.dsp.conversion import mixdown
from ghostnote.bridge.inference.variation import Reference, Variation, Variator
from ghostnote.bridge.tools.widen import Width, widen
from ghostnote.models.evaluate.distributions import bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import ToolRow, ToolSplit

Audio = NDArray[np.float32]

_RATE: Final = 44_100
_OCTAVES_HZ: Final = (250, 500, 1000, 2000, 4000, 8000)
_WIDTHS: Final = (0.5, 1.0)
_LEAST_SHARE: Final = 1e-4
"""A band with less of the hit's power than this is not judged."""
_DELAY_FRAMES: Final = 441
_INFINITE: Final = float("inf")


def judge_widen(split: ToolSplit, tick: Tick) -> Iterator[ToolRow]:
    """Return the rows: correlation, level in mono, what lies below 120 Hz, balance."""
    drums = split.drums()
    found: dict[str, list[float]] = {}
    for done, index in enumerate(drums):
        tick(done, len(drums))
        hit, name = split.hit(index), split.hits.files[index].drum_class
        for width in _WIDTHS:
            wide = widen(hit, _RATE, name, Width(width), generator=split.generator, seed=split.seed)
            found.setdefault(f"apart{width}", []).append(_off(wide, 1 - width, hit))
        found.setdefault("mono", []).append(abs(_level_db(wide.mean(axis=0)) - _level_db(hit[0])))
        found.setdefault("low", []).append(_correlation(wide, 20, 120, hit))
        found.setdefault("balance", []).append(abs(_level_db(wide[0]) - _level_db(wide[1])))
        exact = widen(hit, _RATE, name, Width(1.0, exact_mono=True), generator=split.generator, seed=split.seed)
        found.setdefault("exact", []).append(_level_db(exact.mean(axis=0) - hit[0]) - _level_db(hit[0]))
        two = Variator(split.generator).next_stroke(
            Reference(hit, label_of(name)), Variation(split.seed, width=1.0), index=0
        )
        late = np.stack([hit[0], np.pad(hit[0], (_DELAY_FRAMES, 0))[: hit.shape[1]]])
        for baseline, sides in (("two", two), ("late", late)):
            found.setdefault(f"{baseline} apart", []).append(_off(sides, 0.0, hit))
            mono_db = _worst_band_db(mixdown(sides, 2).mean(axis=0), hit[0])
            found.setdefault(f"{baseline} bands", []).append(mono_db)
            found.setdefault(f"{baseline} mono", []).append(abs(_level_db(sides.mean(axis=0)) - _level_db(hit[0])))
            found.setdefault(f"{baseline} low", []).append(_correlation(sides, 20, 120, hit))
        found.setdefault("bands", []).append(_worst_band_db(wide.mean(axis=0), hit[0]))
    yield from _rows(found)


def _rows(found: dict[str, list[float]]) -> Iterator[ToolRow]:
    two, late = "left and right two strokes", "right side 10 ms late"
    for width in _WIDTHS:
        figure = f"correlation of octaves from 250 Hz, off from {1 - width:g}"
        baseline = bootstrap(found["two apart"]) if width == 1 else None
        yield ToolRow("widen", figure, bootstrap(found[f"apart{width}"]), (0, 0.15), baseline, two if baseline else "")
    mono = "level in mono, off by (dB), 95th of 100"
    worst = [bootstrap([np.percentile(found[key], 95)]) for key in ("mono", "two mono", "late mono")]
    yield ToolRow("widen", mono, worst[0], (0, 0.5), worst[1], two)
    yield ToolRow("widen", mono, worst[0], (0, 0.5), worst[2], late)
    bands = "worst octave in mono, off by (dB)"
    yield ToolRow("widen", bands, bootstrap(found["bands"]), None, bootstrap(found["late bands"]), late)
    yield ToolRow("widen", "--exact-mono: mono's error (dB)", bootstrap(found["exact"]), (-_INFINITE, -120), digits=0)
    low = "correlation below 120 Hz"
    yield ToolRow("widen", low, bootstrap(found["low"]), (0.95, 1), bootstrap(found["late low"]), late)
    yield ToolRow("widen", "left beside right (dB)", bootstrap(found["balance"]), (0, 0.5))


def _spectra(sides: Audio, low: float, high: float) -> NDArray[np.complex128]:
    hz = np.fft.rfftfreq(sides.shape[1], 1 / _RATE)
    return np.fft.rfft(sides)[:, (hz >= low) & (hz < high)]


def _has(hit: Audio, low: float, high: float) -> bool:
    whole = np.square(np.abs(_spectra(hit, 0, _RATE))).sum()
    return bool(np.square(np.abs(_spectra(hit, low, high))).sum() > _LEAST_SHARE * whole)


def _correlation(sides: Audio, low: float, high: float, hit: Audio) -> float:
    """Return the correlation of two sides between two frequencies; NaN where the hit has nothing there."""
    if not _has(hit, low, high):
        return float("nan")
    left, right = _spectra(sides, low, high)
    return float((left * right.conj()).real.sum() / np.sqrt((np.abs(left) ** 2).sum() * (np.abs(right) ** 2).sum()))


def _off(sides: Audio, target: float, hit: Audio) -> float:
    """Return how far the correlation of octaves is from a target, on average."""
    return float(np.nanmean([abs(_correlation(sides, hz, 2 * hz, hit) - target) for hz in _OCTAVES_HZ]))


def _worst_band_db(mono: Audio, hit: Audio) -> float:
    """Return how far the level of an octave is off at most, in dB."""
    pair = np.stack([mono, hit])
    judged = [hz for hz in _OCTAVES_HZ if _has(hit[None], hz, 2 * hz)]
    powers = [np.square(np.abs(_spectra(pair, hz, 2 * hz))).sum(axis=1) for hz in judged]
    return float(max((abs(10 * np.log10(made / own)) for made, own in powers), default=float("nan")))


def _level_db(audio: Audio) -> float:
    return float(10 * np.log10(np.square(audio, dtype=np.float64).sum() + 1e-30))
