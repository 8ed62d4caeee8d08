"""Which times suit a model at a few steps: chosen by how near the results come to those of many steps."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from ghostnote.models.data.augment import Augmentation
from ghostnote.models.data.dataset import HitSet, PairSampler
from ghostnote.models.diffusion.sampling import euler_step
from ghostnote.models.diffusion.v_prediction import linear_schedule
from ghostnote.models.dsp.decomposition import GROUPS, INNOVATION_BOUND, fill_energy, to_bands
from ghostnote.models.dsp.mdct import BANDS, synthesise
from ghostnote.models.dsp.metrics import log_mel, spectral_measures
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.train.distill_methods import bind
from ghostnote.models.train.objective import Batch, make_batch, noise_for

MANY_STEPS: Final = 50
"""Steps of the results that few steps are measured against."""
_GRID: Final = 0.05
_ROUNDS: Final = 2
_ROWS: Final = 32


@dataclass(frozen=True)
class Schedule:
    """Times of a few steps, and how far they lead from the results of many."""

    times: tuple[float, ...]
    """steps + 1, from 1 down to 0."""
    distance_db: float
    """Mean log-mel distance of hits from the same noise, `fill_energy` included."""
    even_distance_db: float
    """The same of even times."""


class Yardstick:
    """Hits of one split with the results that `teacher` reaches for them in many steps."""

    def __init__(self, teacher: Cascade, hits: HitSet, examples: int, guidance: float = 1.0) -> None:
        """Draw `examples` of `hits`, half of them with a reference, always the same; `teacher` is on their device."""
        generator = torch.Generator(hits.audio.device).manual_seed(0)
        draw = PairSampler(hits, 0.5, generator).draw(examples)
        self.model = teacher
        self.batch = make_batch(teacher, hits, draw, Augmentation(share=0.0), generator)
        _, self.noise, _ = noise_for(self.batch, generator)
        many = tuple(linear_schedule(MANY_STEPS).tolist())
        self.power = log_mel(self.render(sample(teacher, self.batch, self.noise, many, guidance)))

    def render(self, u: Tensor) -> Tensor:
        """Return the hits (examples, HIT_FRAMES) of rests (examples, BANDS, MDCT_FRAMES)."""
        r, s, rho = factors_of(self.model, self.batch)
        return synthesise(fill_energy(u, self.noise, r, s, rho))

    def distance_db(self, model: Cascade, times: tuple[float, ...]) -> float:
        """Return the mean log-mel distance of what `model` makes at `times` from the results of many steps."""
        made = log_mel(self.render(sample(model, self.batch, self.noise, times)))
        return float(spectral_measures(self.power, made)["lmd"].nanmean())


def factors_of(model: Cascade, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return r, S and rho (batch, BANDS, MDCT_FRAMES) of a batch, as its hints tell them."""
    followed, log_envelope, rho, _ = batch.conditioning.split([BANDS, GROUPS, GROUPS, 1], dim=1)
    s = to_bands((log_envelope * model.shape_std[:GROUPS] + model.shape_mean[:GROUPS]).exp())
    return followed * s, s, to_bands(rho)


@torch.no_grad()
def sample(
    model: Cascade,
    batch: Batch,
    noise: Tensor,
    times: tuple[float, ...],
    guidance: float = 1.0,
) -> Tensor:
    """Return the rests (batch, BANDS, MDCT_FRAMES) that `model` makes of `noise` at `times`, within ±REST_BOUND."""
    made = []
    for start in range(0, len(noise), _ROWS):
        part = slice(start, start + _ROWS)
        velocity, z = bind(model, batch.rows(part), guidance), noise[part]
        for t, s in pairwise(torch.tensor(times, device=z.device).split(1)):
            z = euler_step(z, velocity(z, t.expand(len(z))), t, s)
        made.append(z.clamp(-INNOVATION_BOUND, INNOVATION_BOUND))
    return torch.cat(made)


def choose_schedule(distance_db: Callable[[tuple[float, ...]], float], steps: int) -> Schedule:
    """Return the times of `steps` steps with the least `distance_db`, one time after the other, twice around."""
    even = best = tuple(linear_schedule(steps).tolist())
    nearest = even_distance = distance_db(even)
    for _ in range(_ROUNDS if steps > 2 else 1):
        for place in range(1, steps):
            for time in _grid(best[place + 1], best[place - 1]):
                tried = (*best[:place], time, *best[place + 1 :])
                distance = distance_db(tried)
                if distance < nearest:
                    best, nearest = tried, distance
    return Schedule(best, nearest, even_distance)


def _grid(low: float, high: float) -> list[float]:
    """Return the times of the grid strictly between two."""
    places = range(round(1 / _GRID))
    return [t for i in places if low + _GRID / 2 < (t := round(i * _GRID, 6)) < high - _GRID / 2]
