import pytest

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kinds import KIND_NAMES, KINDS, find_class, find_kind, kind_from_name, kinds_of


def test_every_kind_belongs_to_one_class_and_has_a_name_of_its_own() -> None:
    assert {kind.drum_class for kind in KINDS} <= set(CLASS_NAMES)
    assert len(set(KIND_NAMES)) == len(KINDS)
    assert not set(KIND_NAMES) & set(CLASS_NAMES)


@pytest.mark.parametrize(
    ("drum_class", "name", "kind"),
    [
        ("perc", "distkit-cowbell", "cowbell"),
        ("perc", "cb8", "cowbell"),
        ("perc", "MutedLowConga", "muted_conga"),
        ("perc", "LowConga", "conga"),
        ("perc", "hc8", "conga"),
        ("perc", "Conga_High_Mute", "muted_conga"),
        ("perc", "cabasa backward", "cabasa"),
        ("perc", "EggShaker.fast", "shaker"),
        ("perc", "10_sh_switchangel", "shaker"),
        ("perc", "tabla_ghe4", "tabla"),
        ("perc", "elec_wood", "wood_block"),
        ("perc", "elec_triangle", "triangle"),
        ("perc", "hang A3", "hang"),
        ("perc", "perc_door", ""),
        ("tom", "medium-tom", "mid_tom"),
        ("tom", "606_Floor_Tom", "electronic_tom"),
        ("rim", "13b_basic/ss", "side_stick"),
        ("rim", "14a_rimshot/sr", "rim_shot"),
        ("crash", "drum_splash", "splash"),
        ("ride", "Ride_Cup", "ride_bell"),
        ("ride", "ride-mid-in", "ride_cymbal"),
        ("kick", "cs30 Godzilla", "electronic_kick"),
        ("kick", "Jazz_Bass_Drum_1", "acoustic_kick"),
        ("snare", "10_brush/sb", "brush_snare"),
    ],
)
def test_recordings_names_say_their_kind(drum_class: str, name: str, kind: str) -> None:
    assert kind_from_name(drum_class, name) == kind


@pytest.mark.parametrize("text", ["cowbell", "Cowbell", " COWBELL ", "cowbells"])
def test_a_kind_is_found_however_it_is_written(text: str) -> None:
    assert find_kind(text).name == "cowbell"
    assert find_kind("wood block") == find_kind("Wood-Block") == find_kind("wood_block", "perc")


def test_a_wrong_kind_says_which_there_are() -> None:
    with pytest.raises(InputError, match="did you mean cowbell"):
        find_kind("cowbel")
    with pytest.raises(InputError, match="choose one of splash, china, crash_cymbal"):
        find_kind("zzz", "crash")
    with pytest.raises(InputError, match="'cowbell' is not a kind of drum of the class ride; choose one of ride_bell"):
        find_kind("cowbell", "ride")


def test_a_wrong_class_says_which_there_are() -> None:
    assert find_class("ride") == "ride"
    with pytest.raises(InputError, match="choose closed_hat or open_hat or pedal_hat"):
        find_class("hihat")
    with pytest.raises(InputError, match="or the kind cowbell"):
        find_class("cowbell")
    with pytest.raises(InputError, match="choose one of kick, snare"):
        find_class("zzz")
    with pytest.raises(InputError, match=r"'snaer' is not a drum class; did you mean snare\?"):
        find_class("snaer")


@pytest.mark.parametrize("text", ["closed_hat", "closed hat", "Closed-Hats", " CLOSED HAT "])
def test_a_class_is_found_however_it_is_written(text: str) -> None:
    assert find_class(text) == "closed_hat"


def test_a_class_has_its_kinds() -> None:
    assert kinds_of("clap") == ("finger_snap", "hand_clap")
    assert kinds_of("pedal_hat") == ()


@pytest.mark.parametrize("text", ["hihat", "Hi-Hat", "hats", "hi hats"])
def test_a_class_s_everyday_name_means_its_kinds_and_no_other_drum(text: str) -> None:
    hats = "electronic_closed_hat, acoustic_closed_hat, electronic_open_hat, half_open_hat, acoustic_open_hat"
    with pytest.raises(InputError, match=f"'{text}' is not a kind of drum; choose one of {hats}$"):
        find_kind(text)
