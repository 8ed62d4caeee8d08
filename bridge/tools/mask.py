"""Masks in time and frequency: which parts of a hit a tool has to keep."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import fitted
from ghostnote.bridge.dsp.parts import Audio
from ghostnote.bridge.errors import InputError

_NUMBER: Final = r"(\d+(?:\.\d+)?)?"
_RANGE: Final = re.compile(rf"{_NUMBER}-{_NUMBER}(s|ms|hz|khz)|{_NUMBER}(s|ms|hz|khz)-")
_SCALES: Final = {"s": 1.0, "ms": 1e-3, "hz": 1.0, "khz": 1e3}
_HELP: Final = "write ranges as in 0-20ms, 200-2000hz or 0-0.05s@4khz-, several with commas between"
_WINDOW: Final = 1024
_SEAM_SECONDS: Final = 0.002
_EDGE_OCTAVES: Final = 0.1


@dataclass(frozen=True)
class Region:
    """A rectangle of time and frequency."""

    seconds: tuple[float, float] = (0.0, float("inf"))
    """From the beginning of the file."""
    hz: tuple[float, float] = (0.0, float("inf"))


@dataclass(frozen=True)
class Mask:
    """What to keep: everything that lies in one of its regions."""

    regions: tuple[Region, ...]


def parse_mask(text: str) -> Mask:
    """Return the mask of a text as `0-20ms,200-2000hz` or `0-50ms@4khz-`; `InputError` for anything else.

    An @ joins a time and a band to one region; a number that is left out means from the beginning or to the end.
    """
    return Mask(tuple(_region(part.strip(), text) for part in text.lower().split(",")))


def kept(original: Audio, changed: Audio, rate: int, mask: Mask) -> Audio:
    """Return `changed` (channels, frames or more) with the `original` where the mask says so."""
    whole = fitted(original, changed.shape[1])
    difference = changed - whole
    for region in mask.regions:
        difference -= _inside(difference, rate, region)
    return whole + difference


def _region(part: str, text: str) -> Region:
    ranges: dict[str, tuple[float, float]] = {}
    for piece in part.split("@"):
        match = _RANGE.fullmatch(piece.strip())
        if match is None:
            raise InputError(f"mask '{text}': '{piece}' is not a range; {_HELP}")
        low, high, unit, open_low, open_unit = match.groups()
        low, unit = open_low or low, open_unit or unit
        scale = _SCALES[unit]
        bounds = float(low or 0) * scale, float(high) * scale if high else float("inf")
        kind = "hz" if unit.endswith("hz") else "seconds"
        if bounds[0] >= bounds[1] or kind in ranges:
            raise InputError(f"mask '{text}': '{piece}' is empty, or the second of its kind; {_HELP}")
        ranges[kind] = bounds
    return Region(**ranges)


def _inside(audio: Audio, rate: int, region: Region) -> Audio:
    """Return what of audio (channels, frames) lies inside a region, with soft edges outside of it."""
    held = audio * _share(np.arange(audio.shape[1]) / rate, region.seconds, _SEAM_SECONDS)
    if region.hz == Region.hz:
        return held
    # Zero-padded by a window on either side, so that nothing wraps around.
    padded = np.pad(held, ((0, 0), (_WINDOW, _WINDOW)))
    hz = np.maximum(np.fft.rfftfreq(padded.shape[1], 1 / rate), 1.0)
    octaves = tuple(float(np.log2(max(edge, 1.0))) for edge in region.hz)
    spectra = np.fft.rfft(padded) * _share(np.log2(hz), (octaves[0], octaves[1]), _EDGE_OCTAVES)
    return np.fft.irfft(spectra, padded.shape[1])[:, _WINDOW:-_WINDOW].astype(np.float32)


def _share(place: NDArray[np.float64], bounds: tuple[float, float], edge: float) -> Audio:
    """Return 1 between the bounds and a cosine's fall to 0 over `edge` on either side."""
    outside = np.maximum(bounds[0] - place, place - bounds[1])
    return np.asarray(np.cos(np.clip(outside / edge, 0, 1) * (np.pi / 2)) ** 2, np.float32)
