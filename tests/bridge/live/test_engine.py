import numpy as np
import pytest
from live_fakes import KIT, RATE, fill, level_hit

from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.commands import Command, Freeze, Mute, Play, Setup, StrikePad, Use, Via
from ghostnote.bridge.live.engine import MOST_WAITING, Engine
from ghostnote.bridge.live.hit import Origin
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.midi.events import Aftertouch, NoteOn, PedalMove, Silence
from ghostnote.bridge.render.workers import Audio

BLOCK = 80
SECONDS = BLOCK / RATE


def engine(kit: Kit = KIT, count: int = 4, limiter: bool = False) -> tuple[Engine, Pool]:
    pool = Pool()
    made = Engine(Setup.of(kit, pool.use, RATE), RATE, limiter)
    fill(pool, count)
    return made, pool


def blocks(made: Engine, count: int, first: int = 0) -> Audio:
    return np.concatenate([made.render(BLOCK, (first + n) * SECONDS).copy() for n in range(count)], axis=1)


PLAY_PEDAL = Play(PedalMove(0, 127))


def note(number: int, velocity: int = 122) -> Command:
    return Play(NoteOn(0, number, velocity))


@pytest.mark.parametrize("offset", [0, 1, 37, 79])
def test_what_comes_during_a_block_sounds_in_the_next_at_the_same_offset(offset: int) -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[0])
    made.render(BLOCK, 0.0)
    made.post(note(36), (offset + 0.25) / RATE)
    out = made.render(BLOCK, SECONDS)[0]
    assert np.flatnonzero(out)[0] == offset


def test_a_note_of_the_future_waits_and_holds_up_nothing() -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[0], 0.5)
    level_hit(pool.queues[1], 0.5)
    made.render(BLOCK, 0.0)
    made.post(note(36), 5 * SECONDS + 10.2 / RATE)
    made.post(note(38), 3.2 / RATE)
    out = blocks(made, 8, 1)[0]
    starts = np.flatnonzero(np.diff((out != 0).astype(int)) == 1) + 1
    assert starts.tolist() == [3, 5 * BLOCK + 10]


def test_exact_commands_sound_in_the_very_block() -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[0])
    out = made.render(BLOCK, 0.0, ((17, note(36)),))
    assert np.flatnonzero(out[0])[0] == 17


def test_every_stroke_is_another_until_the_pool_is_dry() -> None:
    made, pool = engine(count=1)
    queue = pool.queues[0]
    request = queue.request(None)
    queue.put(request, np.ones((2, 10), np.float32))
    layers = len(queue.fresh)
    for n in range(layers + 3):
        made.post(note(36), n * SECONDS + 1e-4)
    blocks(made, layers + 5)
    assert made.counts["fresh"] == layers
    assert made.counts["fallback"] == 1
    assert made.counts["reused"] == 2
    assert made.freshness == pytest.approx(layers / (layers + 3))


def test_a_pad_without_any_stroke_is_counted_as_silent() -> None:
    made, _ = engine(count=0)
    made.post(note(36), 0.0)
    assert not blocks(made, 2).any()
    assert made.counts["silent"] == 1


def test_the_level_follows_the_velocity_of_the_note() -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[0], 0.5)
    made.post(note(36, 61), 0.0)
    out = blocks(made, 2)
    assert out.max() == pytest.approx(0.5 * (61 / 122) ** 2, rel=1e-4)


@pytest.mark.parametrize("stop", [Aftertouch(0, 46, 90), PedalMove(0, 127), Silence(0), NoteOn(0, 42, 1)])
def test_chokes_fade_an_open_hat(stop: object) -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[3], 0.5, RATE)
    made.post(note(46), 0.0)
    made.post(Play(stop), 2 * SECONDS)  # type: ignore[arg-type]
    out = np.abs(blocks(made, 14)[0])
    fade = round(0.068 * RATE)
    assert out[2 * BLOCK] > 0.4
    assert not out[3 * BLOCK + fade + 1 :].any()
    assert np.abs(np.diff(out[BLOCK:])).max() < 0.01


