import itertools
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from live_fakes import FAKES, until
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.errors import GhostnoteError, InputError, ModelError, OutputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import Kit, Pad, default_kit
from ghostnote.bridge.midi.demo_groove import groove
from ghostnote.bridge.midi.events import Event, NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.render.offline import RenderReport, RenderSettings, render_song
from ghostnote.bridge.render.workers import Audio, Request, auto_jobs, stroke_results

RATE = 8_000
KIT = Kit(
    "test",
    1,
    (
        Pad("Kick", (36,), "kick", seed=1, gain_db=-12),
        Pad("Snare / rim: 1", (38, 40), "snare", seed=2, gain_db=-15, pan=0.4),
        Pad("Hat", (42,), "closed_hat", seed=3, gain_db=-20, pan=-1, choke="hats"),
        Pad("Cowbell", (56,), "perc", seed=4),
    ),
)


class Noise(StrokeByStroke):
    """A burst of noise that decays over a second, another for every stroke."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        draw = np.random.default_rng((pad.seed, index, velocity))
        decay = np.exp(-np.arange(RATE) / RATE * 9)
        return (draw.uniform(-1, 1, (2, RATE)) * decay * velocity / 127).astype(np.float32)


class Failing(Noise):
    def __init__(self, how: str) -> None:
        self.how = how

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        if index == 5:
            if self.how == "dies":
                os._exit(3)
            raise {"interrupt": KeyboardInterrupt(), "model": ModelError("the model is damaged")}[self.how]
        return super().stroke(pad, index, velocity)


class Slow(Noise):
    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        time.sleep(0.05)
        return super().stroke(pad, index, velocity)


@dataclass(frozen=True)
class Spec:
    how: str = ""

    def open(self) -> Noise:
        return {"": Noise, "slow": Slow}[self.how]() if self.how in ("", "slow") else Failing(self.how)


def song(seconds: float = 3.0, notes: tuple[int, ...] = (36, 42, 38, 42), every: int = 1000) -> MidiSong:
    end = round(seconds * RATE)
    events: tuple[Event, ...] = tuple(
        NoteOn(frame, notes[i % len(notes)], 30 + i * 7 % 98) for i, frame in enumerate(range(0, end, every))
    )
    return MidiSong(events, end, RATE, 480)


def render(folder: Path, played: MidiSong | None = None, spec: Spec | None = None, **settings: object) -> RenderReport:
    chosen = RenderSettings(**{"jobs": 1, "stems": folder / "stems", **settings})  # type: ignore[arg-type]
    return render_song(played or song(), KIT, spec or Spec(), folder / "mix.wav", chosen)


def sound_files(folder: Path) -> set[str]:
    """Return the names of the visible files in a folder."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def bytes_of(report: RenderReport) -> list[bytes]:
    return [path.read_bytes() for path in (report.mix, *report.stems)]


def folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def test_the_same_bytes_whatever_the_jobs(tmp_path: Path) -> None:
    one = render(folder(tmp_path, "1"), bits=16)
    again = render(folder(tmp_path, "2"), bits=16)
    three = render(folder(tmp_path, "3"), bits=16, jobs=3)
    assert bytes_of(one) == bytes_of(again) == bytes_of(three)
    assert len(one.stems) == 3


def test_stems_sum_to_the_mix_before_the_limiter(tmp_path: Path) -> None:
    report = render(tmp_path, limiter=False)
    mix = read_audio(report.mix)[0]
    stems = [read_audio(path)[0] for path in report.stems]
    assert {stem.shape for stem in stems} == {mix.shape}
    error = np.abs(np.sum(stems, axis=0) - mix).max() / np.abs(mix).max()
    assert 20 * np.log10(error) < -90


def test_stems_are_named_by_place_pad_and_note_and_silent_pads_skipped(tmp_path: Path) -> None:
    names = [path.name for path in render(tmp_path).stems]
    assert names == ["01_Kick_36.wav", "02_Snare_rim_1_38.wav", "03_Hat_42.wav"]
    assert sorted(sound_files(tmp_path / "stems")) == names


def test_stems_take_the_mix_s_format(tmp_path: Path) -> None:
    settings = RenderSettings(stems=tmp_path / "stems", jobs=1)
    report = render_song(song(), KIT, Spec(), tmp_path / "mix.FLAC", settings)
    assert [path.suffix for path in report.stems] == [".flac"] * 3
    assert {read_audio(path)[0].shape for path in (report.mix, *report.stems)} == {(2, round(report.seconds * RATE))}


