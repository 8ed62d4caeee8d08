"""What a new drum is made of: its partials as parameters, and what they leave of its envelope."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.low_spectrum import LOW_HZ
from ghostnote.bridge.dsp.ringing import T60_NEPERS, Lines
from ghostnote.bridge.dsp.shape import (
    BAND_EDGES,
    BAND_HZ,
    BANDS,
    GROUPS,
    HOP_FRAMES,
    MDCT_BANDS,
    RATE,
    T60_SECONDS,
    describe_bands,
    group_power,
    late_t60,
    middle_t60,
    to_bands,
    to_groups,
)
from ghostnote.bridge.inference.drum_table import Drum
from ghostnote.bridge.inference.gliding_tone import Tone, gliding_tone
from ghostnote.bridge.inference.swell import Swell, draw_swell

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

LONGEST_SECONDS: Final = 10.0
"""No drum is longer."""

_EDGES_HZ: Final = np.array(BAND_EDGES) * (RATE / 2 / MDCT_BANDS)
_DENSITY: Final = ((0, 10, 14, 18, 22, 26, 30, 40, 60), (90, 90, 72, 52, 36, 26, 18, 9, 5))
"""Lines a kHz by prominence in dB."""
_SHARE: Final = ((0, 10, 12, 14, 16, 18, 22, 26, 30, 60), (0, 0, 0.4, 0.6, 0.75, 0.84, 0.955, 0.98, 0.99, 0.997))
"""Share of such lines in their band's energy by prominence in dB; both were found with lines in noise, from
22 dB on more is needed beside what the network makes."""
_SHAPE_FRAMES: Final = 128
BODY_FRAME: Final = 6
"""Many weak lines are as strong as the drum after its attack, 35 ms: that is mostly noise."""
_FULL_OF_MODES: Final = 0.25
"""Share of a band's energy, below the frequency above which cymbals and hats are full of lines."""
_CLOUDED_HZ: Final = 2100.0
_LEAST_REST: Final = 0.01
_LEVEL_SPREAD_DB: Final = 6.0
"""Of weak lines, each by itself."""
_DECAY_SPREAD: Final = 0.3
_HUM_HZ: Final = 300.0
"""What rings far longer than all around it, below this frequency, is the hum of a recording."""
_MOST_LASTING: Final = 2.0
_RISE_SECONDS: Final = 0.0005
_END_DB: Final = -75.0
_SILENT: Final = 1e-18
_THUMP: Final = ((5.0, 12.0, 20.0, 30.0), (0.65, 0.5, 0.25, 0.0))
"""How much of a tone's group is no line at first, by how far lines stand out there."""
_THUMP_SECONDS: Final = 0.08
_LONGEST_T60: Final = 4.0
"""Of kicks and toms: what a gate cut off seems to last."""
_MOST_LONGER: Final = 2.0
"""How much longer than its description a drum's bands may ring."""


@dataclass(frozen=True)
class Plan:
    """What a new drum is made of."""

    lines: Lines
    """The modes."""
    cloud: Lines
    """The many weak lines."""
    cloud_power: Array
    """(GROUPS, frames of the shape), what those have on average: their beats are no gaps for noise to fill."""
    tone: Tone | None
    phase: float
    """Of the tone, in radians."""
    t60: Array
    """(BANDS,) seconds."""
    seconds: float
    """When all has decayed."""
    prominence_db: Array
    """(BANDS,), how far lines stand out, as `Drum.prominence_db`."""
    swell: Swell
    """Of the cloud and of the residual."""
    low_db: Array | None = None
    """As `Drum.low_db`."""


