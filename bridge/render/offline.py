"""The offline renderer: a song and a kit in, a mix and stems out, block by block.

The strokes are made by worker processes and mixed here in the order of the song, so the bytes are the
same however many workers there are.
"""

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.arguments import check, check_whole
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.render.mixer import BLOCK_FRAMES, POLYPHONY, Mixer, rack_for
from ghostnote.bridge.render.outputs import TakeFiles
from ghostnote.bridge.render.performer import Stroke
from ghostnote.bridge.render.score import END_FADE_SECONDS, EffectsChange, Score, song_score
from ghostnote.bridge.render.workers import MAX_JOBS, Spec, auto_jobs, stroke_results

MOST_SILENCE_SECONDS: Final = 60.0
"""A song whose end lies further behind its last sound ends there instead: its end is a slip of the sequencer."""

_MOST_TAIL_SECONDS: Final = 600
_MOST_VOICES: Final = 4_096

Progress = Callable[[int, int], None]
"""Called with the frames rendered and the frames that the song has at least."""


@dataclass(frozen=True)
class RenderSettings:
    """How a song is rendered, beside the kit."""

    stems: Path | None = None
    """The folder for one file a pad; None writes the mix alone."""
    bits: int | None = None
    """Bits per sample; None is the format's default."""
    tail_seconds: float | None = None
    """How long to go on after the song's end; None lets the last hit ring out."""
    limiter: bool = True
    """Whether the mix is limited; stems never are."""
    polyphony: int = POLYPHONY
    """How many voices may sound at once; then the quietest is stolen."""
    jobs: int | None = None
    """How many processes make strokes; None chooses by the machine and the song."""


def check_render(settings: RenderSettings) -> None:
    """Raise `InputError` for a setting that is no number, or out of its range; bits are the format's affair."""
    if settings.tail_seconds is not None:
        check("tail_seconds", settings.tail_seconds, 0, _MOST_TAIL_SECONDS)
    if settings.jobs is not None:
        check_whole("jobs", settings.jobs, 1, MAX_JOBS)
    check_whole("polyphony", settings.polyphony, 1, _MOST_VOICES)


@dataclass(frozen=True)
class RenderReport:
    """What was rendered."""

    mix: Path
    stems: tuple[Path, ...]
    strokes: dict[str, int]
    """How many strokes each pad played, by its name."""
    unmapped: dict[int, int]
    """Notes without a pad, and how often each came."""
    stolen: int
    """How many voices were stolen."""
    seconds: float
    """Length of the mix and of every stem."""
    peak_dbfs: float
    loudness_lufs: float
    limited_db: float
    """The limiter's strongest reduction."""
    render_seconds: float
    warnings: tuple[str, ...]

    @property
    def notes(self) -> int:
        """How many notes were played."""
        return sum(self.strokes.values())

    @property
    def realtime_factor(self) -> float:
        """How many seconds of sound a second of rendering made."""
        return self.seconds / max(self.render_seconds, 1e-9)


def render_song(
    song: MidiSong,
    kit: Kit,
    spec: Spec,
    mix: Path,
    settings: RenderSettings | None = None,
    progress: Progress | None = None,
) -> RenderReport:
    """Render a song to the file `mix`, at the song's rate, in the format of the name's ending.

    No file appears before everything is rendered. `InputError` when the kit plays none of the
    notes; `OutputError` when a file cannot be written.
    """
    settings = settings or RenderSettings()
    score = song_score(song, kit, settings.tail_seconds)
    return render_score(score, kit, spec, mix, settings, progress)


def render_score(
    score: Score, kit: Kit, spec: Spec, mix: Path, settings: RenderSettings, progress: Progress | None = None
) -> RenderReport:
    """Render a score; all else is as in `render_song`."""
    began = time.monotonic()
    counts = Counter(action.pad for action in score.actions if isinstance(action, Stroke))
    mixer = Mixer(kit.pads, score.rate, settings.polyphony, effects=rack_for(kit, score.rate))
    files = TakeFiles(kit, sorted(counts), mix, score.rate, settings.stems, settings.bits, settings.limiter)
    if not score.rings_out:
        files.end_at(score.least_frames, round(END_FADE_SECONDS * score.rate))
    jobs = settings.jobs or auto_jobs(len(score.requests))
    last = max((action.frame for action in score.actions), default=0) + round(MOST_SILENCE_SECONDS * score.rate)
    files.check_room(min(score.least_frames, last) if score.rings_out else score.least_frames)
    with files, closing(stroke_results(spec, score.requests, jobs)) as audio:
        for at, frames in _blocks(score, audio, mixer):
            files.write(mixer, frames)
            if mixer.effects.troubles:
                raise InputError(mixer.effects.troubles[0])
            if progress:
                progress(at + frames, max(at + frames, score.least_frames))
        files.finish(mixer)
    softened = files.soften()
    return RenderReport(
        mix=mix,
        stems=files.stems,
        strokes={kit.pads[pad].name: counts[pad] for pad in sorted(counts)},
        unmapped=dict(score.unmapped),
        stolen=mixer.stolen,
        seconds=files.frames / score.rate,
        peak_dbfs=files.meter.peak_dbfs,
        loudness_lufs=files.meter.integrated_lufs,
        limited_db=files.limited_db,
        render_seconds=time.monotonic() - began,
        warnings=score.warnings + softened + _left_out(score, files.frames),
    )


def _left_out(score: Score, frames: int) -> tuple[str, ...]:
    """Return a sentence on the silence at the end that was not rendered."""
    seconds = (score.least_frames - frames) / score.rate
    if seconds < 1.0:
        return ()
    return (f"{seconds:.0f} s of silence before the end of the song are left out: --tail 0 renders them",)


def _blocks(score: Score, audio: Iterator[NDArray[np.float32]], mixer: Mixer) -> Iterator[tuple[int, int]]:
    """Give the mixer the actions of one block after another; yield each block's start and length."""
    actions, gains = score.actions, iter(score.gains or ())
    changes = [action.frame for action in actions if isinstance(action, EffectsChange)]
    longest = round(MOST_SILENCE_SECONDS * score.rate)
    at = number = silent = 0
    while True:
        silent = 0 if mixer.remaining_frames or number < len(actions) else silent or at
        if silent and score.rings_out and score.least_frames - silent > longest:
            return
        rings = score.rings_out and at >= score.least_frames
        # Blocks end at their multiples and where effects change, so that their length changes no byte.
        place = bisect_right(changes, at)
        until = min([at - at % BLOCK_FRAMES + BLOCK_FRAMES, *changes[place : place + 1]])
        frames = min(until - at, mixer.remaining_frames if rings else score.least_frames - at)
        if frames <= 0:
            return
        while number < len(actions) and actions[number].frame < at + frames:
            action = actions[number]
            if isinstance(action, Stroke):
                mixer.start(action.pad, next(audio), action.frame - at, next(gains, None), action.channel)
            elif isinstance(action, EffectsChange):
                mixer.use_effects(rack_for(action.kit, score.rate, mixer.effects))
            else:
                mixer.fade(action.pads, action.seconds, action.frame - at, action.channel, action.younger)
            number += 1
        yield at, frames
        at += frames
