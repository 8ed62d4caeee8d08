"""What the daemon is doing, as plain facts and as a view for the terminal."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ghostnote.bridge.devices.supervisor import DriverSupervisor
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.live.midi_input import MidiInput
from ghostnote.bridge.live.osc.server import OscServer
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.live.pool_filler import PoolFiller
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.take.recorder import TakeSaver
from ghostnote.bridge.midi.note_names import named_note

if TYPE_CHECKING:
    from rich.text import Text

_REPORT_SECONDS: Final = 10.0
_VIEW_SECONDS: Final = 0.1
_LOW: Final = 1e-3
_NOTICES: Final = 3
_TROUBLE_LENGTH: Final = 400


@dataclass
class Live:
    """A running daemon, for those who watch it."""

    session: Session
    filler: PoolFiller
    supervisor: DriverSupervisor
    inputs: list[MidiInput]
    osc: OscServer | None
    began: float
    ready_seconds: float | None = None
    checked: float = 0.0
    saver: TakeSaver | None = None

    @property
    def latency_seconds(self) -> float:
        """From a note to its sound: one block, the driver's own delay and the limiter's look-ahead."""
        driver = self.supervisor.driver
        block = driver.block_frames / driver.rate
        return block + driver.latency_seconds + self.session.engine.delay_frames / driver.rate


def facts(live: Live) -> dict[str, Value]:
    """Return the status, each fact under a short name, times in milliseconds."""
    session, engine, driver = live.session, live.session.engine, live.supervisor.driver
    counts = {f"notes_{kind}": engine.counts[kind] for kind in ("fresh", "fallback", "reused", "frozen", "silent")}
    return {
        "kit": session.kit.name,
        "learning": session.learning,
        "driver": driver.device,
        "rate": driver.rate,
        "block": driver.block_frames,
        "latency_block_ms": 1000 * driver.block_frames / driver.rate,
        "latency_driver_ms": 1000 * driver.latency_seconds,
        "latency_constant_ms": 1000 * engine.delay_frames / driver.rate,
        "latency_ms": 1000 * live.latency_seconds,
        "underruns": live.supervisor.underruns,
        "server_gaps": driver.gaps,
        "device_losses": live.supervisor.losses,
        "device_lost": int(live.supervisor.is_lost),
        "ready_ms": -1.0 if live.ready_seconds is None else 1000 * live.ready_seconds,
        "freshness": -1.0 if engine.freshness is None else engine.freshness,
        **counts,
        "notes_double": engine.counts["double"],
        "notes_unmapped": session.setup.performer.unmapped.total(),
        "voices": engine.setup.mixer.voices,
        "stolen": engine.setup.mixer.stolen,
        "depth": sum(session.depths()),
        "pool_mb": session.pool.bytes_held / 2**20,
        "made": live.filler.made,
        "making_ms": 1000 * live.filler.making_seconds,
        "worker_restarts": live.filler.restarts,
        "trouble": trouble(live),
        "waiting": engine.waiting,
        "shed": engine.counts["shed"],
        "notes_standstill": engine.counts["standstill"],
        "faults": engine.counts["fault"],
        "frozen": engine.frozen,
        **dict(sorted(session.counts.items())),
    }


def trouble(live: Live) -> str:
    """Return what is wrong now and since when: parts of the program, and pads that cannot be played."""
    now = time.perf_counter()
    found = [(part, *trouble) for part, trouble in live.session.troubles.copy().items()]
    failing = (queue for queue in live.session.pool.queues if queue.failed)
    found += [(queue.pad.name, queue.failed, queue.failed_since) for queue in failing]
    return "; ".join(f"{what}: {why} (for {now - since:.0f} s)" for what, why, since in found)[:_TROUBLE_LENGTH]


def line(live: Live) -> str:
    """Return the status as one line."""
    engine = live.session.engine
    notes = sum(engine.counts[kind] for kind in ("fresh", "fallback", "reused", "frozen", "silent"))
    silent = f", {engine.counts['silent']} silent" if engine.counts["silent"] else ""
    lost = ", device lost" if live.supervisor.is_lost else ""
    depth, underruns = sum(live.session.depths()), counted(live.supervisor.underruns, "underrun")
    unmapped = live.session.setup.performer.unmapped
    off_pads = f", {unmapped.total()} on no pad: {named_note(unmapped.most_common(1)[0][0])}" if unmapped else ""
    double = f", {engine.counts['double']} doubled" if engine.counts["double"] else ""
    fresh = "" if engine.freshness is None else f", {engine.freshness:.1%} fresh"
    wrong = f"; {found}" if (found := trouble(live)) else ""
    learning = f", next note strikes {live.session.learning}" if live.session.learning else ""
    begin = "" if live.ready_seconds is not None else "making the first hits; "
    return (
        f"{begin}{counted(notes, 'note')}{fresh}{silent}{double}, pool {depth}, {underruns},"
        f" MIDI {live.session.counts['midi']}, OSC {live.session.counts['osc']}{off_pads}{learning}{lost}{wrong}"
    )


def opening(live: Live) -> str:
    """Return one line on what plays where, with its latency."""
    driver, engine = live.supervisor.driver, live.session.engine
    inputs = [port for port in (driver.midi_port, *(midi.name for midi in live.inputs)) if port]
    if live.osc:
        host, port = live.osc.address
        inputs.append(f"OSC [{host}]:{port}" if ":" in host else f"OSC {host}:{port}")
    parts = (
        f"block {1000 * driver.block_frames / driver.rate:.1f}",
        f"driver {1000 * driver.latency_seconds:.1f}",
        f"limiter{' and effects' * bool(engine.setup.effects)} {1000 * engine.delay_frames / driver.rate:.1f}",
    )
    return (
        f"'{live.session.kit.name}' on {driver.device}, {driver.rate} Hz; in: {', '.join(inputs) or 'nothing'};"
        f" latency {1000 * live.latency_seconds:.1f} ms ({' + '.join(parts)})"
    )


class PlainView:
    """Says what happens in lines, for logs and pipes. A context manager: in the end it says how it went."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Write lines through `write`."""
        self._write = write
        self._due = 0.0
        self._ready = False
        self._last = ""
        self._live: Live | None = None

    def __enter__(self) -> "PlainView":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Say how it went."""
        while self._live and self._live.session.notices:
            self._write(self._live.session.notices.popleft())
        if self._live and (text := line(self._live)) != self._last:
            self._write(text)

    def __call__(self, live: Live) -> None:
        """Say what is new, and how it goes every ten seconds if anything was played."""
        now = time.perf_counter()
        if not self._due:
            self._write(opening(live))
            self._due = now + _REPORT_SECONDS
        while live.session.notices:
            self._write(live.session.notices.popleft())
        if not self._ready and live.ready_seconds is not None:
            self._ready = True
            self._write(f"ready after {live.ready_seconds:.1f} s")
        self._live = live
        if now >= self._due:
            self._due = now + _REPORT_SECONDS
            text = line(live)
            if text != self._last:
                self._write(text)
            self._last = text


class RichView:
    """A picture that is drawn anew when something moved, ten times a second at most. A context manager."""

    def __init__(self, write: Callable[[str], None], escaped: Callable[[str], str]) -> None:
        """Prepare the screen; lines of text, and names in them, are `escaped`, and go through `write` in the end."""
        from rich.live import Live as Screen

        self._write, self._escaped = write, escaped
        self._screen = Screen(auto_refresh=False, transient=True)
        self._due = 0.0
        self._notices: list[str] = []
        self._shown = ""
        self._live: Live | None = None

    def __enter__(self) -> "RichView":
        """Take the screen."""
        self._screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back, with what the last picture said."""
        self._screen.stop()
        if self._live:
            for text in (*self._notices, *self._live.session.notices, line(self._live)):
                self._write(text)

    def __call__(self, live: Live) -> None:
        """Draw."""
        self._live = live
        now = time.perf_counter()
        if now < self._due:
            return
        self._due = now + _VIEW_SECONDS
        while live.session.notices:
            self._notices = [*self._notices, live.session.notices.popleft()][-_NOTICES:]
        picture = drawn(live, tuple(self._notices), self._escaped)
        if str(picture) != self._shown:
            self._shown = str(picture)
            self._screen.update(picture, refresh=True)


