from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.dsp.effects import Effect, Slot
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.render import offline
from ghostnote.bridge.render.offline import RenderReport, RenderSettings, render_song
from ghostnote.bridge.render.workers import Audio

RATE = 8_000
PADS = (Pad("Kick", (36,), "kick", seed=1, gain_db=-12), Pad("Snare", (38,), "snare", seed=2, gain_db=-12, pan=0.4))
SONG = MidiSong(tuple(NoteOn(at, (36, 38)[at // 1000 % 2], 100) for at in range(0, 20_000, 1000)), 20_777, RATE, 480)


class Noise(StrokeByStroke):
    """A burst of noise of half a second."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        noise = np.random.default_rng((pad.seed, index)).uniform(-0.5, 0.5, (2, RATE // 2))
        return (noise * np.linspace(1, 0, RATE // 2) ** 3).astype(np.float32)


@dataclass(frozen=True)
class Spec:
    def open(self) -> Noise:
        return Noise()


def kit(kick: tuple[Effect, ...] = (), mix: tuple[Effect, ...] = ()) -> Kit:
    return Kit("test", 1, (replace(PADS[0], effects=kick), PADS[1]), effects=mix)


def render(folder: Path, played: Kit, **settings: object) -> RenderReport:
    folder.mkdir()
    chosen = RenderSettings(**{"jobs": 1, "stems": folder / "stems", "bits": 32, **settings})  # type: ignore[arg-type]
    return render_song(SONG, played, Spec(), folder / "mix.wav", chosen)


def sounds(report: RenderReport) -> list[Audio]:
    """Return the mix and the stems."""
    return [read_audio(path)[0] for path in (report.mix, *report.stems)]


ALL = (
    Effect("highpass"),
    Effect("compressor", (("threshold_db", -20.0), ("ratio", 4.0))),
    Effect("chorus"),
    Effect("reverb", (("room_size", 0.2),)),
)


def test_effects_render_the_same_bytes_whatever_the_jobs_and_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = kit(ALL, ALL)
    reports = [render(tmp_path / "1", made), render(tmp_path / "2", made, jobs=2)]
    for block in (512, 2048, 8192):
        monkeypatch.setattr(offline, "BLOCK_FRAMES", block)
        reports.append(render(tmp_path / str(block), made))
    assert len({report.mix.read_bytes() for report in reports}) == 1
    assert len({report.stems[0].read_bytes() for report in reports}) == 1


def test_a_pad_s_effects_are_in_its_stem_and_those_of_the_mix_in_the_mix_alone(tmp_path: Path) -> None:
    _, kick, snare = sounds(render(tmp_path / "dry", kit(), limiter=False))
    gain = (Effect("gain", (("gain_db", -20.0),)),)
    mix, quiet, same = sounds(render(tmp_path / "wet", kit(gain, gain), limiter=False))
    length = kick.shape[1]
    np.testing.assert_allclose(quiet[:, :length], kick / 10, atol=1e-6)
    np.testing.assert_array_equal(same[:, :length], snare)
    np.testing.assert_allclose(mix, (quiet + same) / 10, atol=1e-6)


def test_a_reverb_rings_out_and_a_set_tail_ends_in_silence(tmp_path: Path) -> None:
    room = kit(mix=(Effect("reverb", (("room_size", 0.9), ("wet_level", 0.8))),))
    dry, wet = render(tmp_path / "dry", kit()), render(tmp_path / "wet", room)
    assert wet.seconds > dry.seconds + 1
    end = sounds(wet)[0][:, -RATE // 10 :]
    assert np.abs(end).max() < 10 ** (-95 / 20)
    cut = render(tmp_path / "cut", room, tail_seconds=0.1)
    (mix, *stems) = sounds(cut)
    assert {stem.shape for stem in stems} == {mix.shape}
    assert mix.shape[1] == SONG.end_frame + RATE // 10
    assert np.abs(mix[:, -300:-200]).max() > 1e-3
    assert np.abs(mix[:, -2:]).max() < 1e-3


def test_the_latency_of_effects_is_compensated_in_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(Slot):
        def __init__(self, effect: Effect, rate: int) -> None:
            self.latency_frames = self.hold_frames = int(dict(effect.values)["gain_db"])
            self._held = np.zeros((2, self.latency_frames), np.float32)

        def process(self, audio: Audio) -> None:
            joined = np.concatenate((self._held, audio), axis=1)
            audio[:], self._held = joined[:, : audio.shape[1]], joined[:, audio.shape[1] :]

    dry = sounds(render(tmp_path / "dry", kit()))
    monkeypatch.setattr("ghostnote.bridge.dsp.effect_rack.Slot", Late)
    late = kit((Effect("gain", (("gain_db", 300.0),)),), (Effect("gain", (("gain_db", 77.0),)),))
    wet = sounds(render(tmp_path / "wet", late))
    assert len({sound.shape for sound in wet}) == 1
    for before, after in zip(dry, wet, strict=True):
        np.testing.assert_allclose(after[:, : before.shape[1]], before, atol=1e-6)
        assert not after[:, before.shape[1] :].any()


def test_an_effect_that_fails_ends_the_render_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("out of sorts")

    monkeypatch.setattr(Slot, "process", fail)
    with pytest.raises(InputError, match="pad 'Kick': effect 1, gain, is bypassed, as it fails: out of sorts"):
        render(tmp_path / "out", kit((Effect("gain"),)))
    assert not (tmp_path / "out" / "mix.wav").exists()
