"""The strokes and sounds of an evaluation, made by the shipped graph as a player of the instrument gets them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.inference.variation import Reference, Variation, Variator
from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS, innovation, scale, to_bands
from ghostnote.models.dsp.mdct import PEAK, analyse
from ghostnote.models.dsp.noise_shaping import to_lines
from ghostnote.models.nets.cascade import measure_shape, predictor_of

Tick = Callable[[int, int], None]
"""Called with (done, total)."""

SDEDIT_STARTS: Final = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6)
"""Times at which SDEdit may begin: more noise, more change."""
SDEDIT_STEPS: Final = 8
_BATCH: Final = 16
_Item = TypeVar("_Item")


def _silent(done: int, total: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class ModelPlayer:
    """Makes strokes with one opened model, on a few threads; the same arguments give the same sounds."""

    generator: Generator
    threads: int = 2
    """Strokes made at once, each on one thread."""
    seed: int = 0

    def variations(
        self,
        trials: TrialSet,
        *,
        rows: Sequence[tuple[int, int]] | None = None,
        steps: int | None = None,
        amount: float = 1.0,
        tick: Tick = _silent,
    ) -> Tensor:
        """Return the next stroke of each row's reference, (rows, HIT_FRAMES), at the level of a performance."""
        variator, classes = Variator(self.generator), self.generator.card.classes
        references = [
            Reference(trials.hits.audio[trial.reference].numpy()[None], classes.index(trial.drum_class))
            for trial in trials.trials
        ]

        def stroke(row: tuple[int, int]) -> Tensor:
            trial, index = row
            seed = self.seed + trials.trials[trial].reference
            variation = Variation(seed, amount, steps=steps)
            return torch.from_numpy(variator.next_stroke(references[trial], variation, index=index)[0])

        return torch.stack(self._each(stroke, trials.rows if rows is None else rows, tick))

    def at_velocity(
        self,
        references: Tensor,
        labels: Sequence[int],
        difference_db: Sequence[float],
        *,
        steps: int | None = None,
        tick: Tick = _silent,
    ) -> Tensor:
        """Return strokes so much louder or softer than `references` (hits, HIT_FRAMES), at the references' level."""
        variator = Variator(self.generator)

        def stroke(i: int) -> Tensor:
            reference = Reference(references[i].numpy()[None], labels[i])
            variation = Variation(self.seed, steps=steps)
            made = variator.at_level(reference, variation, index=i, difference_db=difference_db[i])
            return torch.from_numpy(made[0])

        return torch.stack(self._each(stroke, range(len(references)), tick))

    def new_sounds(self, labels: Sequence[int], *, steps: int | None = None, tick: Tick = _silent) -> Tensor:
        """Return one new hit for each of `labels`, (hits, frames), as a pad without a hit would play it.

        Shorter ones are silent at the end.
        """
        classes = self.generator.card.classes

        def sound(i: int) -> Tensor:
            drum = generate_drum(self.generator, classes[labels[i]], self.seed + i, steps=steps)
            return torch.from_numpy(drum.astype(np.float32))

        return pad_sequence(self._each(sound, range(len(labels)), tick), batch_first=True)

    def edits(self, hits: Tensor, labels: Tensor, start: float, *, tick: Tick = _silent) -> Tensor:
        """Return `hits` (hits, HIT_FRAMES) noised to time `start` and denoised by class (SDEdit, Meng et al. 2022).

        A model without a reference input makes variations in this way. It is given the envelope and pitch of the
        hit as well, without which its edits would be worse.
        """
        card, draws = self.generator.card, torch.Generator().manual_seed(self.seed)
        noise = torch.randn(len(hits), card.bands, card.mdct_frames, generator=draws)
        edited = torch.empty_like(hits)
        batches = _class_batches(labels)

        def edit(index: Tensor) -> Tensor:
            return self._edit(hits[index], int(labels[index[0]]), noise[index], start)

        for index, part in zip(batches, self._each(edit, batches, tick), strict=True):
            edited[index] = part
        return edited

    def _edit(self, hits: Tensor, label: int, noise: Tensor, start: float) -> Tensor:
        """Return one batch of `edits`, all of one class."""
        peak = hits.abs().amax(1, keepdim=True).clamp_min(PEAK_FLOOR)
        y = analyse(hits / peak * PEAK)
        shape = measure_shape(hits / peak * PEAK, y)
        zeros = torch.zeros(len(hits))
        r, rho = predictor_of(torch.zeros_like(y), shape, torch.zeros(len(hits), GROUPS, SEGMENTS), zeros)
        factors = (r, scale(shape[:, :GROUPS]), to_bands(rho))
        # The graph adds noise to the reference, here the shape's tone; the rest of the hit goes in with the noise.
        rest = innovation(y, *factors) - innovation(r, *factors)
        alpha, sigma = np.cos(start * np.pi / 2), np.sin(start * np.pi / 2)
        (made,) = self.generator.run(
            len(hits),
            label,
            shape=shape.numpy(),
            noise=to_lines(rest * float(alpha / sigma) + noise).numpy(),
            schedule=np.linspace(start, 0, SDEDIT_STEPS + 1, dtype=np.float32),
        )
        return torch.from_numpy(made) * peak / PEAK

    def _each(self, make: Callable[[_Item], Tensor], items: Sequence[_Item], tick: Tick) -> list[Tensor]:
        with ThreadPoolExecutor(self.threads) as pool:
            made = []
            for result in pool.map(make, items):
                made.append(result)
                tick(len(made), len(items))
        return made


def _class_batches(labels: Tensor) -> list[Tensor]:
    """Return the indices of hits in batches of one class each."""
    members = [np.flatnonzero(labels == label) for label in sorted(set(labels.tolist()))]
    return [torch.tensor(part) for own in members for part in np.array_split(own, -(-len(own) // _BATCH))]