def drawn(live: Live, notices: tuple[str, ...], escaped: Callable[[str], str] = str) -> "Text":
    """Return the whole view: how all goes, the notices, and the pads with their meters and pools.

    One text, as a table of rich's would take ten times as long, while the audio thread waits for the interpreter.
    """
    from rich.text import Text

    session, engine = live.session, live.session.engine
    kit = session.kit
    wide = max(4, *(len(pad.name) for pad in kit.pads)) + 1
    rows = [f"{'mix':{wide}} {'':12} {bar(engine.meter(''))}"]
    for pad, queue in zip(kit.pads, session.pool.queues, strict=False):
        state = [name for name in ("mute", "solo") if session.get(pad, name)]
        state += ["learning"] * (session.learning == pad.name) + ["fails"] * bool(queue.failed)
        rows.append(
            f"{pad.name:{wide}} {' '.join(map(str, pad.notes)):12} {bar(engine.meter(pad.name))}"
            f" {queue.depth:5} {pad.amount:7g} {pad.width:6g} {pad.steps:6} {' '.join(state)}"
        )
    head = f"{'pad':{wide}} {'notes':12} {'level':24} {'pool':>5} {'amount':>7} {'width':>6} {'steps':>6}"
    lines = "\n".join(map(escaped, (opening(live), line(live), *notices)))
    return Text.assemble(f"{lines}\n", (f"\n{head}\n", "bold"), "\n".join(map(escaped, rows)))


def bar(peak: float, width: int = 24) -> str:
    """Return a meter over 48 dB as text."""
    from math import log10

    share = 1 + 20 * log10(max(peak, _LOW)) / 48
    full = round(width * min(max(share, 0.0), 1.0))
    return "█" * full + "·" * (width - full)
