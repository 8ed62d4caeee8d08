"""Judges `upsample`: the top of held-out hits, cut off and made anew, beside plain resampling and band replication."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.top_bands import WINDOW, spectra_of
from ghostnote.bridge.tools.spectral_cut import band_filtered, find_cut
from ghostnote.bridge.tools.upsample import FILLINGS, replicated_plainly, upsample
from ghostnote.models.evaluate.distributions import bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import ToolRow, ToolSplit, share

Audio = NDArray[np.float32]

_RATE: Final = 44_100
_CUTS_HZ: Final = (4000.0, 8000.0, 11_000.0)
_LEAD: Final = 2205
_TOP_HZ: Final = 20_000.0
_FLOOR: Final = 1e-6
_LEAST_SHARE: Final = 1e-4
_INFINITE: Final = float("inf")


def judge_upsample(split: ToolSplit, tick: Tick) -> Iterator[ToolRow]:
    """Return the rows: the log-spectral distance above three cuts, what changes below, and whether cuts are found."""
    drums = split.drums()
    found: dict[tuple[float, str], list[float]] = {}
    below: list[float] = []
    right: list[bool] = []
    for done, index in enumerate(drums):
        tick(done, len(drums))
        # With room for what a filter of linear phase rings ahead.
        hit, name = np.pad(split.hit(index), ((0, 0), (_LEAD, _LEAD))), split.hits.files[index].drum_class
        for cut in _CUTS_HZ:
            top = band_filtered(hit, _RATE, cut, high=True)
            if np.square(top).sum() < _LEAST_SHARE * np.square(hit).sum():
                continue
            low = hit - top
            made = {"plain": low, "replication": replicated_plainly(low, cut)}
            for filling in FILLINGS:
                result = upsample(
                    low, _RATE, name, above=cut, filling=filling, generator=split.generator, seed=split.seed
                )
                made[filling] = result.audio
            changed = band_filtered(made["noise"] - low, _RATE, cut - 300, high=False)
            below.append(10 * np.log10(float(np.square(changed).sum() / np.square(low).sum()) + 1e-20))
            for key, audio in made.items():
                found.setdefault((cut, key), []).append(distance_above(audio[0], hit[0], cut))
            at = find_cut(low, _RATE)
            right.append(at is not None and abs(at / cut - 1) < 0.1)
    for cut in _CUTS_HZ:
        yield from _rows(cut, {key: np.array(values) for (of, key), values in found.items() if of == cut})
    yield ToolRow("upsample", "change below the cut (dB)", bootstrap(below), (-_INFINITE, -80), digits=0)
    yield ToolRow("upsample", "cuts found within 10 % (%)", share(right), digits=0)


def _rows(cut: float, found: dict[str, NDArray[np.float64]]) -> Iterator[ToolRow]:
    if not found:
        return
    figure = f"log-spectral distance above {cut / 1000:g} kHz (dB)"
    ours, replication = found["noise"], found["replication"]
    yield ToolRow("upsample", figure, bootstrap(ours), None, bootstrap(found["plain"]), "plain resampling")
    yield ToolRow("upsample", figure, bootstrap(ours), None, bootstrap(replication), "band replication")
    yield ToolRow("upsample", f"{figure}: below band replication's", bootstrap(replication - ours), (0, _INFINITE))
    moved = bootstrap(found["replicated"])
    yield ToolRow("upsample", f"{figure}: of the octave below", moved, None, bootstrap(ours), "the default")
    yield ToolRow(
        "upsample", f"{figure}: of the model", bootstrap(found["model"]), None, bootstrap(ours), "the default"
    )


def distance_above(made: Audio, real: Audio, cut: float) -> float:
    """Return the log-spectral distance in dB of two hits (frames,) in thirds of octaves above a cut.

    RMS over bands, mean over windows of 5.8 ms in which the real one is not 60 dB below its loudest.
    """
    hz = np.fft.rfftfreq(WINDOW, 1 / _RATE)
    edges = np.geomspace(1.03 * cut, _TOP_HZ, max(3, round(3 * np.log2(_TOP_HZ / cut))) + 1)
    half = _RATE / WINDOW / 2
    powers = []
    for audio in (made, real):
        power = np.square(np.abs(spectra_of(audio)))
        bands = [(hz >= low - half) & (hz < high + half) for low, high in pairwise(edges)]
        powers.append(np.array([power[:, band].mean(axis=1) for band in bands]))
    floor = _FLOOR * powers[1].max() + 1e-14
    sounding = powers[1].max(axis=0) > floor
    apart = 10 * np.log10((powers[0] + floor) / (powers[1] + floor))[:, sounding]
    return float(np.sqrt(np.square(apart).mean(axis=0)).mean())
