import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.dsp.shape import BANDS
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.drum_table import Drum
from ghostnote.bridge.inference.one_shots import trim
from ghostnote.bridge.inference.stroke_source import described_drum, generate_drum
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kinds import KIND_NAMES
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.tools.lexicon import DESCRIPTORS, drum_of, table
from ghostnote.bridge.tools.word_drums import worded
from ghostnote.bridge.tools.word_kit import kit_from_words
from ghostnote.bridge.tools.words import SeedSearch, Wish, descriptors_of, read_words, seeds_for, sliders_for


@pytest.mark.parametrize(
    ("words", "drum", "signs"),
    [
        ("tight dry funk snare", ("snare", None), {"long": -1, "bright": 1}),
        ("NOT bright kick", ("kick", None), {"bright": -1}),
        ("-noisy closed hi-hats", ("closed_hat", None), {"noisy": -1}),
        ("less boomy, very long floor tom", ("tom", "low_tom"), {"boomy": -1, "long": 1}),
        ("brushed snare", ("snare", "brush_snare"), {}),
        ("lo-fi boom bap cowbells", ("perc", "cowbell"), {"bright": -1, "noisy": 1, "hard": 1}),
        ("open hat", ("open_hat", None), {}),
        ("dusty kit", (None, None), {"bright": -1, "noisy": 1}),
    ],
)
def test_words_name_a_drum_and_how_it_sounds(words: str, drum: tuple[str | None, str | None], signs: dict[str, int]):
    wish = read_words(words)
    assert (wish.drum_class, wish.kind) == drum
    assert {name: np.sign(far) for name, far in wish.weights.items()} == signs
    assert wish.unexplained == ()


@pytest.mark.parametrize(
    ("words", "drum", "negated", "weights"),
    [
        ("no kick", None, ("kick",), {}),
        ("everything but no snare", None, ("snare",), {}),
        ("bright snare without a hi hat", "snare", ("hi hat",), {"bright": 1}),
        ("no kick bright tom", "tom", ("kick",), {"bright": 1}),
        ("no no kick", "kick", (), {}),
        ("no bright kick", "kick", (), {"bright": -1}),
    ],
)
def test_a_negated_drum_is_not_the_one_asked_for(
    words: str, drum: str | None, negated: tuple[str, ...], weights: dict[str, float]
) -> None:
    wish = read_words(words)
    assert (wish.drum_class, wish.negated, wish.weights) == (drum, negated, weights)


def test_what_no_word_explains_is_kept():
    assert read_words("fluffy purple cowbell").unexplained == ("fluffy", "purple")


def test_stronger_and_weaker_words():
    far = {how: read_words(f"{how} bright snare").weights["bright"] for how in ("slightly", "", "very")}
    assert far["slightly"] < far[""] < far["very"]
    assert "bright" not in read_words("bright dark snare").weights


def test_makes_are_kinds_where_the_model_has_them(tiny_generator):
    assert read_words("808 kick").make == "electronic"
    assert read_words("not electronic kick").make == "acoustic"
    assert Wish("kick", make="electronic").kind_of(tiny_generator.card, "kick") is None
    assert Wish("perc", "cowbell").kind_of(tiny_generator.card, "perc") == "cowbell"
    assert Wish("perc", "cowbell").kind_of(tiny_generator.card, "kick") is None


def test_every_meaning_moves_descriptors_and_every_name_is_a_kind():
    for section in ("sound", "style"):
        assert all(set(meaning) <= set(DESCRIPTORS) for meaning in table(section).values())
    named = [name.replace("_", " ") for name in KIND_NAMES]
    for name in named:
        is_made = name.startswith(("electronic ", "acoustic "))
        assert (drum_of(name) is None) == is_made
        assert read_words(name).make == (name.split()[0] if is_made else None)
    assert set(table("kind").values()) <= set(KIND_NAMES)


def drum(level_db: list[float], t60: float, prominence_db: float, hz: float) -> Drum:
    level = np.array(level_db + [-60.0] * (BANDS - len(level_db)))
    return Drum(level, np.full(BANDS, t60), np.full(BANDS, prominence_db), np.array([[hz, 0.0, t60]]))


def test_descriptors_rise_with_their_names():
    low = descriptors_of(drum([0.0, -20.0, -30.0], 0.2, 30.0, 60.0))
    high = descriptors_of(drum([-30.0, -20.0, -10.0, 0.0], 0.8, 0.0, 900.0))
    for name in ("bright", "long", "noisy", "hard", "high"):
        assert high[name] > low[name]
    assert low["boomy"] > high["boomy"]


