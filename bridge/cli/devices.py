"""`ghostnote devices`: what can play, what notes can come from, and what to install for the rest."""

from collections.abc import Callable

from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import GhostnoteError


def devices() -> None:
    """List audio drivers, their devices and rates, and MIDI ports, with what is missing."""
    from ghostnote.bridge.devices.supervisor import DRIVERS

    for kind in DRIVERS.values():
        echo(f"{kind.name}: {kind.about}")
        for text in _lines_of(_LISTS.get(kind.name, list)):
            echo(f"  {text}")
    echo("MIDI ports that notes can come from:")
    for text in _lines_of(_midi):
        echo(f"  {text}")


def _lines_of(lines: Callable[[], list[str]]) -> list[str]:
    """Return lines, or why there are none."""
    try:
        return lines()
    except GhostnoteError as error:
        return [str(error)]


def _pedalboard() -> list[str]:
    from ghostnote.bridge.devices.pedalboard import output_names

    names = output_names()
    return names or ["no device: on Linux start a sound server and install libasound2-plugins"]


def _sounddevice() -> list[str]:
    from ghostnote.bridge.devices.sounddevice import output_descriptions

    return output_descriptions() or ["no device"]


def _jack() -> list[str]:
    from ghostnote.bridge.devices.jack import describe_server

    return describe_server()


def _midi() -> list[str]:
    from ghostnote.bridge.live.midi_ports import NO_OWN_PORT, has_virtual_ports, port_names

    names = port_names()
    if not has_virtual_ports():
        names.append(NO_OWN_PORT)
    return names or ["none but our own"]


_LISTS = {"pedalboard": _pedalboard, "sounddevice": _sounddevice, "jack": _jack}
