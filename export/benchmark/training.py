"""The speed of training on this machine: hits a second, with decomposition and augmentation."""

import time
from pathlib import Path
from typing import Final

import numpy as np
import torch

from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.dataset import make_hit_set
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.synthetic.synthesizer import draw_drum, strike
from ghostnote.models.nets.cascade import CascadeSettings
from ghostnote.models.train.loop import default_device, measured_model
from ghostnote.models.train.trainer import Trainer, TrainSettings

_STROKES: Final = 4
_BATCHES: Final = {"cpu": 64, "cuda": 2048}
_WARM_UP_STEPS: Final = 6
_STEPS: Final = 24


def measure() -> list[Measurement]:
    """Return the hits a second of eager and of compiled training, on synthesized drums."""
    device = default_device()
    batch = _BATCHES.get(device.type, 64)
    name = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    return [
        Measurement(
            f"train_hits_per_second_{kind}", f"training, {kind}, batch {batch}, bf16, {device.type} ({name})", rate
        )
        for kind, rate in (
            ("eager", _rate(device, batch, compiled=False)),
            ("compiled", _rate(device, batch, compiled=True)),
        )
    ]


def _rate(device: torch.device, batch: int, compiled: bool) -> float:
    audio, files = [], []
    for drum_class in CLASS_NAMES:
        drum = draw_drum(drum_class, 0)
        for index in range(_STROKES):
            audio.append(strike(drum, 0.8, index))
            files.append(HitFile(Path(drum_class), drum_class, drum_class, "rr", "1", 0.8, "train", ""))
    hits = make_hit_set(np.stack(audio), files)
    settings = TrainSettings(steps=1_000_000, batch=batch, compile=compiled)
    trainer = Trainer(measured_model(hits, CascadeSettings()), hits, settings, device)
    for _ in range(_WARM_UP_STEPS):
        trainer.train_step()
    _wait(device)
    started = time.perf_counter()
    for _ in range(_STEPS):
        trainer.train_step()
    _wait(device)
    return batch * _STEPS / (time.perf_counter() - started)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
