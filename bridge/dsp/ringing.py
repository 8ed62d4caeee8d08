"""What rings, from parameters: sums of decaying sinusoids."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

T60_NEPERS: Final = 3 * np.log(10)
"""Nepers of 60 dB."""
_BLOCK: Final = 256


@dataclass(frozen=True)
class Lines:
    """Decaying sinusoids; every field is (lines,)."""

    hz: Array
    amplitude: Array
    """At the onset."""
    t60: Array
    """Seconds in which they decay by 60 dB."""
    phase: Array
    """In radians, at the onset."""
    rise: Array
    """Seconds in which they rise to 1 - 1/e, as a cymbal builds up; 0 for at once."""

    @staticmethod
    def joined(*parts: "Lines") -> "Lines":
        """Return all lines of several sets."""
        fields = ("hz", "amplitude", "t60", "phase", "rise")
        return Lines(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def synthesize(lines: Lines, frames: int, rate: int) -> Audio:
    """Return the sum (frames,) of the lines.

    Within a block each line is a fixed vector; from block to block it turns and shrinks: a product of two matrices.
    """
    risen = lines.rise > 0
    fast = -T60_NEPERS / lines.t60[risen] - 1 / np.where(risen, lines.rise, 1.0)[risen]
    steady = -T60_NEPERS / lines.t60
    # A rise is a second line that starts opposite and is gone sooner.
    amplitude = np.concatenate([lines.amplitude, -lines.amplitude[risen]])
    phase = np.concatenate([lines.phase, lines.phase[risen]])
    turn = 2j * np.pi * np.concatenate([lines.hz, lines.hz[risen]])
    pole = (np.concatenate([steady, fast]) + turn) / rate
    blocks = -(-frames // _BLOCK)
    starts = (amplitude * np.exp(1j * phase)) * np.exp(_BLOCK * pole * np.arange(blocks)[:, None])
    inside = np.exp(pole[:, None] * np.arange(_BLOCK))
    left = np.concatenate([starts.real, -starts.imag], axis=1).astype(np.float32)
    right = np.concatenate([inside.real, inside.imag]).astype(np.float32)
    return np.asarray((left @ right).reshape(-1)[:frames])


def synthesize_glide(hz: Array, amplitude: Array, phase: float, rate: int) -> Audio:
    """Return a sinusoid (frames,) whose frequency (frames,) and amplitude (frames,) are given for each frame."""
    turns = np.cumsum(hz) / rate
    return np.asarray(amplitude * np.cos(2 * np.pi * (turns - turns[0]) + phase), np.float32)
