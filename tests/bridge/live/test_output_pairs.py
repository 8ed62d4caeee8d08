from dataclasses import replace

import numpy as np
import pytest
from live_fakes import KIT, RATE, fill, running

from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.live.commands import Play
from ghostnote.bridge.live.output_pairs import OutputPairs
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.midi.events import NoteOn

BLOCK = 64


def session(mode: str, limiter: bool = False, kit: Kit = KIT) -> Session:
    made = Session(kit, RATE, None, limiter, clock=lambda: 0.0)
    made.engine.outputs = OutputPairs(kit, mode)
    fill(made.pool, 4)
    return made


def render(made: Session, blocks: int) -> np.ndarray:
    engine = made.engine
    return np.concatenate([engine.render(BLOCK, engine.frame / RATE).copy() for _ in range(blocks)], axis=1)


def strike(made: Session, *notes: int) -> None:
    for note in notes:
        made.engine.post(Play(NoteOn(0, note, 100)), made.engine.frame / RATE - 1e-4)


def test_stereo_is_the_mix_alone() -> None:
    made = session("stereo")
    assert made.engine.outputs.names == ()
    assert render(made, 1).shape == (2, BLOCK)


def test_each_pad_has_its_pair_and_the_pairs_are_the_mix() -> None:
    made = session("pads")
    assert made.engine.outputs.names == ("Kick", "Snare Drum", "Hat", "Open Hat")
    strike(made, 36, 42)
    mix, *pairs = render(made, 4).reshape(5, 2, -1)
    assert [bool(pair.any()) for pair in pairs] == [True, False, True, False]
    np.testing.assert_allclose(sum(pairs), mix, atol=1e-6)


def test_groups_are_those_of_the_kit_or_of_the_classes() -> None:
    kit = replace(KIT, pads=(replace(KIT.pads[0], out="Drums"), replace(KIT.pads[1], out="Drums"), *KIT.pads[2:]))
    made = session("groups", kit=kit)
    assert made.engine.outputs.names == ("Drums", "Hats")
    strike(made, 36, 38)
    mix, drums, hats = render(made, 4).reshape(3, 2, -1)
    np.testing.assert_allclose(drums, mix, atol=1e-6)
    assert not hats.any()


def test_pairs_come_as_late_as_the_mix_and_have_no_effects_of_it() -> None:
    kit = replace(KIT, effects=(Effect("gain", (("gain_db", -20.0),)),))
    made = session("pads", limiter=True, kit=kit)
    strike(made, 36)
    mix, kick, *_ = render(made, 4).reshape(5, 2, -1)
    assert made.engine.delay_frames > 0
    np.testing.assert_allclose(mix, kick / 10, atol=1e-6)


def test_of_another_kit_what_has_no_output_is_in_the_mix_alone_and_the_old_one_fades_in_its_own() -> None:
    made = session("pads")
    strike(made, 36)
    render(made, 2)
    made.use(Kit("other", 1, (replace(KIT.pads[0], name="Gong"), KIT.pads[1])))
    fill(made.pool, 2)
    before = render(made, 1).reshape(5, 2, -1)
    assert before[1].any()
    render(made, 20)
    strike(made, 36, 38)
    mix, kick, snare, *_ = render(made, 4).reshape(5, 2, -1)
    assert not kick.any()
    assert snare.any()
    assert np.abs(mix - snare).max() > 1e-3


def test_the_daemon_takes_outputs_and_refuses_other_words() -> None:
    with running(outputs="groups", osc=None) as live:
        assert live.session.engine.outputs.names == ("Kick", "Snare", "Hats")
    with pytest.raises(InputError, match="--outputs five: choose pads, groups, stereo"), running(outputs="five"):
        pass
