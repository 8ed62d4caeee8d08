"""What the kits that come along are made of: for each pad, what its drum is to be like and where it belongs.

Levels are those of a good General MIDI drum kit, at one velocity; places are the drummer's.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Wanted:
    """A pad, and what its drum is to be like; what is None does not matter."""

    name: str
    """The pad's name."""
    notes: tuple[int, ...]
    """The MIDI notes that strike it."""
    kind: str
    """A kind, or a class where that has none."""
    level_lu: float
    """Loudness of its strokes beside the snare's."""
    hz: float | None = None
    """Frequency of its strongest line."""
    seconds: float | None = None
    """Until it has decayed by 40 dB."""
    centroid_hz: float | None = None
    """Middle of its power over the logarithm of frequency."""
    pan: float = 0.0
    """Place in the mix."""
    width: float = 0.0
    """How much its sides differ."""
    choke: str | None = None
    """Its choke group."""
    remark: str = ""
    """What the kit file says of the pad."""


@dataclass(frozen=True)
class KitPlan:
    """A kit that comes along."""

    name: str
    """The name of the kit and, in lower case, of its file."""
    about: str
    """What the kit file says first."""
    pads: tuple[Wanted, ...]
    """In the order of the stems."""


_LEFT, _RIGHT = -0.35, 0.45

