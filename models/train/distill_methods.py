"""How a student of few steps learns, from its teacher or from the data: a table of published methods."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.models.diffusion.sampling import Velocity, euler_step, guided
from ghostnote.models.diffusion.v_prediction import add_noise, expand_dims
from ghostnote.models.dsp.decomposition import GROUPS, group_map, innovation_gain, to_bands
from ghostnote.models.dsp.mdct import BANDS
from ghostnote.models.dsp.noise_shaping import shape_noise
from ghostnote.models.nets.cascade import ANY_CLASS, Cascade
from ghostnote.models.train.batch import Batch
from ghostnote.models.train.objective import noise_for, normal_like
from ghostnote.models.train.trainer import TrainingTask

_PATCH: Final = 16
_SPANS: Final = (4, 16, 64)
_POWER_FLOOR: Final = 1e-2
_TINY: Final = 1e-8


@dataclass(frozen=True)
class Stage:
    """One student beside its teacher."""

    schedule: tuple[float, ...]
    """The student's times, steps + 1 from 1 down to 0."""
    substeps: int
    """Steps that the teacher takes in each of the student's."""
    guidance: float = 1.0
    """Classifier-free guidance of the teacher, which the student has without it."""


def bind(model: Cascade, batch: Batch, guidance: float = 1.0) -> Velocity:
    """Return the sound network of `model` under the conditions of `batch`."""
    sound = model.sound
    conditioning = sound.project_conditioning(batch.conditioning)
    conditioning = conditioning + sound.project_given(batch.innovation, batch.mask)

    def of(label: Tensor) -> Velocity:
        embedded = sound.embed(label, batch.difference)
        return lambda z, t: sound(z, t, embedded, conditioning).float()

    if guidance == 1:
        return of(batch.label)
    return guided(of(batch.label), of(torch.full_like(batch.label, ANY_CLASS)), guidance)


def euler(velocity: Velocity, z: Tensor, t: Tensor, s: Tensor, steps: int) -> Tensor:
    """Return `z` (batch, …) after `steps` even Euler steps from times `t` (batch,) to `s` (batch,)."""
    for i in range(steps):
        a, b = t.lerp(s, i / steps), t.lerp(s, (i + 1) / steps)
        z = euler_step(z, velocity(z, a), expand_dims(a, z), expand_dims(b, z))
    return z


class Progressive(nn.Module):
    """The student's one step is to reach where its teacher's several do (Salimans & Ho 2022).

    The paper takes DDIM steps, and errors of x weighed by a truncated SNR. Here the steps are Euler's: a student's
    v is the mean of its teacher's on the way, so that errors of v count alike at all times.
    """

    def __init__(self, student: Cascade, teacher: Cascade, stage: Stage) -> None:
        """Teach `student`; `teacher` stays as it is."""
        super().__init__()
        self.student, self.teacher, self.stage = student, teacher, stage

    def forward(self, batch: Batch, t: Tensor, noise: Tensor, _: Tensor) -> Tensor:
        """Return the loss of the sound, and 0 for the shape (2,), at the student's steps that `t` (batch,) falls in."""
        t, s = _interval(self.stage, t)
        z = add_noise(batch.innovation, noise, t)
        with torch.no_grad():
            teacher = bind(self.teacher, batch, self.stage.guidance)
            reached = euler(teacher, z, t, s, self.stage.substeps)
        aim = (z - reached) / (math.pi / 2 * expand_dims(t - s, z))
        loss = (batch.weight * (bind(self.student, batch)(z, t) - aim).square()).mean()
        return torch.stack([loss, torch.zeros_like(loss)])


