"""Finds the drums in a folder of hits: strokes of one drum by their names, checked by their sounds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Final

from ghostnote.bridge.classify.classifier import Guess, class_by_name
from ghostnote.bridge.classify.layers import Range, layer_ranges, loudest_last, measured_velocities
from ghostnote.bridge.classify.names import HitName, parse_name
from ghostnote.bridge.classify.sounds import Sound, alike, measure_all
from ghostnote.bridge.io.input_file import real_path

_MARKED_DB: Final = 14.0
"""Names say that these are strokes of one drum: only what sounds quite different is none of them."""
_NUMBERED_DB: Final = 4.5
"""Bare numbers count drums as often as strokes: only what sounds alike is one drum."""
_NUMBERED_SPAN_DB: Final = 10.0
_PITCHED: Final = ("tom", "perc")
_SAME_PITCH: Final = 1.06
_SAME_LEVEL_DB: Final = 4.0
_STEP_BACK_DB: Final = 1.0


@dataclass(frozen=True)
class Found:
    """A stroke of a drum."""

    path: Path
    name: HitName
    velocities: Range = (127, 127)
    """The velocities that it plays; the highest is that of its level."""


@dataclass(frozen=True)
class FoundDrum:
    """A drum and its strokes, from soft to loud."""

    group: str
    """What its strokes' paths have in common: it tells drums apart."""
    guess: Guess | None
    """Its class, where names say one, or else its sound if that was asked for."""
    strokes: tuple[Found, ...]
    pitch_hz: float | None = None
    """Of its body, where it was measured."""

    @property
    def name(self) -> str:
        """What people call it: its only file's name, or what its strokes' names have in common."""
        first = self.strokes[0]
        return first.path.stem if len(self.strokes) == 1 else first.name.title

    @property
    def loudest(self) -> Path:
        """The stroke that stands for it."""
        return self.strokes[-1].path


@dataclass(frozen=True)
class Drums:
    """What was found."""

    drums: tuple[FoundDrum, ...]
    """In the order of their first strokes."""
    unusable: Mapping[Path, str]
    """Files that cannot be opened, and why; each counts as a drum."""
    loops: Mapping[Path, str]
    """Files that were measured and are no hits, and why."""


def find_drums(files: Sequence[tuple[Path, Path]], *, by_sound: bool = False, all_sounds: bool = False) -> Drums:
    """Return the drums of sound files, each given with the folder that its name is counted from.

    Files that names take for strokes of one drum are opened to check that. With `by_sound` those that no name
    explains are opened for their class, too; with `all_sounds` all are.
    """
    names = {path: parse_name(PurePosixPath(path.relative_to(root).as_posix())) for path, root in files}
    guesses = {path: _named(path, root) for path, root in files}
    families: dict[tuple[Path, Guess | None, str], list[Path]] = defaultdict(list)
    for path, root in files:
        families[root, guesses[path], names[path].family].append(path)
    wanted = [path for family in families.values() if _may_be_one(family, names) for path in family]
    wanted += [path for path, _ in files if all_sounds or (by_sound and guesses[path] is None)]
    sounds = measure_all(wanted)
    unusable = {path: reason for path, reason in sounds.items() if isinstance(reason, str)}
    good = {path: sound for path, sound in sounds.items() if isinstance(sound, Sound)}
    drums = []
    for family in families.values():
        usable = [path for path in family if path not in unusable]
        groups = [*_groups(usable, names, good), *([path] for path in family if path in unusable)]
        drums += [_drum(group, names, good, guesses[group[0]]) for group in groups]
    order = {path: at for at, (path, _) in enumerate(files)}
    drums.sort(key=lambda drum: min(order[stroke.path] for stroke in drum.strokes))
    loops = {path: sound.not_a_hit for path, sound in good.items() if sound.not_a_hit}
    return Drums(tuple(drums), unusable, loops)


def _named(path: Path, root: Path) -> Guess | None:
    """Return the class that a path says; the root's own name may say it, but no folder above."""
    return class_by_name(PurePosixPath(real_path(root).name, path.relative_to(root).as_posix()))


def _may_be_one(family: Sequence[Path], names: dict[Path, HitName]) -> bool:
    return len(family) > 1 and any(_marks(names[path]) for path in family)


def _marks(name: HitName) -> tuple[int, ...]:
    """Return what a name says of which stroke it is; nothing where it says nothing."""
    marks = (name.layer, name.dynamic, name.round_robin, name.number)
    return () if marks == (None,) * 4 else tuple(-1 if mark is None else mark for mark in marks)


