"""How `extend` does: hits are cut, and what was cut off is what it should sound like."""

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
_LOOP: Final = "the end mirrored again and again, falling as it fell"
_DRAWN: Final = 5
_TINY: Final = 1e-15


def judge_extend(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return the step at the cut, and decay rates beside those of what was cut off."""
    chosen = [(i, cut) for i in split.drums() if (cut := _cut(split.hit(i)))]
    steps: dict[str, list[float]] = {"made": [], "loop": []}
    rates: dict[str, list[float]] = {"made": [], "loop": []}
    kept: dict[str, list[float]] = {"made": [], "loop": []}
    rows = []
    for done, (index, cut) in enumerate(chosen, 1):
        hit = split.hit(index)
        seconds = hit.shape[1] / RATE + _LATER_SECONDS
        sounds = {
            "made": extend(hit[:, :cut], RATE, seconds, seed=split.seed)[:, : hit.shape[1]],
            "loop": _looped(hit[:, :cut], hit),
        }
        for kind, sound in sounds.items():
            steps[kind].append(abs(_step_db(sound, cut) - _step_db(hit, cut)))
            before = _fall(hit, cut - round(_BEFORE_SECONDS * RATE))
            kept[kind].append(abs(_fall(sound, cut) / before - 1) * 100)
            rates[kind].append(abs(_fall(sound, cut) / _fall(hit, cut) - 1) * 100)
        if done % max(1, len(chosen) // _DRAWN) == 0:
            title = split.hits.files[index].drum_class.replace("_", " ")
            four = ("cut", hit[:, :cut]), ("extended", sounds["made"]), ("loop", sounds["loop"]), ("original", hit)
            rows.append(BeforeAfter(title, [(label, sound, RATE) for label, sound in four]))
        tick(done, len(chosen))
    if rows:
        draw_before_after(split.folder / "extend.png", rows)
    near_step, near_step_loop = (share([step <= 1 for step in steps[kind]]) for kind in ("made", "loop"))
    near, near_loop = (share([rate <= 20 for rate in rates[kind]]) for kind in ("made", "loop"))
    middle = [bootstrap(steps[kind]) for kind in ("made", "loop")]
    own = [bootstrap(kept[kind]) for kind in ("made", "loop")]
    rate = [bootstrap(rates[kind]) for kind in ("made", "loop")]
    return [
        ToolRow("extend", "step at the cut beside the recording's, dB", middle[0], (0.0, 1.0), middle[1], _LOOP),
        ToolRow("extend", "steps of at most 1 dB, %", near_step, None, near_step_loop, _LOOP, 0),
        ToolRow("extend", "decay rate off from before the cut, %", own[0], (0.0, 20.0), own[1], _LOOP, 0),
        ToolRow("extend", "decay rate off from what was cut off, %", rate[0], (0.0, 20.0), rate[1], _LOOP, 0),
        ToolRow("extend", "decay rates within 20 %, %", near, None, near_loop, _LOOP, 0),
    ]


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
