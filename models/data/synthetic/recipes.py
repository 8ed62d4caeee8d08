"""The synthesizer's drums: a recipe for each class."""

from dataclasses import dataclass
from typing import Final

Range = tuple[float, float]
"""Lowest and highest value of a random draw."""


@dataclass(frozen=True)
class NoiseRecipe:
    """A layer of shaped noise: a beater's click, snare wires, the wash of a cymbal."""

    gain_db: Range
    """Beside the body, or beside the other layers."""
    low_hz: Range
    high_hz: Range
    decay_seconds: Range
    """The time to fall by 60 dB."""
    attack_seconds: float = 0.0005
    tilt: float = 0.0
    """Decibels that the layer gains per decibel of the stroke's level, beyond that level itself."""
    coherence: float = 0.5
    """How much of the first millisecond is the same in every stroke; it soon falls to 0."""
    bursts: int = 0
    """Onsets before the last one: the hands of a clap."""


@dataclass(frozen=True)
class Recipe:
    """The ranges from which one drum of a class is drawn."""

    pitch_hz: Range = (100, 100)
    modes: tuple[tuple[float, float, float, float], ...] = ()
    """Per mode: pitch ratio, gain in dB, decay beside the body's, where it is excited (0 centre, 1 edge)."""
    decay_seconds: Range = (0.1, 0.1)
    """The time in which the lowest mode falls by 60 dB."""
    glide_semitones: Range = (0, 0)
    """How far above its pitch a full stroke starts."""
    glide_seconds: Range = (0.02, 0.02)
    position: Range = (0.2, 0.4)
    """Where the drum is struck: 0 is the centre, 1 the edge."""
    noises: tuple[NoiseRecipe, ...] = ()
    level_jitter_db: float = 0.6
    """Standard deviation over strokes of one velocity, as the following."""
    pitch_jitter_cents: float = 2.0
    decay_jitter: float = 0.03


# The ratios of an ideal circular membrane (Rossing, Science of Percussion Instruments, 2000): modes with
# nodal diameters are silent when it is struck at the centre.
_MEMBRANE: Final = (
    (1.0, 0.0, 1.0, 0.0),
    (1.594, -9.0, 0.55, 1.0),
    (2.136, -13.0, 0.4, 1.0),
    (2.296, -14.0, 0.35, 0.0),
    (2.653, -18.0, 0.3, 1.0),
)
_BAR: Final = ((1.0, 0.0, 1.0, 0.2), (2.71, -4.0, 0.7, 0.6), (5.15, -9.0, 0.5, 0.8), (8.43, -15.0, 0.4, 0.8))
_BELL: Final = ((1.0, 0.0, 1.0, 0.5), (1.483, -3.0, 0.9, 0.5), (2.51, -8.0, 0.7, 0.5), (3.73, -12.0, 0.6, 0.5))

