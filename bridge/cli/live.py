"""`ghostnote live`: the instrument beside a DAW."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.options import KIT_HELP, check_midi_ending, opened_kit, tell_numbered
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.atomic_file import prepare_folder
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.output_guard import check_outputs, numbered
from ghostnote.bridge.io.printable import printable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ghostnote.bridge.kit.kit import Kit
    from ghostnote.bridge.live.daemon import LiveSettings, View
    from ghostnote.bridge.live.osc.server import OscSettings
    from ghostnote.bridge.live.saved_settings import SavedSettings

_DRIVER = "pedalboard"
_WRITES = "file"
_RATE = 48_000
_BLOCK = 256


def live(
    kit: Annotated[Path | None, typer.Option(metavar="KIT", help=f"{KIT_HELP} By default a General MIDI kit.")] = None,
    kits: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="The kits that OSC and program changes reach; by default the folder of --kit."
        ),
    ] = None,
    driver: Annotated[
        str | None, typer.Option(help="pedalboard, sounddevice, jack, file or null: see 'ghostnote devices'.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="A part of the sound device's name.")] = None,
    rate: Annotated[int | None, typer.Option(min=8000, max=192_000, help="Sample rate in Hz.")] = None,
    block: Annotated[int | None, typer.Option(min=16, max=8192, help="Frames a block.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT.wav", help="Write what is played to this file, and play it on no device."
        ),
    ] = None,
    outputs: Annotated[
        str, typer.Option(metavar="WHAT", help="pads or groups: beside the mix a stereo pair for each; or stereo.")
    ] = "stereo",
    midi_in: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="virtual, tcp:PORT, or a part of a port's name; may be given again."),
    ] = None,
    channel: Annotated[
        int | None, typer.Option(min=1, max=16, help="Play the notes of this MIDI channel alone; by default of any.")
    ] = None,
    note_map: options.NoteMap = None,
    program_channel: Annotated[
        int, typer.Option(min=1, max=16, help="The MIDI channel whose program changes choose a kit of --kits.")
    ] = 10,
    osc: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where OSC comes in; 'off' for nowhere.")] = "9000",
    osc_allow: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Who else may send OSC; may be given again.")
    ] = None,
    osc_quit: Annotated[bool, typer.Option("--osc-quit", help="Let OSC end the program.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed for every pad.")] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="TAKE.mid", help="Write what is played, for 'ghostnote render' to make again."),
    ] = None,
    limiter: Annotated[bool, typer.Option(help="Hold the mix under -1 dBFS, 1.5 ms later.")] = True,
    processes: Annotated[int, typer.Option(min=0, max=16, help="Processes that make hits; 0 chooses.")] = 0,
    page: Annotated[bool, typer.Option("--page", help="Open a page in your browser to see and play it.")] = False,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="Another model than the one that comes along.")
    ] = None,
) -> None:
    """Play: MIDI and OSC in, sound out, a new hit for every note. Ctrl-C ends it."""
    from ghostnote.bridge.devices.base import DriverSettings
    from ghostnote.bridge.io.audio_file import format_for
    from ghostnote.bridge.kit.note_map import load_map
    from ghostnote.bridge.live.daemon import LiveSettings
    from ghostnote.bridge.live.midi_ports import NO_OWN_PORT
    from ghostnote.bridge.live.stroke_spec import LiveSpec
    from ghostnote.bridge.midi.note_input import NoteInput

    if output and driver not in (None, _WRITES):
        raise InputError(
            f"-o {output}: is written by the file driver, not by {driver}: leave --driver out, "
            "or write what is played with --record TAKE.mid and render that"
        )
    if output:
        format_for(output)
    played = _kit(kit, seed)
    check_outputs((output, record), (played.path, model, *(file for pad in played.pads for file in pad.files)))
    check_midi_ending("--record", record)
    _name_unfinished({path.parent for path in (output, record) if path} or {Path()})
    choices = _choices(driver or (_WRITES if output else None), device, rate, block)
    name = choices.driver or _DRIVER
    settings = LiveSettings(
        kit=played,
        spec=lambda rate: LiveSpec(model, rate),
        driver=name,
        audio=DriverSettings(
            choices.rate or _RATE, choices.block or _BLOCK, choices.device, output and numbered(output)
        ),
        midi=tuple(midi_in or ["virtual"]) if midi_in or _has_midi(name) else (),
        osc=_osc(osc, osc_allow or [], osc_quit),
        kits=_kits(kits, played.path, has_page=page),
        program_channel=program_channel - 1,
        note_input=NoteInput(None if channel is None else channel - 1, load_map(note_map or "gm")),
        record=record and numbered(record),
        limiter=limiter,
        processes=processes or None,
        outputs=outputs,
    )
    if not settings.midi and name != "jack":
        echo(f"note: no MIDI comes in, as {NO_OWN_PORT}", err=True)
    tell_numbered(output, settings.audio.file, "writing")
    tell_numbered(record, settings.record, "writing")
    with _page(settings) if page else nullcontext():
        _run(settings, choices)


@contextmanager
def _page(settings: LiveSettings) -> Iterator[None]:
    """Run a page beside the session; `InputError` where nothing could be played from it."""
    from ghostnote.bridge.cli.page import page_beside

    if settings.osc is None or settings.osc.port == 0:
        raise InputError("--page plays by OSC: leave --osc out, or give it a port from 1 to 65535")
    with page_beside(settings.osc.host, settings.osc.port, open_browser=sys.stdout.isatty()) as said:
        echo(said)
        yield


def _saved_at() -> Path:
    return Path(typer.get_app_dir("ghostnote")) / "live.json"


def _choices(driver: str | None, device: str | None, rate: int | None, block: int | None) -> SavedSettings:
    """Return what was chosen, completed by what was chosen before; a device holds for its driver alone."""
    from ghostnote.bridge.live.saved_settings import SavedSettings, load_settings

    saved = load_settings(_saved_at())
    name = driver or saved.driver or _DRIVER
    saved_device = saved.device if name == saved.driver else None
    return SavedSettings(name, device or saved_device, rate or saved.rate or _RATE, block or saved.block or _BLOCK)


def _run(settings: LiveSettings, choices: SavedSettings) -> None:
    """Play, then save the choices."""
    from ghostnote.bridge.devices.base import AudioError
    from ghostnote.bridge.live.daemon import run_live
    from ghostnote.bridge.live.saved_settings import save_settings

    try:
        with _view() as view:
            hangs = run_live(settings, view)
    except AudioError as error:
        hint = "without a sound device: -o FILE.wav writes what is played, --driver null plays it to nobody"
        raise AudioError(f"{error}; {hint}") from error
    if settings.driver not in (_WRITES, "null"):
        save_settings(_saved_at(), choices)
    if hangs:
        sys.stdout.flush()
        os._exit(0)


def _kit(path: Path | None, seed: int | None) -> Kit:
    from ghostnote.bridge.kit.overrides import with_settings

    return with_settings(opened_kit(path), seed=seed)


def _name_unfinished(folders: set[Path]) -> None:
    """Name the recordings that killed runs left."""
    from ghostnote.bridge.io.recording import unfinished

    for part in (part for folder in folders for part in unfinished(folder)):
        echo(f"{part}: an unfinished recording; 'ghostnote recover {part.parent}' finishes it", err=True)


def _kits(folder: Path | None, kit: Path | None, *, has_page: bool) -> Path | None:
    """Return the folder of kits, with a page always one; `InputError` for one that is missing."""
    if folder and not folder.is_dir():
        raise InputError(f"--kits {folder}: there is no such folder")
    found = folder or (real_path(kit).parent if kit else None)
    if has_page and found is None:
        found = Path(typer.get_app_dir("ghostnote")) / "kits"
        prepare_folder(found)
    return found


def _has_midi(driver: str) -> bool:
    """Return whether a MIDI port can be opened without being asked for."""
    from ghostnote.bridge.live.midi_ports import has_virtual_ports

    return driver == "jack" or has_virtual_ports()


def _osc(address: str, allowed: list[str], may_quit: bool) -> OscSettings | None:
    """Return how OSC comes in, or None where it does not; `InputError`."""
    from ghostnote.bridge.live.osc.server import OscSettings, check_settings, parse_address

    if address == "off":
        return None
    settings = OscSettings(*parse_address(address), tuple(allowed), may_quit)
    check_settings(settings)
    return settings


def _view() -> AbstractContextManager[View]:
    """Return what shows the session: a picture on a terminal, lines elsewhere."""
    from ghostnote.bridge.live.status import PlainView, RichView

    if sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        return RichView(_say, printable)
    return PlainView(_say)


def _say(text: str) -> None:
    with suppress(OSError):  # a full disk behind stdout ends no music
        echo(text)