_DEFAULT: Final = (
    Wanted("Kick", (36,), "acoustic_kick", 0.0, 55, 0.25),
    Wanted("Kick 2", (35,), "acoustic_kick", -1.0, 47, 0.4),
    Wanted("Snare", (38,), "acoustic_snare", 0.0, 190, 0.25, 1500, pan=-0.05),
    Wanted("Snare 2", (40,), "electronic_snare", 0.0, 200, 0.25, 1500, pan=-0.05),
    Wanted("Rim", (37,), "side_stick", -7.0, None, 0.08, 1200, pan=-0.1),
    Wanted("Clap", (39,), "hand_clap", -4.0, None, 0.2, 1500, 0.1, 0.5),
    Wanted("Closed Hat", (42,), "acoustic_closed_hat", -11.0, None, 0.12, 8000, _LEFT, 0.3, "hats"),
    Wanted("Pedal Hat", (44,), "pedal_hat", -12.0, None, 0.12, 7000, _LEFT, 0.3, "hats"),
    Wanted("Open Hat", (46,), "acoustic_open_hat", -8.0, None, 0.7, 8000, _LEFT, 0.5, "hats"),
    Wanted("High Tom", (50,), "high_tom", -3.0, 210, 0.4, pan=-0.3),
    Wanted("High-Mid Tom", (48,), "mid_tom", -3.0, 175, 0.45, pan=-0.15),
    Wanted("Low-Mid Tom", (47,), "mid_tom", -3.0, 145, 0.5, pan=0.1),
    Wanted("Low Tom", (45,), "low_tom", -3.0, 120, 0.55, pan=0.25),
    Wanted("High Floor Tom", (43,), "low_tom", -3.0, 98, 0.6, pan=0.4),
    Wanted("Low Floor Tom", (41,), "low_tom", -3.0, 80, 0.7, pan=0.55),
    Wanted("Crash Left", (49,), "crash_cymbal", -5.0, None, 2.5, 5000, -0.55, 0.6),
    Wanted("Crash Right", (57,), "crash_cymbal", -5.0, None, 2.0, 6000, 0.55, 0.6),
    Wanted("China", (52,), "china", -6.0, None, 1.5, 4000, 0.65, 0.6),
    Wanted("Splash", (55,), "splash", -8.0, None, 0.8, 7000, -0.2, 0.5),
    Wanted("Ride", (51,), "ride_cymbal", -17.0, None, 3.0, 5000, _RIGHT, 0.4),
    Wanted("Ride 2", (59,), "ride_cymbal", -16.0, None, 2.0, 4500, 0.5, 0.4),
    Wanted("Ride Bell", (53,), "ride_bell", -15.0, None, 2.5, 3000, _RIGHT, 0.4),
    Wanted("Tambourine", (54,), "tambourine", -10.0, None, 0.25, 8000, -0.3, 0.4),
    Wanted("Cowbell", (56,), "cowbell", -8.0, 560, 0.3, pan=0.25),
    Wanted("Vibraslap", (58,), "guiro", -12.0, None, 0.5, 3000, 0.3, remark="The nearest to a vibraslap: a guiro."),
    Wanted("High Bongo", (60,), "bongo", -7.0, 400, 0.15, pan=-0.3),
    Wanted("Low Bongo", (61,), "bongo", -7.0, 280, 0.2, pan=-0.2),
    Wanted("Muted Conga", (62,), "muted_conga", -8.0, 260, 0.1, pan=0.2),
    Wanted("High Conga", (63,), "conga", -7.0, 220, 0.3, pan=0.25),
    Wanted("Low Conga", (64,), "conga", -7.0, 165, 0.35, pan=0.35),
    Wanted("High Timbale", (65,), "timbale", -6.0, 420, 0.35, pan=0.3),
    Wanted("Low Timbale", (66,), "timbale", -6.0, 300, 0.4, pan=0.4),
    Wanted("High Agogo", (67,), "agogo", -10.0, 1100, 0.4, pan=-0.4),
    Wanted("Low Agogo", (68,), "agogo", -10.0, 780, 0.4, pan=-0.35),
    Wanted("Cabasa", (69,), "cabasa", -13.0, None, 0.1, 8000, 0.35),
    Wanted("Maracas", (70,), "maracas", -15.0, None, 0.08, 8000, -0.45),
    Wanted(
        "Short Whistle",
        (71,),
        "cuica",
        -12.0,
        1500,
        0.15,
        pan=0.15,
        choke="whistle",
        remark="The nearest to whistles: a cuica's squeak.",
    ),
    Wanted("Long Whistle", (72,), "cuica", -12.0, 1400, 0.6, pan=0.15, choke="whistle"),
    Wanted("Short Guiro", (73,), "guiro", -12.0, None, 0.1, 3500, -0.35, choke="guiro"),
    Wanted("Long Guiro", (74,), "guiro", -11.0, None, 0.4, 3500, -0.35, choke="guiro"),
    Wanted("Claves", (75,), "claves", -9.0, 2500, 0.08, pan=-0.2),
    Wanted("High Wood Block", (76,), "wood_block", -9.0, 1100, 0.08, pan=-0.25),
    Wanted("Low Wood Block", (77,), "wood_block", -9.0, 700, 0.1, pan=-0.15),
    Wanted("Muted Cuica", (78,), "cuica", -10.0, 600, 0.12, pan=0.2, choke="cuica"),
    Wanted("Open Cuica", (79,), "cuica", -9.0, 450, 0.3, pan=0.2, choke="cuica"),
    Wanted("Muted Triangle", (80,), "triangle", -17.0, None, 0.15, 5000, -0.5, choke="triangle"),
    Wanted("Open Triangle", (81,), "triangle", -15.0, None, 1.5, 5000, -0.5, choke="triangle"),
    Wanted("Shaker", (82,), "shaker", -14.0, None, 0.12, 8000, 0.4),
)

