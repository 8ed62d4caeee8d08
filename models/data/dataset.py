"""Hits on the training device: aligned within their groups, drawn as targets beside references."""

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES, label_of
from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.bridge.dsp.partials import RESIDUAL_FLOOR, residual_of
from ghostnote.models.data.manifest import HitFile

REPEATS: Final = ("rr", "velocity")
"""The kinds of group whose hits are strokes of one drum."""
_LAG_FRAMES: Final = 132
_LAG_WINDOW: Final = 6000
_LAG_CORRELATION: Final = 0.4
"""Below this correlation a lag is random, as between two strokes of a hat, and is not used."""
_MOST_STROKES: Final = 6
"""Strokes of one drum that count among the hits without a reference: there the model learns drums, not strokes."""


@dataclass(frozen=True)
class HitSet:
    """Hits and their metadata, on one device."""

    audio: Tensor
    """(hits, HIT_FRAMES), levels as recorded, aligned within each group."""
    residual: Tensor
    """(hits, HIT_FRAMES), the hits without their partials; the hit itself where it has hardly a residual."""
    labels: Tensor
    """(hits,), indices of drum classes."""
    peak_db: Tensor
    """(hits,), comparable within a group."""
    groups: tuple[tuple[int, ...], ...]
    """Hits that are strokes of one drum, at least two each."""
    layers: tuple[str, ...]
    """The velocity layer of each hit, comparable within a group; empty where unknown."""
    kinds: tuple[str, ...] = ()
    """The kind of each hit, a name of `kinds.KINDS` or ''; none at all where nothing is known of them."""

    def to(self, device: torch.device) -> "HitSet":
        """Return the set with its tensors on `device`."""
        audio, residual = self.audio.to(device), self.residual.to(device)
        tensors = (audio, residual, self.labels.to(device), self.peak_db.to(device))
        return HitSet(*tensors, self.groups, self.layers, self.kinds)


def make_hit_set(audio: NDArray[np.float32], files: Sequence[HitFile]) -> HitSet:
    """Return the set of hits `audio` (hits, frames); groups are aligned to their loudest hit."""
    members: dict[str, list[int]] = defaultdict(list)
    for i, file in enumerate(files):
        if file.group_kind in REPEATS:
            members[file.group].append(i)
    groups = tuple(tuple(group) for group in members.values() if len(group) >= 2)
    aligned = audio.copy()
    for group in groups:
        loudest = max(group, key=lambda i: float(np.abs(audio[i]).max()))
        for i in group:
            aligned[i] = shift(audio[i], lag(audio[loudest], audio[i]))
    peaks = np.abs(audio).max(axis=1)
    return HitSet(
        torch.from_numpy(aligned),
        torch.from_numpy(_residuals(aligned)),
        torch.tensor([label_of(file.drum_class) for file in files]),
        torch.from_numpy(20 * np.log10(peaks + PEAK_FLOOR)).float(),
        groups,
        tuple(file.layer for file in files),
        tuple(file.kind for file in files),
    )


def _residuals(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the residuals of hits (hits, frames)."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        residuals = np.stack([found[0] for found in pool.map(residual_of, audio[:, None])])
    is_audible = np.abs(residuals).max(axis=1) > RESIDUAL_FLOOR * np.abs(audio).max(axis=1)
    return np.where(is_audible[:, None], residuals, audio)


def lag(a: NDArray[np.float32], b: NDArray[np.float32]) -> int:
    """Return by how many frames (at most 3 ms) `b` must be moved later to meet `a`; 0 where they do not correlate."""
    size = 2 * _LAG_WINDOW + _LAG_FRAMES
    head_a, head_b = a[:_LAG_WINDOW], b[:_LAG_WINDOW]
    spectra = np.fft.rfft(head_a, size) * np.conj(np.fft.rfft(head_b, size))
    lags = np.arange(-_LAG_FRAMES, _LAG_FRAMES + 1)
    correlation = np.fft.irfft(spectra, size)[lags] / (np.linalg.norm(head_a) * np.linalg.norm(head_b) + PEAK_FLOOR**2)
    best = int(np.argmax(correlation))
    return int(lags[best]) if correlation[best] >= _LAG_CORRELATION else 0


def shift(x: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Return `x` moved later by `frames` (earlier when negative), with silence moved in."""
    moved = np.zeros_like(x)
    if frames >= 0:
        moved[frames:] = x[: len(x) - frames]
    else:
        moved[:frames] = x[-frames:]
    return moved


class PairSampler:
    """Draws targets and references on the device; rare classes are drawn more often than they occur."""

    def __init__(self, hits: HitSet, pair_share: float, generator: torch.Generator) -> None:
        """Sample from `hits`; `pair_share` of the examples have a reference, where groups allow it."""
        device = hits.audio.device
        self.hits, self.generator = hits, generator
        self.pair_share = pair_share if hits.groups else 0.0
        counts = torch.bincount(hits.labels, minlength=len(CLASS_NAMES)).clamp_min(1)
        self.weights = counts.float().rsqrt()[hits.labels]
        for group in hits.groups:
            self.weights[list(group)] *= min(1.0, _MOST_STROKES / len(group))
        size = max((len(group) for group in hits.groups), default=1)
        rows = [(*group, *(-1,) * (size - len(group))) for group in hits.groups]
        self.members = torch.tensor(rows or [(-1,)], device=device)
        sizes = (self.members >= 0).sum(1)
        # A drum with many strokes is one drum: its weight grows with the root of their number.
        self.group_weights = counts.float().rsqrt()[hits.labels[self.members[:, 0]]] * sizes.sqrt()

    def draw(self, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return indices of targets and references (batch,), and whether the reference counts."""
        paired = self._rand(batch) < self.pair_share
        single = torch.multinomial(self.weights, batch, True, generator=self.generator)
        if not self.hits.groups:
            return single, single, paired
        members = self.members[torch.multinomial(self.group_weights, batch, True, generator=self.generator)]
        order = self._rand(members.shape).masked_fill(members < 0, 2.0).argsort(1)
        target, reference = members.gather(1, order[:, :2]).unbind(1)
        return torch.where(paired, target, single), torch.where(paired, reference, single), paired

    def _rand(self, shape: int | torch.Size) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.hits.audio.device)