def test_every_note_has_a_hit_of_its_own_at_its_frame(tmp_path: Path) -> None:
    played = MidiSong((NoteOn(100, 36, 127), NoteOn(2 * RATE, 36, 127)), 4 * RATE, RATE, 480)
    audio = read_audio(render(tmp_path, played, limiter=False, bits=32).mix)[0]
    source, gain = Noise(), 10 ** (-12 / 20)
    for index, at in enumerate((100, 2 * RATE)):
        np.testing.assert_allclose(audio[:, at : at + RATE], source.stroke(KIT.pads[0], index, 127) * gain, atol=1e-6)
    assert not audio[:, :100].any()


def test_the_limiter_delays_nothing_and_touches_no_quiet_mix(tmp_path: Path) -> None:
    quiet = render(folder(tmp_path, "1"))
    assert bytes_of(quiet) == bytes_of(render(folder(tmp_path, "2"), limiter=False))
    assert quiet.limited_db == 0


def test_a_loud_mix_is_limited_and_without_the_limiter_told_to_clip(tmp_path: Path) -> None:
    loud = song(notes=(56, 56, 56), every=200)
    report = render(folder(tmp_path, "1"), loud, stems=None)
    assert report.peak_dbfs <= -0.99
    assert report.limited_db > 1
    report = render(folder(tmp_path, "2"), loud, limiter=False, stems=None)
    assert "mix.wav is clipped in" in report.warnings[0]
    assert render(folder(tmp_path, "3"), loud, limiter=False, stems=None, bits=32).warnings == ()


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_stems_that_would_clip_are_softer_alike(tmp_path: Path, suffix: str) -> None:
    loud = song(notes=(56, 36), every=200)

    def stems(name: str, bits: int) -> tuple[list[Audio], tuple[str, ...]]:
        settings = RenderSettings(stems=tmp_path / name / "stems", jobs=1, bits=bits)
        mix = folder(tmp_path, name) / f"mix{'.wav' if bits == 32 else suffix}"
        report = render_song(loud, KIT, Spec(), mix, settings)
        return [read_audio(path)[0] for path in report.stems], report.warnings

    (exact, said), (found, warned) = stems("32", 32), stems("24", 24)
    peak = max(np.abs(stem).max() for stem in exact)
    assert peak > 1
    assert said == ()
    assert f"all stems are {20 * np.log10(peak):.1f} dB softer" in warned[0]
    for softer, loudest in zip(found, exact, strict=True):
        np.testing.assert_allclose(softer, loudest * 0.9999 / peak, atol=1e-6)


def test_a_folder_of_stems_holds_those_of_this_song(tmp_path: Path) -> None:
    render(tmp_path)
    mine = {"notes.txt", "03_Snare_38.wav", "01_Vocals_2.wav"}
    for name in mine:
        (tmp_path / "stems" / name).write_text("mine")
    report = render(tmp_path, song(notes=(36,)))
    assert sound_files(tmp_path / "stems") == {report.stems[0].name} | mine


def test_an_earlier_stem_that_the_kit_plays_now_stays(tmp_path: Path) -> None:
    earlier = render(tmp_path).stems
    (tmp_path / "stems" / ".ghostnote-stems").write_text("\n".join(["..", "", *(path.name for path in earlier)]))
    kit = replace(KIT, pads=(replace(KIT.pads[0], hit=earlier[1]),))
    settings = RenderSettings(stems=tmp_path / "stems", jobs=1)
    report = render_song(song(notes=(36,)), kit, Spec(), tmp_path / "mix.wav", settings)
    assert sound_files(tmp_path / "stems") == {report.stems[0].name, earlier[1].name}


def test_stems_go_into_no_folder_of_sound_files_that_no_render_wrote(tmp_path: Path) -> None:
    (tmp_path / "stems").mkdir()
    (tmp_path / "stems" / "vocals.wav").write_text("mine")
    with pytest.raises(OutputError, match=r"stems: vocals.wav in it is no stem .*; name another folder, or move"):
        render(tmp_path, song(notes=(36,)))
    assert [path.name for path in tmp_path.rglob("*.wav")] == ["vocals.wav"]
    (tmp_path / "stems" / "vocals.wav").rename(tmp_path / "stems" / "notes.txt")
    (stem,) = render(tmp_path, song(notes=(36,))).stems
    (tmp_path / "stems" / ".ghostnote-stems").write_text("01_Other_35.wav")
    with pytest.raises(OutputError, match=f"stems: {stem.name} in it is no stem"):
        render(tmp_path, song(notes=(36,)))


