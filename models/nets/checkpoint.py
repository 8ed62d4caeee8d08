"""Checkpoints as safetensors: all that a run needs to continue, and the weights alone."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.partial_response import PartialStatistics
from ghostnote.bridge.errors import ModelError, TrainingError
from ghostnote.bridge.inference.drum_table import DrumTable
from ghostnote.bridge.io.atomic_file import output_errors, write_bytes
from ghostnote.models.nets.cascade import Cascade, CascadeSettings

WEIGHTS: Final = "model.safetensors"
"""The averaged weights with the model's settings: what is exported."""
STATE: Final = "state.safetensors"
"""Everything that a killed run needs to continue at the same step."""
_FORMAT: Final = "ghostnote-weights-3"
_FAMILY: Final = "ghostnote-weights-"

_logger = logging.getLogger(__name__)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write `tensors` with `facts` (plain data) beside them, whole or not at all."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, save(contiguous, {"format": _FORMAT, "facts": json.dumps(facts)}))


def previous_of(path: Path) -> Path:
    """Return where `write_generation` keeps what a checkpoint was before."""
    return path.with_stem(f"{path.stem}-previous")


def write_generation(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all; the one before stays beside it."""
    following = path.with_stem(f"{path.stem}-next")
    write_tensors(following, tensors, facts)
    with output_errors(path):
        if path.is_file():
            path.replace(previous_of(path))
        following.replace(path)


def read_generation(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and facts of a checkpoint, or of the one before where this one is damaged or missing."""
    try:
        return read_tensors(path)
    except ModelError as error:
        if not previous_of(path).is_file():
            raise
        _logger.warning("%s; the checkpoint before it is used", error)
        return read_tensors(previous_of(path))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and facts of a file; `ModelError` for one that `write_tensors` did not write."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            found = metadata.get("format", "")
            names = file.keys() if found == _FORMAT else ()
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read as a checkpoint: {error}") from error
    if found != _FORMAT and found.startswith(_FAMILY):
        raise ModelError(f"{path} is of another version of ghostnote ({found}): train anew, into another folder")
    if found != _FORMAT:
        raise ModelError(f"{path} is not a ghostnote checkpoint: give the folder that 'ghostnote train' wrote")
    return tensors, json.loads(metadata["facts"])


def save_model(path: Path, state: Mapping[str, Tensor], settings: CascadeSettings, facts: Mapping[str, Any]) -> None:
    """Write a model's state dict with its settings and `facts` of its training, as `write_generation` does.

    `TrainingError` for weights that are not numbers: the last good ones stay.
    """
    write_weights(path, state, {"settings": settings.to_dict(), **facts})


def write_weights(path: Path, state: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write weights as `write_generation` does; `TrainingError` for weights that are not numbers: the last stay."""
    if any(tensor.isnan().any() for tensor in state.values() if tensor.is_floating_point()):
        raise TrainingError(f"{path} is not saved: there are weights that are not numbers; lower the learning rate")
    write_generation(path, state, facts)


@contextmanager
def matching(path: Path) -> Iterator[None]:
    """Turn what torch raises for tensors that do not fit into a `ModelError` that names the file."""
    try:
        yield
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} does not fit this model ({str(error).splitlines()[0]}): it is of another version or shape, "
            "so train into another folder"
        ) from error


def weights_file(path: Path) -> Path:
    """Return the weights file of a run's folder; a file is returned as it is."""
    return path / WEIGHTS if path.is_dir() else path


def load_model(path: Path) -> tuple[Cascade, dict[str, Any]]:
    """Return the model of a weights file (or of a run's folder) in evaluation mode, and its facts."""
    file = weights_file(path)
    if not file.is_file() and not previous_of(file).is_file():
        raise ModelError(f"{file} does not exist: give a run's folder, as 'ghostnote train DATA -o RUN' writes it")
    state, facts = read_generation(file)
    with matching(file):
        model = Cascade(CascadeSettings.from_dict(facts.pop("settings")))
        # A table that was introduced after the run keeps its initial value.
        model.load_state_dict({**model.state_dict(), **state})
    return model.eval(), facts


def partial_statistics(facts: Mapping[str, Any]) -> PartialStatistics:
    """Return the statistics of partials in the facts of a model; `ModelError` where there are none."""
    try:
        return PartialStatistics.from_dict(facts["partials"], len(CLASS_NAMES) + 1)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError("the run has no statistics of partials: train it with this version of ghostnote") from error


def drum_table(facts: Mapping[str, Any]) -> DrumTable:
    """Return the descriptions of drums in the facts of a model, none where a run has none."""
    return DrumTable.from_dict(facts["drums"]) if "drums" in facts else DrumTable()


class MovingAverage:
    """The exponential moving average of a model's state (Polyak & Juditsky 1992)."""

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        """Start at the model's present state; `decay` is reached as steps go by."""
        self.decay = decay
        self.state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: torch.nn.Module, step: int) -> None:
        """Move towards the model's state after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                self.state[name].lerp_(tensor, 1 - decay)
