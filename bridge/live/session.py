"""The controls of a live session: what MIDI, OSC and the terminal may do, in one place."""

import logging
import threading
import time
from collections import Counter
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
from ghostnote.bridge.live.drum_history import DRUM_FIELDS, DrumHistory
from ghostnote.bridge.live.engine import Engine
from ghostnote.bridge.live.hit import Audio
from ghostnote.bridge.live.kit_folder import KitFolder
from ghostnote.bridge.live.later import Later
from ghostnote.bridge.live.note_learning import NoteLearning
from ghostnote.bridge.live.notices import MOST_NOTICES, Notices
from ghostnote.bridge.live.pad_parameters import Value, changes, checked, slug, value_of
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.switches import SWITCHES, Switches
from ghostnote.bridge.midi.events import DRUM_CHANNEL, Event, NoteOn, Silence
from ghostnote.bridge.midi.note_input import NoteInput
from ghostnote.bridge.midi.parser import MidiParser

_PROGRAM_CHANGE: Final = 0xC0
_logger = logging.getLogger(__name__)


class Session(Notices):
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
        super().__init__(clock)
        self.pool = Pool()
        self.setup = Setup.of(kit, self.pool.use, rate)
        self.engine = Engine(self.setup, rate, limiter, recorder)
        self.counts: Counter[str] = Counter()
        """What came in: `midi`, `midi_garbage`, `osc` and so on."""
        self.later = Later(MOST_NOTICES)
        """What waits for `tend`."""
        self.note_input, self.program_channel = NoteInput(), DRUM_CHANNEL
        """Which notes are played; and the channel, from 0, whose program changes choose a kit."""
        self.history = DrumHistory()
        """The drums that pads had before."""
        self.stopping = threading.Event()
        self.kits, self._switches = KitFolder(kits), Switches()
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
        return self._switches.has(name, pad.name) if name in SWITCHES else value_of(pad, name)

    def set(self, pad: Pad, name: str, value: object) -> None:
        """Change a field of `FIELDS`; `FieldError` names the rule that the value breaks, or a lock."""
        with self._lock:
            if name in SWITCHES:
                self._switches.turn(name, pad.name, bool(checked(name, value)))
                self._apply_mutes()
            else:
                self._change(pad.name, **changes(pad, name, value))
            self._tell_of(pad, name)

    def reroll(self, pad: Pad) -> int:
        """Give a pad the next seed, which is another drum and other strokes, and return it; `FieldError` for a lock."""
        with self._lock:
            self._change(pad.name, seed=pad_seed(pad.seed, pad.name), drum=None)
            return int(self._tell_of(pad, "seed"))

    def undo(self, pad: Pad, count: int) -> int:
        """Take back so many changes of a pad's drum, or make -count of them again; return the seed. `FieldError`."""
        with self._lock:
            self._replace(pad.name, (self.history.forward(pad, -count) if count < 0 else self.history.back(pad, count)))
            return int([self._tell_of(pad, name) for name in ("class", "kind", "seed")][-1])

    def use_hits(self, pad: Pad, name: str, drum_class: str = "") -> None:
        """Let strokes start from a file or folder of the kits' folder, '' for none, of a class if given; as `set`."""
        hits = self.kits.hits(name) | (changes(pad, "class", drum_class) if drum_class else {})
        with self._lock:
            self._change(pad.name, **hits)
            self.tell(f"pad/{slug(pad.name)}/hits", name)

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
        self.tell("freeze", count)

    def use(self, kit: Kit) -> None:
        """Play another kit from the next block on; `KitError` for an effect that cannot be loaded."""
        with self._lock:
            names = [pad.name for pad in self.kit.pads]
            self.setup = Setup.of(kit, self.pool.use, self.engine.rate, self.setup)
            self.engine.post(Use(self.setup), self._clock())
            if names != [pad.name for pad in kit.pads]:
                self._switches.clear()
                self.history.clear()
                self._apply_mutes()

    def set_effects(self, pad: Pad | None, effects: tuple[Effect, ...], address: str, value: Value) -> None:
        """Give a pad, or without one the mix, these effects, and tell of it; `KitError`."""
        if self.later.takes((effects,), lambda: self.set_effects(pad, effects, address, value)):
            return
        with self._lock:
            self.use(self.kit.with_effects(self.kit.all_effects | {pad.name if pad else "": effects}))
            self.tell(address, value)

    def load(self, name: str) -> None:
        """Play a kit of the kits' folder, or one that comes along; `KitError`."""
        kit = self.kits.load(name)
        if self.later.takes(kit.all_effects.values(), lambda: self.load(name)):
            return
        with self._lock:
            self.use(kit)
            self.history.clear()
            self._learning.end("another kit plays")
        _logger.info("kit %s loaded", name)
        self.tell("kit/load", name)

    def save(self, name: str, *, replaces: bool = False) -> Path:
        """Write the kit into the kits' folder, as `KitFolder.path_to_save` allows; `KitError`, `OutputError`."""
        with self._lock:
            path = self.kits.path_to_save(name, self.kit.path, replaces=replaces)
            save_kit(self.kit, path)
            self.use(replace(self.kit, path=path))
        _logger.info("kit %s saved", name)
        self.tell("kit/save", name)
        return path

    def program(self, number: int) -> None:
        """Play the kit of this number, counted from 0 by name, in the kits' folder; `KitError`."""
        self.load(self.kits.numbered(number))

    def kit_names(self) -> list[str]:
        """Return the kit files of the kits' folder and below, by name."""
        return self.kits.names()

    def _change(self, name: str, **settings: Any) -> None:
        if not settings.keys().isdisjoint(DRUM_FIELDS):
            if self._switches.has("lock", name):
                raise FieldError(f"pad '{name}' is locked: its drum stays; unlock it first")
            self.history.note(next(pad for pad in self.kit.pads if pad.name == name))
        self._replace(name, settings)

    def _replace(self, name: str, settings: dict[str, Any]) -> None:
        pads = tuple(replace(pad, **settings) if pad.name == name else pad for pad in self.kit.pads)
        self.use(replace(self.kit, pads=pads))

    def _apply_mutes(self) -> None:
        self.engine.post(Mute(self._switches.audible(pad.name for pad in self.kit.pads)), self._clock())

    def _hear(self, event: Event | None) -> None:
        """Learn a note in a moment, if a pad waits for one."""
        if self.learning and isinstance(event, NoteOn):
            self.later.append(lambda: self._learn(event.note))

    def _learn(self, note: int) -> None:
        with self._lock:
            name = self.learning
            if kit := self._learning.learned(self.kit, note):
                self.use(kit)
                self.tell(f"pad/{slug(name)}/learn", note)

    def _tell_of(self, pad: Pad, name: str) -> Value:
        """Tell of a field's present value, and return it."""
        value = self.get(next(p for p in self.kit.pads if p.name == pad.name), name)
        self.tell(f"pad/{slug(pad.name)}/{name}", value)
        return value
