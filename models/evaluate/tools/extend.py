"""How `extend` does: hits are cut, and what was cut off is what it should sound like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.tools.extend import extend
from ghostnote.models.dsp.mdct import RATE
from ghostnote.models.evaluate.distributions import bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import Audio, ToolRow, ToolSplit, share
from ghostnote.models.plots.before_after import BeforeAfter, draw_before_after

Array = NDArray[np.float64]

_CUT_SHARE: Final = 0.4
_LEAST_SECONDS: Final = 0.15
_LATER_SECONDS: Final = 0.2
"""What is known of the tail after the cut, at least: over so much decay rates are compared."""
_BEFORE_SECONDS: Final = 0.22
_AUDIBLE_DB: Final = -50.0
_BLOCK: Final = 441
_FADE_FRAMES: Final = 4410
_SEAM_BLOCKS: Final = 3
_STEP_DB: Final = 1.0
_MADE: Final = "made"
_LOOP: Final = "the end mirrored again and again, falling as it fell"
_RECORDING: Final = "what was cut off"
_KINDS: Final = (_MADE, _LOOP, _RECORDING)
_DRAWN: Final = 5
_TINY: Final = 1e-15


def judge_extend(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return the step at the cut, and decay rates beside those before it and of what was cut off."""
    chosen = [(i, cut) for i in split.drums() if (cut := _cut(split.hit(i)))]
    measured: list[_Measured] = []
    pictures = []
    for done, (index, cut) in enumerate(chosen, 1):
        hit = split.hit(index)
        seconds = hit.shape[1] / RATE + _LATER_SECONDS
        made = extend(hit[:, :cut], RATE, seconds, seed=split.seed)[:, : hit.shape[1]]
        loop = _looped(hit[:, :cut], hit)
        measured.append(_measured(hit, cut, {_MADE: made, _LOOP: loop, _RECORDING: hit}))
        if done % max(1, len(chosen) // _DRAWN) == 0:
            title = split.hits.files[index].drum_class.replace("_", " ")
            four = ("cut", hit[:, :cut]), ("extended", made), ("loop", loop), ("original", hit)
            pictures.append(BeforeAfter(title, [(label, sound, RATE) for label, sound in four]))
        tick(done, len(chosen))
    if pictures:
        draw_before_after(split.folder / "extend.png", pictures)
    step, own, later = (
        {kind: [getattr(each, field)[kind] for each in measured] for kind in _KINDS}
        for field in ("step_db", "before_percent", "later_percent")
    )
    small = {kind: share([value <= _STEP_DB for value in step[kind]]) for kind in _KINDS}
    return [
        ToolRow("extend", "step at the cut beside the fall before it, dB", bootstrap(step[_MADE]), (0.0, _STEP_DB),
                bootstrap(step[_RECORDING]), _RECORDING),
        ToolRow("extend", "steps of at most 1 dB, %", small[_MADE], None, small[_RECORDING], _RECORDING, 0),
        ToolRow("extend", "decay rate off from before the cut, %", bootstrap(own[_MADE]), (0.0, 20.0),
                bootstrap(own[_LOOP]), _LOOP, 0),
        ToolRow("extend", "decay rate off from what was cut off, %", bootstrap(later[_MADE]), None,
                bootstrap(own[_RECORDING]), "the recording's own, off from before the cut", 0),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Measured:
    """What is measured of one cut hit, by what follows the cut."""

    step_db: Mapping[str, float]
    """By how much the level changes at the cut, more or less than it fell before."""
    before_percent: Mapping[str, float]
    """By how much the decay rate is off from that before the cut."""
    later_percent: Mapping[str, float]
    """By how much it is off from that of what was cut off."""


def _measured(hit: Audio, cut: int, sounds: Mapping[str, Audio]) -> _Measured:
    before, later = (_fall(hit, at) for at in (cut - round(_BEFORE_SECONDS * RATE), cut))
    falls = {kind: _fall(sound, cut) for kind, sound in sounds.items()}
    return _Measured(
        {kind: abs(_step_db(sound, cut) - _SEAM_BLOCKS * before) for kind, sound in sounds.items()},
        {kind: abs(fall / before - 1) * 100 for kind, fall in falls.items()},
        {kind: abs(fall / later - 1) * 100 for kind, fall in falls.items()},
    )


def _cut(hit: Audio) -> int | None:
    """Return where a hit (1, frames) is cut, None where too little is audible afterwards."""
    onset = onset_frame(hit)
    cut = onset + max(round(_CUT_SHARE * (hit.shape[1] - onset)), round(_LEAST_SECONDS * RATE))
    later = round(_LATER_SECONDS * RATE)
    # Many recordings end in a fade.
    if hit.shape[1] < cut + later + _FADE_FRAMES:
        return None
    levels = _levels_db(hit)
    return cut if levels[(cut + later) // _BLOCK - 1] > levels.max() + _AUDIBLE_DB else None


def _levels_db(sound: Audio) -> Array:
    """Return the level of each 10 ms in dB."""
    whole = sound[:, : sound.shape[1] // _BLOCK * _BLOCK].astype(np.float64)
    return np.asarray(10 * np.log10(np.square(whole).reshape(-1, _BLOCK).mean(axis=1) + _TINY))


def _step_db(sound: Audio, cut: int) -> float:
    """Return the level of the 30 ms after the cut over that of the 30 ms before, in dB."""
    reach = _SEAM_BLOCKS * _BLOCK
    before, after = (np.square(sound[:, at : at + reach], dtype=np.float64).mean() for at in (cut - reach, cut))
    return float(10 * np.log10((after + _TINY) / (before + _TINY)))


def _fall(sound: Audio, cut: int) -> float:
    """Return how fast the level falls after the cut, in dB for each block; NaN for a cut before the beginning."""
    first = cut // _BLOCK + 1
    if first < 1:
        return float("nan")
    levels = _levels_db(sound)[first : first + round(_LATER_SECONDS * RATE / _BLOCK)]
    return float(np.polyfit(np.arange(len(levels)), levels, 1)[0])


def _looped(cut: Audio, like: Audio) -> Audio:
    """Return the last 0.1 s to and fro, falling as fast as it did."""
    last = min(RATE // 10, cut.shape[1] // 2)
    levels = _levels_db(cut[:, -2 * last :])
    slope = min(float(np.polyfit(np.arange(len(levels)), levels, 1)[0]), 0.0) / _BLOCK
    loop = cut[:, -last:] * 10 ** (-slope * np.arange(-last, 0) / 20)
    longer = np.pad(loop, ((0, 0), (0, like.shape[1] - cut.shape[1])), mode="symmetric")[:, last:]
    decayed = longer * 10 ** (slope * np.arange(longer.shape[1]) / 20)
    return np.concatenate([cut, decayed], axis=1).astype(np.float32)
