"""The `ghostnote` program: its commands, its exit codes and how it prints errors."""

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer

from ghostnote.bridge.cli import (
    INTERRUPTED,
    bench,
    demo,
    devices,
    distill,
    evaluate,
    explore,
    export,
    extend,
    figure,
    finetune,
    generate,
    humanize,
    kit,
    live,
    melody,
    model,
    morph,
    osc,
    page,
    plugin,
    recover,
    render,
    repair,
    shrink,
    slicing,
    synth,
    systems,
    train,
    transfer,
    tweak,
    upsample,
    widen,
)
from ghostnote.bridge.cli.logs import configure_logs
from ghostnote.bridge.cli.terminal import echo, prepare_streams
from ghostnote.bridge.cli.usage import name_values
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.atomic_file import system_trouble

_PLAY: Final = "Play"
_PREPARE: Final = "Sounds and kits"
_TOOLS: Final = "Sound tools"
_WORKSHOP: Final = "Workshop (most need the 'train' extra)"
_COMMANDS: Final[tuple[tuple[str, Callable[..., Any]], ...]] = (
    (_PLAY, demo.demo),
    (_PLAY, render.render),
    (_PLAY, live.live),
    (_PLAY, page.page),
    (_PLAY, devices.devices),
    (_PLAY, osc.osc),
    (_PLAY, recover.recover),
    (_PREPARE, humanize.humanize),
    (_PREPARE, generate.generate),
    (_PREPARE, bench.bench),
    (_TOOLS, explore.explore),
    (_TOOLS, transfer.transfer),
    (_TOOLS, tweak.tweak),
    (_TOOLS, extend.extend),
    (_TOOLS, morph.morph),
    (_TOOLS, morph.transition),
    (_TOOLS, widen.widen),
    (_TOOLS, repair.repair),
    (_TOOLS, upsample.upsample),
    (_TOOLS, melody.melody),
    (_TOOLS, slicing.slice),
    (_WORKSHOP, synth.synth),
    (_WORKSHOP, train.train),
    (_WORKSHOP, systems.systems),
    (_WORKSHOP, finetune.finetune),
    (_WORKSHOP, distill.distill),
    (_WORKSHOP, shrink.shrink),
    (_WORKSHOP, export.export),
    (_WORKSHOP, evaluate.evaluate),
    (_WORKSHOP, figure.figure),
)
_GROUPS: Final = ((_PLAY, "plugin", plugin.app), (_PREPARE, "kit", kit.app), (_PREPARE, "model", model.app))
_HELP: Final[dict[str, Any]] = {"help_option_names": ["--help", "-h"]}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
    help="A drum instrument that never plays the same hit twice.",
)
for _panel, _command in _COMMANDS:
    app.command(rich_help_panel=_panel)(_command)
for _panel, _name, _group in _GROUPS:
    app.add_typer(_group, name=_name, rich_help_panel=_panel)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        echo(f"ghostnote {version('ghostnote')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens to stderr.")] = False,
    log_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Log what happens to the end of a file.")
    ] = None,
) -> None:
    """Take the options before a command; `main` reads --debug itself."""
    configure_logs(verbose, log_file)


def main() -> None:
    """Run the command line; an error prints one line and ends with its kind's exit code."""
    try:
        signal.signal(signal.SIGTERM, _terminated)
        prepare_streams()
        _built()()
    except GhostnoteError as error:
        if "--debug" in sys.argv:
            raise
        _say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _end_interrupted()
    except SystemExit as end:
        # Typer's word for Ctrl-C.
        if end.code == INTERRUPTED:
            _end_interrupted()
        raise
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        if isinstance(error.__cause__, KeyboardInterrupt):
            # A library that was just being loaded.
            _end_interrupted()
        trouble = system_trouble(error) if isinstance(error, OSError) else None
        _say(trouble or f"{type(error).__name__}: {error} (a bug in ghostnote; --debug shows the traceback)")
        sys.exit(GhostnoteError.exit_code)


def _say(trouble: str) -> None:
    # Where standard error takes nothing, the exit code says it.
    with suppress(OSError):
        echo(f"ghostnote: {trouble}", err=True)


def _end_interrupted() -> None:
    _say("interrupted; no unfinished files are left")
    sys.exit(INTERRUPTED)


def _built() -> Any:
    """Return the whole command: switches whose help shows no type, errors that name the value given."""
    command = typer.main.get_command(app)
    groups = [command]
    while groups:
        group = groups.pop()
        groups += getattr(group, "commands", {}).values()
        for parameter in group.get_params(typer.Context(group, **_HELP)):
            name_values(parameter)
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
    return command


def _terminated(number: int, frame: FrameType | None) -> None:
    """End on SIGTERM as on Ctrl-C, so that temporary files are removed."""
    raise KeyboardInterrupt
