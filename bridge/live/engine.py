"""The live engine: one thread owns what is playing, and what comes in during one block sounds in the next."""

import itertools
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ghostnote.bridge.dsp.limiter import Limiter
from ghostnote.bridge.dsp.velocity import velocity_gain
from ghostnote.bridge.kit.choke import CHOKE_SECONDS
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.commands import (
    FREEZE_MOST,
    Command,
    CommandQueue,
    Entry,
    Freeze,
    HitQueue,
    Mute,
    Play,
    Played,
    Recorder,
    Setup,
    StrikePad,
    Use,
    Via,
    Watch,
)
from ghostnote.bridge.live.hit import Audio, Hit, Origin
from ghostnote.bridge.live.meters import Meters
from ghostnote.bridge.live.output_pairs import OutputPairs
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.render.instants import Instants
from ghostnote.bridge.render.mixer import Mixer
from ghostnote.bridge.render.performer import Action, Fade, Stroke

MOST_WAITING: Final = {Via.CONTROL: None, Via.MIDI: 8192, Via.OSC: 2048}
"""Commands that may wait for their time, by the way they came in; more are shed."""
STANDSTILL_SECONDS: Final = 0.25
"""When no block was rendered for so much longer than a block takes, MIDI notes of that time are dropped."""

_RECENT: Final = 512
_WAKE_SECONDS: Final = 0.1
"""For so long after a standstill, what comes in by MIDI is what waited outside, stamped too late."""