def test_notes_of_a_pad_at_one_instant_are_one_stroke_of_the_loudest() -> None:
    made, pool = engine(count=0)
    for level in (0.5, 0.25):
        level_hit(pool.queues[0], level)
    made.post(note(36, 61), 0.0)
    made.post(note(35), 0.001)
    out = blocks(made, 3)[0]
    assert out.max() == pytest.approx(0.5)
    assert np.flatnonzero(out)[0] == BLOCK
    assert (made.counts["fresh"], made.counts["double"]) == (1, 1)


def test_a_louder_note_of_an_instant_that_sounds_already_replaces_its_voice_alone() -> None:
    made, pool = engine(count=0)
    for level in (0.25, 0.5, 0.125):
        level_hit(pool.queues[0], level, 10 * BLOCK)
    made.post(note(36), 0.0)
    made.post(note(36), 1.99 * SECONDS)
    made.post(note(36), 2.1 * SECONDS)
    out = blocks(made, 5)[0]
    assert out[4 * BLOCK + 40] == pytest.approx(0.25 + 0.5, abs=1e-6)
    assert made.counts["double"] == 1


def test_a_flood_is_shed_and_counted() -> None:
    made, _ = engine()
    most = MOST_WAITING[Via.OSC]
    taken = sum(made.post(note(36), 0.0, Via.OSC) for _ in range(most + 500))
    assert taken == most
    assert made.counts["shed"] == 500


def test_a_full_queue_of_one_sender_holds_up_no_other() -> None:
    made, pool = engine(count=60)
    made.render(BLOCK, 0.0)
    while made.post(note(38), 60.0, Via.OSC):
        pass
    for n in range(40):
        assert made.post(StrikePad("Kick", 122), 1e-4 * n / 40, Via.MIDI)
    other = Kit("other", 2, KIT.pads)
    assert made.post(Use(Setup.of(other, pool.use, RATE, made.setup)), 1e-4)
    made.render(BLOCK, SECONDS)
    assert [played.pad for played in made.played] == ["Kick"] * 40
    assert made.setup.kit.name == "other"


def test_after_a_standstill_midi_notes_are_dropped_and_counted_and_osc_notes_play() -> None:
    made, _ = engine()
    made.render(BLOCK, 0.0)
    made.post(PLAY_PEDAL, 5.0, Via.MIDI)
    for stamp in (1e-3, 5.0, 10.001, 10.05):
        made.post(note(36), stamp, Via.MIDI)
    made.post(note(38), 5.0, Via.OSC)
    made.render(BLOCK, 10.0)
    blocks(made, 20, round(10.0 / SECONDS) + 1)
    assert [played.pad for played in made.played] == ["Snare Drum"]
    assert made.counts["standstill"] == 4
    made.post(note(36), 10.21, Via.MIDI)
    blocks(made, 2, round(10.0 / SECONDS) + 21)
    assert made.counts["standstill"] == 4
    assert made.played[-1].pad == "Kick"


def test_after_a_standstill_notes_of_the_drivers_own_midi_port_are_dropped_and_counted_too() -> None:
    made, _ = engine()
    made.render(BLOCK, 0.0)
    made.render(BLOCK, 10.0, ((0, note(36)), (1, PLAY_PEDAL), (79, note(38))))
    made.render(BLOCK, 10.05, ((40, note(42)),))
    assert not made.played
    assert made.counts["standstill"] == 3
    assert made.setup.performer.pedals
    blocks(made, 20, round(10.05 / SECONDS) + 1)
    made.render(BLOCK, 10.3, ((40, note(36)),))
    assert [played.pad for played in made.played] == ["Kick"]
    assert made.counts["standstill"] == 3


def test_no_note_is_no_share_of_fresh_ones() -> None:
    made, _ = engine()
    blocks(made, 2)
    assert made.freshness is None


