"""The daemon: puts driver, pool, MIDI, OSC and take around a session, and takes them down again."""

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from ghostnote.bridge.devices.base import DriverSettings, Render, preferred_process
from ghostnote.bridge.devices.supervisor import DriverSupervisor
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.kit.outputs import STEREO
from ghostnote.bridge.live.link.server import LinkServer
from ghostnote.bridge.live.malloc import large_blocks_apart
from ghostnote.bridge.live.memory_lock import memory_locked
from ghostnote.bridge.live.midi_input import open_input
from ghostnote.bridge.live.osc.server import OscServer, OscSettings
from ghostnote.bridge.live.output_pairs import OutputPairs
from ghostnote.bridge.live.pool_filler import PoolFiller
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.status import Live, facts, opening
from ghostnote.bridge.live.take.recorder import TakeRecorder, TakeSaver
from ghostnote.bridge.midi.events import DRUM_CHANNEL
from ghostnote.bridge.midi.note_input import NoteInput
from ghostnote.bridge.render.workers import Spec

SWITCH_SECONDS: Final = 0.0001
"""How long a thread may keep the others waiting; with Python's own 5 ms, MIDI was audibly lost."""

_TICK_SECONDS: Final = 0.05
_CHECK_SECONDS: Final = 0.25
_FADE_SECONDS: Final = 0.2
_OWN_PORT: Final = "virtual"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveSettings:
    """How a live session is set up."""

    kit: Kit
    spec: Callable[[int], Spec]
    """What the workers open, by the driver's rate."""
    driver: str = "pedalboard"
    audio: DriverSettings = field(default_factory=DriverSettings)
    midi: tuple[str, ...] = ()
    """`virtual`, `tcp:PORT`, or parts of ports' names."""
    osc: OscSettings | None = None
    kits: Path | None = None
    record: Path | None = None
    limiter: bool = True
    processes: int | None = None
    note_input: NoteInput = NoteInput()
    """Which notes are played, and what they mean."""
    program_channel: int = DRUM_CHANNEL
    """The channel whose program changes choose a kit, from 0."""
    outputs: str = STEREO
    """Which outputs there are beside the mix: a name of `kit.outputs.MODES`."""


View = Callable[[Live], None]
"""Called many times a second; shows what it likes."""


def run_live(settings: LiveSettings, view: View = lambda _: None) -> bool:
    """Play until SIGTERM, Ctrl-C or OSC's quit; then fade, close what is open, and return.

    True when a dead device still holds a thread, for which the interpreter would wait forever at its end.
    What a device, a port, a kit or the model raises at the start comes through.
    """
    try:
        with ExitStack() as stack:
            live = stack.enter_context(opened(settings))
            stack.enter_context(_signals(live.session))
            while not live.session.stopping.is_set():
                tend(live)
                view(live)
                live.session.stopping.wait(_TICK_SECONDS)
    except GhostnoteError as error:
        _logger.error("refused: %s", error)
        raise
    return live.supervisor.hangs


def tend(live: Live) -> None:
    """Do what was put off, and see now and then whether all that can go wrong goes well."""
    live.session.tend()
    now = time.perf_counter()
    if now - live.checked > _CHECK_SECONDS:
        live.checked = now
        _check(live)


@contextlib.contextmanager
def opened(settings: LiveSettings) -> Iterator[Live]:
    """Open all, in the order in which one needs the other, and close it in the opposite one.

    `tend` keeps it going. Errors as `run_live` raises them.
    """
    began = time.perf_counter()
    large_blocks_apart()
    pairs = OutputPairs(settings.kit, settings.outputs)
    supervisor = DriverSupervisor(settings.driver, replace(settings.audio, midi=True, outputs=pairs.names))
    rate = supervisor.driver.rate
    with ExitStack() as stack:
        stack.callback(supervisor.stop)
        stack.enter_context(_quick_switching())
        recorder = TakeRecorder(settings.record, rate, settings.limiter) if settings.record else None
        session = Session(settings.kit, rate, settings.kits, settings.limiter, recorder)
        session.engine.outputs = pairs
        session.program_channel = settings.program_channel
        session.note_input = settings.note_input
        saver = None
        if recorder:
            trouble = partial(session.trouble, "take")
            saver = TakeSaver(recorder, lambda: session.engine.frame, session.say, trouble)
            stack.enter_context(saver)
        filler = PoolFiller(session.pool, settings.spec(rate), rate, settings.processes)
        stack.enter_context(filler)
        # After the first worker is started, which must not be preferred.
        stack.enter_context(preferred_process())
        live = Live(session, filler, supervisor, [], None, began, saver=saver)
        stack.callback(_end_sound, live)
        for where in settings.midi:
            if not (where == _OWN_PORT and settings.driver == "jack"):
                live.inputs.append(open_input(where, session))
                stack.callback(live.inputs[-1].close)
        if settings.osc:
            live.osc = stack.enter_context(OscServer(settings.osc, session, lambda: facts(live)))
        render = _linked(live, stack)
        stack.enter_context(memory_locked())
        # Last: while modules are loaded and ports are opened, no block would be in time.
        supervisor.start(render, session.say)
        _logger.info("playing %s", opening(live))
        yield live
        _logger.info("ending")


def _linked(live: Live, stack: ExitStack) -> Render:
    """Return what renders; pages see and hear it, too, where there is OSC to play from them."""
    if live.osc:
        try:
            link = LinkServer(live.session, lambda: facts(live), live.osc.address[1])
        except (GhostnoteError, OSError) as error:
            _logger.warning("no page can be opened: %s", error)
        else:
            return stack.enter_context(link).tapped(live.session.render)
    return live.session.render


@contextlib.contextmanager
def _quick_switching() -> Iterator[None]:
    """Let no thread keep the audio thread waiting for long, for the length of the block."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _check(live: Live) -> None:
    if live.filler.failure:
        raise live.filler.failure
    session, filler = live.session, live.filler
    while filler.failing.warnings:
        session.say(filler.failing.warnings.pop(0))
    session.trouble("hits", filler.trouble)
    session.trouble("effects", "; ".join(session.setup.effects.troubles))
    session.trouble("take's disk", live.saver.trouble if live.saver else "")
    session.trouble("recording", live.supervisor.driver.trouble)
    try:
        live.supervisor.check()
        for midi in live.inputs:
            midi.check()
    except (OSError, RuntimeError) as error:  # as too few file handles, or threads: looked at again in a moment
        session.trouble("devices", str(error))
    else:
        session.trouble("devices", "")
    if live.ready_seconds is None and live.session.pool.ready:
        live.ready_seconds = time.perf_counter() - live.began


def _end_sound(live: Live) -> None:
    """Let all voices fade, and stop the device."""
    engine = live.session.engine
    live.session.panic()
    until = time.perf_counter() + _FADE_SECONDS
    time.sleep(0.02)
    while engine.setup.mixer.voices and time.perf_counter() < until:
        time.sleep(0.01)
    live.supervisor.stop()


@contextlib.contextmanager
def _signals(session: Session) -> Iterator[None]:
    """Let the signals that end programs end the session in order."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: session.stopping.set()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
