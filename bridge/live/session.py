"""The controls of a live session: what MIDI, OSC and the terminal may do, in one place."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.devices.base import MidiPackets
from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.kit.fields import FieldError
from ghostnote.bridge.kit.kit import Kit, Pad, pad_seed
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.commands import FREEZE_MOST, Freeze, Mute, Play, Recorder, Setup, StrikePad, Use, Via
from ghostnote.bridge.live.engine import Engine
from ghostnote.bridge.live.hit import Audio
from ghostnote.bridge.live.kit_folder import KitFolder
from ghostnote.bridge.live.later import Later
from ghostnote.bridge.live.mutes import Mutes
from ghostnote.bridge.live.note_learning import NoteLearning
from ghostnote.bridge.live.pad_parameters import FIELDS, Value, checked, slug
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.midi.events import DRUM_CHANNEL, Event, NoteOn, Silence
from ghostnote.bridge.midi.note_input import NoteInput
from ghostnote.bridge.midi.parser import MidiParser

_MOST_NOTICES: Final = 64
_PROGRAM_CHANGE: Final = 0xC0
_logger = logging.getLogger(__name__)

Listener = Callable[[str, tuple[Value, ...]], None]
"""Told of each change: its address below the root, and the new values."""


class Session:
    """What plays, and all that can be done to it. Every method may be called from any thread."""

    def __init__(
        self,
        kit: Kit,
        rate: int,
        kits: Path | None = None,
        limiter: bool = True,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Start with a kit; others are loaded from and saved to the folder `kits` alone."""
        self._clock = clock
        self.pool = Pool()
        self.setup = Setup.of(kit, self.pool.use, rate)
        self.engine = Engine(self.setup, rate, limiter, recorder)
        self.listeners: list[Listener] = []
        self.counts: Counter[str] = Counter()
        """What came in: `midi`, `midi_garbage`, `osc` and so on."""
        self.notices: deque[str] = deque(maxlen=_MOST_NOTICES)
        """What the user should know, newest last."""
        self.later = Later(_MOST_NOTICES)
        """What waits for `tend`."""
        self.note_input, self.program_channel = NoteInput(), DRUM_CHANNEL
        """Which notes are played; and the channel, from 0, whose program changes choose a kit."""
        self.troubles: dict[str, tuple[str, float]] = {}
        """What is wrong now: by the name of the part, what it is and since when, in `clock` seconds."""
        self.stopping = threading.Event()
        self._kits, self._mutes = KitFolder(kits), Mutes()
        self._lock, self._packets = threading.RLock(), MidiParser()
        self._learning = NoteLearning(self.say)

    @property
    def kit(self) -> Kit:
        """The kit as it is now."""
        return self.setup.kit

    @property
    def learning(self) -> str:
        """The name of the pad that the next note will strike."""
        return self._learning.pad

    def say(self, text: str) -> None:
        """Tell the user something; what is not text in a file's name becomes question marks."""
        text = text.encode(errors="replace").decode()
        _logger.warning(text)
        self.notices.append(text)
        self._tell("notice", text[:400])

    def trouble(self, part: str, what: str) -> None:
        """Note what is wrong with a part, and tell the user once; '' when all is well again."""
        if not what:
            self.troubles.pop(part, None)
            return
        if part not in self.troubles:
            self.say(f"{part}: {what}")
        self.troubles[part] = (what, self.troubles.get(part, ("", self._clock()))[1])

    def handle_midi(self, message: bytes, stamp: float) -> None:
        """Do what a MIDI message of that moment asks for."""
        for command in self.commands(message):
            self.engine.post(command, stamp, Via.MIDI)

    def commands(self, message: bytes) -> tuple[Play, ...]:
        """Return what a MIDI message asks the engine to do; what takes longer is put off until `tend`."""
        self.counts["midi"] += 1
        status, first = message[0] & 0xF0, message[1]
        if status == _PROGRAM_CHANGE and message[0] & 0x0F == self.program_channel:
            self.later.append(lambda: self.program(first))
        event = self.note_input.event(message)
        self._hear(event)
        return (Play(event),) if event else ()

    def tend(self) -> None:
        """Do what was put off; call it a few times a second, not from the audio thread."""
        self.engine.left.clear()
        self.later.run(self.say)

    def render(self, frames: int, began: float, midi: MidiPackets = ()) -> Audio:
        """Return the engine's next block; MIDI packets of the driver's own port sound at their offsets in it."""
        exact = tuple(
            (offset, command)
            for offset, data in midi
            for message in self._packets.packet(data)
            for command in self.commands(message)
        )
        return self.engine.render(frames, began, exact)

    def play(self, event: Event, stamp: float) -> bool:
        """Let an event of that moment sound; False when too many wait."""
        self._hear(event)
        return self.engine.post(Play(event), stamp, Via.OSC)

    def strike(self, pad: str, velocity: int, stamp: float) -> bool:
        """Let a pad of that name sound; False when too many wait."""
        return self.engine.post(StrikePad(pad, velocity), stamp, Via.OSC)

    def panic(self) -> None:
        """Let everything fade."""
        self.engine.post(Play(Silence(0)), self._clock())

    def depths(self) -> tuple[int, ...]:
        """Return how many strokes by the network wait for each pad."""
        return tuple(queue.depth for queue in self.pool.queues)

    def get(self, pad: Pad, name: str) -> Value:
        """Return the present value of a field of `FIELDS`."""
        if name in ("mute", "solo"):
            return self._mutes.has(name, pad.name)
        value: Value = getattr(pad, FIELDS[name].key)
        return value

    def set(self, pad: Pad, name: str, value: object, **others: Any) -> None:
        """Change a field of `FIELDS`, and `others` with it; `FieldError` names the rule that the value breaks."""
        others |= {"kind": None} if name == "class" and value != pad.drum_class else {}
        with self._lock:
            if name in ("mute", "solo"):
                self._mutes.turn(name, pad.name, bool(checked(name, value)))
                self._apply_mutes()
            else:
                self._change(pad.name, **{FIELDS[name].key: checked(name, value)}, **others)
            now = next(p for p in self.kit.pads if p.name == pad.name)
            self._tell(f"pad/{slug(pad.name)}/{name}", self.get(now, name))

    def reroll(self, pad: Pad) -> int:
        """Give a pad the next seed, which is another drum and other strokes, and return it."""
        self.set(pad, "seed", seed := pad_seed(pad.seed, pad.name), drum=None)
        return seed

    def learn(self, pad: Pad | None, move: bool = False) -> None:
        """Let the next note strike this pad, even the only one of another if it is to `move`; None gives up."""
        with self._lock:
            if pad:
                self._learning.begin(pad, move)
            else:
                self._learning.end("it was called off")

    def freeze(self, count: int) -> None:
        """Go round each pad's last strokes; 0 thaws. `FieldError` for more than are kept."""
        if not 0 <= count <= FREEZE_MOST:
            raise FieldError(f"freeze = {count}, but it must be a whole number from 0 to {FREEZE_MOST}")
        self.engine.post(Freeze(count), self._clock())
        self._tell("freeze", count)

    def use(self, kit: Kit) -> None:
        """Play another kit from the next block on; `KitError` for an effect that cannot be loaded."""
        with self._lock:
            names = [pad.name for pad in self.kit.pads]
            self.setup = Setup.of(kit, self.pool.use, self.engine.rate, self.setup)
            self.engine.post(Use(self.setup), self._clock())
            if names != [pad.name for pad in kit.pads]:
                self._mutes.clear()
                self._apply_mutes()

    def set_effects(self, pad: Pad | None, effects: tuple[Effect, ...], address: str, value: Value) -> None:
        """Give a pad, or without one the mix, these effects, and tell of it; `KitError`."""
        if self.later.takes((effects,), lambda: self.set_effects(pad, effects, address, value)):
            return
        with self._lock:
            self.use(self.kit.with_effects(self.kit.all_effects | {pad.name if pad else "": effects}))
            self._tell(address, value)

    def load(self, name: str) -> None:
        """Play a kit of the kits' folder, or one that comes along; `KitError`."""
        kit = self._kits.load(name)
        if self.later.takes(kit.all_effects.values(), lambda: self.load(name)):
            return
        with self._lock:
            self.use(kit)
            self._learning.end("another kit plays")
        _logger.info("kit %s loaded", name)
        self._tell("kit/load", name)

    def save(self, name: str) -> Path:
        """Write the kit as it is now into the kits' folder; `KitError`, `OutputError`."""
        path = self._kits.path(name)
        save_kit(self.kit, path)
        _logger.info("kit %s saved", name)
        self._tell("kit/save", name)
        return path

    def program(self, number: int) -> None:
        """Play the kit of this number, counted from 0 by name, in the kits' folder; `KitError`."""
        self.load(self._kits.numbered(number))

    def kit_names(self) -> list[str]:
        """Return the kit files of the kits' folder and below, by name."""
        return self._kits.names()

    def _change(self, name: str, **settings: Any) -> None:
        pads = tuple(replace(pad, **settings) if pad.name == name else pad for pad in self.kit.pads)
        self.use(replace(self.kit, pads=pads))

    def _apply_mutes(self) -> None:
        self.engine.post(Mute(self._mutes.audible(pad.name for pad in self.kit.pads)), self._clock())

    def _hear(self, event: Event | None) -> None:
        """Learn a note in a moment, if a pad waits for one."""
        if self.learning and isinstance(event, NoteOn):
            self.later.append(lambda: self._learn(event.note))

    def _learn(self, note: int) -> None:
        with self._lock:
            name = self.learning
            kit = self._learning.learned(self.kit, note)
            if kit:
                self.use(kit)
                self._tell(f"pad/{slug(name)}/learn", note)

    def _tell(self, address: str, *values: Value) -> None:
        for listener in tuple(self.listeners):
            listener(address, values)
