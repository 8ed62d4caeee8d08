"""How much and how sparsely the cells of strokes vary, brought nearer to what real strokes do.

`python -m ghostnote.export.match_moments RUN -d DRUMS -o RUN` makes strokes of the drums of the train split as they are
played, measures the cells of a lapped transform beside those of the drummer's own strokes, and moves two tables of the
model by the difference (a method of moments): the components of the spectral deviation, and the mean change of the
sparsity. Fine-tuning against discriminators moves all tables at once, and leaves such offsets where they cancel out.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import numpy as np
import torch
import typer
from torch import Tensor

from ghostnote.bridge.dsp.partials import split
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.io.atomic_file import prepare_folder
from ghostnote.export.export import ExportSettings, make_card, read_amounts, to_onnx
from ghostnote.models.data.trial_set import TrialSet, load_split, make_trials
from ghostnote.models.diffusion.reference_encoder import ReferenceEncoder, SplitReferenceFeatures
from ghostnote.models.dsp.cell_matching import cell_targets
from ghostnote.models.dsp.mdct import mdct
from ghostnote.models.dsp.metrics import align
from ghostnote.models.evaluate.player import ModelPlayer
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.checkpoint import WEIGHTS, load_model, save_model
from ghostnote.models.program import run_program
from ghostnote.models.statistics.repeatability import LATENT_SIZE

_REFERENCES: Final = 3
_BODY_FRAMES: Final = 8820
_AUDIBLE_DB: Final = -45.0
"""Cells below this, beside the loudest, tell of the recording, not of the drum."""
_PRESENT_DB: Final = -75.0
"""The same for how sparse they are: a recording's noise is as even in its strokes."""
_LARGEST_DB: Final = 12.0
_LEAST_DRUMS: Final = 8.0
_LEAST_SHARE: Final = 0.3
_STEP: Final = 0.7
_FACTORS: Final = (0.6, 3.0)
_MOST_OWN_DB: Final = 1.6
"""The spectral deviation of no cell is raised beyond this: in cells of few coefficients, power is chance."""
_MOST_SPARSITY: Final = 1.0
_QUIET: Final = 1e-12


@dataclass(frozen=True)
class Moments:
    """Means over drums of how the cells of strokes differ from those of their references."""

    variance: Tensor
    """(GROUPS, SEGMENTS), the mean square of how their power differs, in dB²."""
    sparsity: Tensor
    """(GROUPS, SPANS), the mean difference of their log sparsity."""


class _Beside:
    """Measures strokes beside the references of some trials."""

    def __init__(self, trials: TrialSet) -> None:
        self.references = trials.references
        self.power_db, self.sparsity = _cells(self.references)
        relative_db = self.power_db - self.power_db.amax((1, 2), keepdim=True)
        self.audible = (relative_db > _AUDIBLE_DB).float()
        # Sparsity joins the first two segments.
        present = relative_db > _PRESENT_DB
        self.present_spans = torch.cat([present[:, :, :2].any(2, keepdim=True), present[:, :, 2:]], dim=2).float()
        groups = np.array(trials.row_groups)
        rows = [groups == name for name in sorted(set(trials.row_groups))]
        self.drums = torch.from_numpy(np.stack([row / row.sum() for row in rows])).float()

    def moments(self, strokes: Tensor) -> Moments:
        """Measure `strokes` (rows, HIT_FRAMES)."""
        power_db, sparsity = _cells(align(self.references, strokes))
        apart = (power_db - self.power_db).clamp(-_LARGEST_DB, _LARGEST_DB)
        return Moments(
            self._mean(apart.square(), self.audible), self._mean(sparsity - self.sparsity, self.present_spans)
        )

    def _mean(self, values: Tensor, audible: Tensor) -> Tensor:
        """Return the mean over drums of cells (rows, …) that sound."""
        sums, shares = (torch.einsum("dr,rgs->dgs", self.drums, part) for part in (values * audible, audible))
        counts = shares > _LEAST_SHARE
        of_drums = torch.where(counts, sums / shares.clamp_min(_LEAST_SHARE), 0.0)
        return of_drums.sum(0) / counts.sum(0).clamp_min(_LEAST_DRUMS)


