"""What a soak found, and whether what has to hold held."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pedalboard.io import AudioFile

from ghostnote.bridge.bench.jack_server import RATE
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.bench.soak.music import VELOCITIES, Player
from ghostnote.bridge.bench.soak.provocations import OscFlood
from ghostnote.bridge.bench.soak.watch import Watch
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.live.stock import BUDGET_BYTES
from ghostnote.bridge.live.take.format import TakeStroke, read_take
from ghostnote.bridge.midi.smf_tracks import read_tracks

FLAT_MB: Final = 20.0
DEAF_SECONDS: Final = 2.0
_NOTE_ON: Final = 0x99
_CAUSES: Final = ("the disk is full", "takes nothing")


@dataclass(frozen=True)
class End:
    """How a soak ended."""

    player: Watch
    recorder: Watch
    last: dict[str, Value]
    """The player's status once all was played."""
    last_recorded: dict[str, Value]
    """The recorder's, a moment before it was killed."""
    notes: tuple[Player, Player]
    """Who sent to the player and to the recorder."""
    garbage: Player
    fuzz: Player
    floods: Sequence[OscFlood]
    seconds: float


def figures(end: End, folders: Sequence[Path]) -> list[Measurement]:
    """Return what a soak found; its take and sound files lie in `folders`, some of them unfinished."""
    return [
        Measurement("soak_s", "seconds of sixteenths with all that can go wrong", end.seconds, "s"),
        *_notes(end, folders), *_sound(end, folders), *_memory(end), *_truth(end), *_osc(end),
        Measurement("midi_garbage", "garbage MIDI bytes counted", float(end.last.get("midi_garbage", 0))),
        Measurement("faults", "internal errors in the engine", *_none(end.last["faults"])),
        Measurement("worker_restarts", "workers restarted, of three killed", float(end.last["worker_restarts"])),
        Measurement("device_losses", "devices lost, of one", float(end.last["device_losses"])),
        Measurement("underruns", "underruns", float(end.last["underruns"])),
    ]  # fmt: skip


def _notes(end: End, folders: Sequence[Path]) -> list[Measurement]:
    strokes, music = _take(folders)
    sent, standstill = end.notes[0].sent, _not_played(end.last)
    recorder_played = _played(end.last_recorded) + _not_played(end.last_recorded)
    missing = sent - standstill - music
    return [
        Measurement("notes_sent", "MIDI notes sent", sent),
        Measurement("notes_standstill", "of which came in a standstill, or right after one of their pad", standstill),
        Measurement("notes_missing", "of which else were not played, by the take", missing, "", missing <= 0),
        Measurement("recorder_missing", "of 9 a second beside them, to the file driver",
                    end.notes[1].sent - recorder_played,
                    "", end.notes[1].sent <= recorder_played),
        Measurement("hung_up", "MIDI lines that broke", *_none(end.notes[0].broken + end.notes[1].broken)),
        Measurement("strokes_lost", "strokes played that the take lacks", _played(end.last) - strokes, "",
                    strokes >= _played(end.last)),
    ]  # fmt: skip


def _take(folders: Sequence[Path]) -> tuple[int, int]:
    """Return how many strokes the takes hold, and how many of those are the music's."""
    strokes = music = 0
    for path in _files(folders, "take*.mid"):
        take = read_take(path)
        strokes += sum(isinstance(event, TakeStroke) for event in take.events) if take else 0
        velocities = Counter(m.data[1] for track in read_tracks(path).tracks for m in track if m.status == _NOTE_ON)
        music += sum(velocities[velocity] for velocity in VELOCITIES)
    return strokes, music


