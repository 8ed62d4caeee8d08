import os
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from live_fakes import KIT, RATE, FakeSpec, Noise, fill, level_hit, running, until
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.bench.rig import Daemon, DaemonSetup
from ghostnote.bridge.errors import InputError, MidiFileError, OutputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.commands import Play
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.status import facts
from ghostnote.bridge.live.take import recorder as take_recorder
from ghostnote.bridge.live.take.format import MARK, TakeStroke, is_take, read_take
from ghostnote.bridge.live.take.recorder import TakeRecorder, TakeSaver
from ghostnote.bridge.live.take.render import render_take
from ghostnote.bridge.midi.events import Aftertouch, NoteOn, Silence
from ghostnote.bridge.midi.smf_reader import read_midi
from ghostnote.bridge.render.offline import RenderSettings
from ghostnote.bridge.render.performer import Fade

BLOCK = 64


def played(path: Path, limiter: bool = True, rate: int = RATE) -> tuple[np.ndarray, Session]:
    """Play chokes, a dry pool, changed settings and another kit; return the sound."""
    recorder = TakeRecorder(path, rate, limiter)
    now = [0.0]
    made = Session(KIT, rate, None, limiter, recorder, clock=lambda: now[0])
    fill(made.pool, 2)
    parts = []
    draw = np.random.default_rng(5)
    for n in range(150):
        at = n * BLOCK / rate
        now[0] = at - 0.25 * BLOCK / rate
        for _ in range(int(draw.integers(0, 3))):
            note = int(draw.choice([36, 38, 42, 46, 60]))
            event = Play(NoteOn(0, note, int(draw.integers(1, 128)), n % 2))
            made.engine.post(event, at - draw.uniform(0, BLOCK / rate))
        if n == 60:
            made.set(made.kit.pads[0], "gain", 3)
            made.set(made.kit.pads[1], "amount", 0.5)
            made.set(made.kit.pads[1], "pan", -1)
            fill(made.pool, 1)
        if n == 80:
            made.engine.post(Play(Aftertouch(0, 46, 5)), at - 1e-4)
        if n == 100:
            made.use(Kit("other", 1, (replace(KIT.pads[2], name="Bell", notes=(36,)), KIT.pads[3])))
            fill(made.pool, 3)
        parts.append(made.engine.render(BLOCK, at).copy())
    recorder.save(made.engine.frame)
    return np.concatenate(parts, axis=1), made


def kept(path: Path) -> int:
    """Return how many strokes and fades the file holds."""
    take = read_take(path)
    return len(take.events) if take else 0


@pytest.mark.parametrize("limiter", [True, False])
def test_a_take_renders_to_what_sounded(tmp_path: Path, limiter: bool) -> None:
    path, mix = tmp_path / "take.mid", tmp_path / "mix.wav"
    live, made = played(path, limiter)
    take = read_take(path)
    assert take is not None
    report = render_take(take, FakeSpec(), mix, RenderSettings(bits=32, jobs=1, stems=tmp_path / "stems"))
    again, rate = read_audio(mix)
    late = made.engine.delay_frames
    common = min(live.shape[1] - late, again.shape[1])
    assert rate == RATE
    assert report.notes == len([e for e in take.events if isinstance(e, TakeStroke)]) > 40
    assert np.abs(live[:, late : late + common] - again[:, :common]).max() < 10 ** (-90 / 20)
    assert np.abs(live).max() > 0.1
    assert len(report.stems) == 5


