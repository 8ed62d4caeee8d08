"""Calibration of 8 bits: the limits of layers' inputs and outputs, over strokes and new sounds of synthetic drums."""

from collections import defaultdict
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.export.quantization import MODULATIONS, EightBit, Limits, of_output
from ghostnote.models.data.synthetic.synthesizer import draw_drum, strike
from ghostnote.models.diffusion.inputs import Inputs, blank_inputs
from ghostnote.models.diffusion.pipeline import render
from ghostnote.models.diffusion.v_prediction import linear_schedule
from ghostnote.models.nets.cascade import Cascade

_STEPS: Final = (1, 2, 4)
_SAMPLES: Final = 20_000
_EXACT_LAYERS: Final = ("stem", "conditioning", "given", "out")
"""Layers that stay in 32 bits: they touch the sample itself."""
_SHARES: Final = tuple(share / 10 for share in range(3, 11))


def calibrated(model: Cascade, seed: int = 0) -> EightBit:
    """Return 8 bit arithmetic for the sound network of `model`, calibrated on synthetic drums."""
    names: dict[nn.Module, str] = {
        layer: name
        for name, layer in model.sound.named_modules()
        if isinstance(layer, nn.Conv1d) and name not in _EXACT_LAYERS
    }
    # Every block's modulations are made of the same embedding.
    names[next(layer for name, layer in model.sound.named_modules() if name.endswith(".film"))] = MODULATIONS
    drawn = _activations(model, names, seed)
    return EightBit({name: _narrowest(torch.cat(parts)) for name, parts in drawn.items()}, names)


def _activations(model: Cascade, names: dict[nn.Module, str], seed: int) -> dict[str, list[Tensor]]:
    """Return random samples of each layer's input, and of the padded ones' output, while `model` generates hits."""
    generator = torch.Generator().manual_seed(seed)
    drawn: dict[str, list[Tensor]] = defaultdict(list)

    def draw(name: str, x: Tensor) -> None:
        values = x.flatten()
        drawn[name].append(values[torch.randint(len(values), (_SAMPLES,), generator=generator)])

    def watch(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        draw(names[layer], inputs[0])
        # The residual stream has 32 bits: only what a block adds to it may have 8.
        if isinstance(layer, nn.Conv1d) and layer.padding[0]:
            draw(of_output(names[layer]), output)

    hooks = [layer.register_forward_hook(watch) for layer in names]
    try:
        for steps in _STEPS:
            for inputs in _examples(steps, generator):
                render(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return drawn


def _examples(steps: int, generator: torch.Generator) -> tuple[Inputs, Inputs]:
    """Return a stroke of each class with a reference, and a new sound of each."""
    labels = torch.arange(len(CLASS_NAMES))
    hits = np.stack([strike(draw_drum(name, 0), 0.7, steps) for name in CLASS_NAMES])
    blank = blank_inputs(len(labels))
    times = linear_schedule(steps)
    noise = torch.randn(blank.noise.shape, generator=generator)
    shape = torch.randn(blank.shape.shape, generator=generator)
    inputs = replace(blank, label=labels, noise=noise, schedule=times)
    velocity = 6 * torch.randn(len(labels), generator=generator)
    stroke = replace(inputs, hit=torch.from_numpy(hits), has_hit=torch.ones(len(labels)), velocity=velocity)
    return stroke, replace(inputs, shape=shape, shape_schedule=linear_schedule(8))


def _narrowest(values: Tensor) -> Limits:
    """Return the limits within which 8 bits represent `values` with the least error: outliers may be clipped."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1e-6)
    lows = {low * share for share in _SHARES} if -low > 0.1 * high else {low}
    tried = [Limits(a, high * share) for a in lows for share in _SHARES]
    return min(tried, key=lambda limits: float((limits.rounded(values) - values).square().mean()))
