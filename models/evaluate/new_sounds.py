"""New sounds compared with real ones: distances of distributions, tonality, and whether they are copies."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.dsp.metrics import align, correlation, distances_to, log_mel
from ghostnote.models.evaluate.distributions import Array, bootstrap, frechet_distance, precision_recall
from ghostnote.models.evaluate.hit_embedding import (
    HitEmbedding,
    accuracy,
    embed,
    load_embedding,
    save_embedding,
    spectrogram,
    train_embedding,
)
from ghostnote.models.evaluate.new_lines import new_lines
from ghostnote.models.evaluate.player import ModelPlayer, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.tonality import tone

PITCHED: Final = ("kick", "tom")
"""Classes that ring at a pitch."""
_DRUM_HITS: Final = 6
"""Most hits of one drum in a distribution: it is a set of drums, not of strokes."""
_LEAST: Final = 8
"""Hits of a class on both sides for which it gets a distance of its own."""
_NEAREST: Final = 40
"""Training hits, the nearest in the embedding, that are searched by log-mel distance."""
_COPY_CORRELATION: Final = 0.95


@dataclass(frozen=True)
class EmbeddedHits:
    """Hits with their embedding."""

    audio: Tensor
    labels: NDArray[np.int64]
    embedded: Array
    """(hits, WIDTH)."""
    groups: tuple[str, ...]

    def of(self, label: int) -> NDArray[np.intp]:
        """Return the hits of a class, only a few of each drum."""
        counts: dict[str, int] = {}
        found = []
        for i in np.flatnonzero(self.labels == label):
            counts[self.groups[i]] = counts.get(self.groups[i], 0) + 1
            if counts[self.groups[i]] <= _DRUM_HITS:
                found.append(i)
        return np.asarray(found, np.intp)


Sets = Mapping[str, EmbeddedHits]


def open_embedding(
    train: Hits, spectrograms: Tensor, cache: Path, settings: EvaluationSettings, tick: Tick
) -> HitEmbedding:
    """Return the embedding, trained on `train` where `cache` does not hold that of the same hits."""
    named = "\n".join(f"{file.path.name} {file.group}" for file in train.files)
    key = f"{zlib.crc32(named.encode()):08x} {asdict(settings.embedding)}"
    network = load_embedding(cache, key)
    if network is None:
        network = train_embedding(spectrograms, train.labels, settings.embedding, tick)
        save_embedding(cache, network, key)
    return network


def new_sounds(
    player: ModelPlayer,
    hits: Hits,
    train: Hits,
    cache: Path,
    peer: Hits | None,
    settings: EvaluationSettings,
    tick: Tick,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the report on new sounds, and the sounds by class."""
    spectrograms = spectrogram(train.audio)
    network = open_embedding(train, spectrograms, cache, settings, tick)
    labels = torch.arange(len(CLASS_NAMES)).repeat_interleave(settings.new_per_class)
    whole = player.new_sounds(labels.tolist(), tick=tick)
    sounds = whole[:, :HIT_FRAMES]
    sets = {
        "split": embed_hits(network, hits),
        "train": embed_hits(network, train, spectrograms),
        "model": embed_hits(network, Hits(sounds, (), labels)),
    }
    if peer is not None:
        sets["peer"] = embed_hits(network, peer)
    by_class = {name: sounds[labels == label] for label, name in enumerate(CLASS_NAMES)}
    result = {
        "sounds": len(sounds),
        "embedding_accuracy": {
            "split": accuracy(network, spectrogram(hits.audio), hits.labels),
            "train": accuracy(network, spectrograms, train.labels),
        },
        "distributions": distributions(sets, settings),
        "class_accuracy": {
            name: accuracy(network, spectrogram(own), torch.tensor(label))
            for label, (name, own) in enumerate(by_class.items())
        },
        "tonality": _tonality(by_class, hits, train),
        "lines": new_lines({name: whole[labels == label] for label, name in enumerate(CLASS_NAMES)}, (hits, train)),
        "nearest_training_hit": {name: nearest_training(sets[name], sets["train"]) for name in ("split", "model")},
    }
    return result, by_class


def embed_hits(network: HitEmbedding, hits: Hits, spectrograms: Tensor | None = None) -> EmbeddedHits:
    """Return `hits` with their embedding, from their spectrograms where these are there already."""
    embedded = embed(network, spectrogram(hits.audio) if spectrograms is None else spectrograms)
    groups = tuple(file.group for file in hits.files) or tuple(map(str, range(len(hits.audio))))
    return EmbeddedHits(hits.audio, hits.labels.numpy(), embedded.double().numpy(), groups)


