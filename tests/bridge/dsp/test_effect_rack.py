import wave
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.dsp.effect_rack import MOST_RING_SECONDS, Chain, Rack
from ghostnote.bridge.dsp.effects import CONVOLUTION, EFFECTS, GRID_FRAMES, Audio, Effect, Slot, Value
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio

RATE = 48_000


def burst(frames: int = 8 * GRID_FRAMES) -> Audio:
    """Return hits that decay, with silence between them."""
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, (2, frames))
    return (noise * np.exp(-(np.arange(frames) % 2000) / 200)).astype(np.float32)


def through(chain: Chain, sound: Audio, block: int) -> Audio:
    parts = [sound[:, at : at + block].copy() for at in range(0, sound.shape[1], block)]
    for part in parts:
        chain.process(part)
    return np.concatenate(parts, axis=1)


def effect(kind: str, folder: Path, **values: Value) -> Effect:
    file = folder / "room.wav" if kind == CONVOLUTION else None
    if file:
        write_audio(file, burst(3000), 44_100)
    return Effect(kind, tuple(values.items()), file)


class Late(Slot):
    """Stands for a plugin that looks ahead."""

    def __init__(self, effect: Effect, rate: int) -> None:
        self.latency_frames = int(dict(effect.values)["frames"])
        self.hold_frames = 0
        self._held = np.zeros((2, self.latency_frames), np.float32)

    def process(self, audio: Audio) -> None:
        joined = np.concatenate((self._held, audio), axis=1)
        audio[:], self._held = joined[:, : audio.shape[1]], joined[:, audio.shape[1] :]


def late(frames: int) -> tuple[Effect, ...]:
    return (Effect("gain", (("frames", frames),)),)


@pytest.mark.parametrize("kind", EFFECTS)
def test_blocks_on_the_grid_change_no_byte(kind: str, tmp_path: Path) -> None:
    chains = [Chain("pad", (effect(kind, tmp_path),), RATE) for _ in range(3)]
    whole, grid, odd = (through(chain, burst(), block) for chain, block in zip(chains, (4096, 512, 1536), strict=True))
    assert whole.tobytes() == grid.tobytes() == odd.tobytes()
    np.testing.assert_allclose(through(Chain("pad", (effect(kind, tmp_path),), RATE), burst(), 100), whole, atol=1e-6)


@pytest.mark.parametrize("kind", EFFECTS)
@pytest.mark.parametrize("end", [0, 1])
def test_every_parameter_takes_the_ends_of_its_range(kind: str, end: int, tmp_path: Path) -> None:
    values = {name: numbers[end] for name, numbers in EFFECTS[kind].numbers.items()}
    chain = Chain("pad", (effect(kind, tmp_path, **values),), 8_000)
    assert np.isfinite(through(chain, burst(), 512)).all()
    assert not chain.troubles


def test_defaults_are_those_of_the_table() -> None:
    explicit = tuple((name, numbers[2]) for name, numbers in EFFECTS["chorus"].numbers.items())
    given, left_out = (Chain("pad", (Effect("chorus", values),), RATE) for values in (explicit, ()))
    assert through(given, burst(), 512).tobytes() == through(left_out, burst(), 512).tobytes()


def test_effects_of_two_pads_are_independent() -> None:
    reverb = (Effect("reverb"),)
    rack = Rack([("a", reverb), ("b", reverb)], (), RATE)
    stems = np.stack([burst(512), np.zeros((2, 512), np.float32)])
    rack.process(stems, True)
    assert stems[0].any()
    assert not stems[1].any()


def test_a_value_changes_on_the_very_plugin_and_the_tail_goes_on() -> None:
    def rack(level: float, before: Rack | None = None) -> Rack:
        return Rack([("a", (Effect("delay", (("mix", level),)),))], (), RATE, before)

    first = rack(1.0)
    first.process(burst(512)[None].copy(), True)
    second = rack(0.9, first)
    second.begin(first)
    silent = np.zeros((1, 2, RATE), np.float32)
    second.process(silent, False)
    assert np.abs(silent).max() > 0.1