def test_the_mix_may_lie_among_its_stems(tmp_path: Path) -> None:
    settings = RenderSettings(stems=tmp_path, jobs=1)
    (tmp_path / "mix.wav").write_text("an earlier mix")
    report = render_song(song(notes=(36,)), KIT, Spec(), tmp_path / "mix.wav", settings)
    assert sound_files(tmp_path) == {"mix.wav", report.stems[0].name}


def test_several_notes_of_a_pad_at_one_instant_are_one_stroke(tmp_path: Path) -> None:
    together = [NoteOn(0, 38, 50), NoteOn(0, 40, 90), NoteOn(0, 38, 90), NoteOn(0, 36, 20), NoteOn(90, 38, 50)]
    report = render(folder(tmp_path, "1"), MidiSong(tuple(together), RATE, RATE, 480))
    assert report.strokes == {"Kick": 1, "Snare / rim: 1": 2}
    assert report.warnings == ("2 notes come with another of the same pad: one stroke, the louder",)
    alone = [NoteOn(0, 40, 90), NoteOn(0, 36, 20), NoteOn(90, 38, 50)]
    assert bytes_of(report) == bytes_of(render(folder(tmp_path, "2"), MidiSong(tuple(alone), RATE, RATE, 480)))


def test_the_last_hit_rings_out(tmp_path: Path) -> None:
    report = render(tmp_path, MidiSong((NoteOn(RATE, 36, 90),), RATE, RATE, 480))
    assert report.seconds == 2
    assert read_audio(report.mix)[0].shape == (2, 2 * RATE)


def test_a_song_longer_than_its_hits_keeps_its_length(tmp_path: Path) -> None:
    assert render(tmp_path, MidiSong((NoteOn(0, 36, 90),), 5 * RATE, RATE, 480)).seconds == 5


@pytest.mark.parametrize("tail", [0.0, 0.3, 2.5])
def test_a_set_tail_ends_there_in_silence(tmp_path: Path, tail: float) -> None:
    late = NoteOn(RATE - 40, 36, 127)
    report = render(tmp_path, MidiSong((NoteOn(0, 38, 127), late), RATE, RATE, 480), tail_seconds=tail, bits=32)
    audio = read_audio(report.mix)[0]
    assert audio.shape == (2, RATE + round(tail * RATE))
    assert np.abs(audio[:, -1]).max() < 0.01
    assert np.abs(audio[:, RATE - 40 : RATE]).max() > 0.03


def test_a_tail_that_leaves_no_note_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ends before its first note"):
        render(tmp_path, MidiSong((NoteOn(0, 36, 90),), 0, RATE, 480), tail_seconds=0.0)


def test_the_report_counts(tmp_path: Path) -> None:
    report = render(tmp_path, song(notes=(36, 99, 42, 98, 99)))
    assert report.strokes == {"Kick": 5, "Hat": 5}
    assert report.unmapped == {98: 5, 99: 9}
    assert report.notes == 10
    peak = np.abs(read_audio(report.mix)[0]).max()
    assert report.peak_dbfs == pytest.approx(20 * np.log10(peak), abs=0.05)
    assert -60 < report.loudness_lufs < 0
    assert report.realtime_factor > 0


def test_a_kit_that_plays_nothing_of_the_song_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plays none of the song's notes \(99\)"):
        render(tmp_path, song(notes=(99,)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("how", "error"), [("interrupt", KeyboardInterrupt), ("model", ModelError)])
def test_an_interruption_leaves_nothing(tmp_path: Path, how: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        render(tmp_path, spec=Spec(how))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tail", [None, 0])
def test_half_an_hour_of_silence_at_the_end_is_left_out_unless_asked_for(tmp_path: Path, tail: float | None) -> None:
    notes = tuple(NoteOn(frame * RATE, 36, 90) for frame in (0, 1, 90, 91))
    report = render(tmp_path, MidiSong(notes, 1800 * RATE, RATE, 480), tail_seconds=tail, stems=None)
    assert report.seconds == (1800 if tail == 0 else pytest.approx(92, abs=1))
    assert [warning for warning in report.warnings if "1708 s of silence" in warning] == list(report.warnings)
    assert len(report.warnings) == (tail is None)


def test_what_cannot_fit_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = MidiSong((NoteOn(0, 36, 90), NoteOn(30 * 3600 * RATE, 36, 90)), 30 * 3600 * RATE, RATE, 480)
    for name, reason in (("mix.aiff", "AIFF holds at most 4 GiB"), ("mix.wav", "disk is full: 5184 MB are needed")):
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10**9, total=10**9))
        with pytest.raises(OutputError, match=reason):
            render_song(day, KIT, Spec("model"), tmp_path / "new" / name, RenderSettings(jobs=1))
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_the_old_take_alone(tmp_path: Path) -> None:
    before = bytes_of(render(tmp_path))
    with pytest.raises(ModelError):
        render(tmp_path, spec=Spec("model"))
    assert [path.read_bytes() for path in (tmp_path / "mix.wav", *sorted((tmp_path / "stems").glob("*.wav")))] == before