def distributions(sets: Sets, settings: EvaluationSettings) -> dict[str, Any]:
    """Return distances to the split over all classes and by class, of sets with equal numbers in each class.

    `train` shows what real hits get: as many hits of the train split, drawn anew each time.
    """
    rng = np.random.default_rng(settings.seed)
    sizes = {name: [len(found.of(label)) for label in range(len(CLASS_NAMES))] for name, found in sets.items()}
    counts = dict(enumerate(map(min, sizes["split"], sizes["train"], sizes["model"])))
    others = {name: sets[name] for name in ("train", "model")}

    def compared(others: Sets, counts: Mapping[int, int]) -> dict[str, Any]:
        return _compared(sets["split"], others, counts, settings.draws, rng)

    result = {"all": compared(others, counts)}
    for label, count in counts.items():
        if count >= _LEAST:
            result[CLASS_NAMES[label]] = compared(others, {label: count})
    if "peer" in sets:
        shared = {label: min(count, sizes["peer"][label]) for label, count in counts.items()}
        result["beside the peer"] = compared(
            {**others, "peer": sets["peer"]}, {label: count for label, count in shared.items() if count}
        )
    return result


def _compared(
    split: EmbeddedHits, others: Sets, counts: Mapping[int, int], draws: int, rng: np.random.Generator
) -> dict[str, Any]:
    def draw(hits: EmbeddedHits) -> Array:
        chosen = [rng.permutation(hits.of(label))[:count] for label, count in counts.items()]
        return np.asarray(hits.embedded[np.concatenate(chosen)])

    found: dict[str, Any] = {"hits": sum(counts.values())}
    if found["hits"] < _LEAST:
        return found
    for name, hits in others.items():
        pairs = [(draw(split), draw(hits)) for _ in range(draws)]
        distances = [frechet_distance(real, made) for real, made in pairs]
        precision, recall = np.mean([precision_recall(real, made) for real, made in pairs], axis=0)
        found[name] = {
            "frechet": float(np.mean(distances)),
            "frechet_deviation": float(np.std(distances)),
            "precision": float(precision),
            "recall": float(recall),
        }
    return found


def _tonality(sounds: Mapping[str, Tensor], hits: Hits, train: Hits) -> dict[str, Any]:
    """Return how far the partial of kicks and toms stands out and how it glides, for new ones and the corpus's."""
    result: dict[str, Any] = {}
    for name in PITCHED:
        label = CLASS_NAMES.index(name)
        corpus = torch.cat([hits.audio[hits.labels == label], train.audio[train.labels == label]])
        if not len(corpus):
            continue
        tones = {"corpus": tone(corpus), "model": tone(sounds[name])}
        result[name] = {
            kind: {
                **{
                    field: asdict(bootstrap(getattr(found, field).tolist()))
                    for field in ("partial_hz", "prominence_db", "glide_cents")
                },
                "partial_hz_range": _percentiles(found.partial_hz.tolist(), {"p10": 10, "p90": 90}),
            }
            for kind, found in tones.items()
        }
    return result


def nearest_training(hits: EmbeddedHits, train: EmbeddedHits) -> dict[str, Any]:
    """Return how near hits are to the nearest hit of the train split."""
    chosen = np.concatenate([hits.of(label) for label in range(len(CLASS_NAMES))])
    distances, correlations = zip(*(_nearest_one(hits, int(i), train) for i in chosen), strict=True)
    return {
        "hits": len(chosen),
        "distance_db": _percentiles(distances, {"p5": 5, "median": 50, "p95": 95}),
        "correlation": _percentiles(correlations, {"median": 50, "p95": 95, "max": 100}),
        "copies": sum(value > _COPY_CORRELATION for value in correlations),
    }


def _percentiles(values: Sequence[float], percents: Mapping[str, int]) -> dict[str, float]:
    return {name: float(np.percentile(values, percent)) for name, percent in percents.items()}


def _nearest_one(hits: EmbeddedHits, i: int, train: EmbeddedHits) -> tuple[float, float]:
    """Return the log-mel distance of hit `i` to its nearest training hit, and their correlation."""
    near = np.argsort(np.square(train.embedded - hits.embedded[i]).sum(1))[:_NEAREST]
    query = hits.audio[i : i + 1]
    gallery = align(query.expand(len(near), -1), train.audio[near])
    distances = distances_to(log_mel(query), log_mel(gallery))[0]
    best = int(distances.argmin())
    return float(distances[best]), float(correlation(query, gallery[best : best + 1])[0])
