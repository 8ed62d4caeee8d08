"""Makes new kit files: from the default kit, or from a folder of hits by their names and sounds."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ghostnote.bridge.classify.classifier import Guess
from ghostnote.bridge.classify.finder import FoundDrum, find_drums
from ghostnote.bridge.drums import CLASSES
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.hit_files import distinct_name, hits_at, unread_sounds, without_stems
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.kit.choke import default_choke
from ghostnote.bridge.kit.fields import MOST_TEXT, FieldError, check_name, check_text, path_inside, quoted, usable_text
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import BUILT_IN, DEFAULT_SEED, Kit, Pad, built_in_file, load_kit, pad_seed, parse_kit
from ghostnote.bridge.kit.notes import NoteWish, notes_by_name
from ghostnote.bridge.kit.save import kit_text

_HEAD: Final = "# A kit for ghostnote.\n#\n"
_OF_HITS: Final = f"""\
{_HEAD}# Every drum is one of your own hits, and each stroke varies it. For a pad without hit and hits
# the model generates a drum.
#
"""
"""What a kit of hits says of its drums."""
_KEYS: Final = "# Keys of a pad"


@dataclass(frozen=True)
class NewKit:
    """A kit file to be written, and the sound files that are not in it."""

    text: str
    """The TOML text, with comments."""
    pads: int
    """How many pads it has."""
    skipped: tuple[str, ...]
    """For each file without a pad its name and the reason."""
    guessed: tuple[str, ...] = ()
    """For each drum that went by its sound its file and the class; and files of formats that are not read."""


@dataclass(frozen=True)
class FoundPads:
    """Pads for the drums that were found, and what is to be said of others as in `NewKit`."""

    pads: tuple[Pad, ...]
    skipped: tuple[str, ...]
    guessed: tuple[str, ...]


def kit_from_built_in(name: str, base: str = BUILT_IN[0]) -> NewKit:
    """Return a copy of a kit of `BUILT_IN` under another name; the model generates all its drums."""
    if base not in BUILT_IN:
        raise KitError(f"'{base}' does not come along: choose {', '.join(BUILT_IN[:-1])} or {BUILT_IN[-1]}")
    keys, pads = _parts(base)
    return NewKit(f"{keys}name = {quoted(usable_text(name))}\n{pads}", len(load_kit(built_in_file(base)).pads), ())


def kit_from_hits(name: str, hits: Path, folder: Path) -> NewKit:
    """Return a kit with one pad for each drum in `hits`, a folder or one file, for a kit file in `folder`.

    Strokes of one drum are one pad, by their names and sounds. A drum's class is the one that its name says, or
    else its folder's, or else that of its sound. `KitError` if `hits` does not lie in `folder` or below, or holds no
    file that can be used.
    """
    if not hits.exists():
        raise KitError(f"{hits}: there is no such file or folder of hits; check the path")
    if path_inside(hits, folder) is None:
        command = f"ghostnote kit import {shlex.quote(str(hits))} -o {shlex.quote(str(folder / f'{name}.toml'))}"
        raise KitError(
            f"{hits}: lies outside {real_path(folder)}; write the kit file beside or above its hits, "
            f"or let {command} copy them"
        )
    skipped: list[str] = []
    root = hits if hits.is_dir() else hits.parent
    files = [path for path in hits_at(hits) if _has_a_name(path, root, skipped)]
    made = pads_from_files([(path, root) for path in files])
    skipped += made.skipped
    if not made.pads and hits.is_file():
        raise KitError(skipped[0])
    if not made.pads:
        raise KitError(
            f"{hits}: holds no hit for a kit{without_stems(hits)}"
            + "".join(f"; {reason}" for reason in (*skipped[:3], *unread_sounds([hits])))
        )
    keys = _parts(BUILT_IN[0])[0]
    text = _OF_HITS + keys[keys.index(_KEYS) :] + kit_text(Kit(usable_text(name), DEFAULT_SEED, made.pads), folder)
    parse_kit(text, folder, name)
    return NewKit(text, len(made.pads), tuple(skipped), (*made.guessed, *unread_sounds([hits])))


def pads_from_files(files: Sequence[tuple[Path, Path]]) -> FoundPads:
    """Return a pad for each drum of sound files, each given with the folder that its name is counted from."""
    found = find_drums(files, all_sounds=True)
    skipped = [*found.unusable.values(), *(f"{path}: {reason}" for path, reason in found.loops.items())]
    kinds, unusable = [kind.name for kind in CLASSES], {**found.unusable, **found.loops}
    drums = [(drum, drum.guess) for drum in found.drums if drum.guess and drum.loudest not in unusable]
    drums.sort(key=lambda drum: kinds.index(drum[1].drum_class))
    shares = notes_by_name([NoteWish(guess.drum_class, drum.name, drum.pitch_hz) for drum, guess in drums])
    taken: set[str] = set()
    pads, guessed = [], []
    for (drum, guess), notes in zip(drums, shares, strict=True):
        if not notes:
            skipped.append(f"{drum.loudest}: no note is free")
            continue
        name = distinct_name(usable_text(drum.name) or guess.drum_class, taken, most=MOST_TEXT)
        pads.append(_pad(name, notes, guess, drum))
        if guess.source == "sound":
            guessed.append(f"{drum.loudest}: no name says its drum; {guess.phrase}")
    return FoundPads(tuple(pads), tuple(skipped), tuple(guessed))


def _pad(name: str, notes: tuple[int, ...], guess: Guess, drum: FoundDrum) -> Pad:
    pad = Pad(name, notes, guess.drum_class, choke=default_choke(guess.drum_class), seed=pad_seed(DEFAULT_SEED, name))
    if len(drum.strokes) == 1:
        return replace(pad, hit=drum.loudest)
    return replace(pad, hits=tuple(PadHit(stroke.path, *stroke.velocities) for stroke in drum.strokes))


def _has_a_name(path: Path, folder: Path, skipped: list[str]) -> bool:
    """Return whether a kit file can hold a file's name; if not, add the reason to `skipped`."""
    try:
        check_name("its name", path.stem)
        check_text("its path", str(path.relative_to(folder.parent)))
    except FieldError as error:
        skipped.append(f"{path}: {error}")
        return False
    return True


def _parts(base: str) -> tuple[str, str]:
    """Return the explanation of the keys in a kit file that comes along, and what follows its name."""
    text = built_in_file(base).read_text("utf-8")
    keys, named = text[text.index("# The model") :].split("\nname = ", 1)
    return f"{_HEAD}{keys}\n", named.split("\n", 1)[1]
