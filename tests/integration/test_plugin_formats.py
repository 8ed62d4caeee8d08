"""The plugin as CLAP and LV2, and its many outputs, each in a host of that format."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from clap_host import ClapHost, midi, parameter
from live_fakes import until
from plugin_rig import RATE, SILENT_DB, Home, bounce, difference_db, home, load, rendered
from rig import JackRecorder, need, onsets, program, sequencer

from ghostnote.bridge.bench.jack_server import JackServer
from ghostnote.bridge.plugin import layout

KICK, SNARE, HAT, OPEN = 36, 38, 42, 46
FRAMES = 8_000
SONG = [(100, (0x99, KICK, 100)), (150, (0x99, SNARE, 57)), (2_000, (0x99, HAT, 30)), (3_000, (0x99, OPEN, 127))]


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        with home(folder) as made:
            yield made


def test_clap_opens_by_its_entry_point_and_bounces_what_the_render_is(bundles: Path, user: Home) -> None:
    with ClapHost(bundles / "ghostnote.clap", 1, RATE, FRAMES) as host:
        assert host.descriptor.id == b"ghostnote.stereo"
        assert host.descriptor.name == b"ghostnote"
        audio = host.process([parameter(0, 3), *(midi(frame, *data) for frame, data in SONG)])
    assert difference_db(audio[0], rendered(user.kit, SONG, FRAMES)) < SILENT_DB


def test_each_pad_leaves_the_many_outputs_by_its_own(bundles: Path, user: Home) -> None:
    with ClapHost(bundles / "ghostnote-multi.clap", layout.OUTPUTS, RATE, FRAMES) as host:
        assert host.descriptor.name == b"ghostnote multi"
        audio = host.process([parameter(0, 3), *(midi(frame, *data) for frame, data in SONG)])
    for number, event in enumerate(SONG):
        alone = [event] if number < 2 else SONG[2:]
        whole = rendered(user.kit, alone, FRAMES)
        if number < 2:
            assert difference_db(audio[number], whole) < SILENT_DB
    assert difference_db(audio[2] + audio[3], rendered(user.kit, SONG[2:], FRAMES)) < SILENT_DB
    assert audio[2].any()
    assert audio[3].any()
    assert not audio[4:].any()


def test_the_first_of_many_outputs_alone_reaches_a_host_that_takes_one(bundles: Path, user: Home) -> None:
    audio = bounce(load(bundles / "ghostnote-multi.vst3"), SONG, FRAMES)
    assert difference_db(audio, rendered(user.kit, SONG[:1], FRAMES)) < SILENT_DB


@pytest.mark.parametrize("name", ["ghostnote", "ghostnote-multi"])
def test_lv2_validates(bundles: Path, name: str) -> None:
    need("lv2_validate", "sord_validate")
    files = [str(path) for path in (bundles / f"{name}.lv2").glob("*.ttl")]
    done = subprocess.run(["lv2_validate", *files], capture_output=True, text=True, check=False)
    assert re.search(r"Found 0 errors", done.stdout + done.stderr), done.stdout + done.stderr


def test_lv2_plays_over_jack(bundles: Path, user: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    need("jackd", "jack_connect", "jack_midiseq", "jalv")
    monkeypatch.setenv("LV2_PATH", f"{bundles}:/usr/lib/lv2")
    before = len(user.plugins())
    audio = None
    for _ in range(3):
        # A client that a busy machine holds up is dropped by JACK, and then nothing more is played.
        with suppress(TimeoutError):
            audio = played_over_jack()
            break
    assert audio is not None, "no attempt played eight strokes"
    starts = [start for start in onsets(audio) if start > 2_000]
    assert (np.abs(np.diff(starts) - 12_000) <= 24).all()
    # A plugin that an earlier test loaded may wait to be collected.
    until(lambda: len(user.plugins()) <= before)


def played_over_jack() -> np.ndarray:
    """Return the longest undisturbed stretch of a recording of the LV2, (frames,), with eight strokes or more."""
    jalv = ("jalv", "-n", "player", "-c", "kit=3", "urn:ghostnote:stereo")
    with JackServer(256), program(*jalv, stdin=subprocess.PIPE), sequencer(KICK, SNARE):
        # Its ports are there before it is active.
        link = ["jack_connect", "Sequencer:out", "player:lv2_events_in"]
        until(lambda: subprocess.run(link, capture_output=True, check=False).returncode == 0, 60)
        with JackRecorder("player:lv2_out_1_left") as recorder:
            until(lambda: strokes(recorder) >= 8, 60)
            return max(recorder.undisturbed(), key=len)


def strokes(recorder: JackRecorder) -> int:
    """Return how many strokes were recorded. To look all the time would hold up the recorder, and JACK drops it."""
    time.sleep(0.5)
    return len(onsets(recorder.recorded()))
