"""The strokes of a loop as files: hits, a MIDI file that plays them again, and a kit."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

import mido
import numpy as np

from ghostnote.bridge.classify.features import features, mono_for_features
from ghostnote.bridge.classify.layers import layer_velocities
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
from ghostnote.bridge.io.audio_checks import MIN_SECONDS
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.io.hit_files import distinct_name
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.kit.choke import default_choke
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import DEFAULT_SEED, Kit, Pad, pad_seed
from ghostnote.bridge.kit.notes import notes_of_drums
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.midi.events import DRUM_CHANNEL
from ghostnote.bridge.tools.slice import Stroke, heaviest_first

_PPQ: Final = 960
_NOTE_TICKS: Final = 60
_CLEAN_DB: Final = 10.0
_Notes = tuple[tuple[int, int], ...]
"""Notes and their velocities."""
DEFAULT_BPM: Final = 120.0
"""Of the MIDI file where nobody says the loop's own; notes come when the strokes do in any case."""


@dataclass(frozen=True)
class LoopFiles:
    """What was written of a loop."""

    hits: tuple[Path, ...]
    midi: Path
    kit: Path | None
    notes: tuple[str, ...]
    """What the user should know, a sentence each."""


@dataclass(frozen=True)
class _Drum:
    """Strokes that sound alike."""

    name: str
    classes: tuple[str, ...]
    strokes: tuple[Stroke, ...]
    notes: tuple[int, ...]


def write_loop(
    strokes: Sequence[Stroke],
    rate: int,
    folder: Path,
    name: str,
    *,
    bits: int | None = None,
    bpm: float = DEFAULT_BPM,
    with_kit: bool = False,
) -> LoopFiles:
    """Write the strokes of a loop into a folder: a sound file each, `NAME.mid`, and `NAME.toml` if asked for.

    Several drums that are struck together are several notes where each of them is also struck alone; only then are
    they left out of the kit. Strokes too short to be hits are left out of everything: `InputError` where all are.
    `OutputError` where a file cannot be written.
    """
    found, strokes = strokes, [stroke for stroke in strokes if stroke.audio.shape[1] >= MIN_SECONDS * rate]
    least = f"{1000 * MIN_SECONDS:g} ms"
    if not strokes:
        raise InputError(f"no stroke in it lasts {least}, as a hit does at least: is it a drum loop?")
    drums, together = _drums(strokes)
    prepare_folder(folder)
    files: dict[int, Path] = {}
    for drum in drums:
        for number, stroke in enumerate(drum.strokes, 1):
            files[id(stroke)] = folder / f"{drum.name.replace(' ', '_')}-{number}.wav"
            write_audio(files[id(stroke)], stroke.audio, rate, bits)
    midi, kit = folder / f"{name}.mid", folder / f"{name}.toml"
    write_bytes(midi, _midi(strokes, _notes_of(strokes, drums, together), rate, bpm))
    said = [f"{counted(len(together), 'stroke')} of several drums at once: in files, not in pads"] if together else []
    if len(strokes) < len(found):
        said.append(f"left out {counted(len(found) - len(strokes), 'stroke')} of less than {least}: no hits")
    if with_kit:
        taken = {id(stroke) for stroke in together}
        pads = [_pad(drum, files, rate) for drum in drums if id(drum.strokes[0]) not in taken and drum.notes]
        said += [
            f"{drum.name}: no MIDI note is free"
            for drum in drums
            if not drum.notes and id(drum.strokes[0]) not in taken
        ]
        save_kit(Kit(name, DEFAULT_SEED, tuple(pads)), kit)
    return LoopFiles(tuple(files.values()), midi, kit if with_kit else None, tuple(said))


