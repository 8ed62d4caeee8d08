"""`ghostnote live` as a user starts it, ended by OSC once it is ready."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.osc.codec import pack, unpack


def play(kit: Kit, folder: Path, *before: str, seconds: float = 300.0, **options: Any) -> subprocess.Popen[bytes]:
    """Play a kit through the null driver until it is ready, strike its first pad, and return the ended program.

    `before` is what its command line begins with, `options` are those of `Popen`.
    """
    save_kit(kit, folder / "kit.toml")
    command = (sys.executable, "-m", "ghostnote.bridge.cli", "live", "--kit", str(folder / "kit.toml"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        port = free_port()
        where = ("--driver", "null", "--osc", f"127.0.0.1:{port}", "--osc-quit", "--processes", "1")
        program = subprocess.Popen([*before, *command, *where], start_new_session=True, **options)
        line.settimeout(0.5)
        line.connect(("127.0.0.1", port))
        end = time.monotonic() + seconds
        try:
            while program.poll() is None and time.monotonic() < end and not _is_ready(line):
                time.sleep(0.2)
            _send(line, "hit", 1, 100)
            while program.poll() is None and time.monotonic() < end:
                _send(line, "quit")
                time.sleep(0.2)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
    return program


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _send(line: socket.socket, address: str, *values: Any) -> None:
    try:
        line.send(pack(f"/ghostnote/{address}", values))
    except OSError:  # nobody is there yet, or any more
        time.sleep(0.1)


def _is_ready(line: socket.socket) -> bool:
    """Ask once, and return whether all pads can be played."""
    _send(line, "status")
    try:
        while True:
            (message,) = unpack(line.recv(2000))
            if message.address.endswith("/ready_ms"):
                return float(message.arguments[0] or 0) >= 0
    except OSError:
        return False
