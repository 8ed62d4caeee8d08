"""Songs and sessions as other programs send them: a General MIDI song, and an e-drum's playing, offline and live."""

from pathlib import Path

import mido
import numpy as np
import pytest
from live_fakes import Noise
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Kit, Pad, default_kit
from ghostnote.bridge.kit.note_map import load_map, with_map
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.midi.channels import drums_of
from ghostnote.bridge.midi.note_input import NoteInput
from ghostnote.bridge.midi.smf_reader import read_midi
from ghostnote.bridge.render.offline import RenderReport, RenderSettings, render_song
from ghostnote.bridge.render.workers import Audio

RATE = 8_000
TICKS = 480
BLOCK = 64


class Level(StrokeByStroke):
    """Strokes of a second, of another level for each file that they may start from, and for each other pad."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        level = sum(map(ord, "".join(file.name for file in pad.files) or pad.name)) % 97 + 1
        return np.full((2, RATE), level / 1000, np.float32)

    def open(self) -> "Level":
        return self


class Bursts(Noise):
    def open(self) -> "Bursts":
        return self


def save(path: Path, *tracks: list[mido.Message]) -> Path:
    file = mido.MidiFile(ticks_per_beat=TICKS)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    file.save(path)
    return path


def drums(bars: int = 2) -> list[mido.Message]:
    """A bar of eighths on the hat, with kicks and snares; each at 120 beats a minute."""
    track = []
    for eighth in range(8 * bars):
        notes = [42, *([36] if eighth % 4 == 0 else [38] if eighth % 4 == 2 else [])]
        for place, note in enumerate(notes):
            time = TICKS // 2 if eighth and not place else 0
            track.append(mido.Message("note_on", channel=9, note=note, velocity=90, time=time))
    return track


def part(channel: int) -> list[mido.Message]:
    """A part of an instrument, on notes that would be drums."""
    notes = [mido.Message("program_change", channel=channel, program=channel * 3)]
    notes.append(mido.Message("control_change", channel=channel, control=4, value=127))
    for number in range(16):
        note = 35 + (number * (channel + 1)) % 40
        notes.append(mido.Message("note_on", channel=channel, note=note, velocity=70, time=60))
        notes.append(mido.Message("note_off", channel=channel, note=note, time=60))
    notes += [
        mido.Message("aftertouch", channel=channel, value=99),
        mido.Message("pitchwheel", channel=channel, pitch=9),
    ]
    return notes


def rendered(path: Path, kit: Kit, source: StrokeByStroke) -> tuple[RenderReport, Audio, str]:
    song, said = drums_of(read_midi(path, RATE))
    mix = path.with_suffix(".wav")
    settings = RenderSettings(bits=32, jobs=1, limiter=False, stems=path.parent / "stems")
    report = render_song(song, kit, source, mix, settings)  # type: ignore[arg-type]
    return report, read_audio(mix)[0], said


def test_of_a_general_midi_song_with_eight_channels_the_drums_alone_are_rendered(tmp_path: Path) -> None:
    others = [part(channel) for channel in (0, 1, 2, 3, 4, 5, 6)]
    full, full_audio, said = rendered(save(tmp_path / "full.mid", *others, drums()), default_kit(), Bursts())
    assert said == (
        "channel 10 alone is played, General MIDI's drums: 112 notes of others are left out; --channel all plays them"
    )
    assert sum(full.strokes.values()) == 16 + 4 + 4
    assert full.warnings == ()
    alone, alone_audio, said = rendered(save(tmp_path / "alone.mid", drums()), default_kit(), Bursts())
    assert said == ""
    assert full.strokes == alone.strokes
    common = min(full_audio.shape[1], alone_audio.shape[1])
    assert (full_audio[:, :common] == alone_audio[:, :common]).all()


def e_drum_kit(folder: Path) -> Kit:
    for name in ("shut", "half", "open", "centre", "edge"):
        (folder / name).touch()
    opennesses, positions = (("shut", 0.0), ("half", 0.5), ("open", 1.0)), (("centre", 0.0), ("edge", 1.0))
    hat = tuple(PadHit(folder / name, openness=(at, at)) for name, at in opennesses)
    snare = tuple(PadHit(folder / name, position=(at, at)) for name, at in positions)
    return Kit(
        "e-drum",
        1,
        (
            Pad("Kick", (36,), "kick"),
            Pad("Snare", (38,), "snare", hits=snare),
            Pad("Hat", (42, 46), "open_hat", hits=hat, choke="hats"),
            Pad("Crash", (49,), "crash"),
        ),
    )


def control(number: int, value: int) -> bytes:
    return bytes((0xB9, number, value))


def note(number: int, velocity: int = 100) -> bytes:
    return bytes((0x99, number, velocity))


SESSION: list[tuple[int, bytes]] = [
    *((at, control(4, value)) for at, value in ((0, 0), (900, 64), (1_900, 127))),
    # The edge of the hi-hat: open, half open and closed, by the pedal.
    *((at, note(26)) for at in (10, 1_000, 2_000)),
    # A pad that triggers twice, once within a block and once across two.
    *((at, note(36, velocity)) for at, velocity in ((100, 80), (110, 100), (3_200 - 2, 100), (3_200 + 9, 30))),
    # The snare's centre, its edge, and its rim.
    *((at, control(16, value)) for at, value in ((300, 0), (500, 120))),
    *((at, note(38)) for at in (301, 501)),
    (700, note(40)),
    # Crashes: pressed, and then let ring while all keys are let go.
    (1_200, note(49)),
    (1_300, note(55)),
    (1_500, bytes((0xA9, 36, 90))),
    (1_600, bytes((0xA9, 49, 127))),
    (1_601, bytes((0xA9, 49, 0))),
    (4_000, note(49)),
    (4_100, control(123, 0)),
    # Notes that the kit has no pad for.
    *((at, note(number)) for at, number in ((4_200, 54), (4_300, 100), (4_400, 100))),
]


def session_file(path: Path) -> Path:
    """Write the session with a tick a frame."""
    file = mido.MidiFile(ticks_per_beat=RATE // 2)
    track, now = mido.MidiTrack(), 0
    for at, message in sorted(SESSION):
        track.append(mido.Message.from_bytes(message, time=at - now))
        now = at
    file.tracks.append(track)
    file.save(path)
    return path


def test_an_e_drum_s_session_renders_with_openness_pressure_positions_and_double_triggers(tmp_path: Path) -> None:
    kit = with_map(e_drum_kit(tmp_path), load_map("roland"))
    report, _, _ = rendered(session_file(tmp_path / "session.mid"), kit, Level())
    assert report.strokes == {"Kick": 2, "Snare": 3, "Hat": 3, "Crash": 3}
    assert report.unmapped == {54: 1, 100: 2}
    assert report.warnings == ("2 notes come with another of the same pad: one stroke, the louder",)
    kick, crash, snare, hat = (
        read_audio(next((tmp_path / "stems").glob(f"*{name}*.wav")))[0][0] for name in ("Kick", "Crash", "Snare", "Hat")
    )
    # Pressed crashes fade; letting all keys go cuts nothing, and pressure on a kick neither.
    assert not crash[1_600 + round(0.068 * RATE) + 1 : 4_000].any()
    assert crash[4_100 : 4_000 + RATE] == pytest.approx(crash[4_000])
    assert crash[4_000] > 0
    assert kick[200] == pytest.approx(kick[3_000])
    # Another sound for each openness, and for each position.
    assert len({hat[at] for at in (20, 1_010, 2_010)}) == 3
    assert snare[480] != snare[650] - snare[480]


def test_an_e_drum_s_session_sounds_the_same_live_as_in_a_render(tmp_path: Path) -> None:
    kit = e_drum_kit(tmp_path)
    session = Session(kit, RATE, None, limiter=False)
    session.note_input = NoteInput(9, load_map("roland"))
    for queue in session.pool.queues:
        for _ in range(4):
            # At the session's own velocity, so that none is brought to another level.
            request = queue.request(4)
            queue.put(request, Level().stroke(request.pad, request.index, request.velocity))
            queue.finish(request)
    parts = []
    for start in range(0, 12 * RATE // 5, BLOCK):
        exact = tuple(
            (at - start, command)
            for at, message in sorted(SESSION)
            if start <= at < start + BLOCK
            for command in session.commands(message)
        )
        parts.append(session.engine.render(BLOCK, start / RATE, exact).copy())
    live = np.concatenate(parts, axis=1)
    _, offline, _ = rendered(session_file(tmp_path / "session.mid"), with_map(kit, load_map("roland")), Level())
    common = min(live.shape[1], offline.shape[1])
    # The strokes of one level: where the offline ones sound, the live ones do, at the level of their velocity.
    assert np.array_equal(live[0, :common] > 1e-9, offline[0, :common] > 1e-9)
    assert session.engine.counts["double"] == 2
    assert session.engine.counts["fresh"] == 2 + 3 + 3 + 3
    assert dict(session.setup.performer.unmapped) == {54: 1, 100: 2}
