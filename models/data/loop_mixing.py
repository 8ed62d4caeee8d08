"""Hits that are mixed to a loop, with which of them can be heard."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.mdct import RATE

Audio = NDArray[np.float32]

RUNG_SECONDS: Final = 2.0
"""No stroke lasts longer."""
_SHARES_AT: Final = (0, 1764, 5292)
_INAUDIBLE: Final = 1e-9
_LEAST_SHARE: Final = 0.01
_BAND_EDGES_HZ: Final = (120, 250, 500, 1000, 2000, 4000, 8000)
_KNOTS: Final = 8
_EQUALIZED_HZ: Final = (40.0, 20_000.0)
_EQUALIZER_DB: Final = 3.0
_IN_A_ROOM: Final = 0.25
_ROOM_SECONDS, _ROOM_DB = (0.15, 0.8), (-25.0, -8.0)
_SATURATED: Final = 0.25
_NOISY: Final = 0.3
_NOISE_DB: Final = (-80.0, -55.0)


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop and what is struck in it."""

    mono: Audio
    """(frames,) at 44.1 kHz."""
    onsets: Sequence[int]
    """Frames, in ascending order."""
    struck: NDArray[np.bool_]
    """Which classes are struck and heard at each onset, (onsets, classes)."""


@dataclass(frozen=True, eq=False)
class LoopDrum:
    """One drum of a loop, as it sounds there."""

    label: int
    strokes: Sequence[Audio]
    level_db: float


def mixed(
    events: Mapping[int, Sequence[tuple[LoopDrum, float]]], onsets: Sequence[int], rng: np.random.Generator
) -> Loop:
    """Return the loop of events that come at `onsets`, and which of what is struck can be heard."""
    mono = np.zeros(onsets[-1] + round(RUNG_SECONDS * RATE), np.float32)
    struck = np.zeros((len(onsets), len(CLASS_NAMES)), bool)
    for onset, step, labels in zip(onsets, sorted(events), struck, strict=True):
        before = _powers(mono[onset:])
        parts = []
        for drum, velocity in events[step]:
            # Velocities mean more on some drums than on others.
            level_db = drum.level_db + 40 * np.log10(velocity) * rng.uniform(0.5, 1)
            stroke = drum.strokes[int(rng.integers(len(drum.strokes)))][: len(mono) - onset]
            parts.append((drum.label, stroke * np.float32(10 ** (level_db / 20))))
            mono[onset : onset + len(stroke)] += parts[-1][1]
        whole = before + _powers(mono[onset:])
        heard = [label for label, stroke in parts if _stands_out(_powers(stroke), whole)]
        labels[heard or [max(parts, key=lambda part: float(np.abs(part[1]).max()))[0]]] = True
    return Loop(mono, onsets, struck)


def _stands_out(hit: NDArray[np.float64], whole: NDArray[np.float64]) -> bool:
    """Return whether a hit has a share of the `_powers` at some time: what nobody can hear is not asked for."""
    return bool((hit > _LEAST_SHARE * whole + _INAUDIBLE).any())


def _powers(sound: Audio) -> NDArray[np.float64]:
    """Return the power of eight bands in the first two spans of a sound (frames,), (spans, bands)."""
    powers = []
    for first, last in itertools.pairwise(_SHARES_AT):
        part = np.zeros(last - first, np.float32)
        found = sound[first:last]
        part[: len(found)] = found
        spectrum = np.square(np.abs(np.fft.rfft(part * _window(len(part)))))
        powers.append(np.add.reduceat(spectrum, _edges(len(part))))
    return np.array(powers, np.float64)


@cache
def _window(frames: int) -> Audio:
    return np.hanning(frames).astype(np.float32)


@cache
def _edges(frames: int) -> NDArray[np.intp]:
    return np.searchsorted(np.fft.rfftfreq(frames, 1 / RATE), (0, *_BAND_EDGES_HZ))


def random_equalizer(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the gains of a random equalizer in dB, at equal distances from 40 Hz to 20 kHz in octaves."""
    gains = np.convolve(rng.standard_normal(_KNOTS + 2), np.ones(3) / np.sqrt(3), "valid")
    return np.asarray(_EQUALIZER_DB * gains, np.float32)


def equalized(sound: Audio, gains_db: NDArray[np.float32]) -> Audio:
    """Return a sound (frames,) through an equalizer of zero phase."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE), 1.0))
    gain = 10 ** (np.interp(octaves, np.log2(np.geomspace(*_EQUALIZED_HZ, _KNOTS)), gains_db) / 20)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * gain, len(sound)), np.float32)


def colored(mono: Audio, rng: np.random.Generator) -> Audio:
    """Return a loop through a bus: some are in a room, some saturate, some have noise."""
    if rng.random() < _IN_A_ROOM:
        mono = _in_a_room(mono, rng)
    peak = max(float(np.abs(mono).max()), 1e-6)
    if rng.random() < _SATURATED:
        drive = rng.uniform(1, 3) / peak
        mono = (np.tanh(drive * mono) / drive).astype(np.float32)
    if rng.random() < _NOISY:
        noise = rng.standard_normal(len(mono), np.float32) * np.float32(peak * 10 ** (rng.uniform(*_NOISE_DB) / 20))
        mono = mono + noise
    return mono


def _in_a_room(mono: Audio, rng: np.random.Generator) -> Audio:
    """Return a loop with the noise of a room that decays after it."""
    frames = round(rng.uniform(*_ROOM_SECONDS) * RATE)
    decay = rng.standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
    decay *= 10 ** (rng.uniform(*_ROOM_DB) / 20) / np.sqrt(np.square(decay).sum())
    size = 1 << (len(mono) + frames).bit_length()
    room = np.fft.irfft(np.fft.rfft(mono, size) * np.fft.rfft(decay, size), size)[: len(mono)]
    return mono + room.astype(np.float32)