def _drums(strokes: Sequence[Stroke]) -> tuple[list[_Drum], list[Stroke]]:
    """Return the drums of a loop, each with notes, and the strokes that are several of its drums at once."""
    by_sound: dict[int, list[Stroke]] = {}
    for stroke in strokes:
        by_sound.setdefault(stroke.sound, []).append(stroke)
    groups = sorted(by_sound.values(), key=lambda group: (len(group[0].classes), -len(group)))
    # What is only struck together with others is the heaviest of them: a kick under every hat is the kick.
    struck = [heaviest_first(group[0].classes) for group in groups]
    alone = {classes[0] for classes in struck if len(classes) == 1}
    divisible = [len(classes) > 1 and set(classes) <= alone for classes in struck]
    own = [classes[0] for classes, several in zip(struck, divisible, strict=True) if not several]
    free = iter(notes_of_drums(own))
    taken: set[str] = set()
    drums = []
    for group, classes, several in zip(groups, struck, divisible, strict=True):
        name = distinct_name(" and ".join(name.replace("_", " ") for name in classes), taken)
        drums.append(_Drum(name, classes, tuple(group), () if several else next(free)))
    return drums, [stroke for group, several in zip(groups, divisible, strict=True) if several for stroke in group]


def _notes_of(strokes: Sequence[Stroke], drums: Sequence[_Drum], together: Sequence[Stroke]) -> list[_Notes]:
    """Return the notes that each stroke plays, with their velocities.

    A stroke of several drums is as loud as the heaviest; the others are as loud in it as they are alone, by the median.
    """
    of_class: dict[str, int] = {}
    of_sound: dict[int, tuple[int, ...]] = {}
    for drum in drums:
        of_sound[drum.strokes[0].sound] = drum.notes[:1]
        if len(drum.classes) == 1 and drum.notes:
            of_class.setdefault(drum.classes[0], drum.notes[0])
    several = {id(stroke) for stroke in together}
    usual = {
        name: round(median(stroke.velocity for stroke in strokes if stroke.classes == (name,)))
        for name in {name for stroke in together for name in stroke.classes}
    }
    played = []
    for stroke in strokes:
        if id(stroke) in several:
            heaviest, *others = heaviest_first(stroke.classes)
            own = ((of_class[heaviest], stroke.velocity), *((of_class[name], usual[name]) for name in others))
        else:
            own = tuple((note, stroke.velocity) for note in of_sound[stroke.sound])
        played.append(own)
    return played


def _midi(strokes: Sequence[Stroke], notes: Sequence[_Notes], rate: int, bpm: float) -> bytes:
    """Return a MIDI file that plays the strokes' notes when they come, on the drum channel."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))])
    events = []
    for stroke, own in zip(strokes, notes, strict=True):
        tick = round(stroke.start / rate * bpm / 60 * _PPQ)
        for note, velocity in own:
            events.append((tick, 1, note, velocity))
            events.append((tick + _NOTE_TICKS, 0, note, 0))
    now = 0
    for tick, on, note, velocity in sorted(events):
        kind = "note_on" if on else "note_off"
        track.append(mido.Message(kind, channel=DRUM_CHANNEL, note=note, velocity=velocity, time=tick - now))
        now = tick
    data = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=_PPQ, tracks=[track]).save(file=data)
    return data.getvalue()


def _clean(strokes: Sequence[Stroke], rate: int) -> list[Stroke]:
    """Return those strokes of a drum that sound most alike: in others what was struck before still rings."""
    found = np.array([features(mono_for_features(stroke.audio, rate)) for stroke in strokes])
    apart = np.sqrt(np.square(found[:, None] - found).mean(axis=2))
    middle = int(np.median(apart, axis=1).argmin())
    return [stroke for stroke, far in zip(strokes, apart[middle], strict=True) if far <= _CLEAN_DB]


def _pad(drum: _Drum, files: dict[int, Path], rate: int) -> Pad:
    kind = drum.classes[0]
    pad = Pad(drum.name, drum.notes, kind, choke=default_choke(kind), seed=pad_seed(DEFAULT_SEED, drum.name))
    paths = [files[id(stroke)] for stroke in _clean(drum.strokes, rate)]
    if len(paths) == 1:
        return replace(pad, hit=paths[0])
    velocities = layer_velocities(paths)
    return replace(pad, hits=tuple(PadHit(path, low, low) for path, low in zip(paths, velocities, strict=True)))
