"""An embedding of hits: the last layer of a small network that classifies drums.

Sets of sounds are compared in it (Fréchet distance, precision and recall), as images are in that of an image
classifier. It is trained on demand on a corpus's train split, in a minute or two on one core.
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
from ghostnote.bridge.errors import ModelError
from ghostnote.models.dsp.metrics import MELS, decibels, log_mel
from ghostnote.models.nets.checkpoint import read_tensors, write_tensors

WIDTH: Final = 24
"""Dimensions of the embedding."""
_CHANNELS: Final = (24, 48, 96, 128)
_FRAMES: Final = 128


@dataclass(frozen=True)
class EmbeddingSettings:
    """How the embedding's network is trained."""

    passes: int = 18
    """Passes over the hits."""
    batch: int = 64
    """Hits in a batch."""
    learning_rate: float = 3e-3
    """Peak of the one-cycle schedule."""
    eq_db: float = 6.0
    """Standard deviation of the gain over the spectrum that is added: timbre is not class."""
    mel_shift: int = 3
    """Most bands by which a hit is moved up or down."""
    frame_shift: int = 3
    """Most frames by which a hit is moved later."""
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

    def embedding(self, spectrograms: Tensor) -> Tensor:
        """Return the embedding (hits, WIDTH) of each spectrogram (hits, MELS, frames)."""
        h = self.layers(spectrograms[:, None]).flatten(2)
        embedded: Tensor = self.embed(torch.cat([h.mean(2), h.amax(2)], dim=1))
        return embedded

    def forward(self, spectrograms: Tensor) -> Tensor:
        """Return the classes' logits of spectrograms (hits, MELS, frames)."""
        logits: Tensor = self.classify(F.relu(self.embedding(spectrograms)))
        return logits


def spectrogram(x: Tensor) -> Tensor:
    """Return spectrograms (hits, MELS, frames) of hits (hits, HIT_FRAMES): levels from -1 (-60 dB) to 1."""
    power = torch.cat([log_mel(part)[:, :, :_FRAMES] for part in torch.split(x, 64)])
    return decibels(power, power.amax((1, 2))) / 30 + 1


def train_embedding(
    spectrograms: Tensor,
    labels: Tensor,
    settings: EmbeddingSettings = EmbeddingSettings(),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> HitEmbedding:
    """Return a network trained on `spectrograms` (hits, MELS, frames) of classes `labels` (hits,).

    `progress` is called with (passes done, all passes).
    """
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(settings.seed)
        network = HitEmbedding()
        optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.05)
        batches = -(-len(spectrograms) // settings.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=batches * settings.passes + 1
        )
        weights = torch.bincount(labels, minlength=len(CLASS_NAMES)).clamp_min(1).float().rsqrt()[labels]
        for done in range(settings.passes):
            order = torch.multinomial(weights, batches * settings.batch, True)
            for index in torch.split(order, settings.batch):
                logits = network(_augmented(spectrograms[index], settings))
                loss = F.cross_entropy(logits, labels[index], label_smoothing=0.1)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
            progress(done + 1, settings.passes)
    return network.eval()


@torch.no_grad()
def embed(network: HitEmbedding, spectrograms: Tensor) -> Tensor:
    """Return the embeddings (hits, WIDTH) of spectrograms (hits, MELS, frames)."""
    return torch.cat([network.embedding(part) for part in torch.split(spectrograms, 128)])


@torch.no_grad()
def accuracy(network: HitEmbedding, spectrograms: Tensor, labels: Tensor) -> float:
    """Return the share of spectrograms (hits, MELS, frames) whose class the network recognizes."""
    found = torch.cat([network(part).argmax(1) for part in torch.split(spectrograms, 128)])
    return float((found == labels).float().mean())


def save_embedding(path: Path, network: HitEmbedding, key: str) -> None:
    """Keep a trained network in a file; `key` says what it was trained on."""
    write_tensors(path, network.state_dict(), {"key": key})


def load_embedding(path: Path, key: str) -> HitEmbedding | None:
    """Return the network kept in `path` if it was trained on `key`, else None: it is trained anew, if damaged too."""
    try:
        tensors, facts = read_tensors(path)
    except ModelError:
        return None
    if facts.get("key") != key:
        return None
    network = HitEmbedding()
    network.load_state_dict(tensors)
    return network.eval()


def _augmented(spectrograms: Tensor, settings: EmbeddingSettings) -> Tensor:
    """Return spectrograms with a random shift in pitch and time and a random equalizer, one for each spectrogram."""
    batch = len(spectrograms)
    bands = torch.arange(MELS) - torch.randint(-settings.mel_shift, settings.mel_shift + 1, (batch, 1))
    frames = torch.arange(_FRAMES) - torch.randint(0, settings.frame_shift + 1, (batch, 1))
    moved = spectrograms.gather(1, bands.clamp(0, MELS - 1)[:, :, None].expand_as(spectrograms))
    moved = moved.gather(2, frames.clamp(0, _FRAMES - 1)[:, None].expand_as(spectrograms))
    knots = torch.randn(batch, 1, 5) * (settings.eq_db / 30)
    gain = F.interpolate(knots, MELS, mode="linear", align_corners=True)[:, 0, :, None]
    return torch.where(moved > -0.99, moved + gain, moved).clamp(-1, 1.5)
