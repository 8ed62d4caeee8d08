"""What a corpus of a million hits and eight GPUs would take, reckoned from what is measured on this machine."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.models.data.corpus import load_hits
from ghostnote.models.data.dataset import HitSet, make_hit_set
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.synthetic.synthesizer import draw_drum, strike
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.nets.cascade import Cascade, CascadeSettings
from ghostnote.models.statistics.drum_statistics import measure_drums
from ghostnote.models.statistics.partial_statistics import measure_partials
from ghostnote.models.train.loop import measured_model
from ghostnote.models.train.trainer import Trainer, TrainSettings

HITS: Final = 1_000_000
GPUS: Final = 8
CORES: Final = 64
"""Of the machine with the GPUs."""
PASSES: Final = 100
"""How often each hit is a target."""
GPU_FLOPS: Final = 50e12
"""Products and sums a second that a GPU is assumed to do in bf16 on a network as narrow as this one."""
GPU_HOUR_DOLLARS: Final = 2.5
"""An assumed price."""
_Result = TypeVar("_Result")
_DRUMS: Final = 3
_STROKES: Final = 4
_BATCH: Final = 16
_STEPS: Final = 3
_STATE_COPIES: Final = 4
"""Weights, their average, and the two moments of Adam."""


def measure() -> list[Measurement]:
    """Return measured costs of a hit, and what HITS hits, GPUS GPUs and PASSES passes come to."""
    with TemporaryDirectory() as folder:
        files, stored = _write(Path(folder))
        audio, decode = _timed(lambda: load_hits(files)[0])
    count = len(audio)
    hits, split = _timed(lambda: make_hit_set(audio, files))
    model, statistics = _timed(lambda: measured_model(hits, CascadeSettings()))
    _, described = _timed(lambda: (measure_partials(hits, 0), measure_drums(hits)))
    flops, seconds = _training(model, hits)
    cores = torch.get_num_threads()
    held = (hits.audio.nbytes + hits.residual.nbytes) / count
    weights = sum(each.nbytes for each in model.parameters())
    prepare = (decode + split + statistics + described) / count
    train = PASSES * HITS * flops / (GPUS * GPU_FLOPS)
    rows = [
        ("stored_kb", "a hit as FLAC of 16 bits, kB", stored / count / 1e3),
        ("held_kb", "a hit in memory, with its residual, kB", held / 1e3),
        ("prepared_ms", f"preparing a hit (decoding, splitting, statistics), {cores} threads, ms", 1e3 * prepare),
        ("training_gflop", "training on a hit, forward and backward, GFLOP", flops / 1e9),
        ("training_hits_per_second", f"training on this machine, batch {_BATCH}, hits a second", _BATCH / seconds),
        ("scale_storage_gb", f"{HITS:,} hits as FLAC, GB", HITS * stored / count / 1e9),
        ("scale_memory_gb", f"{HITS:,} hits in memory, in each process, GB", HITS * held / 1e9),
        ("scale_prepare_hours", f"preparing them on {CORES} cores, hours", HITS * prepare * cores / CORES / 3600),
        ("scale_state_mb", "weights, average and Adam's moments, in each process, MB", _STATE_COPIES * weights / 1e6),
        ("scale_gradients_mb", "gradients exchanged at each step, MB", weights / 1e6),
        ("scale_rate", f"training on a GPU at {GPU_FLOPS / 1e12:.0f} TFLOP/s, hits a second", GPU_FLOPS / flops),
        ("scale_hours", f"{PASSES} passes on {GPUS} such GPUs, hours", train / 3600),
        ("scale_dollars", f"that at {GPU_HOUR_DOLLARS:.2f} dollars a GPU-hour", train / 3600 * GPUS * GPU_HOUR_DOLLARS),
    ]
    return [Measurement(*row) for row in rows]


def _timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """Return what `work` returns, and the seconds that it takes."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _write(folder: Path) -> tuple[list[HitFile], int]:
    """Write synthesized strokes of drums of every class; return them and their size in bytes."""
    files, size = [], 0
    for drum_class in CLASS_NAMES:
        for number in range(_DRUMS):
            drum, group = draw_drum(drum_class, number), f"{drum_class} {number}"
            for index in range(_STROKES):
                path = folder / f"{group} {index}.flac"
                audio = strike(drum, 0.8, index)[:HIT_FRAMES].astype(np.float32)
                write_audio(path, audio[None], RATE, 16)
                size += path.stat().st_size
                files.append(HitFile(path, drum_class, group, "rr", "1", 0.8, "train", ""))
    return files, size


def _training(model: Cascade, hits: HitSet) -> tuple[float, float]:
    """Return the products and sums of training on a hit, and the seconds of a step of _BATCH hits."""
    trainer = Trainer(model, hits, TrainSettings(steps=1_000_000, batch=_BATCH), torch.device("cpu"))
    # The counter knows attention by its products only, not as one operation.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        trainer.train_step()
    _, seconds = _timed(lambda: [trainer.train_step() for _ in range(_STEPS)])
    return counter.get_total_flops() / _BATCH, seconds / _STEPS
