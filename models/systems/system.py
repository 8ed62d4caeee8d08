"""What a system is: networks that learn to generate hits of a class, by their own losses, and sample by themselves."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

import torch
from torch import Tensor, nn

from ghostnote.bridge.errors import InputError
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE

DECIMATIONS: Final = (1, 2, 4)
"""What the sample rate may be divided by."""
Loss = Callable[[Tensor, Tensor, torch.Generator], Tensor]
"""Audio (batch, frames) at full level, labels (batch,) and a generator to a loss ()."""


@dataclass(frozen=True)
class Update:
    """One kind of optimiser step."""

    name: str
    """Names its optimiser in the run's state; unique in the system."""
    parameters: Sequence[nn.Parameter]
    loss: Loss
    scale: float = 1.0
    """Of the run's learning rate."""
    betas: tuple[float, float] = (0.9, 0.99)
    """Adam's."""


@dataclass(frozen=True)
class Stage:
    """A part of a run: its updates take turns, one a step."""

    share: float
    """Of the whole run; the shares of a system's stages add up to 1."""
    updates: Sequence[Update]


@dataclass(frozen=True)
class SystemSettings:
    """What every system takes; each adds its own, all of them plain numbers, words or tuples of them."""

    decimation: int = 1
    """Hits are modelled at 44,100 Hz over this, one of DECIMATIONS."""


class System(nn.Module, ABC):
    """One way to generate drums."""

    title: ClassVar[str]
    """Its name in tables."""
    paper: ClassVar[str]
    """Whom it follows."""
    Settings: ClassVar[type[SystemSettings]]

    settings: SystemSettings

    def __init__(self, settings: SystemSettings) -> None:
        """Build the networks that `settings` describe; `ValueError` for a rate that there is not."""
        if settings.decimation not in DECIMATIONS:
            raise ValueError(f"decimation is one of {', '.join(map(str, DECIMATIONS))}, not {settings.decimation}")
        super().__init__()
        self.settings = settings

    @property
    def rate(self) -> int:
        """Frames a second of what it models and samples, in Hz."""
        return RATE // self.settings.decimation

    @property
    def frames(self) -> int:
        """Frames of a hit."""
        return HIT_FRAMES // self.settings.decimation

    def facts(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return asdict(self.settings)

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """Return the stages of its training, in order."""

    def figures(self, audio: Tensor, label: Tensor) -> Mapping[str, float]:
        """Return what only this kind of system can measure on hits (batch, frames) at its rate, of classes `label`."""
        return {}

    def continue_hits(self, start: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        """Return hits (batch, frames) that begin as `start` (batch, some frames) at full level, and go on as new.

        `InputError` of a system that makes hits as a whole.
        """
        raise InputError(f"a {self.title} makes hits as a whole and continues none: take a run of --system wavenet")

    @abstractmethod
    def sample(self, label: Tensor, generator: torch.Generator, steps: int | None = None) -> Tensor:
        """Return new hits (batch, frames) of the classes `label` (batch,), in so many steps where it takes steps."""
