"""The top of a hit that a low rate or a lossy format has cut away comes back; what lies below stays as it is.

How loud each band of the top is at each moment follows from what lies below, by regression over real drums. What
is in it is the octave below the cut, shifted up (spectral band replication, Dietz et al. 2002), noise, or what the
model makes where all below the cut is given.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.drums import label_of
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import fast_size
from ghostnote.bridge.dsp.top_bands import (
    BANDS,
    EDGES_HZ,
    HOP,
    MOMENTS_SECONDS,
    RATE,
    WINDOW,
    band_levels,
    predicted_levels,
    sound_of,
    spectra_of,
)
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.schedule import schedule
from ghostnote.bridge.io.arguments import check_seed
from ghostnote.bridge.kinds import find_class
from ghostnote.bridge.tools.arguments import check_steps, checked
from ghostnote.bridge.tools.spectral_cut import CUT_HZ, band_filtered, find_cut, without_bottom

Audio = NDArray[np.float32]
Array = NDArray[np.float64]
Filling = Literal["replicated", "noise", "model"]
"""What the top is made of."""
FILLINGS: Final = ("noise", "replicated", "model")

_MOST_GAIN_DB: Final = 60.0
_BEFORE_SECONDS: Final = 0.001
_ROUNDS: Final = 2
_COURSE_SECONDS: Final = 0.05
_LEAST_SHARE: Final = 0.05
"""Of a band that the cut divides: what lies this near to its end says too little."""


@dataclass(frozen=True, eq=False)
class Upsampled:
    """A hit with its top, and where that begins."""

    audio: Audio
    """(channels, frames)."""
    rate: int
    """In Hz: the hit's, or 44,100 for one of a lower rate."""
    cut_hz: float
    """Above this all is new."""


def upsample(
    hit: ArrayLike,
    rate: int,
    drum_class: str,
    *,
    above: float | None = None,
    filling: Filling = "noise",
    generator: Generator | None = None,
    seed: int = 1,
    steps: int | None = None,
) -> Upsampled:
    """Return a hit (channels, frames) with a top above `above` Hz, or above the cut that is found.

    A rate under 44.1 kHz becomes that. Below the cut nothing changes. `InputError` where no cut is found, or for one
    that is not within 1,500 Hz to 20,500 Hz and the half of the rate.
    """
    audio = checked(hit, rate)
    check_seed(seed)
    check_steps(steps)
    cut = find_cut(audio, rate) if above is None else above
    if cut is None:
        raise InputError("its spectrum fades without a cut, so that nothing seems to be missing: give --above HZ")
    if not CUT_HZ[0] <= cut <= min(CUT_HZ[1], rate / 2):
        raise InputError(f"{cut:g} Hz is not a cut: choose {CUT_HZ[0]:g} to {min(CUT_HZ[1], rate / 2):g}")
    final_rate = max(rate, RATE)
    whole = resample(audio, rate, final_rate)
    at_model_rate = resample(whole, final_rate, RATE)
    rng = np.random.default_rng(seed)
    label = label_of(find_class(drum_class))
    tops = []
    for channel in at_model_rate:
        source = _excitation(channel, cut, filling, rng)
        top = _shaped(source, predicted_levels(band_levels(channel), cut), cut, onset_frame(channel[None]))
        if filling == "model":
            made = _by_model(channel + top, cut, label, generator or Generator.open(), rng, steps)
            top = _shaped(made, predicted_levels(band_levels(channel), cut), cut, onset_frame(channel[None]))
        tops.append(top if filling == "replicated" else top * _late_course(channel, cut))
    low = band_filtered(whole, final_rate, cut, high=False) if above is not None else whole
    top = resample(np.asarray(tops, np.float32), RATE, final_rate)
    return Upsampled(low + top[:, : low.shape[1]], final_rate, cut)


