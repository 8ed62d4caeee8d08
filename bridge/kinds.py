"""Kinds of drum finer than the classes: their names, their classes, and how recordings of them are called."""

import re
from dataclasses import dataclass
from typing import Final

from ghostnote.bridge.drums import CLASS_NAMES, class_from_name
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import nearest, shown


@dataclass(frozen=True)
class Kind:
    """A kind of drum."""

    name: str
    """The name used in kits and commands."""
    drum_class: str
    """The class that it belongs to."""
    pattern: str
    """A regular expression that is found in the names of its recordings, in lower case."""


_MACHINE: Final = r"\b[3-9]0[3-9]_|\brd-6|elec|synth|sdbkit|fmperc|\bfm_|\bcs30\b|xpander|\bsh2\b"

KINDS: Final = (
    Kind("electronic_kick", "kick", rf"{_MACHINE}|(\b|_)bd|kickmess|microlag|distkit|club|dance|house|techno"),
    Kind("acoustic_kick", "kick", r"kick|bass.?drum|drum_bass|bass22"),
    Kind("brush_snare", "snare", r"brush|/sb"),
    Kind("electronic_snare", "snare", rf"{_MACHINE}|(\b|_)sd|\bsn_|microlag|distkit|dance|house|noise"),
    Kind("acoustic_snare", "snare", r"snare|/s[nm]\b|aluminium"),
    Kind("side_stick", "rim", r"side.?stick|cross.?stick|/ss\b|stick"),
    Kind("rim_shot", "rim", r"rim|/sr\b|\brs\d"),
    Kind("finger_snap", "clap", r"snap|finger"),
    Kind("hand_clap", "clap", r"clap|\bcp"),
    Kind("electronic_closed_hat", "closed_hat", rf"{_MACHINE}|\bch8|_hh_|\bhat_|microlag|distkit"),
    Kind("acoustic_closed_hat", "closed_hat", r"hat|closed|tight|squash"),
    Kind("electronic_open_hat", "open_hat", rf"{_MACHINE}|\boh8|_oh_|\bhat_(cat|gum|len|noi|zan)|distkit"),
    Kind("half_open_hat", "open_hat", r"half|loose|sizz"),
    Kind("acoustic_open_hat", "open_hat", r"hat|open"),
    Kind("electronic_tom", "tom", rf"{_MACHINE}|\b[lmh]t8|distkit|_mot4i"),
    Kind("high_tom", "tom", r"hi|small|tom_hh?\b|tenor|-8\b|-10\b"),
    Kind("mid_tom", "tom", r"mid|medium|tom_m\b|-12\b"),
    Kind("low_tom", "tom", r"lo|large|floor|tom_ll?\b|_1[458]\b|_22\b|marching bass"),
    Kind("splash", "crash", r"splash"),
    Kind("china", "crash", r"china"),
    Kind("crash_cymbal", "crash", r"crash|cymbal|cy8"),
    Kind("ride_bell", "ride", r"bell|cup"),
    Kind("flat_ride", "ride", r"flat"),
    Kind("ride_cymbal", "ride", r"ride"),
    Kind("agogo", "perc", r"agogo"),
    Kind("anvil", "perc", r"anvil|shoemakers|metal_rods"),
    Kind("body_percussion", "perc", r"stomp|thump|belly|shoulder|heel"),
    Kind("bongo", "perc", r"bongo"),
    Kind("cabasa", "perc", r"cabasa"),
    Kind("cajon", "perc", r"cajon"),
    Kind("castanets", "perc", r"castanet"),
    Kind("claves", "perc", r"clave|\bcl8"),
    Kind("muted_conga", "perc", r"(muted?.*conga|conga.*mute)"),
    Kind("conga", "perc", r"conga|\b[lmh]c8"),
    Kind("cowbell", "perc", r"cow.?b|\bcb8"),
    Kind("cuica", "perc", r"cuica"),
    Kind("darbuka", "perc", r"darbuka|bobobo|tamil"),
    Kind("frame_drum", "perc", r"frame.?drum|medieval|canvas"),
    Kind("gong", "perc", r"gong"),
    Kind("guiro", "perc", r"guiro"),
    Kind("hang", "perc", r"\bhang"),
    Kind("log_drum", "perc", r"log.?drum"),
    Kind("maracas", "perc", r"maraca|\bma8"),
    Kind("shaker", "perc", r"shaker|_sh_"),
    Kind("tabla", "perc", r"tabla"),
    Kind("tambourine", "perc", r"tamb|10_tb"),
    Kind("timbale", "perc", r"timbale"),
    Kind("timpani", "perc", r"timpani"),
    Kind("triangle", "perc", r"triangle"),
    Kind("wood_block", "perc", r"wood|block|knock|\bw0\d"),
)
"""In the order in which names are tried."""

KIND_NAMES: Final = tuple(kind.name for kind in KINDS)
_BY_NAME: Final = {kind.name: kind for kind in KINDS}


def kind_from_name(drum_class: str, text: str) -> str:
    """Return the kind that a recording's name means, of those of its class; '' for none."""
    lowered = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()
    found = (kind.name for kind in KINDS if kind.drum_class == drum_class and re.search(kind.pattern, lowered))
    return next(found, "")


def kinds_of(drum_class: str) -> tuple[str, ...]:
    """Return the names of the kinds of a class."""
    return tuple(kind.name for kind in KINDS if kind.drum_class == drum_class)


def find_kind(text: str, drum_class: str | None = None) -> Kind:
    """Return the kind of a name, of a class if given; `InputError`, with the names that there are, for any other."""
    name = plain_name(text)
    found = _BY_NAME.get(name) or _BY_NAME.get(name.removesuffix("s"))
    names = kinds_of(drum_class) if drum_class in CLASS_NAMES else KIND_NAMES
    if found is None or found.name not in names:
        # An everyday name of a class means its kinds: what is spelled like it may be quite another drum.
        meant = [each for each in names if _BY_NAME[each].drum_class in classes_like(name)]
        advice = f"choose one of {', '.join(meant)}" if meant else nearest(name, names)
        of_class = f" of the class {drum_class}" if drum_class in CLASS_NAMES else ""
        raise InputError(f"{shown(text)} is not a kind of drum{of_class}; {advice}")
    return found


def classes_like(text: str) -> list[str]:
    """Return the classes of an everyday name: all hats for a hi-hat."""
    plain = re.sub(r"[\s_-]+", "", text.strip().lower()).removeprefix("hi").removesuffix("s")
    named = [name for name in CLASS_NAMES if plain and plain in name]
    other = class_from_name(text)
    return named or ([other] if other else [])


def find_class(text: str) -> str:
    """Return the class of that name, however it is written; `InputError`, with the names that there are, for others."""
    name = plain_name(text)
    for known in (name, name.removesuffix("s")):
        if known in CLASS_NAMES:
            return known
    classes, kinds = classes_like(text), [kind for kind in KIND_NAMES if name and name in kind]
    advice = f"choose {' or '.join(classes)}" if classes else nearest(name, CLASS_NAMES)
    raise InputError(
        f"{shown(text)} is not a drum class; {advice}" + (f", or the kind {', '.join(kinds)}" if kinds else "")
    )


def plain_name(text: str) -> str:
    """Return a name as classes and kinds are written: in lower case, its words joined by underscores; `InputError`."""
    if not isinstance(text, str):
        raise InputError(f"{text!r} is not the name of a drum: give it as text, as 'snare'")
    return re.sub(r"[\s_-]+", "_", text.strip().lower())
