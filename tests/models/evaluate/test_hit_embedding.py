from pathlib import Path

import pytest
import torch

from ghostnote.models.evaluate.hit_embedding import (
    WIDTH,
    EmbeddingSettings,
    HitEmbedding,
    accuracy,
    embed,
    load_embedding,
    save_embedding,
    spectrogram,
    train_embedding,
)

HIT_FRAMES = 32768


def sounds(decay_frames: float, seed: int) -> torch.Tensor:
    noise = torch.randn(12, HIT_FRAMES, generator=torch.Generator().manual_seed(seed))
    return noise * torch.exp(-torch.arange(HIT_FRAMES) / decay_frames)


def test_the_embedding_learns_the_classes_it_is_trained_on_and_separates_them() -> None:
    short, long = spectrogram(sounds(800, 0)), spectrogram(sounds(12_000, 1))
    spectrograms, labels = torch.cat([short, long]), torch.arange(2).repeat_interleave(12) * 5
    passes = []
    settings = EmbeddingSettings(passes=12, batch=12)
    network = train_embedding(spectrograms, labels, settings, lambda done, total: passes.append((done, total)))
    assert passes[-1] == (12, 12)
    assert accuracy(network, spectrograms, labels) > 0.9
    places = embed(network, spectrograms)
    assert places.shape == (24, WIDTH)
    apart = (places[:12].mean(0) - places[12:].mean(0)).norm()
    assert apart > places[:12].std(0).norm()
    again = train_embedding(spectrograms, labels, settings)
    assert torch.equal(embed(again, spectrograms), places)


def test_a_spectrogram_is_level_free() -> None:
    hit = sounds(3000, 2)[:2]
    assert torch.allclose(spectrogram(hit), spectrogram(0.01 * hit), atol=1e-3)
    assert float(spectrogram(hit).max()) == pytest.approx(1, abs=1e-3)


def test_a_saved_embedding_comes_back_only_for_what_it_was_trained_on(tmp_path: Path) -> None:
    network, path = HitEmbedding().eval(), tmp_path / "embedding.safetensors"
    assert load_embedding(path, "key") is None
    save_embedding(path, network, "key")
    assert load_embedding(path, "another") is None
    loaded = load_embedding(path, "key")
    assert loaded is not None
    spectrograms = spectrogram(sounds(3000, 3))
    assert torch.equal(embed(loaded, spectrograms), embed(network, spectrograms))


def test_a_damaged_embedding_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "embedding.safetensors"
    path.write_bytes(b"nothing of the kind")
    assert load_embedding(path, "key") is None