def _excitation(channel: Audio, cut: float, filling: Filling, rng: np.random.Generator) -> Audio:
    """Return what fills the top before it is shaped, (frames,): noise, or the octave below the cut moved up."""
    if filling == "noise":
        return rng.standard_normal(len(channel)).astype(np.float32)
    size = fast_size(len(channel) + RATE // 20)
    spectrum = np.fft.rfft(channel, size)
    first = int(0.96 * cut * size / RATE)
    width = first // 2
    moved = np.zeros_like(spectrum)
    for start in range(first, len(spectrum), width):
        count = min(width, len(spectrum) - start)
        moved[start : start + count] = spectrum[first - width : first - width + count]
    return np.fft.irfft(moved, size)[: len(channel)].astype(np.float32)


def replicated_plainly(low: Audio, cut: float) -> Audio:
    """Return a hit (channels, frames) at 44.1 kHz with a top by band replication alone, to compare with.

    Each band has the course of the octave below the cut, and levels go on falling as they do over its two octaves.
    """
    made = []
    for channel in low:
        levels = band_levels(channel)
        middles = (np.log2(EDGES_HZ[:-1]) + np.log2(EDGES_HZ[1:])) / 2
        octave = (np.array(EDGES_HZ[1:]) <= 0.94 * cut) & (np.array(EDGES_HZ[:-1]) >= cut / 4)
        mean = np.log10((10 ** (np.nan_to_num(levels, nan=-160.0) / 10)).mean(axis=1)) * 10
        slope = min(0.0, float(np.polyfit(middles[octave], mean[octave], 1)[0]))
        last = int(np.flatnonzero(octave)[-1])
        steps = np.maximum(np.arange(BANDS) - last, 0) / 3
        above = levels[last] + slope * steps[:, None]
        source = _excitation(channel, cut, "replicated", np.random.default_rng(0))
        made.append(_shaped(source, above, cut, onset_frame(channel[None])))
    return low + np.asarray(made, np.float32)


def _shaped(source: Audio, levels_db: Array, cut: float, onset: int) -> Audio:
    """Return a sound (frames,) whose bands have these levels (BANDS, MOMENTS), without what lies below the cut."""
    shaped = source
    spectra = spectra_of(source)
    moments = (np.array(MOMENTS_SECONDS[:-1]) + np.array(MOMENTS_SECONDS[1:])) / 2
    seconds = (np.arange(len(spectra)) * HOP - WINDOW / 2 - onset) / RATE
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    spectra[:, (hz < cut - RATE / WINDOW) | (hz > EDGES_HZ[-1])] = 0
    # A window sees ahead, and the top must not begin before the hit.
    begun = np.clip((np.arange(len(source)) - onset) / (_BEFORE_SECONDS * RATE) + 1, 0, 1).astype(np.float32)
    bins = np.log2(np.maximum(hz, 1))
    centres = (np.log2(EDGES_HZ[:-1]) + np.log2(EDGES_HZ[1:])) / 2
    place = np.log(np.maximum(seconds, 1e-3))
    # Of the band that the cut divides only a part is here, and of those below nothing: their gains say nothing.
    first = int(np.searchsorted(EDGES_HZ[1:], cut, "right"))
    wanted_db = levels_db.copy()
    wanted_db[first] += 10 * np.log10(max((EDGES_HZ[first + 1] - cut) / np.diff(EDGES_HZ)[first], _LEAST_SHARE))
    for _ in range(_ROUNDS):
        gains_db = np.nan_to_num(np.clip(wanted_db - band_levels(shaped), -_MOST_GAIN_DB, _MOST_GAIN_DB))
        gains_db[:first] = gains_db[first]
        in_time = np.array([np.interp(place, np.log(moments), gains_db[band]) for band in range(BANDS)])
        curve = np.array([np.interp(bins, centres, in_time[:, at]) for at in range(len(seconds))])
        spectra = spectra * 10 ** (curve / 20)
        shaped = without_bottom(sound_of(spectra, len(source)).astype(np.float32) * begun, cut)
    return shaped


def _late_course(channel: Audio, cut: float) -> Audio:
    """Return the gain (frames,) of the top after the last moment: it falls as the octave below the cut does."""
    size = fast_size(len(channel) + RATE // 20)
    spectrum = np.fft.rfft(channel, size)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    spectrum[(hz < cut / 2) | (hz > 0.94 * cut)] = 0
    octave = np.fft.irfft(spectrum, size)[: len(channel)]
    frames = round(_COURSE_SECONDS * RATE)
    power = np.convolve(np.square(octave), np.hanning(frames + 2)[1:-1] / (frames + 1) * 2, "same") + 1e-20
    last = onset_frame(channel[None]) + round(sum(MOMENTS_SECONDS[-2:]) / 2 * RATE)
    if last >= len(channel):
        return np.ones(len(channel), np.float32)
    gain = np.sqrt(np.minimum.accumulate(power[last:] / power[last]))
    return np.concatenate([np.ones(last), np.minimum(gain, 1)]).astype(np.float32)


def _by_model(
    hit: Audio, cut: float, label: int, generator: Generator, rng: np.random.Generator, steps: int | None
) -> Audio:
    """Return what the model makes of a hit (frames,) whose bands below the cut are given and whose top is free."""
    card = generator.card
    head = np.pad(hit, (0, max(0, card.hit_frames - len(hit))))[: card.hit_frames]
    band_hz = RATE / 2 / card.bands
    given = (np.arange(card.bands) + 1) * band_hz <= cut
    mask = np.broadcast_to(given[:, None], (card.bands, card.mdct_frames)).astype(np.float32)
    made = generator.run(
        1,
        label,
        hit=head[None],
        has_hit=np.ones(1, np.float32),
        coherence=np.zeros((1, *card.coherence_size), np.float32),
        noise=rng.standard_normal((1, card.bands, card.mdct_frames), np.float32),
        mask=mask[None],
        schedule=schedule(max(1, card.default_steps if steps is None else steps)),
    )[0][0]
    whole = hit.copy()
    kept = min(len(hit), card.hit_frames)
    whole[:kept] = made[:kept]
    return whole