RECIPES: Final = {
    "kick": Recipe(
        pitch_hz=(45, 85),
        modes=(_MEMBRANE[0], (1.594, -16.0, 0.4, 1.0), (2.296, -18.0, 0.3, 0.0)),
        decay_seconds=(0.35, 1.1),
        glide_semitones=(5, 16),
        glide_seconds=(0.008, 0.035),
        position=(0.05, 0.2),
        noises=(
            NoiseRecipe((-20, -9), (900, 2500), (4500, 9000), (0.008, 0.03), tilt=0.6, coherence=0.8),
            NoiseRecipe((-22, -13), (60, 150), (500, 1200), (0.1, 0.3)),
        ),
        level_jitter_db=0.3,
        pitch_jitter_cents=6,
        decay_jitter=0.04,
    ),
    "snare": Recipe(
        pitch_hz=(155, 260),
        modes=_MEMBRANE,
        decay_seconds=(0.2, 0.6),
        glide_semitones=(0.3, 2),
        position=(0.15, 0.4),
        noises=(
            NoiseRecipe((-12, -3), (1200, 2600), (7000, 13000), (0.25, 0.7), attack_seconds=0.002, tilt=0.1),
            NoiseRecipe((-8, 0), (500, 1500), (5000, 9000), (0.01, 0.03), coherence=0.9),
        ),
    ),
    "rim": Recipe(
        pitch_hz=(300, 700),
        modes=_BAR,
        decay_seconds=(0.12, 0.45),
        position=(0.5, 0.8),
        noises=(NoiseRecipe((-6, 3), (1200, 3000), (7000, 12000), (0.02, 0.12), coherence=0.7),),
        level_jitter_db=0.8,
        pitch_jitter_cents=8,
    ),
    "clap": Recipe(
        noises=(
            NoiseRecipe((0, 0), (600, 1100), (2200, 5000), (0.2, 0.8), bursts=3),
            NoiseRecipe((-14, -6), (3000, 5000), (9000, 14000), (0.05, 0.2), bursts=3),
        ),
    ),
    "closed_hat": Recipe(
        noises=(
            NoiseRecipe((0, 0), (3000, 6500), (9000, 17000), (0.1, 0.4), tilt=0.15, coherence=0.9),
            NoiseRecipe((-12, -4), (800, 2500), (4000, 7000), (0.02, 0.08), coherence=0.9),
        ),
        level_jitter_db=1.5,
        decay_jitter=0.1,
    ),
    "open_hat": Recipe(
        noises=(
            NoiseRecipe((0, 0), (2500, 5500), (8000, 16000), (0.6, 1.8), tilt=0.15, coherence=0.4),
            NoiseRecipe((-10, -2), (800, 2500), (4000, 7000), (0.3, 0.9), coherence=0.4),
        ),
        level_jitter_db=1.5,
        decay_jitter=0.08,
    ),
    "pedal_hat": Recipe(
        noises=(
            NoiseRecipe((0, 0), (1500, 4500), (7000, 14000), (0.12, 0.45), attack_seconds=0.002),
            NoiseRecipe((-8, -2), (400, 1200), (2500, 4500), (0.03, 0.08), attack_seconds=0.001),
        ),
        level_jitter_db=1.5,
        decay_jitter=0.1,
    ),
    "tom": Recipe(
        pitch_hz=(80, 280),
        modes=_MEMBRANE,
        decay_seconds=(0.4, 1.2),
        glide_semitones=(0.5, 3.5),
        glide_seconds=(0.03, 0.09),
        position=(0.1, 0.35),
        noises=(
            NoiseRecipe((-22, -12), (600, 1500), (4000, 8000), (0.01, 0.04), tilt=0.4, coherence=0.8),
            NoiseRecipe((-22, -14), (150, 300), (900, 2000), (0.08, 0.25)),
        ),
        pitch_jitter_cents=6,
    ),
    "crash": Recipe(
        noises=(
            NoiseRecipe((0, 0), (3000, 5000), (11000, 17000), (1.2, 2.5), attack_seconds=0.002, tilt=0.2),
            NoiseRecipe((-8, -2), (350, 900), (2500, 4500), (1.8, 4.0), attack_seconds=0.004),
        ),
        level_jitter_db=1.2,
        decay_jitter=0.06,
    ),
    "ride": Recipe(
        pitch_hz=(1800, 3600),
        modes=_BELL,
        decay_seconds=(0.5, 1.6),
        noises=(
            NoiseRecipe((-7, 2), (3500, 6000), (10000, 16000), (1.2, 3.0), tilt=0.2),
            NoiseRecipe((-10, -2), (4000, 7000), (11000, 17000), (0.02, 0.06), coherence=0.6),
        ),
        level_jitter_db=1.0,
        pitch_jitter_cents=1,
    ),
    "perc": Recipe(
        pitch_hz=(140, 900),
        modes=_BELL,
        decay_seconds=(0.15, 0.9),
        glide_semitones=(0, 1),
        noises=(NoiseRecipe((-12, -2), (800, 2000), (4000, 9000), (0.01, 0.05), tilt=0.3, coherence=0.7),),
        level_jitter_db=0.9,
        pitch_jitter_cents=6,
    ),
}  # fmt: skip
"""By class name."""
