"""The sizes of an evaluation, full and quick."""

from dataclasses import dataclass, replace
from typing import Final

from ghostnote.models.evaluate.hit_embedding import EmbeddingSettings


@dataclass(frozen=True)
class EvaluationSettings:
    """The sizes of an evaluation, and its seed."""

    steps: int | None = None
    """Network steps a stroke; None is the model's own default."""
    seed: int = 0
    """Decides which strokes are compared, and the noise of those that are made."""
    references: int = 10
    """Most strokes of each group that are varied."""
    others: int = 3
    """Most real strokes, and as many made ones, for each of them."""
    drum_hits: int = 3
    """Most hits of each drum whose strokes are compared with it line by line, with or without repeats."""
    curve: tuple[float, ...] = (0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0)
    """Amounts over which the distance to the reference is followed; 0.01 and 1 must be among them."""
    curve_drums: int = 8
    """Drums of each class for that."""
    amounts: tuple[float, ...] = (0.4, 0.6, 0.8, 1.0, 1.25)
    """Amounts that the calibration tries."""
    edit_rows: int = 60
    """Strokes by which the best start of SDEdit is chosen."""
    velocity_references: int = 2
    """References for each change of velocity."""
    layers_left_out: int = 6
    """Most velocity layers of each group that are left out."""
    new_per_class: int = 40
    """New sounds of each class."""
    draws: int = 10
    """Draws of equal sets over which distances of distributions are averaged."""
    embedding: EmbeddingSettings = EmbeddingSettings()
    """How the embedding is trained."""


QUICK: Final = EvaluationSettings(
    references=4,
    others=2,
    drum_hits=1,
    curve_drums=4,
    amounts=(0.6, 1.0),
    edit_rows=20,
    velocity_references=1,
    layers_left_out=2,
    embedding=EmbeddingSettings(passes=4),
)
"""A first look: the same values with wide intervals."""
QUICK_SYSTEMS: Final = replace(QUICK, new_per_class=8)
"""The same for other systems, of which some take seconds for a hit."""
