"""`ghostnote generate --run`: new drums of a system that was trained here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.errors import InputError

if TYPE_CHECKING:
    from ghostnote.bridge.inference.one_shots import OneShotSettings
    from ghostnote.bridge.inference.variation import Audio


def refuse_beside_run(words: str | None, kind: str | None, guidance: float, model: Path | None) -> None:
    """Raise `InputError` for what a run cannot follow: it knows classes and seeds, and no more."""
    unknown = {
        "WORDS": words is not None,
        "--kind": kind is not None,
        "--guidance": guidance != 1,
        "--model": model is not None,
    }
    for option, given in unknown.items():
        if given:
            raise InputError(f"{option} is given with --run, which takes --class alone: leave one of them out")


def run_one_shots(output: Path, settings: OneShotSettings, run: Path, start: Path | None) -> Iterator[Path]:
    """Write what the system of `run` generates, as `write_one_shots` does; `ModelError` for a run that is none.

    Of a `start`, a sound file, it makes what could follow; `InputError` where it cannot.
    """
    with needs_extra("generate --run"):
        import torch

        from ghostnote.bridge.drums import label_of
        from ghostnote.bridge.dsp.conversion import mixdown, resample
        from ghostnote.bridge.inference.one_shots import write_drawn
        from ghostnote.bridge.io.audio_file import read_audio
        from ghostnote.models.dsp.mdct import RATE
        from ghostnote.models.systems.audio import continue_hit, sample_hits
        from ghostnote.models.systems.checkpoint import load_system

        system, _ = load_system(run)
        label = torch.tensor([label_of(settings.drum_class)])

        begun = None
        if start is not None:
            sound, rate = read_audio(start)
            begun = torch.from_numpy(resample(mixdown(sound, 1), rate, RATE))

        def draw(seed: int) -> Audio:
            generator = torch.Generator().manual_seed(seed)
            if begun is None:
                audio: Audio = sample_hits(system, label, generator, settings.steps)[0].numpy()
            else:
                audio = continue_hit(system, begun, label, generator)[0].numpy()
            return audio

        return write_drawn(output, settings, draw, RATE)