def test_a_take_is_a_song_for_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "take.mid"
    played(path)
    take, song = read_take(path), read_midi(path, RATE)
    assert take is not None
    strokes = [event for event in take.events if isinstance(event, TakeStroke)]
    notes = [event for event in song.events if isinstance(event, NoteOn)]
    assert [note.frame for note in notes] == [stroke.frame for stroke in strokes]
    assert not song.warnings


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_ticks_are_frames_at_every_rate(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "take.mid"
    played(path, rate=rate)
    take, song = read_take(path), read_midi(path, rate)
    assert take is not None
    first = next(event for event in take.events if isinstance(event, TakeStroke))
    assert next(event for event in song.events if isinstance(event, NoteOn)).frame == first.frame


def two_channels(path: Path) -> np.ndarray:
    """Strike two long hits on two channels, fade the first channel's, and return the sound."""
    recorder = TakeRecorder(path, RATE, limiter=False)
    made = Session(KIT, RATE, None, False, recorder)
    for queue in made.pool.queues[:2]:
        level_hit(queue, 0.2, RATE)
    struck = tuple((0, Play(NoteOn(0, note, 122, channel))) for note, channel in ((36, 0), (38, 1)))
    parts = [made.engine.render(BLOCK, 0.0, struck).copy()]
    parts.append(made.engine.render(BLOCK, BLOCK / RATE, ((5, Play(Silence(0, 0))),)).copy())
    parts += [made.engine.render(BLOCK, n * BLOCK / RATE).copy() for n in range(2, RATE // BLOCK)]
    recorder.save(made.engine.frame)
    return np.concatenate(parts, axis=1)


class Level(StrokeByStroke):
    """Long hits of one level, as `two_channels` plays them."""

    def stroke(self, pad: object, index: int, velocity: int) -> np.ndarray:
        return np.full((2, RATE), 0.2, np.float32)

    def open(self) -> "Level":
        return self


def test_a_controller_acts_on_its_own_channel_alone_live_and_in_a_take(tmp_path: Path) -> None:
    live = two_channels(tmp_path / "take.mid")
    # The kick of channel 1 has faded, the snare of channel 2 sounds on.
    assert np.abs(live[0]).max() > np.abs(live[0, -BLOCK:]).min() > 0
    assert np.abs(live[0, -BLOCK:]).max() == pytest.approx(0.2 * 10 ** (-6 / 20) * np.cos(3 * np.pi / 8) * 2**0.5, 1e-4)
    take = read_take(tmp_path / "take.mid")
    assert take is not None
    assert [event.channel for event in take.events] == [0, 1, 0]
    render_take(take, Level(), tmp_path / "mix.wav", RenderSettings(bits=32, jobs=1))
    again, _ = read_audio(tmp_path / "mix.wav")
    assert np.abs(live - again[:, : live.shape[1]]).max() < 10 ** (-90 / 20)


class Zoned(Noise):
    """Another sound for each file that a pad's strokes may start from."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> np.ndarray:
        named = Pad("", (), "", seed=sum(map(ord, "".join(hit.file.name for hit in pad.hits))))
        return super().stroke(named, index, velocity)

    def open(self) -> "Zoned":
        return self


def test_a_take_keeps_openness_and_position_and_renders_to_what_sounded(tmp_path: Path) -> None:
    for name in ("shut", "half", "open", "centre", "edge"):
        (tmp_path / name).touch()
    hat = tuple(
        PadHit(tmp_path / name, openness=(at, at)) for name, at in (("shut", 0.0), ("half", 0.5), ("open", 1.0))
    )
    snare = tuple(PadHit(tmp_path / name, position=(at, at)) for name, at in (("centre", 0.0), ("edge", 1.0)))
    kit = Kit("zones", 1, (replace(KIT.pads[3], hits=hat), replace(KIT.pads[1], hits=snare)))
    recorder = TakeRecorder(tmp_path / "take.mid", RATE, limiter=False)
    made = Session(kit, RATE, None, False, recorder)
    for queue in made.pool.queues:
        request = queue.request(0)
        queue.put(request, Zoned().stroke(request.pad, request.index, request.velocity))
    messages = b"\x99\x2e\x40", b"\xb9\x04\x3c", b"\x99\x2e\x40", b"\xb9\x04\x7f", b"\x99\x2e\x40"
    messages += b"\xb9\x10\x7f", b"\x99\x26\x40", b"\xb9\x10\x00", b"\x99\x26\x40"
    parts = []
    for n, message in enumerate((*messages, *[b""] * 40)):
        exact = tuple((7, command) for command in made.commands(message)) if message else ()
        parts.append(made.engine.render(BLOCK, n * BLOCK / RATE, exact).copy())
    recorder.save(made.engine.frame)
    take = read_take(tmp_path / "take.mid")
    assert take is not None
    played_files = [event.pad.hits[0].file.name for event in take.events if isinstance(event, TakeStroke)]
    assert played_files == ["open", "half", "shut", "edge", "centre"]
    render_take(take, Zoned(), tmp_path / "mix.wav", RenderSettings(bits=32, jobs=1))
    again, live = read_audio(tmp_path / "mix.wav")[0], np.concatenate(parts, axis=1)
    common = min(again.shape[1], live.shape[1])
    assert np.abs(live[:, :common] - again[:, :common]).max() < 10 ** (-90 / 20)


def test_a_take_that_knows_no_channels_loads_and_renders_to_the_same_bytes(tmp_path: Path) -> None:
    played(tmp_path / "take.mid")
    file = mido.MidiFile(tmp_path / "take.mid")
    for message in file.tracks[0]:
        if message.type == "sequencer_specific":
            message.data = tuple(re.sub(rb', "channel": \d+', b"", bytes(message.data)))
    file.save(tmp_path / "old.mid")
    mixes = []
    for name in ("take", "old"):
        take = read_take(tmp_path / f"{name}.mid")
        assert take is not None
        assert ({event.channel for event in take.events} == {None}) == (name == "old")
        render_take(take, FakeSpec(), tmp_path / f"{name}.wav", RenderSettings(jobs=1))
        mixes.append((tmp_path / f"{name}.wav").read_bytes())
    assert mixes[0] == mixes[1]


def test_a_take_of_pads_that_had_neither_kinds_nor_drums_loads(tmp_path: Path) -> None:
    path = marked(tmp_path, lambda text: re.sub(r', "(kind|drum)": null', "", text))
    take = read_take(path)
    assert take is not None
    assert take.kit.pads == KIT.pads[:1]


def test_other_files_are_no_takes(tmp_path: Path) -> None:
    (tmp_path / "x.mid").write_bytes(b"MThd garbage")
    assert read_take(tmp_path / "x.mid") is None
    assert read_take(tmp_path / "missing.mid") is None


def test_a_take_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "take.mid"
    played(path)
    path.write_bytes(path.read_bytes().replace(b'{"take": 1,', b'{"take": 9,'))
    with pytest.raises(MidiFileError, match="later version"):
        read_take(path)


def test_a_take_without_strokes_and_one_without_a_place_are_refused(tmp_path: Path) -> None:
    recorder = TakeRecorder(tmp_path / "take.mid", RATE, limiter=True)
    recorder.save(100)
    take = read_take(tmp_path / "take.mid")
    assert take is not None
    with pytest.raises(InputError, match="no stroke"):
        render_take(take, FakeSpec(), tmp_path / "mix.wav")
    with pytest.raises(OutputError, match="file"):
        TakeRecorder(tmp_path / "take.mid" / "take.mid", RATE, limiter=True)


def test_an_earlier_take_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "new" / "take.mid"
    first, second = (TakeRecorder(path, RATE, limiter=True) for _ in range(2))
    for recorder in (first, first, second, TakeRecorder(path, RATE, limiter=True)):
        recorder.save(100)
    assert first.path == path
    assert second.path == path.with_name("take-2.mid")
    assert sorted(file.name for file in path.parent.iterdir()) == ["take-2.mid", "take-3.mid", "take.mid"]


@pytest.mark.parametrize("how", ["full", "frozen"])
def test_a_take_whose_disk_fails_at_the_end_goes_elsewhere_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    spare, path, thawed = tmp_path / "spare", tmp_path / "take.mid", threading.Event()
    write = take_recorder.write_bytes

    def failing(target: Path, data: bytes) -> None:
        if target == path and how == "frozen":
            thawed.wait(60)
        if target == path:
            raise OutputError(f"cannot write {target}: the disk is full")
        write(target, data)

    monkeypatch.setattr(take_recorder, "write_bytes", failing)
    monkeypatch.setattr(take_recorder, "FROZEN_SECONDS", 0.2)
    monkeypatch.setattr(take_recorder, "spare_folders", lambda: [spare])
    recorder = TakeRecorder(path, RATE, limiter=True)
    ((queue,),) = Pool().use(KIT.pads[:1])
    said: list[str] = []
    with TakeSaver(recorder, lambda: 1000, said.append, said.append):
        recorder.stroke(100, queue.pad, 90, level_hit(queue), (0.5, 0.5))
    thawed.set()
    assert kept(spare / "take.mid") == 1
    assert str(spare / "take.mid") in said[0]


def test_a_take_grows_on_the_disk_while_it_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_recorder, "SAVE_SECONDS", 0.02)
    monkeypatch.setattr(take_recorder, "_MOST_SHARE", 1.0)
    path = tmp_path / "take.mid"
    recorder = TakeRecorder(path, RATE, limiter=True)
    pool = Pool()
    ((queue,),) = pool.use(KIT.pads[:1])
    hit = level_hit(queue)
    said: list[str] = []

    with TakeSaver(recorder, lambda: 1000, said.append, said.append):
        for count in range(1, 4):
            recorder.stroke(100 * count, queue.pad, 90, hit, (0.5, 0.5))
            until(lambda wanted=count: kept(path) == wanted)
        path.unlink()
        path.mkdir()
        recorder.fade(900, (queue.pad.name,), Fade(900, (0,), 0.1))
        until(lambda: said)
        path.rmdir()
    assert kept(path) == 4
    assert "folder" in said[0]
    assert not list(tmp_path.glob(".*"))


def test_no_error_ends_the_thread_that_saves_a_take_and_the_status_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_recorder, "SAVE_SECONDS", 0.02)

    def failing(*_: object) -> None:
        raise RuntimeError("something unforeseen")

    with running(record=tmp_path / "take.mid") as live:
        until(lambda: live.session.pool.ready)
        with monkeypatch.context() as patch:
            patch.setattr(take_recorder, "write_bytes", failing)
            live.session.play(NoteOn(0, 36, 100), 0.0)
            until(lambda: "take: something unforeseen (for " in str(facts(live)["trouble"]))
        # What could not be saved is saved without another note.
        until(lambda: kept(tmp_path / "take.mid") == 1)
        until(lambda: not facts(live)["trouble"])
        assert list(live.session.notices).count("take: something unforeseen") == 1


def test_a_daemon_that_is_killed_loses_seconds_of_its_take(tmp_path: Path) -> None:
    path = tmp_path / "take.mid"
    setup = DaemonSetup(KIT, FakeSpec(), driver="null", processes=1, midi=("tcp:0",), record=path)
    with Daemon(setup) as daemon:
        with socket.create_connection(("127.0.0.1", int(daemon.ask()["midi_port"]))) as line:
            for note in (36, 38, 42, 46):
                line.sendall(bytes((0x99, note, 100)))
            # Those that came just after the file was written come with the next.
            # Four strokes, and what the two hats choke.
            until(lambda: kept(path) == 6, 90)
        daemon.kill()
    take = read_take(path)
    assert take is not None
    report = render_take(take, FakeSpec(), tmp_path / "mix.wav", RenderSettings(jobs=1))
    assert report.notes == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f'"rate": {RATE}', '"rate": 48000000'),
        (f'"rate": {RATE}', '"rate": 1'),
        ('"end": 9600', '"end": 1e300'),
        ('"frame": ', '"frame": 99999999999999'),
        ('"frame": ', '"frame": -1'),
        ('"frame": ', '"channel": 16, "frame": '),
        ('"gains": [0.5', '"gains": [NaN'),
        ('"velocity": ', '"velocity": 1000'),
        ('"steps": ', '"steps": 2000000000'),
        ('"kind": null', '"kind": "gong bath"'),
        ('"drum": null', '"drum": -1'),
        ('"name": "', '"name": "\\u001b[2J'),
    ],
)
def test_a_mark_that_lies_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = marked(tmp_path, lambda text: text.replace(old, new))
    with pytest.raises(MidiFileError, match="the take in it is damaged"):
        read_take(path)


def test_a_take_plays_hits_of_its_own_folder_and_of_its_kits_and_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "takes").mkdir()
    (tmp_path / "kits" / "hits").mkdir(parents=True)
    far, near, kit = tmp_path / "kits" / "hits" / "a.wav", tmp_path / "takes" / "a.wav", tmp_path / "kits" / "kit.toml"
    for path in (far, near, tmp_path / "private.wav"):
        path.write_bytes(b"sound")
    (tmp_path / "takes" / "link.wav").symlink_to(tmp_path / "private.wav")
    os.mkfifo(tmp_path / "takes" / "pipe.wav")

    def hit(name: object, kit: Path | None = None) -> Path | None:
        path = marked(tmp_path / "takes", lambda text: text.replace('"hit": null', f'"hit": "{name}"'))
        assert is_take(path)
        take = read_take(path, kit)
        assert take is not None
        return take.kit.pads[0].hit

    assert hit("a.wav") == hit(near) == near
    assert hit(far, kit) == far
    for name, words in ((far, "--kit KIT.toml"), ("../kits/hits/a.wav", "--kit"), ("link.wav", "lies outside")):
        with pytest.raises(MidiFileError, match=words):
            hit(name)
    for name, words in ((tmp_path / "private.wav", "private.wav lies outside"), ("pipe.wav", "not a file")):
        with pytest.raises(MidiFileError, match=words):
            hit(name, kit)


def test_a_take_holds_the_recorded_strokes_of_its_pads(tmp_path: Path) -> None:
    hits = tuple(PadHit(tmp_path / f"{n}.wav", 1 + 60 * n, 60 + 60 * n, -3.0, tune=n) for n in range(2))
    for each in hits:
        each.file.write_bytes(b"sound")
    pad = replace(KIT.pads[0], hits=hits)
    recorder = TakeRecorder(tmp_path / "take.mid", RATE, limiter=True)
    ((queue,),) = Pool().use([pad])
    recorder.stroke(100, queue.pad, 127, replace(level_hit(queue), pad=pad), (0.5, 0.5))
    recorder.save(9600)
    take = read_take(recorder.path)
    assert take is not None
    assert take.kit.pads == (pad,)
    hits[1].file.unlink()
    with pytest.raises(MidiFileError, match=r"1\.wav is not there any more"):
        read_take(recorder.path)


def marked(folder: Path, change: Callable[[str], str]) -> Path:
    """Write a take of one stroke whose marks are changed, as another program might."""
    recorder = TakeRecorder(folder / "take.mid", RATE, limiter=True)
    pool = Pool()
    ((queue,),) = pool.use(KIT.pads[:1])
    recorder.stroke(100, queue.pad, 127, level_hit(queue), (0.5, 0.5))
    recorder.save(9600)
    file = mido.MidiFile(recorder.path)
    for message in file.tracks[0]:
        if message.type == "sequencer_specific" and bytes(message.data).startswith(MARK):
            text = bytes(message.data)[len(MARK) :].decode()
            message.data = tuple(MARK + change(text).encode())
    file.save(recorder.path)
    return recorder.path
