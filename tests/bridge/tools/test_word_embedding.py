"""Words that the lexicon lacks: what the embedding makes of them, and what happens without it."""

import importlib.util

import numpy as np
import pytest

from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.tools import word_embedding
from ghostnote.bridge.tools.word_embedding import WordEmbedding, open_embedding
from ghostnote.bridge.tools.words import read_words, sliders_for


@pytest.fixture(scope="module")
def embedding() -> WordEmbedding:
    found = open_embedding()
    if found is None:
        pytest.skip("the extra 'words' is not installed")
    return found


def test_embeddings_have_length_one_and_do_not_depend_on_their_company(embedding: WordEmbedding) -> None:
    alone, together = embedding.embed(["bright"]), embedding.embed(["bright", "a much longer text than the first one"])
    assert np.linalg.norm(together, axis=1) == pytest.approx([1, 1])
    # Weights of 8 bits: the padding moves the last digits.
    assert float(alone[0] @ together[0]) > 0.99


def test_unknown_words_lie_on_their_side_of_an_axis(embedding: WordEmbedding) -> None:
    assert embedding.meaning("gleaming")["bright"] > 0
    assert embedding.meaning("foggy")["bright"] < 0
    assert embedding.meaning("reverberating")["long"] > 0
    assert "bright" not in embedding.meaning("table")


def test_guessed_words_count_like_others_and_are_named(embedding: WordEmbedding) -> None:
    wish = read_words("not gleaming foobarbaz snare", embedding.meaning)
    assert wish.drum_class == "snare"
    assert wish.weights["bright"] < 0
    assert set(wish.guessed) == {"gleaming"}
    assert wish.unexplained == ("foobarbaz",)
    # The tables come first.
    assert read_words("bright snare", embedding.meaning) == read_words("bright snare")


def test_words_move_the_sliders_by_strength() -> None:
    wish = read_words("very bright tight not boomy snare")
    sliders, stronger = sliders_for(wish), sliders_for(wish, 2)
    assert sliders.bright > 0 > sliders.boomy
    assert sliders.tighter > 0
    assert sliders.longer == 0
    assert stronger.bright == pytest.approx(min(2, 2 * sliders.bright))
    assert not any(vars(sliders_for(wish, 0)).values())


def test_another_file_is_not_used(monkeypatch: pytest.MonkeyPatch, embedding: WordEmbedding) -> None:
    monkeypatch.setattr(word_embedding, "_MODEL", (*word_embedding._MODEL[:2], "0" * 64))
    with pytest.raises(ModelError, match="is not the file that is known"):
        open_embedding.__wrapped__()


def test_without_the_extra_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert open_embedding.__wrapped__() is None