class SpectralEnergy(nn.Module):
    """The student's results are to have the distribution of the data, by a generalised energy distance.

    Two results from two noises are near the data, yet as far from each other (Gritsenko et al. 2020, for audio;
    De Bortoli et al. 2025, for few-step diffusion). It needs no teacher, and guidance cannot be folded in.
    """

    def __init__(self, student: Cascade, _: Cascade, stage: Stage) -> None:
        """Teach `student`."""
        super().__init__()
        self.student, self.stage = student, stage

    def forward(self, batch: Batch, t: Tensor, noise: Tensor, other: Tensor) -> Tensor:
        """Return the loss of the sound, and 0 for the shape (2,); `other` is a second noise like `noise`."""
        velocity = bind(self.student, batch)
        a, b = self._sample(velocity, t, noise), self._sample(velocity, t, other)
        pairs = ((a, batch.innovation), (b, batch.innovation), (a, b))
        near_a, near_b, apart = (_distance(x, y, batch) for x, y in pairs)
        loss = 0.5 * (near_a + near_b) - 0.5 * apart
        return torch.stack([loss, torch.zeros_like(loss)])

    def _sample(self, velocity: Velocity, t: Tensor, noise: Tensor) -> Tensor:
        """Return the student's result from `noise`, whose last step starts at `t` (batch,); only that is taught."""
        times = self.stage.schedule
        start, _ = _interval(self.stage, t)
        z, arrived = noise, noise
        with torch.no_grad():
            for a, b in pairwise(times[:-1]):
                z = euler(velocity, z, torch.full_like(t, a), torch.full_like(t, b), 1)
                arrived = torch.where(expand_dims(start == b, z), z, arrived)
        return euler(velocity, arrived, start, torch.zeros_like(t), 1)


def _interval(stage: Stage, t: Tensor) -> tuple[Tensor, Tensor]:
    """Return start and end (batch,) of the student's step that `t` (batch,) in 0..1 chooses, each equally often."""
    times = torch.tensor(stage.schedule, device=t.device)
    steps = len(times) - 1
    index = (t * steps).long().clamp(0, steps - 1)
    return times[index], times[index + 1]


def _distance(a: Tensor, b: Tensor, batch: Batch) -> Tensor:
    """Return the distance of innovations (batch, BANDS, MDCT_FRAMES): of patches, and of log power in spans."""
    gain = innovation_gain(to_bands(batch.conditioning[:, BANDS + GROUPS : BANDS + 2 * GROUPS]))
    weight = batch.weight * gain
    patches = F.avg_pool1d((weight * (a - b)).square(), _PATCH)
    total = (patches + _TINY).sqrt().mean()
    followed = (1 - gain.square()).sqrt() * batch.conditioning[:, :BANDS]
    groups = group_map(a.device)
    for span in _SPANS:
        powers = [_log_power(followed + gain * u, groups, span) for u in (a, b)]
        counted = groups @ F.avg_pool1d(batch.weight, span)
        total = total + (counted * (powers[0] - powers[1]).abs()).sum(1).mean() / BANDS / len(_SPANS)
    return total


def _log_power(q: Tensor, groups: Tensor, span: int) -> Tensor:
    """Return the log power (batch, GROUPS, spans) of normalised coefficients."""
    power = groups @ F.avg_pool1d(q.square(), span) / groups.sum(1)[:, None]
    return (power + _POWER_FLOOR).log()


def two_noises(batch: Batch, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Return stratified times (batch,) and two noises for the sound."""
    t, noise, _ = noise_for(batch, generator)
    return t, noise, shape_noise(normal_like(noise, generator), batch.spectral_gain)


@dataclass(frozen=True)
class Method:
    """How a student is taught."""

    objective: Callable[[Cascade, Cascade, Stage], nn.Module]
    draw: Callable[[Batch, torch.Generator], tuple[Tensor, ...]]
    asks_teacher: bool
    """Whether the student learns from the teacher, so that its guidance can be folded in."""


METHODS: Final[Mapping[str, Method]] = {
    "progressive": Method(Progressive, noise_for, True),
    "energy": Method(SpectralEnergy, two_noises, False),
}


def make_task(method: str, teacher: Cascade, stage: Stage) -> TrainingTask:
    """Return what a run of `method` minimises; only the sound network is taught."""
    chosen = METHODS[method]
    return TrainingTask(lambda student: chosen.objective(student, teacher, stage), chosen.draw)