_ELECTRONIC: Final = (
    Wanted("Kick", (36,), "electronic_kick", 1.0, 50, 0.5),
    Wanted("Kick 2", (35,), "electronic_kick", 0.0, 60, 0.2),
    Wanted("Snare", (38,), "electronic_snare", 0.0, 190, 0.2, 1500),
    Wanted("Snare 2", (40,), "electronic_snare", 0.0, 230, 0.12, 2500),
    Wanted("Rim", (37,), "rim_shot", -6.0, None, 0.05, 1500),
    Wanted("Clap", (39,), "hand_clap", -3.0, None, 0.25, 1300, 0.0, 0.6),
    Wanted("Closed Hat", (42,), "electronic_closed_hat", -10.0, None, 0.07, 9000, 0.1, 0.0, "hats"),
    Wanted("Pedal Hat", (44,), "electronic_closed_hat", -12.0, None, 0.12, 8000, 0.1, 0.0, "hats"),
    Wanted("Open Hat", (46,), "electronic_open_hat", -9.0, None, 0.5, 9000, 0.1, 0.3, "hats"),
    Wanted("High Tom", (48, 50), "electronic_tom", -3.0, 190, 0.3, pan=-0.3),
    Wanted("Mid Tom", (45, 47), "electronic_tom", -3.0, 130, 0.4),
    Wanted("Low Tom", (41, 43), "electronic_tom", -3.0, 90, 0.5, pan=0.3),
    Wanted("Crash", (49, 57), "crash_cymbal", -7.0, None, 1.5, 6000, -0.2, 0.6),
    Wanted("Ride", (51, 59), "ride_cymbal", -15.0, None, 1.5, 6000, 0.3, 0.4),
    Wanted("Cowbell", (56,), "cowbell", -8.0, 550, 0.25, pan=0.25),
    Wanted("Snap", (54,), "finger_snap", -9.0, None, 0.1, 2000, -0.15, 0.4),
    Wanted("Maracas", (70, 82), "maracas", -14.0, None, 0.06, 9000, -0.3),
    Wanted("Claves", (75,), "claves", -9.0, 2400, 0.06, pan=-0.2),
    Wanted("High Conga", (62, 63), "conga", -7.0, 300, 0.2, pan=0.3),
    Wanted("Low Conga", (64,), "conga", -7.0, 180, 0.25, pan=0.4),
)

_DRY: Final = (
    Wanted("Kick", (35, 36), "acoustic_kick", 0.0, 60, 0.14),
    Wanted("Snare", (38, 40), "acoustic_snare", 0.0, 200, 0.13, 1500, pan=-0.05),
    Wanted("Side Stick", (37,), "side_stick", -8.0, None, 0.05, 1300, pan=-0.1),
    Wanted("Brush", (39,), "brush_snare", -6.0, None, 0.2, 3000, pan=-0.05),
    Wanted("Closed Hat", (42,), "acoustic_closed_hat", -11.0, None, 0.06, 8000, _LEFT, 0.0, "hats"),
    Wanted("Pedal Hat", (44,), "pedal_hat", -12.0, None, 0.07, 7000, _LEFT, 0.0, "hats"),
    Wanted("Half Open Hat", (58,), "half_open_hat", -9.0, None, 0.3, 7000, _LEFT, 0.2, "hats"),
    Wanted("Open Hat", (46,), "acoustic_open_hat", -9.0, None, 0.45, 7500, _LEFT, 0.2, "hats"),
    Wanted("High Tom", (48, 50), "high_tom", -3.0, 190, 0.2, pan=-0.25),
    Wanted("Mid Tom", (45, 47), "mid_tom", -3.0, 140, 0.25, pan=0.15),
    Wanted("Floor Tom", (41, 43), "low_tom", -3.0, 90, 0.3, pan=0.5),
    Wanted("Crash", (49, 57), "crash_cymbal", -6.0, None, 1.2, 5500, -0.5, 0.3),
    Wanted("Splash", (55,), "splash", -9.0, None, 0.5, 7000, -0.2, 0.3),
    Wanted("Ride", (51, 59), "flat_ride", -17.0, None, 1.2, 5000, _RIGHT, 0.2),
    Wanted("Ride Bell", (53,), "ride_bell", -15.0, None, 1.5, 3000, _RIGHT, 0.2),
    Wanted("Tambourine", (54,), "tambourine", -11.0, None, 0.15, 8000, -0.3),
    Wanted("Cowbell", (56,), "cowbell", -9.0, 600, 0.15, pan=0.25),
    Wanted("Shaker", (70, 82), "shaker", -15.0, None, 0.08, 8000, 0.4),
)

KIT_PLANS: Final = (
    KitPlan("Default", "The kit that ghostnote plays when no other is given: General MIDI's notes 35 to 82.", _DEFAULT),
    KitPlan("Electronic", "A drum machine.", _ELECTRONIC),
    KitPlan("Dry", "A drum kit in a dry room: short drums, little width.", _DRY),
)
"""The kits that come along."""