def _groups(family: Sequence[Path], names: dict[Path, HitName], sounds: dict[Path, Sound]) -> list[list[Path]]:
    """Return a family's files in groups that are one drum each."""
    if len(family) < 2 or not _may_be_one(family, names):
        return [[path] for path in family]
    if _is_marked([names[path] for path in family]):
        return _sets(family, sounds)
    if all(names[path].number is not None for path in family) and _sound_like_one(family, names, sounds):
        return [list(family)]
    by_group: dict[str, list[Path]] = defaultdict(list)
    for path in family:
        by_group[names[path].group].append(path)
    groups = []
    for group in by_group.values():
        marked = [path for path in group if names[path].layer is not None or names[path].round_robin is not None]
        groups += [[path] for path in group if path not in marked]
        groups += _sets(marked, sounds)
    return groups


def _is_marked(names: Sequence[HitName]) -> bool:
    """Return whether marks tell all strokes apart, without a bare number alone doing so."""
    by_number = any(name.number is not None for name in names)
    distinct = len({_marks(name) for name in names}) == len(names)
    layers = {(name.layer, name.dynamic) for name in names}
    words_alone = all(name.layer is None and name.round_robin is None for name in names)
    return distinct and (len(layers) > 1 if by_number or words_alone else all(map(_marks, names)))


def _sets(paths: Sequence[Path], sounds: dict[Path, Sound]) -> list[list[Path]]:
    sets = alike([sounds[path] for path in paths], _MARKED_DB)
    return [[paths[at] for at in each] for each in sets]


def _sound_like_one(paths: Sequence[Path], names: dict[Path, HitName], sounds: dict[Path, Sound]) -> bool:
    """Return whether files that bare numbers tell apart sound like strokes of one drum: layers or round robins."""
    found = [sounds[path] for path in sorted(paths, key=lambda path: names[path].number or 0)]
    pitches, levels = [sound.pitch_hz for sound in found], [sound.level_db for sound in found]
    if names[paths[0]].drum_class in _PITCHED and max(pitches) > min(pitches) * _SAME_PITCH:
        return False
    rises = all(after - before > -_STEP_BACK_DB for before, after in pairwise(levels))
    falls = all(after - before < _STEP_BACK_DB for before, after in pairwise(levels))
    if not (rises or falls or max(levels) - min(levels) < _SAME_LEVEL_DB):
        return False
    near = len(alike(found, _NUMBERED_DB)) == 1
    return near and all(one.distance(other) <= _NUMBERED_SPAN_DB for one in found for other in found)


def _drum(
    paths: Sequence[Path], names: dict[Path, HitName], sounds: dict[Path, Sound], guess: Guess | None
) -> FoundDrum:
    found = _in_layers(paths, names, sounds)
    last = sounds.get(found[-1].path)
    first = names[paths[0]]
    group = first.family if len(paths) > 1 else first.group
    if last is None:
        return FoundDrum(group, guess, found)
    return FoundDrum(group, guess or last.guess, found, last.pitch_hz)


def _in_layers(paths: Sequence[Path], names: dict[Path, HitName], sounds: dict[Path, Sound]) -> tuple[Found, ...]:
    """Return the strokes of a drum from soft to loud, each with its layer's velocities."""
    if len(paths) == 1:
        return (Found(paths[0], names[paths[0]]),)
    levels = {path: sounds[path].level_db for path in paths}
    rank = _ranks([names[path] for path in paths], [levels[path] for path in paths])
    if rank is not None:
        ranks = sorted(set(rank))
        means = [
            _mean(levels[path] for path, number in zip(paths, rank, strict=True) if number == each) for each in ranks
        ]
        up = loudest_last(means)
        numbered = all(names[path].layer is not None for path in paths)
        ranges = layer_ranges(ranks if up and numbered else list(range(len(ranks))))
        of = dict(zip(ranks if up else ranks[::-1], ranges, strict=True))
        velocities = [of[number] for number in rank]
    else:
        velocities = [(velocity, velocity) for velocity in measured_velocities([levels[path] for path in paths])]
    strokes = [Found(path, names[path], each) for path, each in zip(paths, velocities, strict=True)]
    return tuple(sorted(strokes, key=lambda stroke: (stroke.velocities, levels[stroke.path])))


def _ranks(names: Sequence[HitName], levels_db: Sequence[float]) -> list[int] | None:
    """Return each stroke's layer, by number or by words or by a bare number that rises with the level; None without."""
    kinds = ([name.layer for name in names], [name.dynamic for name in names], [name.number for name in names])
    for kind in kinds[: 3 if max(levels_db) - min(levels_db) >= _SAME_LEVEL_DB and not _has_turns(names) else 2]:
        ranks = [rank for rank in kind if rank is not None]
        if len(ranks) == len(names) and len(set(ranks)) > 1:
            return ranks
    return None


def _has_turns(names: Sequence[HitName]) -> bool:
    return any(name.round_robin is not None for name in names)


def _mean(levels: Iterable[float]) -> float:
    found = list(levels)
    return sum(found) / len(found)