def test_a_bypassed_effect_does_nothing_and_is_not_loaded() -> None:
    chain = Chain(
        "pad", (Effect("distortion", bypass=True), Effect("plugin", file=Path("/no.vst3"), bypass=True)), RATE
    )
    assert through(chain, burst(), 512).tobytes() == burst().tobytes()


@pytest.mark.parametrize("how", ["raises", "not a number", "too short"])
def test_an_effect_that_fails_is_bypassed_and_named_once(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain("pad 'Snare'", (Effect("gain", (("gain_db", 6.0),)), Effect("chorus")), RATE)

    class Bad:
        def process(self, audio: Audio, *_: object, **__: object) -> Audio:
            if how == "raises":
                raise RuntimeError("out of sorts")
            return audio[:, 1:] if how == "too short" else audio * np.float32(np.nan)

    assert chain._slots[1]
    chain._slots[1]._plugin = Bad()
    out = through(chain, burst(), 512)
    np.testing.assert_allclose(out, burst() * 10 ** (6 / 20), rtol=1e-4)
    (trouble,) = chain.troubles
    assert trouble.startswith("pad 'Snare': effect 2, chorus, is bypassed")


def test_pads_come_out_together_whatever_the_latency_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghostnote.bridge.dsp.effect_rack.Slot", Late)
    rack = Rack([("a", late(700)), ("b", ()), ("c", late(30))], late(50), RATE)
    assert (rack.pad_latency_frames, rack.latency_frames) == (700, 750)
    stems = np.stack([burst()] * 3)
    rack.process(stems, True)
    assert stems[0].tobytes() == stems[1].tobytes() == stems[2].tobytes()
    assert stems[0][:, 700:].tobytes() == burst()[:, :-700].tobytes()


def test_what_rings_is_over_a_while_after_it_was_last_audible() -> None:
    rack = Rack([("a", (Effect("delay", (("delay_seconds", 0.4), ("feedback", 0.3))),))], (), RATE)
    assert rack.remaining_frames(0) == 0
    sound = burst(512)[None].copy()
    rack.process(sound, True)
    frames = 512
    while rest := rack.remaining_frames(0):
        assert rest % GRID_FRAMES == 0
        rack.process(np.zeros((1, 2, min(rest, 4096)), np.float32), False)
        frames += min(rest, 4096)
    # Ten echoes are above -100 dB.
    assert 4.0 < frames / RATE < 5.5


def test_what_rings_for_ever_ends() -> None:
    rack = Rack([("a", (Effect("delay", (("delay_seconds", 5.0), ("feedback", 0.95))),))], (), 1000)
    rack.process(np.full((1, 2, 512), 0.5, np.float32), True)
    frames = 0
    while rest := rack.remaining_frames(0):
        rack.process(np.zeros((1, 2, min(rest, 512)), np.float32), False)
        frames += min(rest, 512)
    assert frames == pytest.approx(1000 * MOST_RING_SECONDS, abs=512)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Effect("convolution", file=Path(__file__)), "pad 'a': effect 1, convolution: .*test_effect_rack.py cannot"),
        (Effect("plugin", file=Path(__file__)), "pad 'a': effect 1, test_effect_rack.py: .* cannot be used: Unable"),
    ],
)
def test_files_that_are_no_effect_are_named(made: Effect, words: str) -> None:
    with pytest.raises(KitError, match=words) as caught:
        Rack([("a", (made,))], (), RATE)
    assert "\n" not in str(caught.value)


def test_an_impulse_response_of_so_many_channels_that_loading_would_never_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "room.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((3_000, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(3_000 * 2 * 100))
    with pytest.raises(KitError, match=r"effect 1, convolution: .*room\.wav has 3,000 channels, but at most 256"):
        Rack([("a", (Effect("convolution", file=path),))], (), RATE)
