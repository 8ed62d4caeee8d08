"""Words become a kind of drum and descriptors, and those pick among many seeds."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.shape import BAND_HZ
from ghostnote.bridge.dsp.sliders import MOST, Sliders
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.drum_table import Drum
from ghostnote.bridge.inference.model_card import Card
from ghostnote.bridge.inference.stroke_source import described_drum
from ghostnote.bridge.tools.lexicon import DESCRIPTORS, Meaning, class_of_kind, drum_of, meaning_of, table
from ghostnote.bridge.tools.spread import main_hz

Array = NDArray[np.float64]

_STREAM: Final = 7
_CHANCE: Final = 0.3
_MOST_STRENGTH: Final = 10.0
_FAR: Final = (-3.0, 1.5)
"""Standard deviations that count: as far as is asked for and no farther, as extremes have other flaws."""
_LONGEST_NAME: Final = 3
_MIDDLES_HZ: Final = (np.array(BAND_HZ)[1:] + np.array(BAND_HZ)[:-1]) / 2
_LOWS: Final = 1
"""Bands that are low, up to 345 Hz."""
_LEAST: Final = 1e-9
_SLIDE: Final = 0.6
"""Steps of a slider by which a word of weight 1 moves it."""
_OTHER_MAKE: Final = {"electronic": "acoustic", "acoustic": "electronic"}


@dataclass(frozen=True)
class Wish:
    """What words ask for."""

    drum_class: str | None = None
    """A name of `drums.CLASS_NAMES`, where words name a drum."""
    kind: str | None = None
    """A name of `kinds.KINDS`."""
    make: str | None = None
    """'electronic' or 'acoustic', where words say so."""
    weights: dict[str, float] = field(default_factory=dict)
    """How far descriptors go, by the names of DESCRIPTORS, in standard deviations."""
    unexplained: tuple[str, ...] = ()
    """Words without a meaning here."""
    guessed: dict[str, Meaning] = field(default_factory=dict)
    """What words are taken to mean that the lexicon lacks."""
    negated: tuple[str, ...] = ()
    """Names of drums that are not asked for, as 'kick' in "no kick"."""

    def contradicts(self, drum_class: str, kind: str | None) -> bool:
        """Return whether the words name another drum than this one."""
        if self.drum_class not in (None, drum_class):
            return True
        return kind is not None and self.kind not in (None, kind)

    def kind_of(self, card: Card, drum_class: str) -> str | None:
        """Return the kind to make of a class: the one named, or the electronic or acoustic one if the model has it."""
        if self.kind is not None and class_of_kind(self.kind) == drum_class:
            return self.kind
        name = f"{self.make}_{drum_class}"
        return name if name in card.drums.kinds else None


def read_words(text: str, guess: Callable[[str], Meaning] = lambda word: {}) -> Wish:
    """Return what words ask for; negated ones count the other way: "not bright", "less boomy", "-noisy".

    A negated drum is not the one asked for. `guess` is asked about the words that the lexicon lacks, as
    `WordEmbedding.meaning`.
    """
    found, negated, rest = _drums(_words(text))
    # The last name is the noun: an "open hat snare" is a snare.
    drum_class = found[-1][0] if found else None
    kind = next((named for of, named in reversed(found) if named and of == drum_class), None)
    unknown = [word for word in rest if not _is_known(word)]
    guessed = {word: meaning for word in unknown if (meaning := guess(word))}
    weights, makes = _meanings(rest, guessed)
    unexplained = tuple(word for word in unknown if word not in guessed)
    return Wish(drum_class, kind, makes[-1] if makes else None, weights, unexplained, guessed, tuple(negated))


def _drums(words: Sequence[str]) -> tuple[list[tuple[str, str | None]], list[str], list[str]]:
    """Return the classes and kinds of the drums that words name, the names of negated ones, and the other words."""
    found: list[tuple[str, str | None]] = []
    negated: list[str] = []
    rest: list[str] = []
    at, factor = 0, 1.0
    while at < len(words):
        count = next((n for n in range(_LONGEST_NAME, 0, -1) if drum_of(" ".join(words[at : at + n]))), 1)
        name = " ".join(words[at : at + count])
        drum = drum_of(name)
        at += count
        if drum is None:
            rest.append(name)
            factor = _factor(factor, name)
            continue
        if factor > 0:
            found.append(drum)
        else:
            negated.append(name)
            # What negated the drum does not negate the next word.
            while rest and (rest[-1] in table("stronger") or rest[-1] in table("empty")):
                rest.pop()
        factor = 1.0
    return found, negated, rest


def _factor(factor: float, word: str) -> float:
    """Return how much the word behind `word` counts, where `word` itself counts by `factor`; negative is negated."""
    strength = table("stronger").get(word)
    if strength is not None:
        return factor * float(strength)
    return factor if word in table("empty") else 1.0


def _words(text: str) -> list[str]:
    plain = re.sub(r"(^|\s)-(?=\w)", r"\1not ", text.lower())
    plain = re.sub(r"[^\w]+", " ", plain.replace("'", "")).replace("_", " ").strip()
    for phrase, word in table("phrase").items():
        plain = re.sub(rf"\b{phrase}\b", word, plain)
    return plain.split()


def _is_known(word: str) -> bool:
    return bool(meaning_of(word)) or any(word in table(section) for section in ("make", "stronger", "empty"))


def _meanings(words: Sequence[str], guessed: Mapping[str, Meaning]) -> tuple[dict[str, float], list[str]]:
    """Return how far descriptors go, and makes."""
    weights: dict[str, float] = {}
    makes, factor = [], 1.0
    for word in words:
        meaning, make = meaning_of(word) or guessed.get(word, {}), table("make").get(word)
        for name, far in meaning.items():
            weights[name] = weights.get(name, 0.0) + factor * far
        if make is not None:
            makes.append(make if factor > 0 else _OTHER_MAKE[make])
        factor = _factor(factor, word)
    return {name: far for name, far in weights.items() if abs(far) > _LEAST}, makes


def sliders_for(wish: Wish, strength: float = 1.0) -> Sliders:
    """Return the sliders of `tweak` that words move, beside the seeds that they choose; the pitch has none."""
    far = {name: float(np.clip(_SLIDE * strength * weight, -MOST, MOST)) for name, weight in wish.weights.items()}
    long = far.pop("long", 0.0)
    far.pop("high", None)
    return Sliders(**far, longer=max(0.0, long), tighter=max(0.0, -long))


@dataclass(frozen=True)
class SeedSearch:
    """Where drums are looked for that words fit."""

    drum_class: str
    """A name of `drums.CLASS_NAMES`."""
    kind: str | None = None
    """A name of `kinds.KINDS`, of that class."""
    seed: int = 0
    """The first seed."""
    strength: float = 1.0
    """How much words decide beside chance; 0 is not at all."""
    pool: int = 256
    """How many seeds are compared."""


def seeds_for(card: Card, wish: Wish, search: SeedSearch) -> list[int]:
    """Return seeds of drums, those first that words fit best; by strength 0 they count up.

    The drum of each seed is described without the network. `InputError` for a strength out of its range, or a kind that
    the model lacks.
    """
    if not 0 <= search.strength <= _MOST_STRENGTH:
        raise InputError(
            f"strength is {search.strength:g}: choose 0, at which words only name the drum, to {_MOST_STRENGTH:g}"
        )
    pool = range(search.seed, search.seed + search.pool)
    is_known = described_drum(card, search.drum_class, search.seed, search.kind) is not None
    if search.kind is not None and not is_known:
        raise InputError(f"the model has no {search.kind}: its corpus had none")
    if not wish.weights or search.strength == 0 or not is_known:
        return list(pool)
    drums = [described_drum(card, search.drum_class, seed, search.kind) for seed in pool]
    known = [drum for drum in drums if drum is not None]
    fit = _fit(known, wish, search)
    return [pool[place] for place in np.argsort(-fit, kind="stable").tolist()]


def _fit(drums: Sequence[Drum], wish: Wish, search: SeedSearch) -> Array:
    """Return how well words fit each drum, (drums,): standard scores by weight, beside chance by strength."""
    table = np.array([[described[name] for name in DESCRIPTORS] for described in map(descriptors_of, drums)])
    scores = (table - table.mean(axis=0)) / (table.std(axis=0) + _LEAST)
    weights = np.array([wish.weights.get(name, 0.0) for name in DESCRIPTORS])
    signed = np.clip(scores * np.sign(weights), *_FAR) * np.abs(weights)
    chance = np.random.default_rng([_STREAM, search.seed]).gumbel(size=len(drums)) * _CHANCE
    return np.asarray(search.strength * signed.sum(axis=1) + chance)


def descriptors_of(drum: Drum) -> dict[str, float]:
    """Return DESCRIPTORS of a drum's description, each rising with its name."""
    power = 10 ** (drum.level_db / 10)
    share = power / power.sum()
    loud = np.maximum(drum.level_db + 40, 0) + _LEAST
    ringing = (share * (1 - 10 ** (-drum.prominence_db / 20))).sum()
    # What is gone soon is loud at the attack: energy over decay time.
    attack = power / drum.t60
    return {
        "bright": float((share * np.log2(_MIDDLES_HZ)).sum()),
        "boomy": float(10 * np.log10(share[:_LOWS].sum() + 1e-6)),
        "long": float((loud * np.log2(drum.t60)).sum() / loud.sum()),
        "noisy": float(1 - ringing),
        "hard": float((attack / attack.sum() * np.log2(_MIDDLES_HZ)).sum()),
        "high": float(np.log2(main_hz(drum.level_db, drum.modes))),
    }