class Engine:
    """Renders blocks. `post` may be called from any thread, `render` from the driver's alone."""

    def __init__(self, setup: Setup, rate: int, limiter: bool = True, recorder: Recorder | None = None) -> None:
        """Start in silence with a setup, at `rate` frames a second."""
        self.setup = setup
        self.rate = rate
        self.frame = 0
        """How many frames were rendered."""
        self.counts: Counter[str] = Counter()
        """How many notes were `fresh`, `fallback`, `reused`, `frozen`, `silent`; `shed`, `fault` and more."""
        self.faults: deque[str] = deque(maxlen=8)
        self.played: deque[Played] = deque(maxlen=_RECENT)
        self.frozen = 0
        self.watch: Watch = lambda *_: None
        self._recorder, self._instants = recorder, Instants(rate)
        if recorder and setup.kit.all_effects:
            recorder.effects(0, setup.kit)
        self._limiter = Limiter(rate) if limiter else None
        self.outputs = OutputPairs(setup.kit)
        self._queues = {via: CommandQueue(most) for via, most in MOST_WAITING.items()}
        self._serial = itertools.count()
        self._began: float | None = None
        self._dropped_until = -math.inf
        self._audible: frozenset[str] | None = None
        self._turn: Counter[str] = Counter()
        self._leaving: list[Mixer] = []
        self.left: deque[Mixer] = deque()  # Silent; another thread lets them go, as plugins take their time.
        self._meters = Meters(rate)
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            Play: self._play,
            StrikePad: self._strike,
            Use: self._use,
            Mute: self._mute,
            Freeze: self._freeze,
        }

    @property
    def delay_frames(self) -> int:
        """How late the limiter and the effects make what is played."""
        return (self._limiter.latency_frames if self._limiter else 0) + self.setup.effects.latency_frames

    @property
    def waiting(self) -> int:
        """How many commands wait for their time."""
        return sum(map(len, self._queues.values()))

    @property
    def freshness(self) -> float | None:
        """The share of notes that got a hit made by the network and never played before; None before the first."""
        notes = sum(self.counts[kind] for kind in ("fresh", "fallback", "reused", "silent"))
        return self.counts["fresh"] / notes if notes else None

    def meter(self, name: str) -> float:
        """Return a pad's peak as a meter shows it, falling slowly; the name '' is the whole mix."""
        return self._meters.peak(name, self.frame)

    def post(self, command: Command, stamp: float, via: Via = Via.CONTROL) -> bool:
        """Let a command happen one block after `stamp`, in `perf_counter` seconds; False when it was shed."""
        queue = self._queues[via]
        if queue.most is not None and len(queue) >= queue.most:
            self.counts["shed"] += 1
            return False
        queue.inbox.append((stamp, next(self._serial), command))
        return True

    def render(self, frames: int, began: float, exact: tuple[tuple[int, Command], ...] = ()) -> Audio:
        """Return the next block (channels, frames), which begins at `began` in `perf_counter` seconds.

        Commands stamped since the last block began happen at the same offset in this one; those of `exact`
        at the offset that comes with them. What is returned holds until the next call.
        """
        since = began - frames / self.rate if self._began is None else self._began
        if began - since > STANDSTILL_SECONDS + frames / self.rate:
            self._dropped_until = began + _WAKE_SECONDS
        self._began = began
        own = self._current([(began + offset / self.rate, offset, command) for offset, command in exact])
        due = [(offset, command) for _, offset, command in own]
        for stamp, _, command in self._due(began):
            due.append((min(max(round((stamp - since) * self.rate), 0), frames - 1), command))
        for offset, command in self._strokes(sorted(due, key=lambda item: item[0]) if exact else due):
            self._do(command, offset)
        mix = self._mix(frames)
        self.frame += frames
        return mix

    def _strokes(self, due: list[tuple[int, Command]]) -> Iterator[tuple[int, Command]]:
        """Yield what is due at its place, without the notes that are the stroke of another."""
        notes = [
            replace(each.event, frame=self.frame + at)
            if isinstance(each, Play) and isinstance(each.event, NoteOn)
            else None
            for at, each in due
        ]
        strokes = self._instants.strokes(notes, self.setup.performer.pad_of)
        self.counts["double"] = self._instants.doubles
        for (offset, command), note, stroke in zip(due, notes, strokes, strict=True):
            if stroke or note is None:
                yield offset, Play(stroke) if stroke else command

    def _due(self, began: float) -> list[Entry]:
        """Take out what is due, in the order of the stamps."""
        due = {via: list(queue.due(began)) for via, queue in self._queues.items()}
        due[Via.MIDI] = self._current(due[Via.MIDI])
        return sorted(itertools.chain.from_iterable(due.values()), key=lambda entry: entry[:2])

    def _current(self, midi: list[Entry]) -> list[Entry]:
        """Return what came in by MIDI without the notes of a standstill, which are counted."""
        kept = [entry for entry in midi if not self._is_stale(entry)]
        self.counts["standstill"] += len(midi) - len(kept)
        return kept

    def _is_stale(self, entry: Entry) -> bool:
        return entry[0] < self._dropped_until and isinstance(entry[2], Play) and isinstance(entry[2].event, NoteOn)

    def _do(self, command: Command, offset: int) -> None:
        try:
            self._handlers[type(command)](command, offset)
        except Exception as error:  # whatever is wrong with one note, the sound goes on; the status tells
            self.counts["fault"] += 1
            self.faults.append(f"{command}: {error!r}")

    def _mix(self, frames: int) -> Audio:
        mixer, mixers = self.setup.mixer, [self.setup.mixer, *self._leaving]
        bus = mixer.render(frames)
        for pad in mixer.sounding:
            self._meters.measure(self.setup.kit.pads[pad].name, mixer.stem(pad, frames), self.frame)
        for leaving in self._leaving:
            bus += leaving.render(frames)
        self.left.extend(mixer for mixer in self._leaving if not mixer.remaining_frames)
        self._leaving = [mixer for mixer in self._leaving if mixer.remaining_frames]
        mix = self._limiter.process(bus) if self._limiter else bus
        self._meters.measure("", mix, self.frame)
        return self.outputs.block(mix, mixers, self.delay_frames - self.setup.effects.pad_latency_frames)

    def _play(self, command: Play, offset: int) -> None:
        self._act(self.setup.performer.handle(replace(command.event, frame=self.frame + offset)), offset)

    def _strike(self, command: StrikePad, offset: int) -> None:
        for number, pad in enumerate(self.setup.kit.pads):
            if pad.name == command.pad:
                self._act(self.setup.performer.strike(self.frame + offset, number, command.velocity), offset)

    def _use(self, command: Use, offset: int) -> None:
        before, self.setup = self.setup, command.setup
        if self._recorder and before.kit.all_effects != self.setup.kit.all_effects:
            self._recorder.effects(self.frame, self.setup.kit)
        if before.mixer is self.setup.mixer:
            before.mixer.set_gains(self.setup.kit.pads)
            before.mixer.use_effects(self.setup.effects)
            return
        self._fade(before, Fade(0, tuple(range(len(before.kit.pads))), CHOKE_SECONDS), offset)
        self._leaving.append(before.mixer)

    def _mute(self, command: Mute, offset: int) -> None:
        self._audible = command.audible
        silent = tuple(i for i, pad in enumerate(self.setup.kit.pads) if pad.name not in command.audible)
        self._fade(self.setup, Fade(0, silent, CHOKE_SECONDS), offset)

    def _freeze(self, command: Freeze, offset: int) -> None:
        self.frozen = min(command.count, FREEZE_MOST)
        self._turn.clear()

    def _act(self, actions: list[Action], offset: int) -> None:
        for action in actions:
            if isinstance(action, Stroke):
                self._begin(action, offset)
            else:
                self._fade(self.setup, action, offset)

    def _begin(self, stroke: Stroke, offset: int) -> None:
        pad = self.setup.kit.pads[stroke.pad]
        if self._audible is not None and pad.name not in self._audible:
            return
        queue = self.setup.queues[stroke.pad][stroke.zone]
        found = self._frozen_hit(queue, pad) or queue.take(stroke.velocity)
        self.counts[found[1].value if found else "silent"] += 1
        if found is None:
            return
        hit, origin = found
        level = np.float32(velocity_gain(stroke.velocity) / velocity_gain(hit.velocity))
        gains = self.setup.mixer.gains(stroke.pad) * level
        self.setup.mixer.start(stroke.pad, hit.audio, offset, gains, stroke.channel)
        self.played.append(note := Played(pad.name, stroke.velocity, origin))
        self.watch(note, hit, self.frame + offset)
        if self._recorder:
            sides = (float(gains[0, 0]), float(gains[1, 0]))
            self._recorder.stroke(self.frame + offset, pad, stroke.velocity, hit, sides, stroke.channel)

    def _frozen_hit(self, queue: HitQueue, pad: Pad) -> tuple[Hit, Origin] | None:
        """Return the next of the frozen strokes of a pad, once there are enough of them."""
        if not self.frozen or len(queue.recent) < self.frozen:
            return None
        self._turn[pad.name] += 1
        return queue.recent[(self._turn[pad.name] - 1) % self.frozen - self.frozen], Origin.FROZEN

    def _fade(self, setup: Setup, fade: Fade, offset: int) -> None:
        setup.mixer.fade(fade.pads, fade.seconds, offset, fade.channel, fade.younger)
        if self._recorder:
            self._recorder.fade(self.frame + offset, tuple(setup.kit.pads[pad].name for pad in fade.pads), fade)
