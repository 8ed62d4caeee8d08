"""The hits of a split prepared for evaluation: audio, groups, trials, and one row for each pair of strokes."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES, label_of
from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.errors import AudioFileError, CorpusError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.models.data.corpus import load_splits, scan
from ghostnote.models.data.manifest import HitFile, Skipped
from ghostnote.models.data.trials import Group, Trial, groups_of, trials_of
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.dsp.metrics import describe

LEAST_DRUMS: Final = 3
"""Drums of a class with repeated strokes, below which nothing is claimed of it."""
_HELD_OUT: Final = ("valid", "test")
_COMPILATION: Final = re.compile(r"(\d+)_samples$")


@dataclass(frozen=True)
class Hits:
    """The hits of one split."""

    audio: Tensor
    """(hits, HIT_FRAMES), levels as recorded."""
    files: tuple[HitFile, ...]
    labels: Tensor
    """(hits,), indices of drum classes."""
    skipped: tuple[Skipped, ...] = ()
    """Files that were left out, with the reason."""


@dataclass(frozen=True)
class TrialSet:
    """Trials of a split, and one row for each pair of a reference and another stroke."""

    hits: Hits
    groups: tuple[Group, ...]
    trials: tuple[Trial, ...]

    @cached_property
    def rows(self) -> tuple[tuple[int, int], ...]:
        """(trial, number of the stroke in it), as many as each trial has real strokes."""
        return tuple((i, k) for i, trial in enumerate(self.trials) for k in range(len(trial.others)))

    @property
    def references(self) -> Tensor:
        """The reference of each row, (rows, HIT_FRAMES)."""
        return self.hits.audio[[self.trials[i].reference for i, _ in self.rows]]

    @property
    def real(self) -> Tensor:
        """The drummer's other stroke of each row, (rows, HIT_FRAMES)."""
        return self.hits.audio[[self.trials[i].others[k] for i, k in self.rows]]

    @property
    def labels(self) -> Tensor:
        """The class of each row, (rows,)."""
        return torch.tensor([label_of(self.trials[i].drum_class) for i, _ in self.rows])

    @property
    def row_groups(self) -> tuple[str, ...]:
        """The group of each row."""
        return tuple(self.trials[i].group for i, _ in self.rows)

    @property
    def class_of(self) -> dict[str, str]:
        """The drum class of each group."""
        return {trial.group: trial.drum_class for trial in self.trials}


def load_split(data: Path, split: str) -> Hits:
    """Return the hits of a corpus's split, or of all of them for 'all'; `CorpusError` where there are none."""
    splits, skipped = load_splits(data, (split,))
    audio, files = splits[split]
    labels = torch.tensor([label_of(file.drum_class) for file in files])
    return Hits(torch.from_numpy(audio), tuple(files), labels, tuple(skipped))


def load_sparse_classes(data: Path, split: str, hits: Hits) -> Hits | None:
    """Return the hits of the other held-out split, of classes of which `hits` has fewer than LEAST_DRUMS to judge by.

    None where there are none, or `split` is neither valid nor test.
    """
    if split not in _HELD_OUT:
        return None
    try:
        other = load_split(data, _HELD_OUT[1 - _HELD_OUT.index(split)])
    except CorpusError:
        return None
    own = _drums_by_class(hits)
    labels = [label for label, name in enumerate(CLASS_NAMES) if own[name] < LEAST_DRUMS]
    chosen = torch.isin(other.labels, torch.tensor(labels)).nonzero()[:, 0].tolist()
    if not chosen:
        return None
    return Hits(other.audio[chosen], tuple(other.files[i] for i in chosen), other.labels[chosen], other.skipped)


def join(a: Hits, b: Hits) -> Hits:
    """Return the hits of both."""
    audio, labels = torch.cat([a.audio, b.audio]), torch.cat([a.labels, b.labels])
    return Hits(audio, (*a.files, *b.files), labels, (*a.skipped, *b.skipped))


def _drums_by_class(hits: Hits) -> Counter[str]:
    """Return how many drums of each class have repeated strokes."""
    groups = groups_of(hits.files, describe(hits.audio).level_db.tolist())
    return Counter(trial.drum_class for trial in trials_of(groups, 1, 1))


def make_trials(hits: Hits, references: int, others: int, seed: int = 0) -> TrialSet:
    """Return up to `references` trials a group with up to `others` strokes each.

    `CorpusError` where no group has repeated strokes.
    """
    groups = groups_of(hits.files, describe(hits.audio).level_db.tolist())
    trials = trials_of(groups, references, others, seed)
    if not trials:
        raise CorpusError(
            "no drum has two strokes at one velocity: variations can only be compared with round robins, "
            "as in 'snare_v3_rr1.wav' and 'snare_v3_rr2.wav'"
        )
    return TrialSet(hits, groups, trials)


def load_peer(folder: Path) -> Hits:
    """Return the hits in a folder of another generator's sounds, classes by the names of the files.

    A file named as in `percussion_20_samples.flac` holds so many hits of one length in a row. `CorpusError` where none
    can be read.
    """
    corpus = scan(folder)
    audio, labels = [], []
    files: list[HitFile] = []
    skipped = list(corpus.skipped)
    for file in corpus.hits:
        try:
            sound, rate = read_audio(file.path)
        except AudioFileError as error:
            skipped.append((file.path, str(error).removeprefix(f"{file.path}: ")))
            continue
        whole = resample(mixdown(sound, 1), rate, RATE)[0]
        many = _COMPILATION.search(file.path.stem)
        for part in np.array_split(whole, int(many[1]) if many else 1):
            audio.append(np.pad(part[:HIT_FRAMES], (0, max(0, HIT_FRAMES - len(part)))))
            labels.append(label_of(file.drum_class))
            files.append(replace(file, group=f"{file.group} {len(files)}"))
    if not files:
        raise CorpusError(f"{folder}: none of its files can be used; the first, {skipped[0][0]}, {skipped[0][1]}")
    return Hits(torch.from_numpy(np.stack(audio)), tuple(files), torch.tensor(labels), tuple(skipped))
