import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_fakes import KIT, RATE, FakeSpec, fill, running, until

from ghostnote.bridge.dsp.effects import Effect, Slot
from ghostnote.bridge.errors import KitError, MidiFileError
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.commands import Play
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.status import opening
from ghostnote.bridge.live.take.format import TakeEffects, read_take
from ghostnote.bridge.live.take.recorder import TakeRecorder
from ghostnote.bridge.live.take.render import render_take
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.render.offline import RenderSettings

BLOCK = 64
ECHO = Effect("delay", (("delay_seconds", 0.1), ("mix", 0.5)))


def session(recorder: TakeRecorder | None = None, **parts: tuple[Effect, ...]) -> Session:
    names = {"snare": "Snare Drum", "mix": ""}
    kit = KIT.with_effects({names[name]: effects for name, effects in parts.items()})
    made = Session(kit, RATE, None, False, recorder, clock=lambda: 0.0)
    fill(made.pool, 4)
    return made


def render(made: Session, blocks: int) -> np.ndarray:
    engine = made.engine
    return np.concatenate([engine.render(BLOCK, engine.frame / RATE).copy() for _ in range(blocks)], axis=1)


def strike(made: Session, note: int = 38) -> None:
    made.engine.post(Play(NoteOn(0, note, 100)), made.engine.frame / RATE - 1e-4)


def test_a_tail_goes_on_when_a_value_changes_and_pads_keep_to_themselves() -> None:
    made = session(snare=(ECHO,))
    strike(made)
    render(made, 2)
    changed = replace(ECHO, values=(("delay_seconds", 0.1), ("mix", 0.9)))
    made.set_effects(made.kit.pads[1], (changed,), "pad/snare_drum/effect/1/mix", 0.9)
    assert np.abs(render(made, 12)[:, -64:]).max() > 1e-3
    assert [pad.effects for pad in made.kit.pads] == [(), (changed,), (), ()]


def test_a_changed_effect_needs_no_new_stroke() -> None:
    made = session()
    before = made.depths()
    made.set_effects(made.kit.pads[0], (ECHO,), "pad/kick/effects", "")
    assert made.depths() == before
    assert {queue.generation for queue in made.pool.queues} == {0}


def test_an_effect_that_cannot_be_loaded_leaves_all_as_it_is(tmp_path: Path) -> None:
    made = session(snare=(ECHO,))
    kit, queues = made.kit, made.pool.queues
    with pytest.raises(KitError, match=r"pad 'Kick': effect 1, no\.vst3: "):
        made.set_effects(kit.pads[0], (Effect("plugin", file=tmp_path / "no.vst3"),), "pad/kick/effects", "")
    with pytest.raises(KitError):
        made.use(replace(kit, pads=kit.pads[:1], effects=(Effect("plugin", file=tmp_path / "no.vst3"),)))
    assert (made.kit, made.pool.queues) == (kit, queues)


def test_the_echo_of_a_kit_that_leaves_rings_on() -> None:
    made = session(mix=(ECHO,))
    strike(made)
    render(made, 2)
    made.use(replace(KIT, pads=KIT.pads[:1]))
    assert np.abs(render(made, 14)[:, -128:]).max() > 1e-3
    render(made, 100)
    assert not made.engine._leaving
    assert made.engine.left
    made.tend()
    assert not made.engine.left


def test_the_latency_of_effects_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slot, "_prime", lambda self: setattr(self, "latency_frames", 40))
    made = session(snare=(ECHO,), mix=(Effect("gain"),))
    assert made.engine.delay_frames == 80


def test_blocks_with_effects_keep_no_memory() -> None:
    made = session(snare=(ECHO, Effect("reverb"), Effect("compressor")), mix=(Effect("limiter"),))
    strike(made)
    render(made, 50)
    tracemalloc.start()
    try:
        for _ in range(50):
            made.engine.render(BLOCK, made.engine.frame / RATE)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 64_000
    assert peak < 256_000


def test_an_effect_that_fails_is_bypassed_and_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("out of sorts")

    monkeypatch.setattr(Slot, "process", fail)
    with running(kit=KIT.with_effects({"Kick": (ECHO,)}), osc=None) as live:
        until(lambda: live.session.notices)
        until(lambda: live.session.engine.frame > RATE)
        assert list(live.session.notices) == [
            "effects: pad 'Kick': effect 1, delay, is bypassed, as it fails: out of sorts"
        ]
        assert "effects" in live.session.troubles
        assert "limiter and effects" in opening(live)


