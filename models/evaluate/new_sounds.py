"""New sounds held against real ones: distances of distributions, tonality, and whether they are copies."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.trial_set import Hits, load_peer
from ghostnote.models.dsp.metrics import align, correlation, distances_to, log_mel
from ghostnote.models.evaluate.distributions import Array, bootstrap, frechet_distance, precision_recall
from ghostnote.models.evaluate.hit_embedding import (
    HitEmbedding,
    accuracy,
    embed,
    load_embedding,
    picture,
    save_embedding,
    train_embedding,
)
from ghostnote.models.evaluate.player import Player, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.tonality import tone

PITCHED: Final = ("kick", "tom")
"""Classes that ring at a pitch."""
_GROUP_SHARE: Final = 6
"""Hits of one drum that count in a distribution, at most: a set of drums, not of strokes."""
_LEAST: Final = 8
"""Hits of a class on both sides for which it gets a distance of its own."""
_NEAREST: Final = 40
"""Training hits, the nearest in the embedding, among which the nearest to the ear is looked for."""
_COPY_CORRELATION: Final = 0.95


@dataclass(frozen=True)
class Placed:
    """Hits with their place in the embedding."""

    audio: Tensor
    labels: np.ndarray[tuple[int], np.dtype[np.int64]]
    places: Array
    groups: tuple[str, ...]

    def of(self, label: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Return the hits of a class, of one drum not more than a few."""
        kept: dict[str, int] = {}
        found = []
        for i in np.flatnonzero(self.labels == label):
            kept[self.groups[i]] = kept.get(self.groups[i], 0) + 1
            if kept[self.groups[i]] <= _GROUP_SHARE:
                found.append(i)
        return np.asarray(found, np.intp)


def open_embedding(
    train: Hits, cache: Path, settings: EvaluationSettings, tick: Tick
) -> tuple[HitEmbedding, Tensor]:
    """Return the embedding and the train split's pictures; it is trained where `cache` holds none of this corpus."""
    pictures = picture(train.audio)
    named = "\n".join(f"{file.path.name} {file.group}" for file in train.files)
    key = f"{zlib.crc32(named.encode()):08x} {asdict(settings.embedding)}"
    network = load_embedding(cache, key)
    if network is None:
        network = train_embedding(pictures, train.labels, settings.embedding, tick)
        save_embedding(cache, network, key)
    return network, pictures


