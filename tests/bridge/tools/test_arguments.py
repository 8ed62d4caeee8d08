"""What tools say of sounds that they cannot take."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ghostnote.bridge import (
    ExploreSettings,
    Sliders,
    TransferSettings,
    Variation,
    explore,
    extend,
    play_melody,
    repair,
    transfer,
    tweak,
    upsample,
    widen,
)
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
        ("loud", RATE, "the hit is not an array of numbers, but of <U4"),
        (np.ones((1, 900), np.int16), RATE, "the hit is of int16: give floating-point numbers, where 1 is full scale"),
        (np.ones((1, 900), complex), RATE, "the hit is of complex128: give floating-point numbers"),
        (np.ones((1, 900)), "44100", "rate is '44100': choose 1000 to 768000"),
        (np.ones((1, 900)), None, "rate is None: choose 1000 to 768000"),
        (np.ones((1, 900)), np.int16(8_000), r"rate is of int16, in which it overflows: give int\(rate\)"),
        (np.ones((1, 9)), 10, "rate is 10: choose 1000 to 768000"),
        (np.full((1, 900), 9e19), RATE, r"the hit has a peak of 9e\+19, where 1 is full scale: scale it down"),
        (np.ones((1, 9)), RATE, "the hit lasts 0.2 ms: give 2 ms at least"),
    ],
)
def test_what_is_wrong_with_a_sound_is_said(hit: Any, rate: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked(hit, rate, 2)


def test_each_tool_calls_it_what_it_is() -> None:
    with pytest.raises(InputError, match=r"^the loop is silent: "):
        slice_loop(SILENT, RATE)
    with pytest.raises(InputError, match=r"^the loop holds nan "):
        slice_loop(BROKEN, RATE)
    with pytest.raises(InputError, match=r"^the hit is silent: "):
        drum_pitch(SILENT, RATE)


TONE = np.sin(np.arange(4_000) / 20)[None]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: tweak(TONE, RATE, Sliders(), seed=1.5), r"seed is 1\.5: choose a whole number from 0"),
        (lambda: extend(TONE, RATE, 1.0, seed=-1), "seed is -1: choose 0 to "),
        (lambda: extend(TONE, RATE, "1"), "seconds is '1': choose"),
        (lambda: repair(TONE, RATE, seed=None), "seed is None: choose a whole number"),
        (lambda: upsample(TONE, RATE, "snare", steps=1.5), r"steps is 1\.5: choose a whole number from 0 to 256"),
        (lambda: widen(TONE, RATE, "snare", seed=10**4_999), "seed is a number of thousands of digits: choose 0 to"),
        (lambda: widen(TONE, RATE, None), "None is not the name of a drum: give it as text, as 'snare'"),
        (lambda: transfer(TONE, RATE, TransferSettings("kick", steps=-1)), "steps is -1: choose 0 to 256"),
        (lambda: explore(ExploreSettings("kick", count=2.5)), r"count is 2\.5: choose a whole number from 1"),
        (lambda: play_melody([], TONE, RATE, "tom", variation=Variation(amount=np.nan)), "amount is nan: choose 0 to"),
    ],
)
def test_no_tool_takes_a_number_of_another_kind_or_out_of_its_range(call: Callable[[], object], said: str) -> None:
    with pytest.raises(InputError, match=f"^{said}"):
        call()
