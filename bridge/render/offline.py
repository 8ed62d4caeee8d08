"""The offline renderer: a song and a kit in, a mix and stems out, block by block.

The strokes are made by worker processes and mixed here in the order of the song, so the bytes are the
same however many workers there are.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.render.instants import Instants
from ghostnote.bridge.render.mixer import BLOCK_FRAMES, POLYPHONY, Mixer
from ghostnote.bridge.render.outputs import TakeFiles
from ghostnote.bridge.render.performer import Action, Fade, Performer, Stroke
from ghostnote.bridge.render.workers import Request, Spec, auto_jobs, stroke_results

END_FADE_SECONDS: Final = 0.02
"""How long the fade at a set end is."""

MOST_SILENCE_SECONDS: Final = 60.0
"""A song whose end lies further behind its last sound ends there instead: its end is a slip of the sequencer."""

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


@dataclass(frozen=True)
class Score:
    """Everything a mixer will do, before any stroke is made."""

    rate: int
    actions: Sequence[Action]
    requests: Sequence[Request]
    """The strokes to be made, in the order of the actions."""
    least_frames: int
    """How long it lasts at least."""
    rings_out: bool
    """Whether it then goes on until the last hit is silent."""
    gains: Sequence[NDArray[np.float32]] | None = None
    """Each stroke's left and right gain, (2, 1); None for the pads' own."""
    unmapped: Mapping[int, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


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
    performer, instants = Performer(kit), Instants(song.rate)
    actions, last = _score(song, kit, performer, instants, settings.tail_seconds)
    strokes = [action for action in actions if isinstance(action, Stroke)]
    requests = [Request(performer.zones[each.pad][each.zone].pad, each.index, each.velocity) for each in strokes]
    # Without a set end the last hit rings out.
    least = max(song.end_frame, *(each.frame + 1 for each in strokes)) if last is None else last
    unmapped = dict(sorted(performer.unmapped.items()))
    warnings = (*song.warnings, *_doubled(instants.doubles))
    score = Score(song.rate, actions, requests, least, last is None, None, unmapped, warnings)
    return render_score(score, kit, spec, mix, settings, progress)


def render_score(
    score: Score, kit: Kit, spec: Spec, mix: Path, settings: RenderSettings, progress: Progress | None = None
) -> RenderReport:
    """Render a score; all else is as in `render_song`."""
    began = time.monotonic()
    counts = Counter(action.pad for action in score.actions if isinstance(action, Stroke))
    mixer = Mixer(kit.pads, score.rate, settings.polyphony)
    files = TakeFiles(kit, sorted(counts), mix, score.rate, settings.stems, settings.bits, settings.limiter)
    jobs = settings.jobs or auto_jobs(len(score.requests))
    last = max((action.frame for action in score.actions), default=0) + round(MOST_SILENCE_SECONDS * score.rate)
    files.check_room(min(score.least_frames, last) if score.rings_out else score.least_frames)
    with files, closing(stroke_results(spec, score.requests, jobs)) as audio:
        for at, frames in _blocks(score, audio, mixer):
            files.write(mixer, frames)
            if progress:
                progress(at + frames, max(at + frames, score.least_frames))
        files.finish()
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


def _score(
    song: MidiSong, kit: Kit, performer: Performer, instants: Instants, tail_seconds: float | None
) -> tuple[list[Action], int | None]:
    """Return the mixer's actions, and the frame of a set end."""
    events = instants.strokes(song.events, performer.pad_of)
    actions = [action for event in events if event for action in performer.handle(event)]
    if not any(isinstance(action, Stroke) for action in actions):
        notes = ", ".join(map(str, sorted({event.note for event in song.events if isinstance(event, NoteOn)})))
        raise InputError(
            f"kit '{kit.name}' plays none of the song's notes ({notes}): add them to the notes of its pads, "
            "or choose a --map"
        )
    if tail_seconds is None:
        return actions, None
    last = song.end_frame + round(tail_seconds * song.rate)
    actions = _faded_out(actions, last, song.rate)
    if not any(isinstance(action, Stroke) for action in actions):
        raise InputError(f"with a tail of {tail_seconds:g} seconds the song ends before its first note: make it longer")
    return actions, last


def _doubled(count: int) -> tuple[str, ...]:
    """Return a sentence on notes that are the stroke of another."""
    notes = "1 note comes" if count == 1 else f"{count} notes come"
    return (f"{notes} with another of the same pad: one stroke, the louder",) if count else ()


def _faded_out(actions: list[Action], last: int, rate: int) -> list[Action]:
    """Return the actions before the frame `last`, with a fade that ends there."""
    fade_at = max(0, last - round(END_FADE_SECONDS * rate))
    pads = tuple({action.pad for action in actions if isinstance(action, Stroke)})
    ending = [action for action in actions if action.frame < fade_at]
    ending.append(Fade(fade_at, pads, (last - fade_at) / rate))
    for action in actions:
        if fade_at <= action.frame < last:
            ending.append(action)
            if isinstance(action, Stroke):
                ending.append(Fade(action.frame, (action.pad,), (last - action.frame) / rate))
    return ending


def _left_out(score: Score, frames: int) -> tuple[str, ...]:
    """Return a sentence on the silence at the end that was not rendered."""
    seconds = (score.least_frames - frames) / score.rate
    if seconds < 1.0:
        return ()
    return (f"{seconds:.0f} s of silence before the end of the song are left out: --tail 0 renders them",)


def _blocks(score: Score, audio: Iterator[NDArray[np.float32]], mixer: Mixer) -> Iterator[tuple[int, int]]:
    """Give the mixer the actions of one block after another; yield each block's start and length."""
    actions, gains = score.actions, iter(score.gains or ())
    longest = round(MOST_SILENCE_SECONDS * score.rate)
    at = number = silent = 0
    while True:
        silent = 0 if mixer.voices or number < len(actions) else silent or at
        if silent and score.rings_out and score.least_frames - silent > longest:
            return
        rings = score.rings_out and at >= score.least_frames
        frames = min(BLOCK_FRAMES, mixer.remaining_frames if rings else score.least_frames - at)
        if frames <= 0:
            return
        while number < len(actions) and actions[number].frame < at + frames:
            action = actions[number]
            if isinstance(action, Stroke):
                mixer.start(action.pad, next(audio), action.frame - at, next(gains, None), action.channel)
            else:
                mixer.fade(action.pads, action.seconds, action.frame - at, action.channel, action.younger)
            number += 1
        yield at, frames
        at += frames
