"""What the daemon is doing, as plain facts and as a view for the terminal."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ghostnote.bridge.live.controls import Value

if TYPE_CHECKING:
    from ghostnote.bridge.live.daemon import Live

_REPORT_SECONDS: Final = 10.0
_VIEW_SECONDS: Final = 0.1
_LOW: Final = 1e-3


def facts(live: "Live") -> dict[str, Value]:
    """Return the status, each fact under a short name, times in milliseconds."""
    session, engine, driver = live.session, live.session.engine, live.watch.driver
    counts = {
        f"notes_{kind}": engine.counts[kind] for kind in ("fresh", "spare", "repeat", "frozen", "silent")
    }
    came = dict(sorted(session.counts.items()))
    return {
        "kit": session.kit.name,
        "driver": driver.device,
        "rate": driver.rate,
        "block": driver.block_frames,
        "latency_block_ms": 1000 * driver.block_frames / driver.rate,
        "latency_driver_ms": 1000 * driver.latency_seconds,
        "latency_constant_ms": 1000 * engine.delay_frames / driver.rate,
        "latency_ms": 1000 * live.latency_seconds,
        "underruns": live.watch.underruns,
        "server_gaps": driver.gaps,
        "device_losses": live.watch.losses,
        "device_lost": int(live.watch.is_lost),
        "ready_ms": -1.0 if live.ready_seconds is None else 1000 * live.ready_seconds,
        "freshness": engine.freshness,
        **counts,
        "notes_unmapped": session.setup.performer.unmapped.total(),
        "voices": engine.setup.mixer.voices,
        "stolen": engine.setup.mixer.stolen,
        "depth": sum(shelf.depth for shelf in session.pool.shelves),
        "pool_mb": session.pool.bytes_held / 2**20,
        "made": live.refill.made,
        "making_ms": 1000 * live.refill.making_seconds,
        "worker_restarts": live.refill.restarts,
        "waiting": engine.waiting,
        "shed": engine.counts["shed"],
        "faults": engine.counts["fault"],
        "frozen": engine.frozen,
        **came,
    }


def line(live: "Live") -> str:
    """Return the status as one line."""
    engine = live.session.engine
    notes = sum(engine.counts[kind] for kind in ("fresh", "spare", "repeat", "frozen", "silent"))
    lost = ", device lost" if live.watch.is_lost else ""
    depth = sum(shelf.depth for shelf in live.session.pool.shelves)
    return (
        f"{notes} notes, {engine.freshness:.1%} fresh, pool {depth}, {live.watch.underruns} underruns,"
        f" MIDI {live.session.counts['midi']}, OSC {live.session.counts['osc']}{lost}"
    )


def opening(live: "Live") -> str:
    """Return what is said when the daemon plays."""
    driver, engine = live.watch.driver, live.session.engine
    ways = [*(midi.name for midi in live.inputs)]
    if live.osc:
        ways.append("OSC {}:{}".format(*live.osc.address))
    parts = (
        f"block {1000 * driver.block_frames / driver.rate:.1f}",
        f"driver {1000 * driver.latency_seconds:.1f}",
        f"limiter {1000 * engine.delay_frames / driver.rate:.1f}",
    )
    return (
        f"'{live.session.kit.name}' on {driver.device}, {driver.rate} Hz; in: {', '.join(ways) or 'nothing'};"
        f" latency {1000 * live.latency_seconds:.1f} ms ({' + '.join(parts)})"
    )


class PlainView:
    """Says what happens in lines, for logs and pipes."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Write lines through `write`."""
        self._write = write
        self._due = 0.0
        self._ready = False
        self._last = ""

    def __call__(self, live: "Live") -> None:
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
        if now >= self._due:
            self._due = now + _REPORT_SECONDS
            text = line(live)
            if text != self._last:
                self._write(text)
            self._last = text


class RichView:
    """A table that is drawn anew ten times a second. A context manager."""

    def __init__(self) -> None:
        """Prepare the screen."""
        from rich.live import Live as Screen

        self._screen = Screen(auto_refresh=False, transient=True)
        self._due = 0.0
        self._notices: list[str] = []

    def __enter__(self) -> "RichView":
        """Take the screen."""
        self._screen.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._screen.stop()

    def __call__(self, live: "Live") -> None:
        """Draw."""
        now = time.perf_counter()
        if now < self._due:
            return
        self._due = now + _VIEW_SECONDS
        while live.session.notices:
            self._notices = [*self._notices, live.session.notices.popleft()][-5:]
        self._screen.update(drawn(live, tuple(self._notices)), refresh=True)


def drawn(live: "Live", notices: tuple[str, ...]) -> Any:
    """Return the whole view: the pads with their meters and pools, then how all goes, then the notices."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    session, engine = live.session, live.session.engine
    table = Table("pad", "notes", "level", "pool", "amount", "width", "steps", box=None, pad_edge=False)
    for pad, shelf in zip(session.kit.pads, session.setup.shelves, strict=False):
        table.add_row(
            pad.name,
            " ".join(map(str, pad.notes)),
            bar(engine.meter(pad.name)),
            f"{shelf.depth}{' !' if shelf.failed else ''}",
            f"{pad.amount:g}",
            f"{pad.width:g}",
            str(pad.steps),
        )
    table.add_row("[bold]mix", "", bar(engine.meter("")), "", "", "", "")
    return Group(Text(opening(live)), table, Text(line(live)), *(Text(notice) for notice in notices))


def bar(peak: float, width: int = 24) -> str:
    """Return a meter over 48 dB as text."""
    from math import log10

    share = 1 + 20 * log10(max(peak, _LOW)) / 48
    full = round(width * min(max(share, 0.0), 1.0))
    return "█" * full + "·" * (width - full)