def plan_drum(shape: Audio, drum: Drum, rng: np.random.Generator, *, pitched: bool) -> Plan:
    """Return the parts of a drum with this shape (rows, frames); `rng` draws what the drum leaves open."""
    power = group_power(shape[:GROUPS])
    bands = to_bands(power)
    energy = bands.sum(axis=1) * (HOP_FRAMES / RATE)
    longest = _LONGEST_T60 if pitched else T60_SECONDS[1]
    t60 = np.minimum(describe_bands(bands)[1], np.minimum(_MOST_LONGER * drum.t60, longest))
    late = late_t60(bands, np.minimum(np.maximum(t60, drum.t60), longest))
    modes, tone = drum.modes, None
    if pitched:
        thump = np.interp(drum.prominence_db[0], *_THUMP) * thump_course(power.shape[1])
        tone, modes = gliding_tone(shape, power * (1 - thump), modes, t60)
    lines = _modes(modes, drum, energy, t60, rng)
    frames = power.shape[1]
    taken = to_bands(_power_of(lines, frames))
    if tone is not None:
        taken[0] += np.square(tone.amplitude) / 2
    # What modes leave by decaying faster than their band is left as well.
    held = np.minimum(taken, bands)[:, BODY_FRAME:].sum(axis=1)
    used = held / np.maximum(bands[:, BODY_FRAME:].sum(axis=1), _SILENT)
    # Where a few lines have the power, they are what stands out; kicks and toms have no others.
    full = np.where(np.array(BAND_HZ[1:]) < _CLOUDED_HZ, _FULL_OF_MODES, 1.0)
    prominence = np.where((used < full) & (not pitched), drum.prominence_db, 0)
    # Where a band falls fast at first and slowly later, weak lines would be all that is left.
    cloud_t60 = np.minimum(np.maximum(t60, late), middle_t60(bands[:, BODY_FRAME:]))
    cloud = _cloud(power[:, BODY_FRAME:], prominence, 1 - used, cloud_t60, drum.low_db, rng)
    cloud_power = _power_of(cloud, frames)
    # The noise between its lines swells as they do.
    swell = draw_swell(np.where(pitched, 0, drum.prominence_db), rng)
    cloud = swell.over(cloud)
    taken = taken + to_bands(cloud_power)
    left = bands * np.clip(1 - taken / np.maximum(bands, _SILENT), _LEAST_REST, 1)
    seconds = _length(Lines.joined(lines, cloud), tone, left, late)
    phase = float(rng.uniform(-np.pi, np.pi))
    return Plan(lines, cloud, cloud_power, tone, phase, late, seconds, drum.prominence_db, swell, drum.low_db)


def thump_course(frames: int) -> Array:
    """Return how the power of a thump falls beside its tone's, over the frames of a shape, (frames,)."""
    return np.asarray(np.exp(-np.arange(frames) * (HOP_FRAMES / RATE / _THUMP_SECONDS)))


def _modes(modes: Array, drum: Drum, energy: Array, t60: Array, rng: np.random.Generator) -> Lines:
    """Return the lines of modes (modes, 3), in a shape whose bands have this energy and these decay times."""
    band = np.clip(np.searchsorted(BAND_HZ, modes[:, 0], "right") - 1, 0, BANDS - 1)
    share = 10 ** (modes[:, 1] / 10)
    total = np.bincount(band, share, BANDS)
    share = share / np.maximum(total[band] / (1 - _LEAST_REST), 1)
    longest = np.where(modes[:, 0] < _HUM_HZ, _MOST_LASTING * np.maximum(t60, drum.t60)[band], T60_SECONDS[1])
    seconds = np.clip(modes[:, 2] * np.sqrt(t60 / drum.t60)[band].clip(0.5, 2), T60_SECONDS[0], longest)
    return _lines(modes[:, 0], share * energy[band], seconds, rng)


