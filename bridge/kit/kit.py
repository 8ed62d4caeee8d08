"""A kit: which MIDI note plays which drum, and how. Read from a TOML file, checked once."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.dsp.shaping import Shaping
from ghostnote.bridge.dsp.sliders import SLIDERS, Sliders
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.arguments import as_path
from ghostnote.bridge.io.printable import shown
from ghostnote.bridge.kit.effects import kit_effects
from ghostnote.bridge.kit.fields import KIT_KEYS, FieldError, check_keys, check_name, check_number
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.pad_table import pad_settings, pad_tables
from ghostnote.bridge.kit.toml_text import parse_text, read_text

BUILT_IN: Final = ("default", "electronic", "dry")
"""Names of the kits that come along; the first plays when no other is given."""

DEFAULT_SEED: Final = 1


@dataclass(frozen=True)
class Pad(Sliders, Shaping):
    """One drum of a kit. Sliders move the drum before strokes are made of it, and knobs shape each stroke."""

    name: str
    """What it is called in tables, reports and the names of stems."""
    notes: tuple[int, ...]
    """The MIDI notes that strike it."""
    drum_class: str
    """What kind of drum it is: a name of `drums.CLASS_NAMES`."""
    hit: Path | None = None
    """The sound file of a stroke to vary; without one the model generates the drum."""
    amount: float = 1.0
    """How much strokes differ: 0 not at all, 1 as a drummer's do, 2 twice that."""
    width: float = 0.0
    """How much left and right differ: 0 mono, 1 as two strokes do."""
    gain_db: float = 0.0
    """Level in the mix."""
    pan: float = 0.0
    """Place in the mix: -1 left, 0 middle, 1 right."""
    steps: int = 2
    """Diffusion steps; 0 leaves the network out."""
    choke: str | None = None
    """The choke group: pads that share this word silence one another."""
    seed: int = 0
    """Which strokes are made, and which drum where `drum` is None: the same seed, the same sounds."""
    drum: int | None = None
    """The seed of the drum that the model generates, when it is another than the strokes'."""
    velocity: int = 127
    """The velocity at which `hit` was struck."""
    hits: tuple[PadHit, ...] = ()
    """Several recorded strokes instead of `hit`: velocity layers and round robins."""
    kind: str | None = None
    """What the model generates, finer than the class: a name of `kinds.KINDS`."""
    effects: tuple[Effect, ...] = ()
    """What all its strokes together go through, after level and place."""
    out: str | None = None
    """The output that it shares with others of the same word, where outputs are groups."""

    @property
    def drum_seed(self) -> int:
        """Return the seed of the drum that the model generates."""
        return self.seed if self.drum is None else self.drum

    @property
    def shaping(self) -> Shaping:
        """Return what the pad's knobs do to its strokes."""
        return Shaping(**{field.name: getattr(self, field.name) for field in fields(Shaping)})

    @property
    def sliders(self) -> Sliders:
        """Return what is done to the pad's drum before strokes are made of it."""
        return Sliders(**{name: getattr(self, name) for name in SLIDERS})

    @property
    def plain(self) -> "Pad":
        """Return the pad with its sliders at 0."""
        return replace(self, **asdict(Sliders()))

    @property
    def files(self) -> tuple[Path, ...]:
        """The sound files that its strokes start from."""
        return (*((self.hit,) if self.hit else ()), *(hit.file for hit in self.hits))


