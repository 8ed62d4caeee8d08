"""Where hits lie beside each other: the last layer of a small network that learnt to tell drum classes apart.

Sets of sounds are compared in it (Fréchet distance, precision and recall), as images are in that of an image
classifier. It is trained on demand from a corpus's train split, in a minute or two on one core.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.metrics import MELS, decibels, log_mel
from ghostnote.models.nets.checkpoint import read_tensors, write_tensors

WIDTH: Final = 24
"""Dimensions of the embedding."""
_CHANNELS: Final = (24, 48, 96, 128)
_STEPS: Final = 128


@dataclass(frozen=True)
class EmbeddingSettings:
    """How the embedding's network is trained."""

    passes: int = 18
    """Times that every hit is seen."""
    batch: int = 64
    """Hits a step."""
    learning_rate: float = 3e-3
    """Peak of the one-cycle schedule."""
    eq_db: float = 6.0
    """Standard deviation of the gain over the spectrum that is added: colour is not class."""
    mel_shift: int = 3
    """Most bands by which a hit is moved up or down."""
    step_shift: int = 3
    """Most steps by which a hit is moved later."""
    seed: int = 0
    """Decides weights, order and augmentation."""


class HitEmbedding(nn.Module):
    """A convolutional network over log-mel spectrograms."""

    def __init__(self) -> None:
        """Build the network, untrained."""
        super().__init__()
        widths = (1, *_CHANNELS)
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU())
                for a, b in itertools.pairwise(widths)
            )
        )
        self.embed = nn.Linear(2 * widths[-1], WIDTH)
        self.classify = nn.Linear(WIDTH, len(CLASS_NAMES))

    def embedding(self, pictures: Tensor) -> Tensor:
        """Return the place of each picture (hits, MELS, steps) of `picture`, (hits, WIDTH)."""
        h = self.layers(pictures[:, None]).flatten(2)
        embedded: Tensor = self.embed(torch.cat([h.mean(2), h.amax(2)], dim=1))
        return embedded

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the classes' logits of pictures (hits, MELS, steps)."""
        logits: Tensor = self.classify(F.relu(self.embedding(pictures)))
        return logits


def picture(x: Tensor) -> Tensor:
    """Return what the network sees of hits (hits, HIT_FRAMES): levels from -1 (-60 dB) to 1, (hits, MELS, steps)."""
    parts = [log_mel(part)[:, :, :_STEPS] for part in torch.split(x, 64)]
    power = torch.cat(parts)
    return decibels(power, power.amax((1, 2))) / 30 + 1


def train_embedding(
    pictures: Tensor,
    labels: Tensor,
    settings: EmbeddingSettings = EmbeddingSettings(),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> HitEmbedding:
    """Return a network trained on `pictures` (hits, MELS, steps) of classes `labels` (hits,).

    `progress` is called with (passes done, passes in all).
    """
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(settings.seed)
        network = HitEmbedding()
        optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.05)
        batches = -(-len(pictures) // settings.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=batches * settings.passes + 1
        )
        weights = torch.bincount(labels, minlength=len(CLASS_NAMES)).clamp_min(1).float().rsqrt()[labels]
        for done in range(settings.passes):
            for index in torch.split(
                torch.multinomial(weights, batches * settings.batch, True), settings.batch
            ):
                logits = network(_changed(pictures[index], settings))
                loss = F.cross_entropy(logits, labels[index], label_smoothing=0.1)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
            progress(done + 1, settings.passes)
    return network.eval()


@torch.no_grad()
def embed(network: HitEmbedding, pictures: Tensor) -> Tensor:
    """Return the places (hits, WIDTH) of pictures (hits, MELS, steps)."""
    return torch.cat([network.embedding(part) for part in torch.split(pictures, 128)])


@torch.no_grad()
def accuracy(network: HitEmbedding, pictures: Tensor, labels: Tensor) -> float:
    """Return the share of pictures (hits, MELS, steps) whose class is told."""
    told = torch.cat([network(part).argmax(1) for part in torch.split(pictures, 128)])
    return float((told == labels).float().mean())


def save_embedding(path: Path, network: HitEmbedding, key: str) -> None:
    """Keep a trained network in a file; `key` says what it was trained on."""
    write_tensors(path, network.state_dict(), {"key": key})


def load_embedding(path: Path, key: str) -> HitEmbedding | None:
    """Return the network kept in `path` if it was trained on `key`, else None."""
    if not path.is_file():
        return None
    tensors, facts = read_tensors(path)
    if facts.get("key") != key:
        return None
    network = HitEmbedding()
    network.load_state_dict(tensors)
    return network.eval()


def _changed(pictures: Tensor, settings: EmbeddingSettings) -> Tensor:
    """Return pictures moved a little in pitch and time, and under another equaliser, each on its own."""
    batch = len(pictures)
    bands = torch.arange(MELS) - torch.randint(-settings.mel_shift, settings.mel_shift + 1, (batch, 1))
    steps = torch.arange(_STEPS) - torch.randint(0, settings.step_shift + 1, (batch, 1))
    moved = pictures.gather(1, bands.clamp(0, MELS - 1)[:, :, None].expand_as(pictures))
    moved = moved.gather(2, steps.clamp(0, _STEPS - 1)[:, None].expand_as(pictures))
    knots = torch.randn(batch, 1, 5) * (settings.eq_db / 30)
    gain = F.interpolate(knots, MELS, mode="linear", align_corners=True)[:, 0, :, None]
    return torch.where(moved > -0.99, moved + gain, moved).clamp(-1, 1.5)
