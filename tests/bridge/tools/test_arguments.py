"""What tools say of sounds that they cannot take."""

import numpy as np
import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.arguments import checked
from ghostnote.bridge.tools.pitch import drum_pitch
from ghostnote.bridge.tools.slice import slice_loop

RATE = 44_100
SILENT, BROKEN = np.zeros((1, 9), np.float32), np.ones((2, 9), np.float32)
BROKEN[1, 3] = np.nan


@pytest.mark.parametrize(
    ("hit", "rate", "said"),
    [
        (SILENT, RATE, "the hit is silent: give one with sound in it"),
        (BROKEN, RATE, "the hit holds nan at frame 3 of channel 1: give finite numbers alone"),
        (BROKEN[0], RATE, r"the hit has the shape \(9,\): give \(channels, frames\)"),
        (np.ones((3, 9)), RATE, "the hit has 3 channels: give 2 at most"),
        ([["loud"]], RATE, "the hit is not an array of numbers"),
        (np.ones((1, 9)), 10, "rate is 10: choose 1000 to 768000"),
        (np.full((1, 900), 9e19), RATE, r"the hit has a peak of 9e\+19, where 1 is full scale: scale it down"),
        (np.ones((1, 9)), RATE, "the hit lasts 0.2 ms: give 2 ms at least"),
    ],
)
def test_what_is_wrong_with_a_sound_is_said(hit: object, rate: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked(hit, rate, 2)


def test_each_tool_calls_it_what_it_is() -> None:
    with pytest.raises(InputError, match=r"^the loop is silent: "):
        slice_loop(SILENT, RATE)
    with pytest.raises(InputError, match=r"^the loop holds nan "):
        slice_loop(BROKEN, RATE)
    with pytest.raises(InputError, match=r"^the hit is silent: "):
        drum_pitch(SILENT, RATE)
