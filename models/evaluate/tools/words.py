"""Words judged: whether phrases name the drum that they mean, and whether drums then sound as they say."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.dsp.shape import BAND_HZ, describe_bands, to_bands
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.tools.description import pitch_hz
from ghostnote.bridge.tools.hit_parts import power_of
from ghostnote.bridge.tools.lexicon import DESCRIPTORS
from ghostnote.bridge.tools.word_drums import drums_for_words
from ghostnote.bridge.tools.word_embedding import open_embedding
from ghostnote.bridge.tools.words import SeedSearch, Wish, read_words
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import Audio, ToolRow, ToolSplit, share

_PHRASES: Final = Path(__file__).with_name("phrases.toml")
_UNKNOWN: Final = Path(__file__).with_name("unknown_words.toml")
_NEUTRAL: Final = 8
"""Drums without words, of each class and kind, that others are compared with."""
_CHOSEN: Final = 2
"""Drums that are made for each phrase."""
_MIDDLES_HZ: Final = (np.array(BAND_HZ)[1:] + np.array(BAND_HZ)[:-1]) / 2
_SILENT: Final = 1e-12
_ATTACK_FRAMES: Final = 4
_LOWS: Final = 1
_AUDIBLE_DB: Final = -40.0
_INFINITE: Final = float("inf")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Phrase:
    words: str
    drum: str
    """The class or kind that is meant."""
    directions: Mapping[str, int]
    """Whether descriptors should rise or fall."""


def phrases() -> list[_Phrase]:
    """Return the phrases, with the drum and the directions that a person means by them."""
    entries: list[dict[str, Any]] = tomllib.loads(_PHRASES.read_text("utf-8"))["phrase"]
    return [
        _Phrase(entry["words"], entry["drum"], {name: entry[name] for name in DESCRIPTORS if name in entry})
        for entry in entries
    ]


def judge_words(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return the shares of phrases whose drum is understood, and of descriptors that go where a phrase says.

    Descriptors are measured on the sounds, beside the median of drums of the same class and kind made without words.
    """
    asked, neutral = phrases(), _Neutral(split)
    understood, right = [], []
    by_name: dict[str, list[bool]] = {name: [] for name in DESCRIPTORS}
    for done, phrase in enumerate(asked, 1):
        wish = read_words(phrase.words)
        understood.append(phrase.drum in (wish.kind, wish.kind_of(split.generator.card, wish.drum_class or ""))
                          or (wish.kind is None and wish.drum_class == phrase.drum))  # fmt: skip
        if wish.drum_class is not None and phrase.directions:
            for name, is_right in _directions(split, phrase, wish, neutral).items():
                right.append(is_right)
                by_name[name].append(is_right)
        tick(done, len(asked))
    return [
        ToolRow("words", "drums understood, %", share(understood), (95, _INFINITE), digits=0),
        ToolRow("words", "directions right, %", share(right), (85, _INFINITE), digits=0),
        *_guesses(),
        *(ToolRow("words", f"{name}: right, %", share(found), digits=0) for name, found in by_name.items() if found),
    ]


def _guesses() -> list[ToolRow]:
    """Return how many words the embedding explains that the lexicon lacks, and how many of these go the right way."""
    embedding = open_embedding()
    if embedding is None:
        return []
    expected = [
        (word, name, sign)
        for side, sign in (("more", 1), ("less", -1))
        for name, words in tomllib.loads(_UNKNOWN.read_text("utf-8"))[side].items()
        for word in words.split()
    ]
    found = [embedding.meaning(word).get(name, 0.0) * sign for word, name, sign in expected]
    return [
        ToolRow("words", "unknown words explained, %", share([far != 0 for far in found]), digits=0),
        ToolRow("words", "of these right, %", share([far > 0 for far in found if far]), (85, _INFINITE), digits=0),
    ]


class _Neutral:
    """Medians of descriptors of drums without words."""

    def __init__(self, split: ToolSplit) -> None:
        self._split = split
        self._known: dict[tuple[str, str | None], dict[str, float]] = {}

    def of(self, drum_class: str, kind: str | None) -> dict[str, float]:
        """Return the medians for a class and kind, measured once."""
        key = drum_class, kind
        if key not in self._known:
            seeds = range(10_000, 10_000 + _NEUTRAL)
            self._known[key] = _medians([_made(self._split, drum_class, kind, seed) for seed in seeds])
        return self._known[key]


def _directions(split: ToolSplit, phrase: _Phrase, wish: Wish, neutral: _Neutral) -> dict[str, bool]:
    name = wish.drum_class or ""
    kind = wish.kind_of(split.generator.card, name)
    search = SeedSearch(name, kind, split.seed)
    found = _medians([measured(drum.audio) for drum in drums_for_words(split.generator, wish, search, _CHOSEN)])
    plain = neutral.of(name, kind)
    return {which: (found[which] - plain[which]) * sign > 0 for which, sign in phrase.directions.items()}


def _made(split: ToolSplit, drum_class: str, kind: str | None, seed: int) -> dict[str, float]:
    return measured(generate_drum(split.generator, drum_class, seed, kind=kind)[None])


def _medians(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.median([row[name] for row in rows])) for name in DESCRIPTORS}


def measured(hit: Audio) -> dict[str, float]:
    """Return DESCRIPTORS of the sound of a hit (1, frames) at 44.1 kHz, each rising with its name."""
    power = to_bands(power_of(hit, HIT_FRAMES // 256))
    level_db, t60 = describe_bands(power)
    energy, attack = power.sum(axis=1) + _SILENT, power[:, :_ATTACK_FRAMES].sum(axis=1) + _SILENT
    partials, residual = split(hit)
    loud = np.maximum(level_db - _AUDIBLE_DB, 0)
    return {
        "bright": _centroid(energy),
        "boomy": float(10 * np.log10(energy[:_LOWS].sum() / energy.sum())),
        "long": float((loud * np.log2(t60)).sum() / loud.sum()),
        "noisy": float(np.square(residual).sum() / (np.square(partials).sum() + np.square(residual).sum())),
        "hard": _centroid(attack),
        "high": float(np.log2(pitch_hz(hit, RATE) or 100.0)),
    }


def _centroid(power: Array) -> float:
    return float((power * np.log2(_MIDDLES_HZ)).sum() / power.sum())
