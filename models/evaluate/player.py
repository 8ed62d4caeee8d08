"""The sounds that an evaluation asks about, made by the shipped graph as a player of the instrument hears them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import torch
from torch import Tensor

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
"""Where an edit without reference may begin: more noise, more change."""
SDEDIT_STEPS: Final = 8
_BATCH: Final = 16
_Item = TypeVar("_Item")


def _silent(done: int, total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Player:
    """Makes strokes with one opened model, on a few threads; the same arguments, the same sounds."""

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
        """Return the next stroke of each row's reference, (rows, HIT_FRAMES), with the level a player would hear."""
        variator = Variator(self.generator)
        references = [
            Reference(trials.hits.audio[trial.reference].numpy()[None], self._label(trial.drum_class))
            for trial in trials.trials
        ]

        def stroke(row: tuple[int, int]) -> Tensor:
            trial, index = row
            seed = self.seed + trials.trials[trial].reference
            variation = Variation(seed, amount, steps=steps)
            return torch.from_numpy(variator.next_stroke(references[trial], variation, index=index)[0])

        return torch.stack(self._each(stroke, trials.rows if rows is None else rows, tick))

    def struck(
        self,
        references: Tensor,
        labels: Sequence[int],
        difference_db: Sequence[float],
        *,
        steps: int | None = None,
        tick: Tick = _silent,
    ) -> Tensor:
        """Return strokes so much louder or softer than `references` (hits, HIT_FRAMES), at the references' level."""
        rng = np.random.default_rng(self.seed)
        card = self.generator.card
        noise = rng.standard_normal((len(references), 1, card.bands, card.mdct_frames), np.float32)
        variation_latent = rng.standard_normal((len(references), 1, card.latent_size), np.float32)

        def stroke(i: int) -> Tensor:
            hit = references[i].numpy()[None]
            made, _ = self.generator.vary(
                hit,
                noise[i],
                variation_latent[i],
                label=labels[i],
                difference_db=difference_db[i],
                steps=steps,
            )
            return torch.from_numpy(made[0])

        return torch.stack(self._each(stroke, range(len(references)), tick))

    def new_sounds(self, labels: Sequence[int], *, steps: int | None = None, tick: Tick = _silent) -> Tensor:
        """Return one new hit for each of `labels`, (hits, HIT_FRAMES), as a pad without a hit would play it."""
        classes = self.generator.card.classes

        def sound(i: int) -> Tensor:
            return torch.from_numpy(
                generate_drum(self.generator, classes[labels[i]], self.seed + i, steps=steps).astype(
                    np.float32
                )
            )

        return torch.stack(self._each(sound, range(len(labels)), tick))

    def edits(self, hits: Tensor, labels: Tensor, start: float, *, tick: Tick = _silent) -> Tensor:
        """Return `hits` (hits, HIT_FRAMES) noised to time `start` and denoised by class alone (SDEdit, Meng et al. 2022).

        So variations come from a model that has no reference input. Envelope and pitch of the hit are given all
        the same, without which the edit would be further off.
        """
        schedule = np.linspace(start, 0, SDEDIT_STEPS + 1, dtype=np.float32)
        alpha, sigma = np.cos(start * np.pi / 2), np.sin(start * np.pi / 2)
        draws = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(
            len(hits), self.generator.card.bands, self.generator.card.mdct_frames, generator=draws
        )
        parts = [
            torch.tensor(part)
            for label in sorted(set(labels.tolist()))
            for part in np.array_split(
                np.flatnonzero(labels == label), -(-int((labels == label).sum()) // _BATCH)
            )
        ]

        def edit(index: Tensor) -> Tensor:
            peak = hits[index].abs().amax(1, keepdim=True).clamp_min(PEAK_FLOOR)
            x = hits[index] / peak * PEAK
            y = analyse(x)
            shape = measure_shape(x, y)
            absent = torch.zeros(len(index))
            r, rho = predictor_of(
                torch.zeros_like(y), shape, torch.zeros(len(index), GROUPS, SEGMENTS), absent
            )
            factors = (r, scale(shape[:, :GROUPS]), to_bands(rho))
            # The graph noises what it knows, which is the shape's tone: the rest goes in as noise.
            known = innovation(y, *factors) - innovation(r, *factors)
            (made,) = self.generator.run(
                len(index),
                int(labels[index[0]]),
                shape=shape.numpy(),
                noise=to_lines(known * float(alpha / sigma) + noise[index]).numpy(),
                schedule=schedule,
            )
            return torch.from_numpy(made) * peak / PEAK

        edited = torch.empty_like(hits)
        for index, part in zip(parts, self._each(edit, parts, tick), strict=True):
            edited[index] = part
        return edited

    def _label(self, drum_class: str) -> int:
        return self.generator.card.classes.index(drum_class)

    def _each(self, make: Callable[[_Item], Tensor], items: Sequence[_Item], tick: Tick) -> list[Tensor]:
        with ThreadPoolExecutor(self.threads) as pool:
            made = []
            for result in pool.map(make, items):
                made.append(result)
                tick(len(made), len(items))
        return made
