"""The MIDI systems of this computer, and the ports that notes can come from."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import rtmidi

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.live.stderr import stderr_discarded

CLIENT: Final = "ghostnote"
PORT: Final = "midi_in"
NO_OWN_PORT: Final = (
    "no port of our own can be opened: on Windows install loopMIDI, on Linux start JACK or load snd-seq,"
    " or use --midi-in tcp:PORT"
)

_APIS: Final = {
    "linux": (rtmidi.API_LINUX_ALSA, rtmidi.API_UNIX_JACK),
    "darwin": (rtmidi.API_MACOSX_CORE,),
    "win32": (rtmidi.API_WINDOWS_MM,),
}
_SEQUENCER: Final = Path("/dev/snd/seq")


class MidiError(GhostnoteError):
    """A MIDI port is missing, or the system has none."""


def system_apis() -> list[int]:
    """Return the MIDI systems that can be used on this computer now."""
    wanted = _APIS.get(sys.platform, ())
    return [api for api in wanted if api in rtmidi.get_compiled_api() and _opens(api)]


def port_names() -> list[str]:
    """Return the names of the ports that notes can come from."""
    names: list[str] = []
    for api in system_apis():
        with contextlib.suppress(rtmidi.RtMidiError, OSError), _probe(api) as probe:
            names += probe.get_ports()
    return names


def has_virtual_ports() -> bool:
    """Return whether a port of our own can be opened here."""
    return sys.platform != "win32" and bool(system_apis())


@contextlib.contextmanager
def _probe(api: int) -> Iterator[Any]:
    """Return a client of a MIDI system for the length of the block."""
    client = rtmidi.MidiIn(api, f"{CLIENT}-probe")
    try:
        yield client
    finally:
        client.delete()


def _opens(api: int) -> bool:
    if api == rtmidi.API_LINUX_ALSA and not _SEQUENCER.exists():
        return False
    try:
        with stderr_discarded(), _probe(api):
            return True
    except (rtmidi.RtMidiError, OSError):
        return False
