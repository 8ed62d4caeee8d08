"""The model in ONNX Runtime: new hits, and next strokes of given ones, as arrays."""

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.inference.model_card import CARD_KEY, SEAL_KEY, Card, check_seal
from ghostnote.bridge.inference.model_file import has_external_data, metadata
from ghostnote.bridge.inference.onnx_runtime import interruptible, onnxruntime
from ghostnote.bridge.inference.schedule import schedule, shape_schedule
from ghostnote.bridge.io.input_file import read_head

Audio = NDArray[np.float32]
ReferenceFeatures = NDArray[np.float32]
"""(batch, features): what the graph needs of references."""

_QUIET: Final = 3
_SILENT: Final = 4
_MAX_BYTES: Final = 2**31
_DAMAGED: Final = "{} cannot be played: it is damaged or not an ONNX file"


class Generator:
    """One model file, opened: thread-safe, and single-threaded by default."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Open a model file. `ModelError` for one that is damaged, of another format, or not one of ghostnote's."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        # The highest level, which lays weights out anew, costs time at every start and makes no hit faster.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        # Spinning threads would take the core that plays the audio.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.card, self.checksum = _checked(path)
        try:
            # By its path: given the bytes, the session would hold on to them, 23 MB in every process.
            self._session = interruptible(
                lambda: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class but this one.
            raise ModelError(_DAMAGED.format(path)) from error

    @classmethod
    def open(cls, model: Path | None = None, threads: int = 1) -> "Generator":
        """Open a model file, or the one inside the package."""
        if model is not None:
            return cls(model, threads)
        with as_file(files("ghostnote.models") / "ghostnote.onnx") as path:
            return cls(path, threads)

    def vary(
        self,
        hit: Audio,
        noise: Audio,
        variation_latent: Audio,
        *,
        label: int,
        difference_db: float | Audio = 0.0,
        amount: float | Audio = 1.0,
        steps: int | None = None,
        features: ReferenceFeatures | None = None,
    ) -> tuple[Audio, ReferenceFeatures]:
        """Return the next strokes (batch, frames) after each `hit` (batch, frames), and the hits' features.

        `noise` (batch, bands, mdct_frames) and `variation_latent` (batch, latent_size), both standard normal, decide
        which strokes. `difference_db`, one or (batch,), is how much harder than the hit: it moves the timbre, the level
        stays the hit's. `amount`, one or (batch,), is 1 to vary as real strokes do. With 0 steps the network is left
        out, and the noise itself is the innovation. Given the `features` of the same label, `hit` is not read.
        """
        count = len(noise)
        given_reference = {"hit": hit} if features is None else {"reference_features": features}
        audio, *found = self.run(
            count,
            label,
            ("audio", "features") if features is None else ("audio",),
            **given_reference,
            has_hit=np.ones(count, np.float32),
            velocity=np.full(count, difference_db, np.float32),
            amount=np.full(count, amount, np.float32),
            calibration=np.full(count, self.card.amounts[label], np.float32),
            noise=noise,
            variation_latent=variation_latent,
            schedule=schedule(self.card.default_steps if steps is None else steps),
        )
        return audio, found[0] if features is None else features

    def encode_reference(self, hit: Audio, label: int) -> ReferenceFeatures:
        """Return the features of hits (batch, frames) of a class, once for all the strokes that follow them."""
        given = {"hit": hit, "has_hit": np.ones(len(hit), np.float32), "schedule": schedule(0)}
        return self.run(len(hit), label, ("features",), **given)[0]

    def draw_shapes(
        self, rng: np.random.Generator, count: int, *, label: int, guidance: float = 1.0, steps: int | None = None
    ) -> Audio:
        """Return the shapes (count, rows, frames) of new drums of a class: log envelope and tone; `rng` decides."""
        card = self.card
        return self.run(
            count,
            label,
            ("shape_made",),
            shape=rng.standard_normal((count, *card.shape_size), np.float32),
            shape_schedule=shape_schedule(card.shape_steps if steps is None else steps),
            schedule=schedule(0),
            guidance=np.asarray(guidance, np.float32),
        )[0]

    def fill_shape(
        self, shape: Audio, rng: np.random.Generator, *, label: int, steps: int | None = None, guidance: float = 1.0
    ) -> Audio:
        """Return a hit (frames,) of this shape (rows, frames), at its level; `rng` decides which.

        The network takes `steps`, at least 1.
        """
        card = self.card
        hits = self.run(
            1,
            label,
            shape=shape[None],
            noise=rng.standard_normal((1, card.bands, card.mdct_frames), np.float32),
            schedule=schedule(max(1, card.default_steps if steps is None else steps)),
            guidance=np.asarray(guidance, np.float32),
        )[0]
        return np.asarray(hits[0])

    def run(self, count: int, label: int, outputs: Sequence[str] = ("audio",), **given: Any) -> list[Audio]:
        """Return the graph's `outputs` for `count` hits of a class.

        `given` are the graph's inputs by name, others are blank.
        """
        card = self.card
        size = (card.bands, card.mdct_frames)
        blank: dict[str, tuple[Callable[..., Audio], tuple[int, ...]]] = {
            "hit": (np.zeros, (count, card.hit_frames)),
            "reference_features": (np.zeros, (count, 0)),
            "has_hit": (np.zeros, (count,)),
            "shape": (np.zeros, (count, *card.shape_size)),
            "shape_schedule": (np.ones, (1,)),
            "coherence": (np.ones, (count, *card.coherence_size)),
            "amount": (np.ones, (count,)),
            "calibration": (np.ones, (count,)),
            "velocity": (np.zeros, (count,)),
            "noise": (np.zeros, (count, *size)),
            "variation_latent": (np.zeros, (count, card.latent_size)),
            "mask": (np.zeros, (count, *size)),
            "guidance": (np.ones, ()),
        }
        others = {name: fill(shape, np.float32) for name, (fill, shape) in blank.items() if name not in given}
        inputs = {**others, "label": np.full(count, label, np.int64), **given}
        options = onnxruntime.RunOptions()
        options.log_severity_level = _SILENT
        options.only_execute_path_to_fetches = True

        def end() -> None:
            options.terminate = True

        result: list[Audio] = interruptible(lambda: self._session.run(outputs, inputs, options), end)
        return result


def _checked(path: Path) -> tuple[Card, str]:
    """Return a model file's card and checksum, read before its graph is opened; `ModelError` as `Generator` says."""
    data = read_head(path, "a model file", ModelError, _MAX_BYTES)
    try:
        entries, external = metadata(data), has_external_data(data)
    except ValueError as error:
        raise ModelError(_DAMAGED.format(path)) from error
    if CARD_KEY not in entries or SEAL_KEY not in entries:
        raise ModelError(f"{path} is an ONNX file, but not one that 'ghostnote export' wrote")
    if external:
        raise ModelError(f"{path} has weights in other files, which ghostnote does not open: export the model anew")
    check_seal(data, entries[SEAL_KEY], path)
    return Card.from_json(entries[CARD_KEY], str(path)), entries[SEAL_KEY]
