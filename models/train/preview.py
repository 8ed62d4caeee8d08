"""New hits straight from the torch model, as a picture and a sound file: how far a run has come."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.inference.schedule import shape_schedule
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.models.diffusion.inputs import blank_inputs
from ghostnote.models.diffusion.pipeline import render
from ghostnote.models.diffusion.v_prediction import linear_schedule
from ghostnote.models.dsp.mdct import RATE, to_peak
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.plots.hits import draw_hits
from ghostnote.models.train.objective import normal_like

PREVIEW_STEPS = 4
"""Steps for the sound of a new hit, by default."""
_SHAPE_STEPS = 32


def generate_drums(model: Cascade, label: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """Return new hits (batch, HIT_FRAMES) of the classes `label` (batch,) at full level, the sound in `steps` steps."""
    inputs = blank_inputs(len(label), label.device)
    inputs = replace(
        inputs,
        label=label,
        shape=normal_like(inputs.shape, generator),
        noise=normal_like(inputs.noise, generator),
        shape_schedule=torch.from_numpy(shape_schedule(_SHAPE_STEPS)).to(label.device),
        schedule=linear_schedule(steps).to(label.device),
    )
    x, _ = render(model, inputs)
    return to_peak(x)


def write_preview(run: Path, model: Cascade, per_class: int = 2, steps: int = PREVIEW_STEPS) -> None:
    """Write a grid of new hits of every class as `preview.png` and `preview.flac` into `run`."""
    rows = []
    sounds = []
    for label, name in enumerate(CLASS_NAMES):
        generator = torch.Generator().manual_seed(label)
        hits = generate_drums(model, torch.full((per_class,), label), steps, generator).numpy()
        rows.append((name, [(f"new {i + 1}", hit) for i, hit in enumerate(hits)]))
        sounds.append(hits.reshape(-1))
    draw_hits(run / "preview.png", rows, RATE)
    write_audio(run / "preview.flac", np.concatenate(sounds)[None], RATE, 24)
