"""A model's card, and the checksum that shows whether its file is intact."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.dsp.partial_response import PartialStatistics
from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.inference.drum_table import DrumTable

FORMAT: Final = 5
"""The version of the graph's inputs and outputs; others cannot be played."""
CARD_KEY: Final = "ghostnote.card"
"""The metadata entry of the model file that holds the card as JSON."""
SEAL_KEY: Final = "ghostnote.sha256"
"""The metadata entry that holds the SHA-256 of the file, with this entry's digits as zeros."""
BLANK_SEAL: Final = "0" * 64


@dataclass(frozen=True)
class Card:
    """What a model is, how it was trained and how it is played."""

    name: str
    """The model's name."""
    format: int
    """The version of the graph, `FORMAT`."""
    rate: int
    """Sample rate of the model's audio, in Hz."""
    hit_frames: int
    """Frames of a hit."""
    bands: int
    """Bands of the MDCT, in which the noise is drawn."""
    mdct_frames: int
    """Frames of the MDCT."""
    shape_size: tuple[int, int]
    """Rows and frames of the shape, envelope and pitch, that is generated first."""
    coherence_size: tuple[int, int]
    """Band groups and time segments of the coherence."""
    latent_size: int
    """Size of the variation latent: beside the noise it decides how a stroke differs from its reference."""
    classes: tuple[str, ...]
    """Drum classes in the order of the labels; one more label stands for any class."""
    default_steps: int
    """Diffusion steps of a next stroke."""
    shape_steps: int
    """Diffusion steps of a new hit's shape; its sound takes the default."""
    amounts: tuple[float, ...]
    """For each class and then for all: the graph's amount at which strokes vary as real ones do."""
    level_spread_db: tuple[float, ...]
    """For each class and then for all: standard deviation of the level of equally loud strokes."""
    attack_spread_db: tuple[float, ...]
    """The same, of how two strokes differ in how loud the first 5 ms are beside the rest."""
    partials: PartialStatistics
    """How partials differ between strokes."""
    drums: DrumTable = field(default_factory=DrumTable)
    """Descriptions of drums, from which new ones are drawn."""
    training: dict[str, Any] = field(default_factory=dict)
    """How it was trained: corpus, steps, minutes, settings."""
    credits: tuple[str, ...] = ()
    """Who recorded what it was trained on."""

    def to_json(self) -> str:
        """Return the card as JSON."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @staticmethod
    def from_json(text: str, origin: str) -> "Card":
        """Read what `to_json` wrote; `ModelError` for another version or anything else."""
        try:
            data = json.loads(text)
            version = data["format"]
            if version == FORMAT:
                lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
                partials = PartialStatistics.from_dict(data["partials"], len(data["classes"]) + 1)
                drums = DrumTable.from_dict(data["drums"]) if "drums" in data else DrumTable()
                # Cards of before know of no such spread.
                lists.setdefault("attack_spread_db", (0.0,) * (len(data["classes"]) + 1))
                return Card(**{**data, **lists, "partials": partials, "drums": drums})
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{origin} has a card that cannot be read: export the model anew") from error
        raise ModelError(
            f"{origin} is a model of format {version}, and this ghostnote plays format {FORMAT}: "
            "export the model anew, or install the ghostnote it was made for"
        )


def seal(data: bytes) -> bytes:
    """Return a model file's bytes with the blank seal replaced by their checksum."""
    return data.replace(BLANK_SEAL.encode(), hashlib.sha256(data).hexdigest().encode(), 1)


def check_seal(data: bytes, digest: str, path: Path) -> None:
    """Raise `ModelError` where a file's bytes are not those that `digest` was computed from."""
    at, view = data.find(digest.encode()), memoryview(data)
    # In parts, without a copy of all but the seal.
    hashed = hashlib.sha256(view[:at])
    hashed.update(BLANK_SEAL.encode())
    hashed.update(view[at + len(digest) :])
    if at < 0 or hashed.hexdigest() != digest:
        raise ModelError(
            f"{path} is damaged: its contents do not match its checksum {digest[:12]}…; copy or download it again"
        )