def _cells(hits: Tensor) -> tuple[Tensor, Tensor]:
    """Return the power in dB beside that of the first 200 ms, and the log sparsity, of the cells of `hits`."""
    level_db = 10 * (hits[:, :_BODY_FRAMES].square().mean(1) + _QUIET).log10()
    power_db, sparsity = cell_targets(mdct(hits))
    return power_db - level_db[:, None, None], sparsity


@torch.no_grad()
def own_variance(model: Cascade, trials: TrialSet, amounts: tuple[float, ...], seed: int = 0) -> Tensor:
    """Return the mean square in dB² of what the spectral deviation of `model` gives cells, (GROUPS, SEGMENTS)."""
    residuals = torch.from_numpy(np.concatenate([split(hit[None])[1] for hit in trials.references.numpy()]))
    encoded = ReferenceEncoder(model)(residuals, torch.ones(len(residuals)), trials.labels)
    latent = torch.randn(len(residuals), LATENT_SIZE, generator=torch.Generator().manual_seed(seed))
    deviation_db = model.deviation_db_of(latent, SplitReferenceFeatures()(encoded).spectral_deviation_db)
    return (torch.tensor(amounts)[trials.labels, None, None] * deviation_db).square().mean(0)


def moved(model: Cascade, real: Moments, made: Moments, own: Tensor) -> Cascade:
    """Return the model nearer to the `real` moments than to those that it `made`."""
    nearer = copy.deepcopy(model)
    wanted = own + _STEP * (real.variance - made.variance)
    factor = (wanted / own.clamp_min(_QUIET)).clamp_min(_FACTORS[0] ** 2).sqrt().clamp(*_FACTORS)
    factor = torch.minimum(factor, (_MOST_OWN_DB / own.sqrt().clamp_min(_QUIET)).clamp_min(1.0))
    nearer.principal_components.mul_(factor)
    sparsity = model.sparsity[0] + _STEP * (real.sparsity - made.sparsity)
    nearer.sparsity[0].copy_(sparsity.clamp(-_MOST_SPARSITY, _MOST_SPARSITY))
    return nearer


def strokes_of(model: Cascade, facts: dict[str, object], amounts: tuple[float, ...], trials: TrialSet) -> Tensor:
    """Return the strokes of `trials` as the exported model plays them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        file.write_bytes(to_onnx(model, make_card(model, facts, ExportSettings(amounts=amounts))))
        return ModelPlayer(Generator.open(file)).variations(trials)


def main(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    data: Annotated[Path, typer.Option("-d", "--data", help="A folder of drums with repeated strokes.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the run to write.")],
    calibration: Annotated[Path, typer.Option(help="A report.json with the amounts of the classes.")],
    rounds: Annotated[int, typer.Option(min=1, help="How often strokes are made and the tables moved.")] = 3,
) -> None:
    """Match the moments of the strokes of RUN to those of real ones."""
    model, facts = load_model(run)
    amounts = read_amounts(calibration)
    trials = make_trials(load_split(data, "train"), _REFERENCES, 1)
    beside = _Beside(trials)
    real = beside.moments(trials.real)
    for _ in range(rounds):
        made = beside.moments(strokes_of(model, facts, amounts, trials))
        ratio = float((made.variance / real.variance.clamp_min(_QUIET)).clamp_min(_QUIET).log().mean().div(2).exp())
        off = float((made.sparsity - real.sparsity).square().mean().sqrt())
        typer.echo(f"cells deviate {ratio:.2f} times as far as real ones, log sparsity is {off:.3f} off")
        model = moved(model, real, made, own_variance(model, trials, amounts))
    prepare_folder(output)
    save_model(output / WEIGHTS, model.state_dict(), model.settings, facts)


if __name__ == "__main__":
    run_program(main)
