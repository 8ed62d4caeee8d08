"""What commands do with words: say what they mean, and find seeds that fit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    from ghostnote.bridge.inference.variation import Audio
    from ghostnote.bridge.tools.words import SeedSearch, Wish

Strength = Annotated[
    float, typer.Option(min=0, max=10, help="How much words decide; at 0 they do no more than name the drum.")
]

KitWords = Annotated[
    str | None, typer.Option(metavar="WORDS", help='What its drums are like, as in "dusty lo-fi boom bap kit".')
]
KitSeed = Annotated[int, typer.Option(min=0, max=9999, help="With --words: another number, other drums.")]
KitOutput = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="KIT.toml", help="The same as KIT.toml alone.")
]


def read_aloud(words: str) -> Wish:
    """Return what words ask for, and say so, also which of them say nothing."""
    from ghostnote.bridge.tools.word_embedding import KNOWS_MORE, guess, open_embedding
    from ghostnote.bridge.tools.words import read_words

    wish = read_words(words, guess)
    drum = " ".join(part.replace("_", " ") for part in (wish.make, wish.kind or wish.drum_class) if part)
    sound = _listed(wish.weights)
    echo(f"words: {drum or 'any drum'}" + (f"; {sound}" if sound else ""), err=True)
    for word, meaning in wish.guessed.items():
        echo(f"note: '{word}' is taken for {_listed(meaning)}", err=True)
    if wish.unexplained:
        hint = "" if open_embedding() else f"; {KNOWS_MORE}"
        echo(f"note: these words say nothing here: {', '.join(wish.unexplained)}{hint}", err=True)
    return wish


def _listed(meaning: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {far:+.1f}" for name, far in meaning.items())


def one_text(words: list[str] | None) -> str | None:
    """Return the words, which are one argument; `InputError` where quotes were forgotten."""
    from ghostnote.bridge.errors import InputError

    if not words:
        return None
    if len(words) > 1:
        raise InputError(f'{len(words)} arguments are given: put the words in quotes, as in "{" ".join(words)}"')
    return words[0]


def fitting_seeds(
    wish: Wish, search: SeedSearch, count: int, model: Path | None, *, counts_up: bool = False
) -> tuple[tuple[int, ...], str | None]:
    """Return the seeds of so many drums that words fit best, and their kind; `InputError` for too many.

    Where no kind is named it is the electronic or acoustic one that words mean, if the model has it. Seeds that count
    up from the search's own make the drums that earlier files are named after.
    """
    from dataclasses import replace

    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.tools.words import seeds_for

    card = Generator.open(model).card
    kind = search.kind or wish.kind_of(card, search.drum_class)
    if counts_up:
        # So weak, words leave the seeds in their order.
        search = replace(search, strength=0.0, pool=count)
    if count > search.pool:
        raise InputError(f"{count} drums are more than the {search.pool} that words choose from: give a smaller -n")
    return tuple(seeds_for(card, wish, replace(search, kind=kind))[:count]), kind


def changed_by(wish: Wish, strength: float, model: Path | None) -> Callable[[Audio], Audio]:
    """Return what moves a drum's sliders by words, at the model's rate."""
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.tools.word_drums import worded

    rate = Generator.open(model).card.rate
    return lambda drum: worded(drum[None], rate, wish, strength)[0]


def folder_for(words: str | None) -> Path:
    """Return the folder that results of words go to where none is given: named by them."""
    import re

    from ghostnote.bridge.errors import InputError

    if words is None:
        raise InputError("no folder is given: add --output FOLDER")
    return Path(re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60] or "drums")


def one_path(path: Path | None, output: Path | None) -> Path:
    """Return the kit file that an argument or an option names; `KitError` where both or none do."""
    from ghostnote.bridge.errors import KitError

    if (path is None) == (output is None):
        raise KitError("the kit file is named twice" if path else "no kit file is named: add one, as my.toml")
    return path or output or Path()


def write_kit(path: Path, words: str, hits: Path | None, seed: int, strength: float) -> None:
    """Write a kit of drums that words choose; `KitError` where hits are given as well."""
    from ghostnote.bridge.errors import KitError
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.kit.save import save_kit
    from ghostnote.bridge.tools.word_kit import kit_from_words

    if hits:
        raise KitError("--words and --hits exclude each other: words choose drums that the model generates")
    wish = read_aloud(words)
    kit = kit_from_words(Generator.open().card, path.stem, wish, seed=seed, strength=strength)
    save_kit(kit, path)
    echo(f"{path}: {counted(len(kit.pads), 'pad')}")
    if wish.negated:
        names = " and ".join(wish.negated)
        echo(f"note: words leave out no drum: to do without {names} delete its pads from {path}", err=True)
