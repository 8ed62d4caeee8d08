"""What the evaluation of a tool is given, and the rows that it returns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.inference.model import Generator
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.metrics import describe
from ghostnote.models.evaluate.distributions import Estimate, bootstrap
from ghostnote.models.evaluate.player import Tick

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class ToolSplit:
    """The hits on which tools are judged."""

    hits: Hits
    """All of the split."""
    generator: Generator
    """The model, for tools that need it."""
    folder: Path
    """Where figures go."""
    seed: int = 0
    """Decides the noise of what is made."""
    per_class: int = 12
    """Most drums of each class."""

    def hit(self, index: int) -> Audio:
        """Return one hit, (1, frames) at 44.1 kHz, without the silence at its end."""
        audio = self.hits.audio[index].numpy()
        sounding = np.flatnonzero(audio)
        return audio[None, : int(sounding[-1]) + 1] if sounding.size else audio[None]

    def drums(self, classes: Sequence[str] | None = None) -> list[int]:
        """Return one hit, the loudest, of up to `per_class` drums of each class, as indices."""
        level_db = describe(self.hits.audio).level_db.tolist()
        loudest: dict[tuple[str, str], int] = {}
        for i, file in enumerate(self.hits.files):
            key = file.drum_class, file.group
            if key not in loudest or level_db[i] > level_db[loudest[key]]:
                loudest[key] = i
        by_class: dict[str, list[int]] = {}
        for (name, _), i in sorted(loudest.items()):
            by_class.setdefault(name, []).append(i)
        chosen = []
        for name, own in by_class.items():
            if classes is None or name in classes:
                places = np.linspace(0, len(own) - 1, min(self.per_class, len(own))).astype(int)
                chosen += [own[at] for at in places]
        return chosen


@dataclass(frozen=True)
class ToolRow:
    """One line of the table: a figure of a tool, with its interval, a baseline and a target."""

    tool: str
    figure: str
    """What is measured, with its unit."""
    found: Estimate
    target: tuple[float, float] | None = None
    """The bounds within which the value should lie."""
    baseline: Estimate | None = None
    baseline_name: str = ""
    """What the baseline is, in a few words."""
    digits: int = 2

    @property
    def met(self) -> bool | None:
        """Whether the value lies within the bounds; None without a target."""
        return None if self.target is None else bool(self.target[0] <= self.found.value <= self.target[1])

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "met": self.met}


ToolEvaluation = Callable[[ToolSplit, Tick], Iterable[ToolRow]]
"""Judges one tool on a split's hits; calls the tick with (done, total)."""


def share(passed: Sequence[bool]) -> Estimate:
    """Return the share in percent of cases that passed, with its interval over them; the cases are its groups."""
    return bootstrap(100 * np.asarray(passed, float), "mean")
