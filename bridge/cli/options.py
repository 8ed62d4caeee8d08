"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.midi.spec import SONG_SUFFIXES

if TYPE_CHECKING:
    from ghostnote.bridge.kit.kit import Kit

Model = Annotated[
    Path | None, typer.Option(metavar="FILE.onnx", help="Another model than the one that ghostnote ships.")
]
Rate = Annotated[int, typer.Option(min=8000, max=192_000, help="Sample rate of the files, in Hz.")]
Jobs = Annotated[int, typer.Option(min=0, max=64, help="Processes at work; 0 chooses for this machine.")]
TakeSeed = Annotated[
    int | None,
    typer.Option(min=0, help="Another seed for every pad: other strokes, and other drums where the model makes them."),
]

NoteMap = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="NAME|FILE",
        help="What the notes mean: gm, gm2, roland, alesis, yamaha, superior, addictive, or a .toml file.",
    ),
]

Tweak = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SLIDER=VALUE",
        help="Move every pad's drum by a slider of `ghostnote tweak`, as in bright=1 or longer=-0.5; may come again.",
    ),
]

KIT_HELP: Final = (
    "KIT.toml; default, electronic or dry; a kit of SFZ, Hydrogen, DrumGizmo or DecentSampler; "
    "or hits, a folder or one file."
)


def opened_kit(path: Path | None, *, say: bool = True) -> "Kit":
    """Return a kit file's kit or another sampler's, and say what was not taken over; of None the default one."""
    from ghostnote.bridge.kit.importers.write import open_kit
    from ghostnote.bridge.kit.kit import default_kit

    if path is None:
        return default_kit()
    kit, report = open_kit(path)
    for line in report if say else ():
        echo(f"note: {path}: {line}", err=True)
    return kit


def tell_numbered(wanted: Path | None, written: Path | None, verb: str = "wrote") -> None:
    """Say which output was given a number, as its name was taken.

    For when nothing else can be wrong with what the user gave: what fails has written nothing.
    """
    if wanted and wanted != written:
        echo(f"{wanted} is there already: {verb} {written}", err=True)


def check_midi_ending(option: str, path: Path | None) -> None:
    """Raise `OutputError` unless the MIDI file that an option writes is called like one; None is no file."""
    if path and path.suffix.lower() not in SONG_SUFFIXES:
        raise OutputError(
            f"{option} {path}: is a MIDI file, whose name ends in {' or '.join(SONG_SUFFIXES)}; name it so"
        )
