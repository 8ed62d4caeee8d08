"""The map of drums: each a point, and those that sound alike near each other."""

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.features import features, mono_for_features
from ghostnote.bridge.io.audio_file import AudioWriter

MOST_DRUMS: Final = 256
"""Of more the oldest go."""

Audio = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound with a name."""

    name: str
    """What a file of it is called, without its ending."""
    audio: Audio
    """(channels, frames)."""
    rate: int
    drum_class: str
    """'' where nobody said it."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.audio.shape[1] / self.rate)


@dataclass(frozen=True, eq=False)
class MapDrum(Sound):
    """A drum on the map."""

    near: str = ""
    """The number of the drum that it was asked for near to."""
    is_own: bool = False
    """Whether it is a sound of the user's."""
    point: Array = field(init=False)
    """What it sounds like."""

    def __post_init__(self) -> None:
        """Measure it."""
        object.__setattr__(self, "point", np.asarray(features(mono_for_features(self.audio, self.rate)), float))


class DrumMap:
    """Drums by their numbers, as text, and where they lie."""

    def __init__(self) -> None:
        """Start with an empty map."""
        self.drums: dict[str, MapDrum] = {}
        self._next = 1
        self._axes: Array | None = None

    def add(self, drum: MapDrum) -> str:
        """Put a drum on the map, and return its number."""
        number = str(self._next)
        self._next += 1
        self.drums[number] = drum
        while len(self.drums) > MOST_DRUMS:
            del self.drums[next(iter(self.drums))]
        return number

    def clear(self) -> None:
        """Remove all drums."""
        self.drums.clear()

    def described(self) -> list[dict[str, Any]]:
        """Return the drums with their places, from 0 to 1, as a page gets them."""
        return [
            {
                "id": number,
                "name": drum.name,
                "class": drum.drum_class,
                "near": drum.near,
                "own": drum.is_own,
                "seconds": drum.seconds,
                "x": round(float(x), 4),
                "y": round(float(y), 4),
            }
            for (number, drum), (x, y) in zip(self.drums.items(), self._places(), strict=True)
        ]

    def _places(self) -> Array:
        """Return each drum's place (drums, 2): its first two principal components, both stretched to 0 to 1."""
        if not self.drums:
            return np.zeros((0, 2))
        points = np.array([drum.point for drum in self.drums.values()])
        centred = points - points.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
        axes = np.vstack((axes, np.zeros((2 - len(axes), points.shape[1]))))
        if self._axes is not None:
            # One drum more must not turn the map over.
            axes *= np.where((axes * self._axes).sum(axis=1, keepdims=True) < 0, -1, 1)
        self._axes = axes
        places = centred @ axes.T
        low, span = places.min(axis=0), np.ptp(places, axis=0)
        return np.asarray(np.where(span > 1e-9, (places - low) / np.where(span > 1e-9, span, 1), 0.5))


def wav_bytes(sound: Sound) -> bytes:
    """Return a sound as a file of 24 bits."""
    data = BytesIO()
    with AudioWriter(Path("sound.wav"), sound.rate, len(sound.audio), into=data) as writer:
        writer.write(sound.audio)
    return data.getvalue()
