"""Judges `melody`: the pitch of notes over two octaves, and whether they still sound like their drum."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.features import features
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.variation import Variation
from ghostnote.bridge.tools.melody import Note, play_melody
from ghostnote.bridge.tools.pitch import drum_pitch
from ghostnote.models.evaluate.distributions import bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import ToolRow, ToolSplit, share

Audio = NDArray[np.float32]

_RATE: Final = 44_100
_CLASSES: Final = ("tom", "perc", "kick", "ride")
_SEMITONES: Final = (-12, -7, -3, 4, 9, 12)
_WINDOW_SECONDS: Final = (0.05, 0.55)
_AROUND: Final = 2 ** (2 / 12)
_SIZE: Final = 2**18


def judge_melody(split: ToolSplit, tick: Tick) -> Iterator[ToolRow]:
    """Return the rows; a drum counts where it has a pitch at all."""
    pitched = []
    for index in split.drums(_CLASSES):
        hit = split.hit(index)
        try:
            pitched.append((index, drum_pitch(hit, _RATE).hz))
        except InputError:
            continue
    cents: list[float] = []
    plain_cents: list[float] = []
    own: list[bool] = []
    for done, (index, hz) in enumerate(pitched):
        tick(done, len(pitched))
        hit = split.hit(index)
        at_home = _line(hit[0], hz)
        errors, plain = [], []
        for semitones in _SEMITONES:
            ratio = 2 ** (semitones / 12)
            made = _note(split, index, hz, semitones)
            errors.append(_cents(_line(made[0], hz * ratio), at_home * ratio))
            plain.append(_cents(_line(_faster(hit, ratio)[0], hz * ratio), at_home * ratio))
            own.append(_nearest(made, index, semitones, split, pitched))
        cents.append(float(np.median(np.abs(errors))))
        plain_cents.append(float(np.median(np.abs(plain))))
    yield ToolRow(
        "melody",
        "pitch over two octaves, off by (cents)",
        bootstrap(cents),
        (0, 5),
        bootstrap(plain_cents),
        "resampled",
    )
    worst = f"drums within 5 cents (%), of {len(pitched)}"
    yield ToolRow("melody", worst, share([value <= 5 for value in cents]), digits=0)
    figure = "own drum nearest, of all resampled to the note (%)"
    yield ToolRow(
        "melody", figure, share(own), None, bootstrap([100 / max(len(pitched), 1)], "mean"), "chance", digits=0
    )


def _note(split: ToolSplit, index: int, hz: float, semitones: int) -> Audio:
    """Return one note of a melody, that many semitones from the drum's own pitch."""
    pitch = 69 + 12 * float(np.log2(hz / 440)) + semitones
    name = split.hits.files[index].drum_class
    notes = [Note(0.0, pitch, 127)]
    variation = Variation(split.seed)
    return play_melody(
        notes, split.hit(index), _RATE, name, generator=split.generator, variation=variation, pitch_hz=hz
    )


def _faster(hit: Audio, ratio: float) -> Audio:
    return resample(hit, _RATE, round(_RATE / ratio))


def _line(hit: Audio, hz: float) -> float:
    """Return the frequency of the strongest line of a hit (frames,) within two semitones of `hz`."""
    onset = onset_frame(hit[None])
    part = hit[onset + round(_WINDOW_SECONDS[0] * _RATE) : onset + round(_WINDOW_SECONDS[1] * _RATE)]
    if len(part) < round(0.05 * _RATE):
        return float("nan")
    level = np.log(np.abs(np.fft.rfft(part * np.blackman(len(part)), _SIZE)) + 1e-12)
    low, high = round(hz / _AROUND * _SIZE / _RATE), round(hz * _AROUND * _SIZE / _RATE)
    peak = low + int(level[low : high + 1].argmax())
    left, middle, right = level[peak - 1 : peak + 2].tolist()
    bend = left - 2 * middle + right
    return float((peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)) * _RATE / _SIZE)


def _cents(found: float, wanted: float) -> float:
    return float(1200 * np.log2(found / wanted))


def _nearest(made: Audio, index: int, semitones: int, split: ToolSplit, pitched: list[tuple[int, float]]) -> bool:
    """Return whether its own is nearest of all drums resampled to the note, by the classifier's features."""
    target = pitched[[at for at, _ in pitched].index(index)][1] * 2 ** (semitones / 12)
    own = features(np.asarray(made[0], np.float64))
    apart = {
        at: float(np.square(features(np.asarray(_faster(split.hit(at), target / hz)[0], np.float64)) - own).mean())
        for at, hz in pitched
        if 1 / 3 < target / hz < 3
    }
    return min(apart, key=lambda at: apart[at]) == index
