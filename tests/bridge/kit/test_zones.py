"""Hi-hats of many opennesses and drums struck at many places: which recorded strokes a note plays."""

from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Pad, load_kit
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.kit.zones import nearest_zone, usual_zone, zones_of


def hit(name: str, openness: float | None = None, position: float | None = None) -> PadHit:
    return PadHit(
        Path(name),
        openness=None if openness is None else (openness, openness),
        position=None if position is None else (position, position),
    )


HAT = Pad("Hat", (42, 46), "open_hat", hits=(hit("shut", 0), hit("half", 0.5), hit("open", 1)), seed=3)


def files(pad: Pad) -> list[str]:
    return [str(each.file) for each in pad.hits]


def played(pad: Pad, note: int | None, pedal: int | None, position: float | None = None) -> list[str]:
    zones = zones_of(pad)
    return files(zones[nearest_zone(zones, note, pedal, position)].pad)


@pytest.mark.parametrize(
    ("note", "pedal", "expected"),
    [(46, 0, "open"), (46, 30, "open"), (46, 40, "half"), (42, 90, "half"), (46, 100, "shut"), (42, 127, "shut")],
)
def test_a_hat_plays_the_strokes_that_are_nearest_to_its_pedal(note: int, pedal: int, expected: str) -> None:
    assert played(HAT, note, pedal) == [expected]


@pytest.mark.parametrize(("note", "expected"), [(42, "shut"), (44, "shut"), (46, "open"), (26, "open")])
def test_without_a_pedal_the_note_says_how_open_a_hat_is(note: int, expected: str) -> None:
    assert played(HAT, note, None) == [expected]


def test_a_closed_hat_s_note_with_the_pedal_at_its_start_is_closed() -> None:
    assert played(HAT, 42, 0) == ["shut"]


def test_a_drum_plays_the_strokes_nearest_to_where_it_is_struck_and_its_centre_where_nothing_says_it() -> None:
    snare = Pad("Snare", (38,), "snare", hits=(hit("centre", None, 0), hit("edge", None, 1), hit("any")))
    assert played(snare, 38, None, 0.9) == ["edge", "any"]
    assert played(snare, 38, None, 0.4) == played(snare, 38, None) == ["centre", "any"]
    assert files(usual_zone(snare)) == ["centre", "any"]


def test_the_range_of_an_openness_counts_and_not_its_middle() -> None:
    hits = (PadHit(Path("shut"), openness=(0.0, 0.1)), PadHit(Path("open"), openness=(0.11, 1.0)))
    hat = Pad("Hat", (46,), "open_hat", hits=hits)
    assert played(hat, 46, 110) == ["open"]
    assert played(hat, 46, 115) == ["shut"]


def test_zones_have_seeds_of_their_own_and_a_pad_that_says_none_stays_as_it_is() -> None:
    assert len({zone.pad.seed for zone in zones_of(HAT)}) == 3
    assert zones_of(HAT)[0].pad.seed == HAT.seed
    plain = Pad("Hat", (42,), "closed_hat", hits=(hit("a"), hit("b")))
    assert [zone.pad for zone in zones_of(plain)] == [plain]
    one = Pad("Hat", (42,), "closed_hat", hits=(hit("a", 0.3), hit("b", 0.3)))
    assert [zone.pad for zone in zones_of(one)] == [one]


def test_many_measured_positions_become_few_zones() -> None:
    hits = tuple(hit(str(at), None, at / 99) for at in range(100))
    zones = zones_of(Pad("Snare", (38,), "snare", hits=hits))
    assert len(zones) == 8
    assert sum(len(zone.pad.hits) for zone in zones) == 100


def test_a_kit_file_says_and_keeps_openness_and_position(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, np.full((1, 99), 0.5, np.float32), 44_100, 24)
    text = (
        '[[pad]]\nname = "Hat"\nnotes = [42]\nhits = [{ file = "a.wav", velocity = 100, openness = 0 },\n'
        '{ file = "b.wav", velocity = 100, openness = [0.5, 1], position = 0.25 }]\n'
    )
    (tmp_path / "kit.toml").write_text(text)
    kit = load_kit(tmp_path / "kit.toml")
    assert [(each.openness, each.position) for each in kit.pads[0].hits] == [((0, 0), None), ((0.5, 1), (0.25, 0.25))]
    save_kit(kit, tmp_path / "again.toml")
    assert load_kit(tmp_path / "again.toml").pads == kit.pads
    for wrong in ("openness = 2", "openness = [1, 0]", 'position = "rim"'):
        (tmp_path / "kit.toml").write_text(text.replace("openness = 0 ", wrong + " "))
        with pytest.raises(KitError, match=wrong.split()[0]):
            load_kit(tmp_path / "kit.toml")