def _cloud(
    power: Array, prominence: Array, share_left: Array, t60: Array, low_db: Array | None, rng: np.random.Generator
) -> Lines:
    """Return the many weak lines of a drum: as dense and as strong as the prominence (BANDS,) tells."""
    density = np.interp(prominence, *_DENSITY)
    share = np.interp(prominence, *_SHARE) * share_left
    widths = np.diff(BAND_HZ)
    counts = np.where(share > 0, np.rint(density * widths / 1000), 0).astype(int)
    band = np.repeat(np.arange(BANDS), counts)
    hz = np.array(BAND_HZ)[band] + widths[band] * rng.random(len(band))
    # The density of energy over frequency, between the middles of the groups.
    spectrum = np.log(power.sum(axis=1) * (HOP_FRAMES / RATE) / np.diff(_EDGES_HZ) + _SILENT)
    known = np.exp(np.interp(np.append(hz, LOW_HZ[-1]), (_EDGES_HZ[1:] + _EDGES_HZ[:-1]) / 2, spectrum))
    per_hz, at_last = known[:-1], known[-1]
    level = 10 ** (_LEVEL_SPREAD_DB * rng.standard_normal(len(band)) / 10)
    middles = (np.array(BAND_HZ)[1:] + np.array(BAND_HZ)[:-1]) / 2
    seconds = np.exp(np.interp(hz, middles, np.log(t60)) + _DECAY_SPREAD * rng.standard_normal(len(band)))
    energy = level * per_hz * share[band] * 1000 / np.maximum(density[band], 1)
    # Each group gets its share, however its few lines fall.
    group = _group_of(hz)
    wanted = to_groups(share) * power.sum(axis=1) * (HOP_FRAMES / RATE)
    energy *= (wanted / np.maximum(np.bincount(group, energy, GROUPS), _SILENT))[group]
    if low_db is not None:
        # Below, the groups have what leaks from those above.
        fallen = at_last * 10 ** (np.interp(np.log2(hz), np.log2(LOW_HZ), low_db - low_db[-1]) / 10)
        energy *= np.where(hz < LOW_HZ[-1], fallen / per_hz, 1)
    return _lines(hz, energy, np.clip(seconds, *T60_SECONDS), rng, BODY_FRAME)


def _lines(hz: Array, energy: Array, t60: Array, rng: np.random.Generator, first: int = 0) -> Lines:
    """Return lines with this energy from the `first` frame of a shape to its last."""
    rate = 2 * T60_NEPERS / t60
    start, end = first * HOP_FRAMES / RATE, _SHAPE_FRAMES * HOP_FRAMES / RATE
    lasting = (np.exp(-rate * start) - np.exp(-rate * end)) / rate
    amplitude = np.sqrt(2 * energy / lasting)
    phase = rng.uniform(-np.pi, np.pi, len(hz))
    return Lines(hz, amplitude, t60, phase, np.full(len(hz), _RISE_SECONDS))


def _power_of(lines: Lines, frames: int) -> Array:
    """Return the mean power (GROUPS, frames) of lines at the frames of a shape."""
    seconds = (np.arange(frames) + 0.5) * (HOP_FRAMES / RATE)
    power = np.square(lines.amplitude)[:, None] / 2 * np.exp(-2 * T60_NEPERS * seconds / lines.t60[:, None])
    group = _group_of(lines.hz)
    return np.array([power[group == i].sum(axis=0) for i in range(GROUPS)])


def _group_of(hz: Array) -> NDArray[np.intp]:
    return np.clip(np.searchsorted(_EDGES_HZ, hz, "right") - 1, 0, GROUPS - 1)


def _length(lines: Lines, tone: Tone | None, residual: Array, t60: Array) -> float:
    """Return the seconds after which every part lies far enough under the peak."""
    peak = float(np.sqrt(2 * residual.sum(axis=0).max()) + lines.amplitude.max(initial=0.0)) + _SILENT
    floor = 20 * np.log10(peak) + _END_DB
    ends = [0.05, *(lines.t60 * np.maximum(20 * np.log10(lines.amplitude + _SILENT) - floor, 0) / 60)]
    end = residual.shape[1] * HOP_FRAMES / RATE
    last = [(10 * np.log10(2 * residual[:, -8:].mean(axis=1) + _SILENT), t60)]
    if tone is not None:
        last.append((20 * np.log10(tone.amplitude[-8:].mean(keepdims=True) + _SILENT), np.array([tone.t60])))
    for level, seconds in last:
        ends += list(end + seconds * np.maximum(level - floor, 0) / 60)
    return float(np.clip(max(ends), end, LONGEST_SECONDS))