def test_seeds_that_words_fit_come_first(tiny_generator):
    card = tiny_generator.card
    search = SeedSearch("perc", "cowbell", pool=64, strength=5)

    def mean(words: str, name: str) -> float:
        chosen = seeds_for(card, read_words(words), search)[:8]
        return float(np.mean([descriptors_of(described_drum(card, "perc", seed, "cowbell"))[name] for seed in chosen]))

    assert mean("high cowbell", "high") > mean("low cowbell", "high") + 0.05
    assert sorted(seeds_for(card, read_words("high cowbell"), search)) == list(range(64))
    plain = SeedSearch("perc", "cowbell", seed=5, pool=4, strength=0)
    assert seeds_for(card, read_words("high cowbell"), plain) == [5, 6, 7, 8]
    assert seeds_for(card, Wish("perc", "cowbell"), plain) == [5, 6, 7, 8]


def test_wrong_strengths_and_missing_kinds_are_named(tiny_generator):
    with pytest.raises(InputError, match="strength is 11"):
        seeds_for(tiny_generator.card, Wish(), SeedSearch("kick", strength=11))
    with pytest.raises(InputError, match="the model has no brush_snare"):
        seeds_for(tiny_generator.card, Wish(), SeedSearch("snare", "brush_snare"))


def test_a_kit_of_words_changes_the_drums_that_are_meant(tiny_generator):
    kit = kit_from_words(tiny_generator.card, "mine", read_words("high cowbell"), strength=5)
    base = load_kit("default")
    changed = {new.name for new, old in zip(kit.pads, base.pads, strict=True) if new != old}
    assert changed
    assert changed <= {pad.name for pad in base.pads if pad.drum_class == "perc"}
    assert kit.name == "mine"
    assert kit == kit_from_words(tiny_generator.card, "mine", read_words("high cowbell"), strength=5)
    electronic = kit_from_words(tiny_generator.card, "mine", read_words("electronic kit"))
    assert [pad.notes for pad in electronic.pads] == [pad.notes for pad in load_kit("electronic").pads]


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_generate_takes_words(tiny_onnx, tmp_path, monkeypatch):
    monkeypatch.setattr("ghostnote.bridge.tools.word_embedding.open_embedding", lambda: None)
    done = run("generate", "high xyzzy cowbell", "-n", 2, "-o", tmp_path, "--steps", 1, "--model", tiny_onnx)
    assert done.exit_code == 0, done.output
    assert "these words say nothing here: xyzzy" in done.output
    found = sorted(path.name for path in tmp_path.iterdir())
    assert len(found) == 2
    assert all(name.startswith("cowbell_") for name in found)
    assert (
        "the 'words' extra explains more: install it in ghostnote's folder with  pip install '.[words]'" in done.output
    )
    failed = run("generate", "fluffy", "-o", tmp_path, "--model", tiny_onnx)
    assert isinstance(failed.exception, InputError)
    assert "names no drum" in str(failed.exception)
    failed = run("generate", "no kick", "-o", tmp_path / "none", "--model", tiny_onnx)
    assert "'no kick' names only what not to make, kick: add a drum, as snare, or --class" in str(failed.exception)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("strength", "options"), [(1.0, ()), (2.5, ("--strength", 2.5))])
def test_words_move_the_sliders_of_what_generate_writes(tiny_onnx, tiny_generator, tmp_path, strength, options):
    words = "very dark boomy cowbell"
    command = ("generate", words, "-n", 2, "-o", tmp_path, "--model", tiny_onnx, "--bits", 32, *options)
    assert run(*command).exit_code == 0
    rate, sliders = tiny_generator.card.rate, sliders_for(read_words(words), strength)
    assert sliders.bright < -0.5 * strength
    assert sliders.boomy > 0.5 * strength
    for path in tmp_path.iterdir():
        plain = generate_drum(tiny_generator, "perc", int(path.stem.split("_")[1]), kind="cowbell")
        moved = trim(worded(plain[None], rate, read_words(words), strength)[0], None, rate)
        written, written_rate = read_audio(path)
        assert written_rate == rate
        np.testing.assert_allclose(written[0], moved, atol=1e-6)
        common = min(len(moved), len(plain))
        assert np.abs(written[0, :common] - plain[:common]).max() > 0.01


def test_kit_new_says_that_words_leave_out_no_drum(tmp_path):
    path = tmp_path / "mine.toml"
    done = run("kit", "new", "--words", "dry, no snare", "-o", path)
    assert done.exit_code == 0, done.output
    assert f"note: words leave out no drum: to do without snare delete its pads from {path}" in done.output


def test_kit_new_takes_words_and_one_name(tmp_path):
    for arguments in (("kit", "new", "--words", "dry"), ("kit", "new", tmp_path / "a.toml", "-o", tmp_path / "b.toml")):
        assert isinstance(run(*arguments).exception, InputError)
    assert list(tmp_path.iterdir()) == []
