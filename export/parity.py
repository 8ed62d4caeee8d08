"""Checks that the exported graph computes what torch computes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

import torch

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.inference.onnx_runtime import onnxruntime
from ghostnote.models.diffusion.inputs import Inputs, blank_inputs
from ghostnote.models.diffusion.pipeline import render
from ghostnote.models.diffusion.v_prediction import linear_schedule
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.nets.cascade import Cascade

TOLERANCE: Final = {True: 1e-3, False: 1e-5}
"""The largest relative error, with fp16 weights or without."""
EIGHT_BIT_TOLERANCE: Final = 5e-2
"""The same with products of 8 bits: in log-mel 0.14 dB, where another noise makes 2.7 dB."""
_STEPS: Final = (0, 1, 2, 4, 8)
_BATCH: Final = 2


class ParityError(GhostnoteError):
    """The exported graph does not compute what torch computes."""


@dataclass(frozen=True)
class Case:
    """One comparison."""

    steps: int
    reference: bool
    mask: bool
    guidance: float
    error: float
    """Norm of the difference over the norm of torch's answer."""


def compare(model: Cascade, data: bytes, seed: int = 0) -> list[Case]:
    """Run torch and the ONNX file `data` on the same inputs, over steps, with and without reference and mask."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(seed)
    return [
        Case(steps, reference, mask, guidance, _error(model, session, inputs))
        for steps, reference, mask, guidance, inputs in _cases(generator)
    ]


def _cases(generator: torch.Generator) -> Iterator[tuple[int, bool, bool, float, Inputs]]:
    for steps in _STEPS:
        for reference, mask, guidance in (
            (True, False, 1.0),
            (True, True, 1.0),
            (False, False, 1.0),
            (False, False, 2.0),
        ):
            inputs = _inputs(steps, reference, mask, guidance, generator)
            yield steps, reference, mask, guidance, inputs


def _inputs(steps: int, reference: bool, mask: bool, guidance: float, generator: torch.Generator) -> Inputs:
    """Return inputs such as the bridge gives: a noise burst as reference, or a new sound."""
    blank = blank_inputs(_BATCH)

    def noise(like: torch.Tensor) -> torch.Tensor:
        return torch.randn(like.shape, generator=generator)

    decay = (-torch.arange(HIT_FRAMES) / (0.1 * RATE)).exp()
    inputs = replace(
        blank,
        label=torch.arange(_BATCH),
        noise=noise(blank.noise),
        variation_latent=noise(blank.variation_latent),
        schedule=linear_schedule(steps),
        mask=(noise(blank.mask) > 0).float() if mask else blank.mask,
        guidance=torch.tensor(guidance),
    )
    if reference:
        velocity = torch.linspace(-6, 3, _BATCH)
        return replace(inputs, hit=0.3 * noise(blank.hit) * decay, has_hit=torch.ones(_BATCH), velocity=velocity)
    times = linear_schedule(max(steps, 1))
    return replace(inputs, shape=noise(blank.shape), shape_schedule=times)


def _error(model: Cascade, session: onnxruntime.InferenceSession, inputs: Inputs) -> float:
    expected, _ = render(model, inputs)
    feed = {field.name: getattr(inputs, field.name).numpy() for field in fields(inputs)}
    audio = torch.from_numpy(session.run(["audio"], feed)[0])
    error = float((audio - expected).norm() / expected.norm())
    # Not a number compares as if it were within every limit.
    return error if math.isfinite(error) else math.inf


def tolerance(half: bool, eight_bit: bool = False) -> float:
    """Return the largest relative error that a graph may show."""
    return EIGHT_BIT_TOLERANCE if eight_bit else TOLERANCE[half]


def parity_table(cases: list[Case], half: bool, eight_bit: bool = False) -> str:
    """Return the report as text, a line a case."""
    stored = ("fp16" if half else "fp32") + (" and int8" if eight_bit else "")
    limit = tolerance(half, eight_bit)
    lines = [f"torch against ONNX Runtime, {stored} weights, relative error (limit {limit:.0e}):"]
    for case in cases:
        given = "reference" if case.reference else "new sound"
        extra = (", mask" if case.mask else "") + (f", guidance {case.guidance:g}" if case.guidance != 1 else "")
        lines.append(f"  {case.steps} steps, {given}{extra}: {case.error:.1e}")
    return "\n".join(lines)
