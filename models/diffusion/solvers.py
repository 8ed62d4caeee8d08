"""Five ways from noise to a sample, over any network that predicts v, ε or x.

In the clock τ = −2·ln alpha, in which noise comes in at a constant rate, the diffusion is dz = −z/2·dτ + dw (Song et
al. 2021, "VP SDE"). With the score ∇ log p(z) = −ε̂/sigma its reversals, run from τ down, are

    the SDE    dz = (−z/2 − score)·dτ + dw̄        whose every path is another sample
    the ODE    dz/dt = (π/2)·v̂                    whose paths are fixed by their noise and have the same marginals

Euler-Maruyama takes the first; Euler, Heun, DDIM and DPM-Solver++(2M) take the second.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from ghostnote.bridge.errors import InputError
from ghostnote.models.diffusion.sampling import Velocity, ddim, ddim_step, euler_step, predict
from ghostnote.models.diffusion.v_prediction import expand_dims, from_v, linear_schedule, t_to_alpha_sigma

Noise = Callable[[Tensor, Tensor], Tensor]
"""The normal noise (batch, …) between two times (1,), of unit variance."""

_LATEST: Final = 0.99
_TINY: Final = 1e-12


def solver_times(steps: int) -> Tensor:
    """Return steps + 1 even times from 0.99 to 0: at 1, where nothing is left of a sample, τ is infinite."""
    return _LATEST * linear_schedule(steps)


def clock(t: Tensor) -> Tensor:
    """Return τ = −2·ln alpha."""
    return -2 * t_to_alpha_sigma(t)[0].clamp_min(_TINY).log()


def log_snr(t: Tensor) -> Tensor:
    """Return λ = ln(alpha/sigma), half the logarithm of the ratio of signal to noise."""
    alpha, sigma = t_to_alpha_sigma(t)
    return alpha.clamp_min(_TINY).log() - sigma.clamp_min(_TINY).log()


def fresh_noise(like: Tensor, generator: torch.Generator | None = None) -> Noise:
    """Return noise of the shape of `like` that is new in each step."""
    return lambda t, s: torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)


class BrownianPath:
    """The noise of one path, whatever the steps along it: that of a long step is the sum of the short ones'."""

    def __init__(self, like: Tensor, times: Tensor, generator: torch.Generator | None = None) -> None:
        """Draw a path of the shape of `like` through all `times` (steps + 1,), which fall."""
        self.times = times
        spans = (clock(times[:-1]) - clock(times[1:])).sqrt()
        noise = torch.randn((len(spans), *like.shape), generator=generator, device=like.device, dtype=like.dtype)
        path = (expand_dims(spans, noise) * noise).cumsum(0)
        self.path = torch.cat([torch.zeros_like(path[:1]), path])

    def __call__(self, t: Tensor, s: Tensor) -> Tensor:
        """Return the noise between two of the path's times."""
        start, end = ((self.times - time).abs().argmin() for time in (t, s))
        return (self.path[end] - self.path[start]) / (clock(t) - clock(s)).sqrt()


def euler_maruyama(velocity: Velocity, z: Tensor, schedule: Tensor, noise: Noise) -> Tensor:
    """Follow the reverse SDE by steps of its drift and noise; of strong order 1, as the noise does not depend on z."""
    for t, s in pairwise(schedule.split(1)):
        _, eps = from_v(z, velocity(z, t.expand(len(z))), t)
        h = clock(t) - clock(s)
        z = z + h * (z / 2 - eps / t_to_alpha_sigma(t)[1])
        z = z + h.sqrt() * noise(t, s) if s > 0 else z
    return z


def euler(velocity: Velocity, z: Tensor, schedule: Tensor, noise: Noise | None = None) -> Tensor:
    """Follow the ODE with v taken as constant over each step; of order 1."""
    for t, s in pairwise(schedule.split(1)):
        z = euler_step(z, velocity(z, t.expand(len(z))), t, s)
    return z


def heun(velocity: Velocity, z: Tensor, schedule: Tensor, noise: Noise | None = None) -> Tensor:
    """Follow the ODE with the mean of v at both ends of each step (Karras et al. 2022); of order 2."""
    for t, s in pairwise(schedule.split(1)):
        v = velocity(z, t.expand(len(z)))
        ahead = velocity(euler_step(z, v, t, s), s.expand(len(z)))
        z = euler_step(z, (v + ahead) / 2, t, s)
    return z


def deterministic_ddim(velocity: Velocity, z: Tensor, schedule: Tensor, noise: Noise | None = None) -> Tensor:
    """Follow the ODE with x taken as constant over each step (Song, Meng & Ermon 2021); of order 1."""
    return ddim(velocity, z, schedule)


def dpm_solver(velocity: Velocity, z: Tensor, schedule: Tensor, noise: Noise | None = None) -> Tensor:
    """Follow the ODE with x taken as linear in λ through this step and the last: DPM-Solver++(2M) (Lu et al. 2022).

    Of order 2 at one evaluation a step. The first step has none before it, and the one to time 0 no end in λ: both are
    DDIM's.
    """
    last: tuple[Tensor, Tensor] | None = None
    for t, s in pairwise(schedule.split(1)):
        x = predict(z, velocity(z, t.expand(len(z))), t)
        h = log_snr(s) - log_snr(t)
        ahead = x if last is None or s == 0 else x + h / (2 * last[1]) * (x - last[0])
        z, last = ddim_step(z, ahead, t, s), (x, h)
    return z


@dataclass(frozen=True)
class Solver:
    """One way to follow the diffusion back."""

    title: str
    solve: Callable[[Velocity, Tensor, Tensor, Noise], Tensor]
    """Takes v, z (batch, …) at the first time, times (steps + 1,) that fall and the noise; returns z at the last."""
    evaluations: int = 1
    """Of the network, each step."""


SOLVERS: Final[Mapping[str, Solver]] = {
    "sde": Solver("reverse SDE, Euler-Maruyama", euler_maruyama),
    "euler": Solver("ODE, Euler", euler),
    "heun": Solver("ODE, Heun", heun, evaluations=2),
    "ddim": Solver("DDIM", deterministic_ddim),
    "dpm++2m": Solver("DPM-Solver++(2M)", dpm_solver),
}


def solver_named(name: str) -> Solver:
    """Return the solver of a name; `InputError` for a name that is none."""
    if name not in SOLVERS:
        raise InputError(f"{name!r} is not a solver: take one of {', '.join(SOLVERS)}")
    return SOLVERS[name]


def denoised(name: str, velocity: Velocity, z: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """Return samples from the noise `z` (batch, …) by the solver of a name in even steps; `generator` is the SDE's."""
    return solver_named(name).solve(velocity, z, solver_times(steps).to(z.device), fresh_noise(z, generator))
