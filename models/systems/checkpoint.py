"""A system's weights with its name and settings, as a run's folder keeps them."""

from pathlib import Path
from typing import Any, Final

from torch import Tensor

from ghostnote.bridge.errors import ModelError
from ghostnote.models.nets.checkpoint import matching, previous_of, read_generation, weights_file, write_weights
from ghostnote.models.systems.registry import SYSTEMS, make_system
from ghostnote.models.systems.system import System

_NAME: Final = "system"


def save_system(path: Path, name: str, system: System, state: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write the weights `state` of a system; `TrainingError` for weights that are not numbers: the last stay."""
    write_weights(path, state, {_NAME: name, "settings": system.facts(), **facts})


def load_system(path: Path) -> tuple[System, dict[str, Any]]:
    """Return the system of a run's folder or its weights file, in evaluation mode, and its facts; `ModelError`."""
    file = weights_file(path)
    if not file.is_file() and not previous_of(file).is_file():
        raise ModelError(f"{file} does not exist: give a run's folder, as 'ghostnote train DATA --system NAME' writes")
    state, facts = read_generation(file)
    if facts.get(_NAME) not in SYSTEMS:
        raise ModelError(f"{file} is not a system's: 'ghostnote generate' and 'export' take it without --run")
    with matching(file):
        system = make_system(facts[_NAME], facts["settings"])
        system.load_state_dict(state)
    return system.eval(), facts