def _sound(end: End, folders: Sequence[Path]) -> list[Measurement]:
    """Recover what the killed recorder left, and return how much sound there is."""
    unfinished = len(_files(folders, "sound*-part"))
    for folder in folders:
        command = [sys.executable, "-m", "ghostnote.bridge.cli", "recover", str(folder)]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    files = _files(folders, "sound*.wav")
    recorded = sum(_seconds(path) for path in files)
    said = [notice for notice in end.recorder.notices if any(cause in notice for cause in _CAUSES)]
    played = int(end.last_recorded["frames"]) / RATE
    return [
        Measurement("sound_files", "sound files of the file driver", len(files)),
        Measurement("sound_parts", "of which were recovered after it was killed", unfinished, "", unfinished == 1),
        Measurement("sound_notices", "notices that its disk was full, or took nothing",
                    len(said), "", all(any(cause in notice for notice in said) for cause in _CAUSES)),
        Measurement("sound_lost_s", "seconds of sound played that they lack", max(0.0, played - recorded), "s",
                    recorded >= played),
    ]  # fmt: skip


def _seconds(path: Path) -> float:
    """Return how much sound can be read of a file."""
    with AudioFile(str(path)) as file:
        return sum(iter(lambda: int(file.read(RATE).shape[1]), 0)) / RATE


def _memory(end: End) -> list[Measurement]:
    out = []
    for name, who, watch in (("", "player", end.player), ("recorder_", "recorder", end.recorder)):
        grown, last = watch.grown_mb(), watch.samples[-1]
        out += [
            Measurement(f"{name}memory_mb", f"memory of the {who} and its workers", last.memory_mb, "MB"),
            Measurement(f"{name}pool_mb", f"of which hits in wait, {BUDGET_BYTES >> 20} and those under way at most",
                        last.pool_mb, "MB"),
            Measurement(f"{name}memory_grown_mb",
                        f"the rest: growth from before the first trouble to after the last, to {FLAT_MB:g}",
                        grown, "MB", grown <= FLAT_MB),
        ]  # fmt: skip
    return out


def _truth(end: End) -> list[Measurement]:
    out = []
    for name, watch in (("player", end.player), ("recorder", end.recorder)):
        untruths = watch.untruths()
        text = f"looks at the {name}'s status, in which all is true"
        out += [
            Measurement(f"{name}_looks", text, len(watch.samples), "", not untruths),
            *(Measurement(f"{name}_untruth_{number}", f"  {what}", 1) for number, what in enumerate(untruths, 1)),
        ]
    return out


def _osc(end: End) -> list[Measurement]:
    last = end.last
    return [
        *(Measurement(f"osc_deaf_{number}_s", f"OSC's longest silence after {flood.name}, at most {DEAF_SECONDS:g}",
                      flood.deaf_seconds, "s", flood.deaf_seconds <= DEAF_SECONDS)
          for number, flood in enumerate(end.floods, 1)),
        Measurement("kit_switched", "kits confirmed under the first flood that play", 1, "",
                    last["playing"] == last["kit"] == "Other"),
        Measurement("osc_sent", "random OSC packets sent", end.fuzz.sent),
        Measurement("osc_read", "packets that were read", float(last.get("osc", 0))),
        Measurement("osc_garbage", "of which were no OSC", float(last.get("osc_garbage", 0))),
        Measurement("osc_errors", "errors replied", float(last.get("osc_errors", 0))),
        Measurement("osc_shed", "packets and messages shed", float(last.get("osc_shed", 0))),
        Measurement("notes_waiting", "future notes in wait at most", end.player.most_waiting),
        Measurement("notes_shed", "future notes shed", float(last["shed"])),
        Measurement("osc_faults", "internal errors over OSC", *_none(last.get("osc_faults", 0))),
    ]  # fmt: skip


def _played(status: dict[str, Value]) -> int:
    return sum(int(status[f"notes_{kind}"]) for kind in ("fresh", "fallback", "reused", "frozen"))


def _not_played(status: dict[str, Value]) -> float:
    return float(status["notes_standstill"]) + float(status["notes_double"])


def _none(value: Value) -> tuple[float, str, bool]:
    """Return value, unit and verdict of what must not happen."""
    return float(value), "", not float(value)


def _files(folders: Iterable[Path], pattern: str) -> list[Path]:
    return [path for folder in folders for path in folder.glob(pattern)]
