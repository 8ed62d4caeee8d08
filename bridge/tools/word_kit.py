"""A kit whose drums words choose."""

from dataclasses import replace
from typing import Final

from ghostnote.bridge.inference.model_card import Card
from ghostnote.bridge.kit.fields import usable_text
from ghostnote.bridge.kit.kit import Kit, Pad, load_kit
from ghostnote.bridge.tools.words import SeedSearch, Wish, seeds_for

_POOL: Final = 64
"""Drums that are compared for each pad."""


def kit_from_words(card: Card, name: str, wish: Wish, *, seed: int = 0, strength: float = 1.0) -> Kit:
    """Return a kit like the one that comes along, acoustic or electronic, with drums that words fit.

    Where words name a drum, pads of its class alone are changed. `InputError` for a strength out of its range.
    """
    base = load_kit("electronic" if wish.make == "electronic" else "default")
    pads = tuple(_chosen(card, pad, wish, seed, strength) if _is_meant(pad, wish) else pad for pad in base.pads)
    return replace(base, name=usable_text(name), pads=pads, path=None)


def _is_meant(pad: Pad, wish: Wish) -> bool:
    return not pad.files and wish.drum_class in (None, pad.drum_class)


def _chosen(card: Card, pad: Pad, wish: Wish, seed: int, strength: float) -> Pad:
    # A kind that words name is that of every pad of its class; of others a pad keeps its own.
    named = wish.kind if wish.drum_class == pad.drum_class else None
    kind = named or pad.kind
    known = kind if kind in card.drums.kinds else None
    search = SeedSearch(pad.drum_class, known, pad.drum_seed % 2**31 + _POOL * seed, strength, _POOL)
    return replace(pad, kind=kind, drum=seeds_for(card, wish, search)[0])
