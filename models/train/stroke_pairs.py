"""Pairs of real strokes for adversarial fine-tuning: drawn drum by drum, augmented, in folds of drums."""

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.models.data.augment import Augmentation, augment
from ghostnote.models.data.dataset import make_hit_set
from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.statistics.corpus_statistics import Fold, cross_fit

AUGMENTATION: Final = Augmentation(share=0.85, semitones=2.0, limit_semitones=4.0, eq_db=4.0, damping=6.0)
"""How far drums may depart from their recordings, so that discriminators see more of them than there are."""
_FOLDS: Final = 10
_PEAK: Final = 0.7
_SLOPE_DB: Final = (-9.0, 3.0)
"""Of noise, an octave."""
_NEPERS: Final = (3.0, 40.0)
"""How fast it decays, a second."""
_LEVEL_DB: Final = (-40.0, 0.0)


class StrokePairs:
    """A drummer's strokes, each with another of the same drum and velocity layer."""

    def __init__(self, trials: TrialSet, generator: torch.Generator, device: torch.device) -> None:
        """Move the pairs of `trials` to `device`; each drum has the same weight."""
        self.generator = generator
        references = trials.references
        hits = make_hit_set(trials.hits.audio.numpy(), trials.hits.files)
        residuals = hits.residual[[trials.trials[trial].reference for trial, _ in trials.rows]]
        self.audio = torch.stack([residuals, references - residuals, trials.real], dim=1).to(device)
        """(pairs, 3, HIT_FRAMES): residuals and partials of references, and the strokes beside them."""
        self.labels = trials.labels.to(device)
        names = trials.row_groups
        counts = {name: names.count(name) for name in set(names)}
        self.weights = torch.tensor([1 / counts[name] for name in names], device=device)
        folds = cross_fit(hits, _FOLDS)
        fold_of = {hit: at for at, fold in enumerate(folds) for group in fold.groups for hit in hits.groups[group]}
        places = [fold_of[trials.trials[trial].reference] for trial, _ in trials.rows]
        self.row_folds = torch.tensor(places, device=device)
        self.folds = [replace(fold, weight=fold.weight.to(device), bias=fold.bias.to(device)) for fold in folds]
        self.hits = hits.to(device)
        """All hits of the split."""

    def draw(self, count: int) -> tuple[Tensor, Tensor, Fold]:
        """Return some of `audio` (count, 3, HIT_FRAMES), of drums of one fold, with their classes and the fold.

        Each pair is augmented as a whole.
        """
        first = torch.multinomial(self.weights, 1, generator=self.generator)
        same = self.weights * (self.row_folds == self.row_folds[first])
        chosen = torch.multinomial(same, count, True, generator=self.generator)
        parts = augment(self.audio[chosen], AUGMENTATION, self.generator)
        pair = torch.stack([parts[:, 0] + parts[:, 1], parts[:, 2]], dim=1)
        peak = pair.abs().amax((1, 2), keepdim=True).clamp_min(PEAK_FLOOR)
        return parts / peak * _PEAK, self.labels[chosen], self.folds[int(self.row_folds[first])]


def decaying_noise(count: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return hits of noise (count, HIT_FRAMES) of random slope, decay and level."""

    def uniform(between: tuple[float, float]) -> Tensor:
        return between[0] + (between[1] - between[0]) * torch.rand(count, 1, generator=generator, device=device)

    spectrum = torch.fft.rfft(torch.randn(count, HIT_FRAMES, generator=generator, device=device))
    octaves = torch.arange(1, spectrum.shape[1] + 1, device=device).log2()
    noise = torch.fft.irfft(spectrum * 10 ** (uniform(_SLOPE_DB) * octaves / 20), HIT_FRAMES)
    noise = noise * torch.exp(-uniform(_NEPERS) * torch.arange(HIT_FRAMES, device=device) / RATE)
    hits: Tensor = noise / noise.abs().amax(1, keepdim=True) * (_PEAK * 10 ** (uniform(_LEVEL_DB) / 20))
    return hits
