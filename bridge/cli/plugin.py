"""`ghostnote plugin`: the plugin for DAWs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.input_file import real_path

app = typer.Typer(no_args_is_help=True, help="The plugin for DAWs: build it, install it, see what it plays.")


@app.command()
def build(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the plugin's bundles are put.")
    ] = Path("ghostnote-plugin"),
) -> None:
    """Build the plugin as VST3, CLAP and LV2, with one stereo output and with one for each pad. Needs g++ and DPF."""
    from ghostnote.bridge.plugin.build import build

    for bundle in build(output, tell=_tell):
        echo(str(bundle))


@app.command()
def install(
    kits: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The kits that the plugin's parameter Kit chooses by number.")
    ] = None,
) -> None:
    """Put the plugin where hosts look, in your home folder; build it first where it did not come along."""
    from ghostnote.bridge.plugin.install import install
    from ghostnote.bridge.plugin.kits import config_folder

    folder = real_path((kits or config_folder() / "kits").expanduser())
    is_new = not folder.exists()
    for bundle in install(Path.home(), folder, _tell):
        echo(str(bundle))
    made = ", a folder made just now: put kit files into it" if is_new else ""
    echo(f"kits by number: {folder}{made}; let your host scan its plugins anew")
    _tell_of_daemon(folder)


def _tell(line: str) -> None:
    echo(line, err=True)


def _tell_of_daemon(folder: Path) -> None:
    """Say it where a daemon runs that has another folder of kits."""
    import json

    from ghostnote.bridge.errors import GhostnoteError

    try:
        daemon = json.loads(_status())
    except (GhostnoteError, OSError, ValueError):
        return
    if (found := daemon.get("kits")) != str(folder):
        _tell(
            f"a daemon runs with the kits of {found or 'before'} until it ends: close your hosts, "
            f"type  kill {daemon['process']}  and open them again"
        )


def _status() -> str:
    from ghostnote.bridge.plugin.messages import STATUS, receive, send
    from ghostnote.bridge.plugin.runtime import connect

    with connect() as line:
        send(line, STATUS, b"")
        return receive(line)[1].decode()


@app.command()
def serve(
    kits: Annotated[Path | None, typer.Option(metavar="FOLDER", help="The kits that plugins choose by number.")] = None,
    processes: Annotated[int, typer.Option(min=0, max=16, help="Processes that make hits; 0 chooses.")] = 0,
    idle: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="End when no plugin has been there for so long.")
    ] = None,
    model: options.Model = None,
) -> None:
    """Serve the plugins of all hosts; a plugin that finds no daemon starts this by itself."""
    import signal
    from threading import Event

    from ghostnote.bridge.live.stroke_spec import LiveSpec
    from ghostnote.bridge.plugin.kits import config_folder
    from ghostnote.bridge.plugin.server import serve
    from ghostnote.bridge.plugin.workshop import ServerSettings

    stopping = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    folder = kits or config_folder() / "kits"
    serve(ServerSettings(lambda rate: LiveSpec(model, rate), folder, processes or None, idle), stopping)


@app.command()
def status() -> None:
    """Print what the daemon serves, as JSON."""
    echo(_status())
