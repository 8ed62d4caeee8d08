"""Judges `slice`: loops that are rendered here, cut, and compared with what was played."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import mido
import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.inference.drum_cache import CachedSpec
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import BUILT_IN, Kit, load_kit
from ghostnote.bridge.kit.overrides import with_settings
from ghostnote.bridge.midi.smf_reader import read_midi
from ghostnote.bridge.render.offline import RenderSettings, render_song
from ghostnote.bridge.tools.slice import Stroke, slice_loop
from ghostnote.models.evaluate.distributions import bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import ToolRow, ToolSplit

_RATE: Final = 44_100
_TOLERANCE_SECONDS: Final = 0.05
_BARS: Final = 2
_PPQ: Final = 480
_GOOD: Final = (0.95, 1.0)
_GROOVES: Final[dict[str, tuple[float, dict[int, str]]]] = {
    "rock": (100, {42: "7.5.7.5.7.5.7.5.", 36: "9.......9.......", 38: "....9.......9..."}),
    "rock with a crash": (
        120,
        {49: "9...............", 42: "....7.5.7.5.7.5.", 36: "9.....7.8.......", 38: "....9.......9.2."},
    ),
    "funk": (96, {42: "7575757575757.7.", 46: ".............7..", 36: "9..6..7...8.....", 38: "....9..3.3..9..3"}),
    "hip-hop": (88, {42: "7.5.7.5.7.5.7577", 36: "9......7..9.....", 38: "....9.......9..."}),
    "ride": (110, {51: "8.6.8.6.8.6.8.6.", 44: "....7.......7...", 36: "9.....6...8.....", 38: "....8..2....8..."}),
    "toms": (120, {36: "9...9...9...9...", 48: "8.77............", 45: "....8.77........", 41: "........8.77.8.8"}),
    "house": (124, {36: "9...9...9...9...", 46: "..8...8...8...8.", 39: "....8.......8...", 42: "7...7...7...7..."}),
    "side stick": (92, {42: "7.6.7.6.7.6.7.6.", 37: "...8..8.....8...", 36: "9..6....9..6...."}),
    "percussion": (105, {56: "8.8.8.8.8.8.8.8.", 64: "..8...88..8...88", 36: "9.......9......."}),
    "fill": (112, {38: "9.7.97799.7.9779", 36: "9.......9.......", 49: "9..............."}),
}
"""Each one's tempo, and a line a note: a character a sixteenth, 9 the hardest."""
_BACKBEATS: Final = ("rock", "rock with a crash", "funk", "hip-hop")

Played = list[tuple[float, str]]


def judge_slice(split: ToolSplit, tick: Tick) -> Iterator[ToolRow]:
    """Return the rows: F-measures of onsets and of classes, over grooves and the kits that come along."""
    cases = [(name, kit) for kit in BUILT_IN for name in _GROOVES]
    onsets: list[float] = []
    classes: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for done, (name, kit) in enumerate(cases):
            tick(done, len(cases))
            audio, played = _render(name, with_settings(load_kit(kit), steps=1), Path(folder))
            strokes = slice_loop(audio, _RATE)
            times = sorted({seconds for seconds, _ in played})
            pairs = _pairs(times, strokes)
            onsets.append(2 * len(pairs) / (len(times) + len(strokes)))
            wanted = [{drum for at, drum in played if at == time} for time, _ in pairs]
            right = sum(len(drums & set(stroke.classes)) for drums, (_, stroke) in zip(wanted, pairs, strict=True))
            found = sum(len(stroke.classes) for stroke in strokes)
            classes.setdefault(name, []).append(2 * right / (len(set(played)) + found))
    every = [value for values in classes.values() for value in values]
    yield ToolRow("slice", "onsets within 50 ms, F-measure", bootstrap(onsets, "mean"), _GOOD, digits=3)
    yield ToolRow("slice", "classes, F-measure", bootstrap(every, "mean"), _GOOD)
    backbeats = [value for name in _BACKBEATS for value in classes[name]]
    yield ToolRow("slice", "classes, F-measure: kick, snare, hats and crash", bootstrap(backbeats, "mean"), _GOOD)


def _render(name: str, kit: Kit, folder: Path) -> tuple[NDArray[np.float32], Played]:
    """Return a groove as sound, and what is played in it: when, and which class."""
    bpm, lines = _GROOVES[name]
    marks = [
        ((bar * 16 + step) * _PPQ // 4, note, 14 * int(line[step]) + 1)
        for bar in range(_BARS)
        for note, line in lines.items()
        for step in range(16)
        if line[step] != "."
    ]
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))])
    now = 0
    for tick, note, velocity in sorted(marks):
        track.append(mido.Message("note_on", channel=9, note=note, velocity=velocity, time=tick - now))
        now = tick
    song, mix = folder / "song.mid", folder / "mix.wav"
    mido.MidiFile(ticks_per_beat=_PPQ, tracks=[track]).save(song)
    render_song(read_midi(song, _RATE), kit, CachedSpec(SourceSpec(None, _RATE)), mix, RenderSettings(jobs=1))
    drums = {note: kit.pad_for_note(note) for note in lines}
    played = [(tick / _PPQ * 60 / bpm, pad.drum_class) for tick, note, _ in marks if (pad := drums[note])]
    return read_audio(mix)[0], played


def _pairs(times: Sequence[float], strokes: Sequence[Stroke]) -> list[tuple[float, Stroke]]:
    """Return each time that was played with the stroke found nearest to it, within the tolerance, each once."""
    left, pairs = [*strokes], []
    for time in times:
        near = min(left, key=lambda stroke: abs(stroke.start / _RATE - time), default=None)
        if near is not None and abs(near.start / _RATE - time) <= _TOLERANCE_SECONDS:
            left.remove(near)
            pairs.append((time, near))
    return pairs