def new_sounds(
    player: Player,
    hits: Hits,
    train: Hits,
    cache: Path,
    peer: Path | None,
    settings: EvaluationSettings,
    tick: Tick,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return all that is said of new sounds, and the sounds by class."""
    network, pictures = open_embedding(train, cache, settings, tick)
    labels = [label for label in range(len(CLASS_NAMES)) for _ in range(settings.new_per_class)]
    sounds = player.new_sounds(labels, tick=tick)
    sets = {
        "split": _placed(network, hits),
        "train": _placed(network, train, pictures),
        "model": _placed(network, Hits(sounds, (), torch.tensor(labels))),
    }
    if peer is not None:
        sets["peer"] = _placed(network, load_peer(peer))
    result = {
        "sounds": len(sounds),
        "embedding_accuracy": {
            "split": accuracy(network, picture(hits.audio), hits.labels),
            "train": accuracy(network, pictures, train.labels),
        },
        "distributions": _distributions(sets, settings),
        "told_class": _told(network, sounds, torch.tensor(labels)),
        "tonality": _tonality(sounds, np.asarray(labels), hits, train),
        "nearest_training_hit": _nearest(sets),
    }
    return result, {
        name: sounds[label * settings.new_per_class : (label + 1) * settings.new_per_class]
        for label, name in enumerate(CLASS_NAMES)
    }


def _placed(network: HitEmbedding, hits: Hits, pictures: Tensor | None = None) -> Placed:
    places = embed(network, picture(hits.audio) if pictures is None else pictures)
    groups = tuple(file.group for file in hits.files) or tuple(map(str, range(len(hits.audio))))
    return Placed(hits.audio, hits.labels.numpy(), places.double().numpy(), groups)


def _distributions(sets: Mapping[str, Placed], settings: EvaluationSettings) -> dict[str, Any]:
    """Return distances to the split over all classes and by class, of sets with equal numbers in each class.

    `train` is what real hits get: as many of the train split, drawn anew each time.
    """
    rng = np.random.default_rng(settings.seed)
    split, labels = sets["split"], range(len(CLASS_NAMES))
    counts = {
        label: min(len(sets[name].of(label)) for name in ("split", "train", "model")) for label in labels
    }
    result = {"all": _compared(sets, ("train", "model"), counts, settings.draws, rng)}
    for label, count in counts.items():
        if count >= _LEAST:
            result[CLASS_NAMES[label]] = _compared(
                sets, ("train", "model"), {label: count}, settings.draws, rng
            )
    if "peer" in sets:
        shared = {
            label: min(count, len(split.of(label)))
            for label in labels
            if (count := min(len(sets["peer"].of(label)), counts[label]))
        }
        result["beside the peer"] = _compared(sets, ("train", "model", "peer"), shared, settings.draws, rng)
    return result


def _compared(
    sets: Mapping[str, Placed],
    names: Sequence[str],
    counts: Mapping[int, int],
    draws: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    def draw(placed: Placed) -> Array:
        chosen = [rng.permutation(placed.of(label))[:count] for label, count in counts.items()]
        return np.asarray(placed.places[np.concatenate(chosen)])

    found: dict[str, Any] = {"hits": sum(counts.values())}
    nan = float("nan")
    if found["hits"] < _LEAST:
        return found
    for name in names:
        pairs = [(draw(sets["split"]), draw(sets[name])) for _ in range(draws)]
        distances = [frechet_distance(real, made) for real, made in pairs]
        shares = [precision_recall(real, made) if len(real) > 3 else (nan, nan) for real, made in pairs]
        found[name] = {
            "frechet": float(np.mean(distances)),
            "frechet_deviation": float(np.std(distances)),
            "precision": float(np.mean([p for p, _ in shares])),
            "recall": float(np.mean([r for _, r in shares])),
        }
    return found


def _told(network: HitEmbedding, sounds: Tensor, labels: Tensor) -> dict[str, float]:
    pictures = picture(sounds)
    return {
        name: accuracy(network, pictures[labels == label], labels[labels == label])
        for label, name in enumerate(CLASS_NAMES)
    }


def _tonality(
    sounds: Tensor, labels: np.ndarray[tuple[int], np.dtype[np.int64]], hits: Hits, train: Hits
) -> dict[str, Any]:
    """Return how far the partial of kicks and toms stands out and how it glides, new ones beside the corpus's."""
    result: dict[str, Any] = {}
    for name in PITCHED:
        label = CLASS_NAMES.index(name)
        corpus = torch.cat([hits.audio[hits.labels == label], train.audio[train.labels == label]])
        if not len(corpus):
            continue
        result[name] = {}
        for kind, audio in (("corpus", corpus), ("model", sounds[labels == label])):
            heard = tone(audio)
            result[name][kind] = {
                field: asdict(bootstrap(getattr(heard, field).tolist()))
                for field in ("partial_hz", "prominence_db", "glide_cents")
            }
    return result


def _nearest(sets: Mapping[str, Placed]) -> dict[str, Any]:
    """Return how near new sounds and the split's own hits are to the nearest hit of the train split."""
    train = sets["train"]
    result: dict[str, Any] = {}
    for name in ("split", "model"):
        placed = sets[name]
        chosen = np.concatenate([placed.of(label) for label in range(len(CLASS_NAMES))])
        distance, alike = zip(*(_nearest_one(placed, int(i), train) for i in chosen), strict=True)
        result[name] = {
            "hits": len(chosen),
            "distance_db": dict(
                zip(("p5", "median", "p95"), np.percentile(distance, (5, 50, 95)).tolist(), strict=True)
            ),
            "correlation": dict(
                zip(("median", "p95", "max"), np.percentile(alike, (50, 95, 100)).tolist(), strict=True)
            ),
            "copies": int(np.sum(np.asarray(alike) > _COPY_CORRELATION)),
        }
    return result


def _nearest_one(placed: Placed, i: int, train: Placed) -> tuple[float, float]:
    near = np.argsort(np.square(train.places - placed.places[i]).sum(1))[:_NEAREST]
    query = placed.audio[i : i + 1]
    gallery = align(query.expand(len(near), -1), train.audio[near])
    distances = distances_to(log_mel(query), log_mel(gallery))[0]
    best = int(distances.argmin())
    return float(distances[best]), float(correlation(query, gallery[best : best + 1])[0])
