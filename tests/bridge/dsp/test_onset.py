import numpy as np

from ghostnote.bridge.dsp.onset import LEAD_LEVEL, onset_frame


def test_the_onset_is_where_any_channel_reaches_its_share_of_the_peak() -> None:
    audio = np.zeros((2, 100), np.float32)
    audio[0, 20], audio[1, 30], audio[0, 50] = 0.004, 0.006, 1.0
    assert onset_frame(audio) == 30
    assert onset_frame(audio, LEAD_LEVEL) == 20
    assert onset_frame(audio * -0.01) == 30


def test_silence_begins_at_once() -> None:
    assert onset_frame(np.zeros((1, 10), np.float32)) == 0
