import numpy as np

from ghostnote.bridge.bench.jack_server import RATE
from ghostnote.bridge.bench.live import TEMPO_BPM
from ghostnote.bridge.bench.plugin_host import late_clients, sixteenths_heard

STEP = round(RATE * 60 / TEMPO_BPM / 4)


def played(*strokes: int, steps: int = 40) -> np.ndarray:
    """Return hiss with decaying noise at some of its sixteenths, (frames,)."""
    draw = np.random.default_rng(0)
    audio = 1e-5 * draw.standard_normal(steps * STEP)
    hit = 0.3 * draw.standard_normal(2 * STEP) * np.exp(-np.arange(2 * STEP) / 2000)
    for stroke in strokes:
        begin = stroke * STEP + STEP // 3
        audio[begin : begin + len(hit)] += hit[: len(audio) - begin]
    return audio.astype(np.float32)


def test_each_sixteenth_that_sounds_is_heard_and_no_other() -> None:
    assert sixteenths_heard(played(*range(40))) == 39
    assert sixteenths_heard(played(*(n for n in range(40) if n not in {7, 20, 21}))) == 36
    assert sixteenths_heard(played()) == 0


def test_the_server_says_whose_block_was_late() -> None:
    said = [
        (1.0, "JackEngine::XRun: client = player was not finished, state = Triggered\n"),
        (2.0, "JackAudioDriver::ProcessGraphAsyncMaster: Process error\n"),
        (3.0, "JackEngine::XRun: client = jackrec was not finished, state = Running\n"),
    ]
    assert late_clients(said) == [(1.0, "player"), (3.0, "jackrec")]