def test_a_take_holds_effects_and_their_changes_and_renders_to_what_sounded(tmp_path: Path) -> None:
    path = tmp_path / "take.mid"
    recorder = TakeRecorder(path, RATE, limiter=False)
    made = session(recorder, snare=(ECHO,), mix=(Effect("gain", (("gain_db", -3.0),)),))
    strike(made)
    parts = [render(made, 20)]
    made.set_effects(made.kit.pads[0], (Effect("distortion"), ECHO), "pad/kick/effects", "")
    made.set_effects(None, (Effect("gain", (("gain_db", 3.0),)),), "mix/effect/1/gain_db", 3.0)
    strike(made, 36)
    strike(made, 38)
    parts.append(render(made, 60))
    made.set_effects(made.kit.pads[0], (), "pad/kick/effects", "[]")
    strike(made, 36)
    parts.append(render(made, 40))
    recorder.save(made.engine.frame)
    take = read_take(path)
    assert take is not None
    assert len([event for event in take.events if isinstance(event, TakeEffects)]) == 4
    render_take(take, FakeSpec(), tmp_path / "mix.wav", RenderSettings(bits=32, jobs=1))
    live, again = np.concatenate(parts, axis=1), read_audio(tmp_path / "mix.wav")[0]
    np.testing.assert_allclose(again[:, : live.shape[1]], live, atol=1e-5)


def test_a_take_of_no_effects_is_of_the_first_version(tmp_path: Path) -> None:
    recorder = TakeRecorder(tmp_path / "take.mid", RATE, limiter=False)
    made = session(recorder)
    strike(made)
    render(made, 2)
    made.use(replace(KIT, pads=KIT.pads[:1]))
    render(made, 2)
    recorder.save(made.engine.frame)
    data = (tmp_path / "take.mid").read_bytes()
    assert b'"take": 1' in data
    assert b'"effects"' not in data


def test_a_take_starts_no_plugin_but_installed_ones_and_its_kits(tmp_path: Path) -> None:
    path, plugin = tmp_path / "take.mid", tmp_path / "x.vst3"
    plugin.touch()
    recorder = TakeRecorder(path, RATE, limiter=False)
    made = session(recorder)
    made.set_effects(None, (Effect("plugin", file=plugin, bypass=True),), "mix/effects", "")
    strike(made)
    render(made, 2)
    recorder.save(made.engine.frame)
    with pytest.raises(MidiFileError, match=r"x\.vst3 is not installed .*--kit"):
        read_take(path)
    save_kit(made.kit, tmp_path / "kit.toml")
    take = read_take(path, tmp_path / "kit.toml")
    assert take is not None
    assert TakeEffects(BLOCK, made.kit.all_effects) in take.events


@pytest.mark.parametrize("bypass", [True, False])
def test_a_take_needs_no_file_of_an_effect_that_is_bypassed(tmp_path: Path, bypass: bool) -> None:
    recorder = TakeRecorder(tmp_path / "take.mid", RATE, limiter=False)
    made = session(recorder)
    write_audio(tmp_path / "room.wav", np.ones((1, 100), np.float32), 8000)
    effects = (Effect("gain"), Effect("convolution", file=tmp_path / "room.wav", bypass=bypass))
    made.set_effects(None, effects, "mix/effects", "")
    strike(made)
    render(made, 2)
    recorder.save(made.engine.frame)
    (tmp_path / "room.wav").unlink()
    if bypass:
        take = read_take(recorder.path)
        assert take is not None
        assert TakeEffects(BLOCK, {"": effects}) in take.events
    else:
        with pytest.raises(MidiFileError, match=r"take\.mid: effect 2: the impulse response .*room\.wav is not there"):
            read_take(recorder.path)


def test_plugins_load_on_the_first_thread_whoever_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    threads: list[int] = []

    def load(self: Slot, effect: Effect) -> object:
        threads.append(threading.get_ident())
        raise ValueError("is no plugin")

    monkeypatch.setattr(Slot, "_load", load)
    made = session()
    failures: list[Exception] = []

    def ask() -> None:
        try:
            made.set_effects(None, (Effect("plugin", file=tmp_path / "x.vst3"),), "mix/effects", "")
        except KitError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: made.tend() or failures)
    thread.join()
    assert threads == [threading.get_ident()]
    assert "the mix: effect 1, x.vst3: " in str(failures[0])
