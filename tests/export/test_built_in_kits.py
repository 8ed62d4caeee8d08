import numpy as np
import pytest

from ghostnote.bridge.dsp.loudness import LoudnessMeter
from ghostnote.bridge.inference.drum_cache import drum_file, ready_made
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import BUILT_IN, DEFAULT_SEED, Pad, load_kit, parse_kit
from ghostnote.export import built_in_kits
from ghostnote.export.built_in_kits import choose, describe, distance, kit_file_text, make_pads
from ghostnote.export.kit_plans import KIT_PLANS, KitPlan, Wanted

RATE = 44_100
T = np.arange(RATE) / RATE


def sine(hz: float, t60: float, level: float = 0.5) -> np.ndarray:
    return (level * np.exp(-6.908 * T / t60) * np.sin(2 * np.pi * hz * T)).astype(np.float32)


def test_a_drum_is_described_by_its_line_its_length_and_its_middle() -> None:
    found = describe(sine(200, 0.6), RATE)
    assert found.hz == pytest.approx(200, abs=1)
    assert found.seconds == pytest.approx(0.4, abs=0.01)
    assert found.centroid_hz == pytest.approx(200, rel=0.02)
    assert describe(sine(200, 0.6, 0.25), RATE).lufs == pytest.approx(found.lufs - 6.02, abs=0.1)


def test_distances_are_octaves_of_what_is_wanted() -> None:
    found = describe(sine(200, 0.6), RATE)
    assert distance(found, Wanted("A", (1,), "tom", 0)) == 0
    assert distance(found, Wanted("A", (1,), "tom", 0, hz=100, seconds=0.8)) == pytest.approx(5, abs=0.05)


def test_a_drum_that_ends_by_a_gate_is_farther_than_one_that_decays() -> None:
    wanted = Wanted("A", (1,), "tom", 0)
    ringing = sine(200, 1.5)
    assert distance(describe(ringing, RATE), wanted) == 0
    assert distance(describe(sine(200, 0.25), RATE), wanted) < 0.2
    assert distance(describe(ringing * (T < 0.4), RATE), wanted) > 3
    assert np.isfinite(distance(describe(ringing[:2_000], RATE), wanted))


def test_the_nearest_seed_is_chosen_and_levels_follow_the_snare(
    tiny_generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built_in_kits, "generate_drum", lambda _, name, seed, kind: sine(100 * (seed + 1), 0.5))
    assert choose(tiny_generator, Wanted("A", (1,), "tom", 0, hz=330), range(5))[0] == 2
    plan = KitPlan(
        "Two",
        "A kit of two.",
        (Wanted("Tom", (41,), "tom", -6.0, pan=0.5, remark="It is low."), Wanted("Snare", (38,), "snare", 0.0)),
    )
    pads = [pad for pad, _ in make_pads(tiny_generator, plan, [[9], [9]])]
    assert [(pad.name, pad.drum) for pad in pads] == [("Snare", 9), ("Tom", 9)]
    assert pads[1].gain_db == pads[0].gain_db - 6
    text = kit_file_text(plan, pads, "#\n# The keys.\n")
    assert text.startswith("# A kit of two.\n#\n# The keys.\n")
    assert '# It is low.\n[[pad]]\nname = "Tom"' in text
    assert set(parse_kit(text, built_in_kits.built_in_file("default").parent, "two").pads) == set(pads)


def loudness(pad: Pad) -> float:
    """Return the loudness of a pad of a kit that comes along, as it stands in the mix before its place."""
    path = ready_made(Generator.open().checksum) / drum_file(pad, ".flac")
    drum, rate = read_audio(path)
    meter, frames = LoudnessMeter(rate), int(0.4 * rate)
    meter.add(np.pad(drum, ((0, 0), (0, max(0, frames - drum.shape[1]))))[:, :frames])
    return meter.integrated_lufs + pad.gain_db


@pytest.mark.parametrize("name", BUILT_IN)
def test_kits_that_come_along_are_balanced_and_ready_made(name: str) -> None:
    kit = load_kit(name)
    assert kit.seed == DEFAULT_SEED
    plan = next(plan for plan in KIT_PLANS if plan.name == kit.name)
    wanted = {pad.name: pad for pad in plan.pads}
    snare = loudness(next(pad for pad in kit.pads if pad.name == "Snare"))
    for pad in kit.pads:
        beside = loudness(pad) - snare
        assert beside <= wanted[pad.name].level_lu + 0.6, pad.name
        # What is too soft for the most gain stays below.
        assert beside >= wanted[pad.name].level_lu - 0.6 or pad.gain_db == 12, pad.name
