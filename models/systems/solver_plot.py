"""How many evaluations of v each solver needs.

    python -m ghostnote.models.systems.solver_plot RUN -o solvers.png

Every solver starts from the same noise and follows the same network, in more and more steps. Those of the ODE are
compared with 200 steps of Heun, and the SDE's with 200 steps of itself along the same Brownian path: what is drawn is
the RMS of the difference over that of the sound.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import torch
import typer
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import counted
from ghostnote.models.diffusion.solvers import SOLVERS, BrownianPath, Noise, solver_times
from ghostnote.models.plots.hits import figure_format, new_figure, save_figure
from ghostnote.models.program import run_program
from ghostnote.models.systems.checkpoint import load_system
from ghostnote.models.systems.diffusion_system import DiffusionSystem
from ghostnote.models.systems.registry import SYSTEMS

Curve = Sequence[tuple[int, float]]
"""Evaluations and relative error."""

_FEWEST_STEPS: Final = 4
_STOCHASTIC: Final = "sde"
_REFERENCE: Final = "heun"


def plan(name: str, steps: int) -> list[int]:
    """Return the numbers of steps of a solver to measure: divisors of `steps`, at most as many evaluations."""
    most = steps // SOLVERS[name].evaluations
    # Its own longest run is what the SDE is compared with.
    most -= name == _STOCHASTIC
    return [each for each in range(_FEWEST_STEPS, most + 1) if steps % each == 0]


def evaluations(steps: int) -> int:
    """Return how many evaluations `measure` takes, of all hits at once."""
    each = [solver.evaluations * sum(plan(name, steps)) for name, solver in SOLVERS.items()]
    return sum(each) + steps * (SOLVERS[_REFERENCE].evaluations + SOLVERS[_STOCHASTIC].evaluations)


@torch.no_grad()
def measure(
    system: DiffusionSystem, label: Tensor, steps: int, seed: int = 0, progress: Callable[[int], None] = lambda n: None
) -> dict[str, Curve]:
    """Return each solver's errors on new hits of the classes `label` (batch,); `progress` hears of evaluations."""
    generator = torch.Generator().manual_seed(seed)
    z, times = system.noise(label, generator), solver_times(steps)
    path, velocity = BrownianPath(z, times, generator), system.velocity(label)

    def watched(z: Tensor, t: Tensor) -> Tensor:
        progress(1)
        return velocity(z, t)

    def solve(name: str, count: int, noise: Noise = path) -> Tensor:
        return system.to_audio(SOLVERS[name].solve(watched, z, times[:: steps // count], noise))

    references = {kind: solve(kind, steps) for kind in (_STOCHASTIC, _REFERENCE)}
    curves: dict[str, Curve] = {}
    for name, solver in SOLVERS.items():
        true = references[_STOCHASTIC if name == _STOCHASTIC else _REFERENCE]
        curves[name] = [
            (solver.evaluations * count, float((solve(name, count) - true).norm() / true.norm()))
            for count in plan(name, steps)
        ]
    return curves


def draw(path: Path, curves: Mapping[str, Curve], title: str) -> None:
    """Draw the curves into a picture; errors are as in `save_figure`."""
    figure = new_figure(7.0, 4.6)
    axes = figure.add_subplot()
    for (name, curve), marker in zip(curves.items(), "xos^D", strict=True):
        axes.loglog(*zip(*curve, strict=True), marker=marker, markersize=4, linewidth=1.2, label=SOLVERS[name].title)
    ticks = sorted({count for curve in curves.values() for count, _ in curve})
    axes.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=7)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("evaluations of v (with guidance, two of the network)")
    axes.set_ylabel("RMS of the difference / RMS of the sound")
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    save_figure(path, figure)


def main(
    run: Annotated[Path, typer.Argument(help="A run of a system that diffuses.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The picture.")],
    hits: Annotated[int, typer.Option(min=1, help="As many, of the classes in turn.")] = 4,
    steps: Annotated[int, typer.Option(min=8, help="Steps of what the others are compared with.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides the noise.")] = 0,
) -> None:
    """Draw every solver's error over its evaluations of the network of RUN, and print the numbers."""
    figure_format(output)
    if not all(plan(name, steps) for name in SOLVERS):
        raise InputError(f"--steps {steps} has no divisor of {_FEWEST_STEPS} or more for each solver: take 200")
    system, _ = load_system(run)
    if not isinstance(system, DiffusionSystem):
        able = ", ".join(name for name, kind in SYSTEMS.items() if issubclass(kind, DiffusionSystem))
        raise InputError(f"{run} is a run of {system.title}, which does not diffuse: give a run of one of {able}")
    label = torch.arange(hits) % len(CLASS_NAMES)
    with typer.progressbar(length=evaluations(steps), label="evaluations") as bar:
        curves = measure(system, label, steps, seed, bar.update)
    draw(output, curves, f"{system.title}: {counted(hits, 'hit')}, against {steps} steps")
    for name, curve in curves.items():
        figures = ", ".join(f"{count}: {error:.2g}" for count, error in curve)
        typer.echo(f"{SOLVERS[name].title}: {figures}")


if __name__ == "__main__":
    run_program(main)