def test_a_burst_keeps_to_the_voice_limit() -> None:
    made, _ = engine(count=30)
    for n in range(100):
        made.post(StrikePad(("Kick", "Snare Drum")[n % 2], 122), 0.0)
    made.render(BLOCK, SECONDS)
    assert made.setup.mixer.stolen == 36


def test_another_kit_comes_in_while_the_old_one_fades() -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[0], 0.5, RATE)
    made.post(note(36), 0.0)
    blocks(made, 2)
    other = Kit("other", 2, (Pad("Bell", (36,), "ride", seed=9),))
    made.post(Use(Setup.of(other, pool.use, RATE, made.setup)), 2 * SECONDS)
    level_hit(pool.queues[0], 0.25, RATE)
    made.post(note(36), 12 * SECONDS)
    out = blocks(made, 14, 2)[0]
    assert out[: 2 * BLOCK].min() > 0.2
    assert out[13 * BLOCK] == pytest.approx(0.25, rel=1e-3)


def test_settings_that_leave_the_pads_alone_leave_what_sounds_alone() -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[0], 0.5, RATE)
    made.post(note(36), 0.0)
    blocks(made, 2)
    made.post(Use(Setup.of(KIT, pool.use, RATE, made.setup)), SECONDS)
    np.testing.assert_allclose(blocks(made, 3, 2), 0.5, rtol=1e-5)


def test_muted_pads_are_silent_and_take_no_stroke() -> None:
    made, pool = engine(count=1)
    made.post(Mute(frozenset({"Hat"})), 0.0)
    made.post(note(36), 1e-4)
    made.post(note(42), 2e-4)
    blocks(made, 2)
    assert pool.queues[0].depth == len(pool.queues[0].fresh)
    assert made.counts["fresh"] == 1


def test_freeze_goes_round_the_last_strokes() -> None:
    made, pool = engine(count=4)
    for n in range(4):
        made.post(StrikePad("Kick", 122), n * 1e-4)
    made.post(Freeze(3), 5e-4)
    blocks(made, 2)
    last = list(pool.queues[0].recent)[-3:]
    played: list[int] = []

    class Recorder:
        def stroke(self, frame: int, pad: Pad, velocity: int, hit: object, *_: object) -> None:
            played.append(hit.index)  # type: ignore[attr-defined]

        def fade(self, *_: object) -> None: ...

    made._recorder = Recorder()
    for n in range(6):
        made.post(StrikePad("Kick", 122), 2 * SECONDS + n * 1e-4)
    blocks(made, 2, 2)
    assert played == [hit.index for hit in last] * 2
    assert made.counts["frozen"] == 6


def test_a_strike_names_its_pad() -> None:
    made, _ = engine()
    made.post(StrikePad("Snare Drum", 100), 0.0)
    made.post(StrikePad("no such pad", 100), 0.0)
    blocks(made, 2)
    assert [(p.pad, p.velocity, p.origin) for p in made.played] == [("Snare Drum", 100, Origin.FRESH)]


def test_a_fault_is_counted_and_the_sound_goes_on() -> None:
    made, _ = engine()
    made.post(Play("no event"), 0.0)  # type: ignore[arg-type]
    made.post(note(36), 1e-4)
    assert blocks(made, 2).any()
    assert made.counts["fault"] == 1
    assert "no event" in made.faults[0]


def test_the_limiter_delays_by_what_it_says() -> None:
    made, pool = engine(count=0, limiter=True)
    level_hit(pool.queues[0])
    out = np.concatenate([made.render(BLOCK, 0.0, ((5, note(36)),)).copy(), blocks(made, 2, 1)], axis=1)
    assert np.flatnonzero(out[0])[0] == 5 + made.delay_frames


def test_meters_show_peaks_and_fall() -> None:
    made, pool = engine(count=0)
    level_hit(pool.queues[0], 0.5, 10)
    made.post(note(36), 0.0)
    blocks(made, 2)
    assert made.meter("Kick") == pytest.approx(0.5, rel=0.05)
    blocks(made, 100, 2)
    assert 0 < made.meter("Kick") < 0.1
    assert made.meter("Hat") == 0
