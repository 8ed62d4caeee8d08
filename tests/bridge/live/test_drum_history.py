from pathlib import Path

import numpy as np
import pytest
from live_fakes import KIT, RATE, fill

from ghostnote.bridge.errors import AudioFileError, KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.fields import FieldError
from ghostnote.bridge.kit.kit import Pad, load_kit
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.live.session import Session


def session(kits: Path | None = None) -> Session:
    made = Session(KIT, RATE, kits, limiter=False)
    fill(made.pool)
    return made


def kick(made: Session) -> Pad:
    return made.kit.pads[0]


def hit(path: Path, level: float = 0.5) -> Path:
    noise = np.random.default_rng(1).uniform(-level, level, (1, 4_000)) * np.exp(-np.arange(4_000) / 800)
    write_audio(path, noise.astype(np.float32), RATE)
    return path


def test_rerolls_are_taken_back_and_made_again() -> None:
    made = session()
    seeds = [kick(made).seed, made.reroll(kick(made)), made.reroll(kick(made)), made.reroll(kick(made))]
    assert len(set(seeds)) == 4
    assert made.undo(kick(made), 1) == seeds[2]
    assert made.undo(kick(made), 2) == kick(made).seed == seeds[0]
    assert made.history.counts("Kick") == (0, 3)
    assert made.undo(kick(made), -3) == seeds[3]
    assert made.undo(kick(made), 2) == seeds[1]
    made.reroll(kick(made))
    assert made.history.counts("Kick") == (2, 0)
    assert made.history.counts("Hat") == (0, 0)
    with pytest.raises(FieldError, match="3, but pad 'Kick' has 2 changes to undo"):
        made.undo(kick(made), 3)
    with pytest.raises(FieldError, match="0 changes to redo"):
        made.undo(kick(made), -1)


def test_undo_brings_class_kind_and_recorded_strokes_back_and_leaves_the_rest(tmp_path: Path) -> None:
    made = session(tmp_path)
    hit(tmp_path / "mine.wav")
    made.set(kick(made), "kind", "low_tom")
    assert (kick(made).drum_class, kick(made).kind) == ("tom", "low_tom")
    made.use_hits(kick(made), "mine.wav")
    made.set(kick(made), "pan", 0.5)
    assert kick(made).hit == tmp_path / "mine.wav"
    made.undo(kick(made), 1)
    assert (kick(made).hit, kick(made).kind) == (None, "low_tom")
    made.undo(kick(made), 1)
    assert (kick(made).drum_class, kick(made).kind, kick(made).pan) == ("kick", None, 0.5)
    made.use_hits(kick(made), "mine.wav", "clap")
    assert kick(made).drum_class == "clap"
    made.undo(kick(made), 1)
    assert (kick(made).hit, kick(made).drum_class) == (None, "kick")


def test_a_locked_pad_keeps_its_drum_and_takes_all_else() -> None:
    made = session()
    seed = kick(made).seed
    made.set(kick(made), "lock", 1)
    for change in (
        lambda: made.reroll(kick(made)),
        lambda: made.set(kick(made), "class", "tom"),
        lambda: made.set(kick(made), "seed", 7),
        lambda: made.use_hits(kick(made), ""),
    ):
        with pytest.raises(FieldError, match="'Kick' is locked"):
            change()
    made.set(kick(made), "tune", -2.0)
    assert (kick(made).seed, kick(made).tune) == (seed, -2.0)
    made.set(kick(made), "lock", 0)
    assert made.reroll(kick(made)) != seed


def test_words_of_a_pad_are_set_told_saved_and_emptied(tmp_path: Path) -> None:
    made = session(tmp_path)
    news: list[tuple[str, tuple[Value, ...]]] = []
    made.listeners.append(lambda address, values: news.append((address, values)))
    made.set(kick(made), "choke", "low end")
    made.set(kick(made), "out", "Drums")
    assert load_kit(made.save("words")).pads[0].choke == "low end"
    made.set(kick(made), "choke", "")
    assert (kick(made).choke, kick(made).out) == (None, "Drums")
    assert news[:2] == [("pad/kick/choke", ("low end",)), ("pad/kick/out", ("Drums",))]
    assert news[-1] == ("pad/kick/choke", ("",))
    with pytest.raises(FieldError, match="not a kind of drum"):
        made.set(kick(made), "kind", "spoon")


def test_a_folder_of_strokes_becomes_layers_by_level(tmp_path: Path) -> None:
    made = session(tmp_path)
    (tmp_path / "drum").mkdir()
    for name, level in (("a", 0.05), ("b", 0.8)):
        hit(tmp_path / "drum" / f"{name}.wav", level)
    made.use_hits(kick(made), "drum")
    velocities = {each.file.stem: each.high for each in kick(made).hits}
    assert velocities["a"] < velocities["b"] == 127
    made.use_hits(kick(made), "")
    assert kick(made).files == ()


@pytest.mark.parametrize("name", ["../outside.wav", "/etc/hostname", "missing.wav", "a\0b"])
def test_no_path_leads_out_of_the_kits_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "kits").mkdir()
    hit(tmp_path / "outside.wav")
    made = session(tmp_path / "kits")
    with pytest.raises(FieldError):
        made.use_hits(kick(made), name)
    assert kick(made).files == ()


def test_strokes_are_refused_that_are_no_sound_or_have_no_folder(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not a sound")
    made, without = session(tmp_path), session()
    with pytest.raises(AudioFileError):
        made.use_hits(kick(made), "text.wav")
    with pytest.raises(KitError, match="--kits"):
        without.use_hits(kick(without), "text.wav")