@pytest.mark.parametrize(("how", "error"), [("dies", "ended from outside"), ("model", "model is damaged")])
def test_a_worker_s_end_and_error_are_told(tmp_path: Path, how: str, error: str) -> None:
    with pytest.raises(GhostnoteError, match=error):
        render(tmp_path, spec=Spec(how), jobs=2)
    assert not list(tmp_path.iterdir())


def test_workers_run_ahead_only_so_far() -> None:
    endless = (Request(KIT.pads[0], index, 90) for index in itertools.count())
    with closing(stroke_results(Spec(), endless, 2)) as strokes:
        for index, audio in enumerate(itertools.islice(strokes, 12)):
            np.testing.assert_array_equal(audio, Noise().stroke(KIT.pads[0], index, 90))


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for mix, stems in (("file/mix.wav", None), ("mix.wav", "file"), ("mix.wav", "file/stems")):
        settings = RenderSettings(stems=tmp_path / stems if stems else None, jobs=1)
        with pytest.raises(OutputError, match="cannot write"):
            render_song(song(), KIT, Spec(), tmp_path / mix, settings)
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_kit_s_own_hit_is_never_overwritten(tmp_path: Path) -> None:
    kit = Kit("test", 1, (Pad("Kick", (36,), "kick", seed=1, hit=tmp_path / "mix.wav"),))
    with pytest.raises(OutputError, match="also read"):
        render_song(song(), kit, Spec(), tmp_path / "mix.wav", RenderSettings(jobs=1))


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    with disk_of(100_000), pytest.raises(OutputError, match="cannot write"):
        render(tmp_path, song(seconds=20))
    assert not list(tmp_path.iterdir())


CTRL_C = """
import signal, sys
# A shell that runs tests in the background has them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[:0] = {tests!r}
from pathlib import Path
import test_offline_render as t
if __name__ == "__main__":
    Path({folder!r}, "started").touch()
    try:
        t.render(Path({folder!r}), t.song(seconds=600), t.Spec("slow"), jobs=2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_ctrl_c_ends_the_workers_without_a_word_and_leaves_nothing(tmp_path: Path) -> None:
    take = folder(tmp_path, "take")
    script = tmp_path / "script.py"
    script.write_text(CTRL_C.format(tests=[FAKES, str(Path(__file__).parent)], folder=str(take)))
    with subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            # The first part of a take shows that the render is under way.
            until(lambda: list(take.glob(".ghostnote-*")), 120)
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == 130
            assert process.stderr is not None
            assert process.stderr.read() == b""
        finally:
            process.kill()
    assert [path.name for path in take.iterdir()] == ["started"]


FROZEN = """
import multiprocessing, os, signal, sys, threading, time
sys.path[:0] = {tests!r}
import test_offline_render as t
def ended(*_):
    raise KeyboardInterrupt
def freeze():
    while not multiprocessing.active_children():
        time.sleep(0.05)
    time.sleep(4)  # Until they are at work.
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGTERM)
if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended)
    threading.Thread(target=freeze).start()
    try:
        t.render(t.Path({folder!r}), t.song(seconds=600), t.Spec("slow"), jobs=2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_a_frozen_worker_does_not_hold_off_sigterm(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(FROZEN.format(tests=[FAKES, str(Path(__file__).parent)], folder=str(tmp_path)))
    with subprocess.Popen([sys.executable, script], stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            assert process.wait(60) == 130
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_few_strokes_need_no_other_process() -> None:
    assert auto_jobs(30) == 1


def test_the_groove_is_four_bars_that_the_default_kit_plays() -> None:
    played = groove(RATE, tempo_bpm=120)
    frames = [event.frame for event in played.events]
    assert frames[-1] == 8 * RATE == played.end_frame - RATE // 2
    assert {event.note for event in played.events if isinstance(event, NoteOn)} >= {36, 38, 42, 44, 46, 49, 41, 45, 48}
    kit = default_kit()
    assert all(kit.pad_for_note(event.note) for event in played.events if isinstance(event, NoteOn))
    velocities = {event.velocity for event in played.events if isinstance(event, NoteOn) and event.note == 38}
    assert min(velocities) < 20
    assert max(velocities) > 100


def test_the_groove_is_in_order() -> None:
    frames = [event.frame for event in groove(RATE).events]
    assert frames == sorted(frames)
