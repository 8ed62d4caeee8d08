"""ghostnote beside tiny-audio-diffusion: one machine, one runtime, the same threads, each with its own steps."""

import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.onnx_runtime import onnxruntime
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.inference.variation import Reference, Variation, Variator
from ghostnote.bridge.io.input_file import read_report
from ghostnote.export.benchmark.tiny_audio_diffusion import Peer, PeerSettings
from ghostnote.export.torch_parts import OPSET, traced
from ghostnote.models.dsp.mdct import MDCT_FRAMES
from ghostnote.models.evaluate.targets import REPORT_FORMAT, targets
from ghostnote.models.nets.cascade import CascadeSettings
from ghostnote.models.nets.unet import UNet

Floats = NDArray[np.float32]

_OUR_STEPS: Final = (1, 2, 4)


@dataclass(frozen=True)
class PeerBench:
    """The sizes of the comparison."""

    peer: PeerSettings = PeerSettings()
    """The other network."""
    peer_steps: int = 50
    """Its steps, as many as its authors take."""
    threads: int = 1
    """Threads of each session."""
    matrix: int = 1024
    """Rows and columns of the product that measures the machine's peak rate."""
    repeats: int = 25
    """Runs of each but the peer, of which the median counts."""


def measure(model: Path | None, reports: Sequence[Path] = (), bench: PeerBench | None = None) -> list[Measurement]:
    """Return the time of a hit of both, their ratio, their share of the peak rate, and the results of `reports`."""
    bench = bench or PeerBench()
    quality = [figure for report in reports for figure in quality_figures(report)]
    peak = peak_gflops(bench)
    peer_gflop, peer_ms = _peer(bench)
    return [
        Measurement("peak_gflops", f"a product of {bench.matrix} x {bench.matrix} matrices", peak, "GFLOP/s"),
        Measurement("peer_gflop_per_step", "the peer's network, an evaluation", peer_gflop, "GFLOP"),
        Measurement("peer_ms_per_step", "the peer, a step", peer_ms / bench.peer_steps, "ms"),
        Measurement("peer_ms_per_hit", f"the peer, a hit of {bench.peer_steps} steps", peer_ms, "ms"),
        _share("peer", peer_gflop * bench.peer_steps, peer_ms, peak),
        *_ours(model, bench, peak, peer_ms),
        *quality,
    ]


def _ours(model: Path | None, bench: PeerBench, peak: float, peer_ms: float) -> list[Measurement]:
    generator = Generator.open(model, bench.threads)
    gflop = sound_gflop()
    times = {steps: _hit_ms(generator, steps, bench.repeats) for steps in (0, *_OUR_STEPS)}
    last = _OUR_STEPS[-1]
    step_ms = (times[last] - times[0]) / last
    measurements = [
        Measurement("gflop_per_step", "ghostnote's network of the default sizes, an evaluation", gflop, "GFLOP"),
        Measurement("ms_per_step", "ghostnote, a step", step_ms, "ms"),
        _share("ghostnote", gflop, step_ms, peak),
    ]
    for steps in _OUR_STEPS:
        name = f"ghostnote, a hit of {steps} step{'s'[: steps - 1]}, all included"
        measurements.append(Measurement(f"ms_per_hit_{steps}", name, times[steps], "ms"))
        measurements.append(
            Measurement(f"peer_ratio_{steps}", f"the peer's time over that at {steps}", peer_ms / times[steps])
        )
    return measurements


def _share(name: str, gflop: float, ms: float, peak: float) -> Measurement:
    return Measurement(f"{name}_share_of_peak", f"{name}, share of the peak rate", 1000 * gflop / ms / peak)


def peak_gflops(bench: PeerBench) -> float:
    """Return the rate in GFLOP/s of a product of square matrices in ONNX Runtime, at its best."""
    size, rng = bench.matrix, np.random.default_rng(0)
    matrix = rng.standard_normal((size, size), np.float32)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "peak",
        [value("x", TensorProto.FLOAT, (size, size))],
        [value("y", TensorProto.FLOAT, (size, size))],
        [numpy_helper.from_array(matrix, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    session = _session(model, bench.threads)
    return 2 * size**3 / min(_seconds(lambda: session.run(None, {"x": matrix}), bench.repeats)) / 1e9


def sound_gflop() -> float:
    """Return the billions of operations of one evaluation of the sound network; a multiply-add counts as two."""
    settings = CascadeSettings().sound
    z, conditioning = (torch.zeros(1, n, MDCT_FRAMES) for n in (settings.bands, settings.channels[0]))
    return _gflop(UNet(settings), z, torch.zeros(1), torch.zeros(1, settings.embedding), conditioning)


@torch.no_grad()
def _gflop(network: nn.Module, *inputs: torch.Tensor) -> float:
    # Fused attention would not be counted.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        network(*inputs)
    return float(counter.get_total_flops()) / 1e9


def _session(model: ModelProto, threads: int) -> onnxruntime.InferenceSession:
    """Open a model as `Generator` does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _peer(bench: PeerBench) -> tuple[float, float]:
    """Return the peer's billions of operations an evaluation, and its milliseconds a hit."""
    torch.manual_seed(0)
    network, settings = Peer(bench.peer).eval(), bench.peer
    z = torch.zeros(1, settings.audio_channels, settings.frames)
    with torch.no_grad():
        model = traced(network, (z, torch.zeros(1)), ["z", "t"])
    session = _session(model, bench.threads)

    def velocity(sample: Floats, t: float) -> Floats:
        v: Floats = session.run(None, {"z": sample, "t": np.array([t], np.float32)})[0]
        return v

    noise = np.random.default_rng(0).standard_normal(z.shape, np.float32)
    velocity(noise, 1.0)
    started = time.perf_counter()
    ddim(velocity, noise, bench.peer_steps)
    return _gflop(network, z, torch.zeros(1)), 1000 * (time.perf_counter() - started)


def ddim(velocity: Callable[[Floats, float], Floats], z: Floats, steps: int) -> Floats:
    """Return the sample of noise `z` under v-diffusion (Salimans & Ho 2022), in even steps of time from 1 to 0."""
    angles = np.linspace(np.pi / 2, 0, steps + 1)
    for now, then in pairwise(angles):
        v = velocity(z, float(now / (np.pi / 2)))
        x, noise = np.cos(now) * z - np.sin(now) * v, np.sin(now) * z + np.cos(now) * v
        z = np.asarray(np.cos(then) * x + np.sin(then) * noise, np.float32)
    return z


def _hit_ms(generator: Generator, steps: int, repeats: int) -> float:
    snare = generator.card.classes.index("snare")
    reference = Reference(generate_drum(generator, "snare", 1)[None], snare)
    variator = Variator(generator)
    return 1000 * statistics.median(
        _seconds(lambda: variator.next_stroke(reference, Variation(steps=steps), index=0, velocity=100), repeats)
    )


def _seconds(work: Callable[[], object], repeats: int) -> list[float]:
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return times


def quality_figures(path: Path) -> list[Measurement]:
    """Return the results of a report's targets; `InputError` where it is not a report, or of another format."""
    try:
        report: dict[str, Any] = read_report(path)
        about, results = report["about"], targets(report)
        steps, version = int(about["steps"]), about["format"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a report: give the report.json of 'ghostnote evaluate'") from error
    if version != REPORT_FORMAT:
        raise InputError(f"{path} is a report of format {version}, not {REPORT_FORMAT}: evaluate the model again")
    return [
        Measurement(f"{_key(result.name)}_{steps}", f"{result.name}, at {steps} steps", result.value)
        for result in results
    ]


def _key(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_")
