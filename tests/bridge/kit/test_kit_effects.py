from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.dsp.effects import EFFECTS, Effect
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import Kit, load_kit, parse_kit
from ghostnote.bridge.kit.overrides import with_settings
from ghostnote.bridge.kit.save import save_kit

PAD = '[[pad]]\nname = "Snare"\nnotes = [38]\n'


def kit(folder: Path, pad: str = "", mix: str = "") -> Kit:
    return parse_kit(f"{mix}\n{PAD}{pad}", folder, "my kit.toml")


def room(folder: Path) -> Path:
    path = folder / "room.wav"
    write_audio(path, np.ones((1, 100), np.float32), 8000)
    return path


def test_effects_of_a_pad_and_of_the_mix_are_read_in_their_order(tmp_path: Path) -> None:
    made = kit(
        tmp_path,
        'effects = [{ type = "reverb", room_size = 0.3, wet_level = 1 }, { type = "gain", bypass = true }]',
        'effects = [{ type = "limiter" }]',
    )
    assert made.pads[0].effects == (
        Effect("reverb", (("room_size", 0.3), ("wet_level", 1.0))),
        Effect("gain", bypass=True),
    )
    assert made.all_effects == {"Snare": made.pads[0].effects, "": (Effect("limiter"),)}


def test_a_saved_kit_keeps_its_effects(tmp_path: Path) -> None:
    plugin = tmp_path / "A b.vst3"
    plugin.touch()
    room(tmp_path)
    made = kit(
        tmp_path,
        'effects = [{ type = "convolution", impulse_response = "room.wav", mix = 0.25 }, '
        f'{{ plugin = "{plugin}", values = {{ mix = 50, "odd name" = "a\\"b", on = true }}, bypass = true }}]',
        'effects = [{ type = "compressor", threshold_db = -18 }]',
    )
    save_kit(made, tmp_path / "saved.toml")
    again = load_kit(tmp_path / "saved.toml")
    assert again.all_effects == made.all_effects
    assert with_settings(again, seed=5, amount=0.5).all_effects == made.all_effects
    with pytest.raises(KitError, match=r"its impulse response .* lies outside"):
        save_kit(made, tmp_path / "elsewhere" / "saved.toml")


@pytest.mark.parametrize(
    ("effects", "words"),
    [
        ("3", "effects = 3, but it must be a list"),
        (str([{}] * 17).replace("'", '"'), "effects = 17 entries, but"),
        ("['reverb']", "effect 1: 'reverb' is not a table"),
        ("[{}]", "effect 1: type is missing"),
        ("[{ type = 'gain' }, { type = 'revreb' }]", "effect 2: type = 'revreb' is not an effect; did you mean reverb"),
        ("[{ type = 'zzz' }]", "choose one of gain, highpass"),
        ("[{ type = 'reverb', rom_size = 1 }]", "the key 'rom_size' is unknown; did you mean room_size"),
        ("[{ type = 'reverb', room_size = 2 }]", "room_size = 2, but it must be a number from 0 to 1"),
        ("[{ type = 'reverb', bypass = 1 }]", "bypass = 1, but it must be true or false"),
        ("[{ type = 'convolution' }]", "impulse_response is missing; name the sound file"),
        ("[{ type = 'convolution', impulse_response = 'no.wav' }]", "impulse_response = 'no.wav' does not exist"),
        ("[{ type = 'convolution', impulse_response = '../no.wav' }]", "lies outside the kit's folder"),
        ("[{ plugin = 'x.vst3' }]", "plugin = 'x.vst3', but a plugin needs its whole path"),
        ("[{ plugin = '/no/x.vst3' }]", "plugin = '/no/x.vst3' does not exist; install it"),
        ("[{ plugin = '/no/x.vst3', bypass = false }]", "plugin = '/no/x.vst3' does not exist; install it"),
        ("[{ plugin = '/no/x', bypass = true }]", "plugin = '/no/x' is not a VST3"),
        ("[{ plugin = 'x.vst3', bypass = true }]", "a plugin needs its whole path"),
        ("[{ type = 'convolution', impulse_response = '../no.wav', bypass = true }]", "outside the kit's folder"),
        (f"[{{ plugin = '{Path(__file__).as_posix()}' }}]", "is not a VST3; name a file or folder that ends in"),
        ("[{ plugin = '/no/x.vst3', values = 3 }]", "values = 3, but it must be a table"),
        ("[{ plugin = '/no/x.vst3', values = { a = [] } }]", "a = \\[\\], but a plugin's values are numbers"),
        ("[{ plugin = '/no/x.vst3', values = { a = nan } }]", "a = nan, but a plugin's values are numbers"),
    ],
)
def test_each_mistake_in_effects_is_named_with_its_rule(tmp_path: Path, effects: str, words: str) -> None:
    with pytest.raises(KitError, match=rf"^my kit\.toml: pad 1 'Snare': .*{words}"):
        kit(tmp_path, f"effects = {effects}")
    with pytest.raises(KitError, match=rf"^my kit\.toml: .*{words}"):
        kit(tmp_path, mix=f"effects = {effects}")


def test_an_effect_that_is_bypassed_needs_no_file(tmp_path: Path) -> None:
    text = "{ type = 'convolution', impulse_response = 'no.wav', bypass = true }"
    made = kit(tmp_path, f"effects = [{text}, {{ plugin = '/no/x.vst3', bypass = true }}]", f"effects = [{text}]")
    room_less = Effect("convolution", file=tmp_path / "no.wav", bypass=True)
    assert made.all_effects == {
        "Snare": (room_less, Effect("plugin", file=Path("/no/x.vst3"), bypass=True)),
        "": (room_less,),
    }
    save_kit(made, tmp_path / "saved.toml")
    assert load_kit(tmp_path / "saved.toml").all_effects == made.all_effects
    (tmp_path / "no.wav").symlink_to(tmp_path.parent / "away.wav")
    with pytest.raises(KitError, match="is a link out of the kit's folder"):
        kit(tmp_path, mix=f"effects = [{text}]")


def test_the_documentation_lists_every_effect_with_its_parameters() -> None:
    text = (Path(__file__).parents[3] / "docs" / "kits.md").read_text("utf-8")
    for name, kind in EFFECTS.items():
        numbers = [f"`{key}` {low:g} to {high:g} ({default:g})" for key, (low, high, default) in kind.numbers.items()]
        assert f"| `{name}` | {kind.about} | {', '.join(numbers)} |" in text


def test_a_saved_kit_keeps_its_outputs(tmp_path: Path) -> None:
    made = kit(tmp_path, 'out = "All drums"')
    save_kit(made, tmp_path / "saved.toml")
    assert load_kit(tmp_path / "saved.toml").pads[0].out == made.pads[0].out == "All drums"
    with pytest.raises(KitError, match="out = 3, but it must be text"):
        kit(tmp_path, "out = 3")
