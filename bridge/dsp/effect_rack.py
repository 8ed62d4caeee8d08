"""The effects of a kit at work: a chain for each pad that has some, and one on the bus."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ghostnote.bridge.dsp.effects import GRID_FRAMES, Audio, Effect, Slot
from ghostnote.bridge.errors import KitError

MOST_RING_SECONDS: Final = 60.0
"""What rings on for longer after the last stroke ends there: it may never end by itself."""

_SILENT: Final = np.float32(10 ** (-100 / 20))


class Chain:
    """Effects in a row on one stream, and then a delay that brings streams together."""

    def __init__(self, where: str, effects: tuple[Effect, ...], rate: int, before: "Chain | None" = None) -> None:
        """Make what is not in the chain `before` at the same place; `KitError` says where it fails."""
        self.effects = effects
        self.delay_frames = 0
        self.troubles: list[str] = []
        """Why effects of it are bypassed."""
        self._where = where
        self._before = before
        self._due: list[Callable[[], None]] = []
        self._slots: list[Slot | None] = []
        for number, effect in enumerate(effects):
            try:
                self._slots.append(self._slot(number, effect, rate))
            except KitError as error:
                raise KitError(f"{where}: effect {number + 1}, {effect.name}: {error}") from error
        present = [slot for slot in self._slots if slot]
        self.latency_frames = sum(slot.latency_frames for slot in present)
        echoes = sum(float(effect.parameters.get("delay_seconds", 0.0)) for effect in effects)
        self.hold_frames = sum(slot.hold_frames for slot in present) + round(echoes * rate)
        self._quiet = self.hold_frames
        self._frame = 0
        self._held: Audio = np.zeros((2, 0), np.float32)

    @property
    def rest_frames(self) -> int:
        """How long it may still ring."""
        return max(self.hold_frames - self._quiet, 0)

    def delay_by(self, frames: int) -> None:
        """Let all come so much later."""
        self.delay_frames = frames
        self._held = np.zeros((2, frames), np.float32)
        self.hold_frames += frames
        self._quiet = self.hold_frames

    def begin(self) -> None:
        """Take the place of the chain before: from here on its values change. For the audio thread."""
        for assign in self._due:
            assign()
        self._due = []
        if self._before:
            self._frame, self._quiet = self._before._frame, min(self._before._quiet, self.hold_frames)
            if self._before.delay_frames == self.delay_frames:
                self._held = self._before._held
        self._before = None

    def process(self, audio: Audio) -> None:
        """Process the next block (2, frames) in place; an effect that fails is bypassed from then on."""
        head = -self._frame % GRID_FRAMES
        for part in (audio[:, :head], audio[:, head:]):
            if part.shape[1]:
                self._run(part)
        self._frame += audio.shape[1]
        if self.delay_frames:
            joined = np.concatenate((self._held, audio), axis=1)
            audio[:], self._held = joined[:, : audio.shape[1]], joined[:, audio.shape[1] :]
        loud = np.flatnonzero(np.abs(audio).max(axis=0) > _SILENT)
        self._quiet = audio.shape[1] - 1 - int(loud[-1]) if loud.size else self._quiet + audio.shape[1]

    def _run(self, audio: Audio) -> None:
        for number, slot in enumerate(self._slots):
            if slot is None:
                continue
            try:
                slot.process(audio)
            except Exception as error:  # whatever a plugin does, the sound goes on without it
                self._slots[number] = None
                name = self.effects[number].name
                self.troubles.append(f"{self._where}: effect {number + 1}, {name}, is bypassed, as it fails: {error}")

    def _slot(self, number: int, effect: Effect, rate: int) -> Slot | None:
        """Return the effect's slot: that of the chain before where only values differ."""
        if effect.bypass:
            return None
        before = self._before
        if before and number < len(before.effects):
            old, slot = before.effects[number], before._slots[number]
            had, has = old.parameters, effect.parameters
            if slot and (old.kind, old.file) == (effect.kind, effect.file) and had.keys() <= has.keys():
                self._due += [slot.assignment(name, value) for name, value in has.items() if had.get(name) != value]
                return slot
        return Slot(effect, rate)


class Rack:
    """All effects of a kit. Pads come out together: the latency of one delays the others."""

    def __init__(
        self,
        pads: Sequence[tuple[str, tuple[Effect, ...]]],
        bus: tuple[Effect, ...],
        rate: int,
        before: "Rack | None" = None,
    ) -> None:
        """Make the chains of the pads, each under its name, and of the bus; `KitError`.

        Plugins go on from the rack `before` of the same pads where only their values change.
        """
        old: dict[int, Chain] = before.chains if before else {}
        self.chains: dict[int, Chain] = {
            number: Chain(f"pad '{name}'", effects, rate, old.get(number))
            for number, (name, effects) in enumerate(pads)
            if effects
        }
        """By the pads' numbers, for those that are processed."""
        self.bus: Chain | None = Chain("the mix", bus, rate, before.bus if before else None) if bus else None
        self.pad_latency_frames = max((chain.latency_frames for chain in self.chains.values()), default=0)
        self.latency_frames = self.pad_latency_frames + (self.bus.latency_frames if self.bus else 0)
        """How late the mix comes."""
        self._replaced: Rack | None = None
        if before:
            before._replaced = None
        for number in range(len(pads)) if self.pad_latency_frames else ():
            chain = self.chains.setdefault(number, Chain("", (), rate, old.get(number)))
            if chain.latency_frames < self.pad_latency_frames:
                chain.delay_by(self.pad_latency_frames - chain.latency_frames)
        self._all = [*self.chains.values(), *([self.bus] if self.bus else [])]
        self._most_frames = round(MOST_RING_SECONDS * rate)
        self._alone = self._frame = 0

    def __bool__(self) -> bool:
        """Return whether there is any effect."""
        return bool(self._all)

    @property
    def troubles(self) -> list[str]:
        """Why effects are bypassed."""
        return [trouble for chain in self._all for trouble in chain.troubles]

    def begin(self, before: "Rack") -> None:
        """Take the place of another rack, on the audio thread; it is let go by the next one that is made."""
        for chain in self._all:
            chain.begin()
        self._alone, self._frame = before._alone, before._frame
        self._replaced = before

    def process(self, stems: Audio, is_struck: bool) -> None:
        """Process the pads' parts (pads, 2, frames) of a block in place, in which strokes sound or not."""
        for number, chain in self.chains.items():
            chain.process(stems[number])
        self._alone = 0 if is_struck else self._alone + stems.shape[2]
        self._frame += stems.shape[2]

    def process_bus(self, bus: Audio) -> None:
        """Process the sum of the block's parts in place."""
        if self.bus:
            self.bus.process(bus)

    def remaining_frames(self, struck_frames: int) -> int:
        """Return how long it sounds if strokes sound for so long."""
        if not self._all:
            return struck_frames
        rest = max(chain.rest_frames for chain in self._all)
        most = max(struck_frames, min(rest, self._most_frames - self._alone))
        # In whole steps of the grid, so that the length of blocks changes no byte.
        return -(-(self._frame + most) // GRID_FRAMES) * GRID_FRAMES - self._frame if most > 0 else 0
