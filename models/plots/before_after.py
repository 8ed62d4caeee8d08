"""Pictures of hits before and after a tool: waveform above spectrogram, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.models.plots.hits import draw_hits

RATE: Final = 44_100
"""Frames a second at which all are drawn."""
_MOST_COLUMNS: Final = 9

LabelledSound = tuple[str, NDArray[np.float32], int]
"""A label, (channels, frames), and the rate in Hz."""


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """One row of a picture."""

    title: str
    sounds: Sequence[LabelledSound]
    """The hit before, then after, then perhaps a baseline."""


def draw_before_after(path: Path, rows: Sequence[BeforeAfter]) -> None:
    """Draw each row's sounds side by side, mixed to mono, into a picture; errors are as in `draw_hits`."""
    drawn = []
    for row in rows:
        hits = [(label, resample(mixdown(audio, 1), rate, RATE)[0]) for label, audio, rate in row.sounds]
        drawn.append((row.title, hits[:_MOST_COLUMNS]))
    draw_hits(path, drawn, RATE)
