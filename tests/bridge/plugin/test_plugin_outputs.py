from dataclasses import replace

from live_fakes import KIT

from ghostnote.bridge.kit.kit import Pad, default_kit
from ghostnote.bridge.plugin.outputs import outputs_of


def test_each_pad_has_an_output_and_the_last_is_for_all_that_are_left():
    assert outputs_of(default_kit()) == [*range(15), *[15] * (len(default_kit().pads) - 15)]


def test_pads_of_a_group_share_an_output():
    hats = [replace(pad, out="hats") for pad in KIT.pads[2:]]
    kit = replace(KIT, pads=(*KIT.pads[:2], *hats, Pad("Rim", (37,), "rim")))
    assert outputs_of(kit) == [0, 1, 2, 2, 3]
