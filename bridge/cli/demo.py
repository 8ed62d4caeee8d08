"""`ghostnote demo`: something to listen to right after the installation."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.render import print_report, run_with_bar
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.io.audio_file import format_for
from ghostnote.bridge.io.output_guard import check_outputs, numbered


def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT.wav", help="The mix, by default demo.wav; the stems go into a folder beside."
        ),
    ] = None,
    midi: Annotated[
        Path | None,
        typer.Option(metavar="FILE.mid", help="Also write the groove as a MIDI file, to try other commands on."),
    ] = None,
    seed: options.TakeSeed = None,
    rate: options.Rate = 48_000,
    jobs: options.Jobs = 0,
) -> None:
    """Render a four-bar groove with the default kit: a mix, and the stems beside it."""
    from ghostnote.bridge.kit.kit import default_kit
    from ghostnote.bridge.kit.overrides import with_settings
    from ghostnote.bridge.midi.demo_groove import groove, groove_file
    from ghostnote.bridge.render.offline import RenderSettings

    wanted = output or Path("demo.wav")
    output = output or numbered(wanted)
    song = midi and numbered(midi)
    format_for(output)
    check_outputs((output, song), ())
    options.check_midi_ending("--midi", song)
    kit = with_settings(default_kit(), seed=seed)
    settings = RenderSettings(stems=output.with_name(f"{output.stem}_stems"), jobs=jobs or None)
    report = run_with_bar(groove(rate), kit, output, settings)
    options.tell_numbered(wanted, output)
    print_report(report, kit)
    if song:
        write_bytes(song, groove_file())
        options.tell_numbered(midi, song)
        echo(f"{song}: the groove, as in 'ghostnote render {song}'")