@dataclass(frozen=True)
class Kit:
    """Pads under one name and one seed."""

    name: str
    """What it is called in reports."""
    seed: int
    """What the pads' own seeds are drawn from."""
    pads: tuple[Pad, ...]
    """In the order of the file, which is the order of the stems."""
    path: Path | None = None
    """The file it was read from; None for a kit that comes along."""
    effects: tuple[Effect, ...] = ()
    """What the mix goes through, before the limiter."""

    @property
    def all_effects(self) -> dict[str, tuple[Effect, ...]]:
        """The effects of each pad that has some, by its name, and those of the mix under ''."""
        parts = {**{pad.name: pad.effects for pad in self.pads}, "": self.effects}
        return {name: effects for name, effects in parts.items() if effects}

    def with_effects(self, parts: Mapping[str, tuple[Effect, ...]]) -> "Kit":
        """Return the kit with the effects that `all_effects` returned, and no others."""
        pads = tuple(replace(pad, effects=parts.get(pad.name, ())) for pad in self.pads)
        return replace(self, pads=pads, effects=parts.get("", ()))

    def pad_for_note(self, note: int) -> Pad | None:
        """Return the pad that a MIDI note strikes, or None."""
        return next((pad for pad in self.pads if note in pad.notes), None)

    def with_note(self, name: str, note: int, exchange: bool = False) -> "Kit | None":
        """Return the kit with a note moved to the pad `name`; None if that would leave a pad without notes.

        With `exchange` such a pad gets the first note of the pad `name` for it.
        """
        before = {pad.name: pad.notes for pad in self.pads}
        notes = {pad: tuple(n for n in kept if n != note) for pad, kept in before.items()}
        given = before[name][:1] if exchange else ()
        for pad in notes:
            if pad != name and not notes[pad]:
                notes[pad], notes[name] = given, tuple(n for n in notes[name] if n not in given)
        notes[name] = (*notes[name], note)
        pads = tuple(replace(pad, notes=notes[pad.name]) for pad in self.pads)
        return replace(self, pads=pads) if all(notes.values()) else None


def pad_seed(kit_seed: int, pad_name: str) -> int:
    """Return the 32-bit seed that a pad without one of its own has: the same on every computer."""
    digest = hashlib.blake2b(f"{kit_seed}:{pad_name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


def built_in_file(name: str) -> Path:
    """Return the file of a kit of `BUILT_IN`."""
    return Path(__file__).with_name(f"{name}.toml")


def default_kit() -> Kit:
    """Return the kit that plays when no other is given; the model generates its drums, so it needs no sound file."""
    return replace(_read_kit(built_in_file(BUILT_IN[0])), path=None)


def load_kit(path: Path | str) -> Kit:
    """Read a kit file, or a kit of `BUILT_IN` by its name.

    `KitError` names the file, the pad, the key, the value and the rule that it breaks.
    """
    if str(path) in BUILT_IN:
        return replace(_read_kit(built_in_file(str(path))), path=None)
    if not as_path("path", path).suffix and not os.path.lexists(path):
        raise KitError(f"{path}: there is no such kit; name a file, as mykit.toml, or one of {', '.join(BUILT_IN)}")
    return _read_kit(Path(path))


def _read_kit(path: Path) -> Kit:
    return replace(parse_kit(read_text(path), path.parent, str(path)), path=path)


def parse_kit(text: str, folder: Path, origin: str) -> Kit:
    """Make a kit of a file's text; hits are looked for in `folder`, `origin` names the file in errors."""
    table = parse_text(text, origin)
    where = ""
    try:
        check_keys(table, KIT_KEYS)
        name = check_name("name", table.get("name", Path(origin).stem))
        seed = check_number("seed", table.get("seed", DEFAULT_SEED))
        effects = kit_effects(table.get("effects", []), folder)
        pads: list[Pad] = []
        for number, entry in enumerate(pad_tables(table), 1):
            where = f"pad {number} {shown(entry.get('name', 'without a name'))}: "
            pads.append(_pad(entry, seed, folder))
            _check_unique(pads[-1], pads[:-1])
    except FieldError as error:
        raise KitError(f"{origin}: {where}{error}") from error
    return Kit(name, seed, tuple(pads), effects=effects)


def _pad(entry: Mapping[str, Any], kit_seed: int, folder: Path) -> Pad:
    settings = pad_settings(entry, folder)
    return Pad(**{"seed": pad_seed(kit_seed, settings["name"]), **settings})


def _check_unique(pad: Pad, others: list[Pad]) -> None:
    """Raise `FieldError` if a pad shares its name or a note with one before it."""
    for other in others:
        if pad.name.casefold() == other.name.casefold():
            raise FieldError(f"name = {shown(pad.name)} is an earlier pad's too, capitals aside; choose another")
        shared = set(pad.notes) & set(other.notes)
        if shared:
            raise FieldError(f"note {min(shared)} is claimed by pad {shown(other.name)} too; leave it to one")
