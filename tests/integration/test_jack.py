"""JACK and the programs around it, without hardware. Skipped where they are not installed."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import mido.sockets
import numpy as np
import pytest
from live_fakes import KIT, until
from rig import QUIET, JackRecorder, connect, fake, need, onsets, program, sequencer

from ghostnote.bridge.bench.jack_server import JackServer
from ghostnote.bridge.bench.rig import Daemon
from ghostnote.bridge.devices.pedalboard import find_plugins


@pytest.fixture(scope="module")
def server() -> Iterator[JackServer]:
    need("jackd", "jack_connect", "jack_midiseq")
    # Periods of 21 ms: a machine that does much else keeps to them.
    with JackServer(1024) as running:
        yield running


def whole_onsets(audio: np.ndarray) -> list[int]:
    """Return the onsets of a stretch but for one at its very begin, which may be the rest of a hit."""
    return [start for start in onsets(audio) if start > 2000]


def test_a_sequencer_plays_through_jack_exactly_and_no_hit_comes_twice(server: JackServer) -> None:
    with fake(driver="jack") as daemon, sequencer(), JackRecorder("ghostnote:out_1") as recorder:
        connect("Sequencer:out", "ghostnote:midi_in")

        def steps() -> list[np.ndarray]:
            return [np.diff(whole_onsets(audio)) for audio in recorder.undisturbed()]

        # Where a client was late, by JACK's own count, nothing is exact: as long as it takes for 12 steps without.
        until(lambda: sum(map(len, steps())) >= 12, 120)
        stretches = recorder.undisturbed()
        until(lambda: float(daemon.ask()["notes_fresh"]) >= 12)
        status = daemon.ask()
    hits = []
    for audio in stretches:
        starts = whole_onsets(audio)
        assert len(starts) <= len(audio) / 12_000 + 1
        assert (np.abs(np.diff(starts) - 12_000) <= 24).all()
        hits += [audio[start : start + 1500] for start in starts if start + 1500 < len(audio)]
    alike = np.corrcoef(hits) - np.eye(len(hits))
    print(f"{len(hits)} hits, correlation at most {alike.max():.3f}")
    assert alike.max() < 0.5
    assert status["notes_fresh"] >= 12
    assert status["faults"] == 0


def test_each_pad_has_a_named_pair_of_ports_that_it_alone_sounds_on(server: JackServer) -> None:
    with fake(driver="jack", outputs="pads") as daemon, sequencer():
        ports = subprocess.run(["jack_lsp"], capture_output=True, text=True, check=True).stdout.split("\n")
        named = [f"ghostnote:{name}_{side}" for name in ("out", *(pad.name for pad in KIT.pads)) for side in (1, 2)]
        assert [port for port in ports if port.startswith("ghostnote:") and "midi" not in port] == named
        with JackRecorder("ghostnote:Snare Drum_1") as snare, JackRecorder("ghostnote:Hat_1") as hat:
            connect("Sequencer:out", "ghostnote:midi_in")
            until(lambda: len(onsets(snare.recorded())) >= 3, 60)
            assert not hat.recorded().any()
        assert daemon.ask()["faults"] == 0


def test_a_sequencer_plays_a_port_of_our_own_while_another_driver_sounds(server: JackServer) -> None:
    with fake(driver="null", midi=("virtual",)) as daemon, sequencer():
        connect("Sequencer:out", "ghostnote:midi_in")
        until(lambda: float(daemon.ask()["notes_fresh"]) >= 6, 30)
        assert daemon.ask().get("midi_garbage", 0) == 0


def test_a_port_is_found_when_it_comes_and_missed_when_it_goes(server: JackServer) -> None:
    for _ in range(4):
        with fake(driver="null", midi=("sequencer",)) as daemon:
            assert "waiting for it" in str(daemon.ask()["notices"])
            notes = [notes_of_a_port_that_comes_and_goes(daemon, times) for times in (1, 2)]
        # On a busy machine the server may never call a client, as that of the daemon.
        if min(notes) >= 4:
            break
    assert min(notes) >= 4


def notes_of_a_port_that_comes_and_goes(daemon: Daemon, times: int) -> float:
    """Return how many notes came of a sequencer, for the so many-th time, that is found and then missed."""
    before = float(daemon.ask()["notes_fresh"])
    gone = str(daemon.ask()["notices"]).count("is gone")
    with sequencer() as starts, suppress(TimeoutError):
        until(lambda: float(daemon.ask()["notes_fresh"]) >= before + 4, 15)
    until(lambda: str(daemon.ask()["notices"]).count("is gone") == gone + starts, 30)
    assert str(daemon.ask()["notices"]).count("is open") >= times
    return float(daemon.ask()["notes_fresh"]) - before


@pytest.mark.parametrize("driver", ["pedalboard", "sounddevice"])
def test_other_drivers_reach_jack(server: JackServer, driver: str) -> None:
    if driver == "sounddevice":
        # Looked for, not imported: PortAudio would outlive the server in this process, and end it.
        if find_spec("sounddevice") is None or find_library("portaudio") is None:
            pytest.skip("sounddevice or PortAudio is not installed")
    else:
        find_plugins()
        if not Path(os.environ.get("ALSA_PLUGIN_DIR", ""), "libasound_module_pcm_jack.so").is_file():
            pytest.skip("ALSA has no JACK plugin: libasound2-plugins is not installed")
    device = "JACK" if driver == "pedalboard" else None
    with fake(driver=driver, device=device, midi=("tcp:0",)) as daemon:
        midi_port = int(daemon.ask()["midi_port"])
        for _ in range(8):
            sent, starts = five_notes(midi_port)
            is_even = len(starts) == 5 and np.abs(np.diff(starts) / 48_000 - np.diff(sent)).max() < 0.1
            if is_even:
                break
            # Where the machine stood still the take says nothing, and not all of these drivers count that.
    assert len(starts) == 5
    assert is_even


def five_notes(midi_port: int) -> tuple[list[float], list[int]]:
    """Play five notes; return when they were sent, in seconds, and the frames at which they sounded."""
    sent = []
    ports = "(python|PortAudio|ghostnote|alsa).*:out_0"
    with JackRecorder(ports) as recorder, mido.sockets.connect("127.0.0.1", midi_port) as port:
        time.sleep(0.5)
        for _ in range(5):
            sent.append(time.perf_counter())
            port.send(mido.Message("note_on", note=36, velocity=120))
            time.sleep(0.4)
        time.sleep(0.3)
    return sent, onsets(recorder.recorded(), 6000)


@pytest.mark.parametrize("driver", ["jack", "sounddevice"])
def test_a_server_that_dies_and_comes_again_is_played_again(server: JackServer, driver: str) -> None:
    if driver == "sounddevice" and (find_spec("sounddevice") is None or find_library("portaudio") is None):
        pytest.skip("sounddevice or PortAudio is not installed")
    with fake(driver=driver) as daemon:
        server.kill()
        until(lambda: daemon.ask()["device_lost"] == 1, 30)
        server.start()
        until(lambda: daemon.ask()["device_lost"] == 0, 30)
        with JackRecorder("ghostnote:out_1") as recorder, sequencer():
            connect("Sequencer:out", "ghostnote:midi_in")
            until(lambda: len(onsets(recorder.recorded())) >= 4)
        assert daemon.ask()["device_losses"] == 1


EXPECTED = (
    "/ghostnote/subscribe f 20.0",
    "/ghostnote/pad/kick/amount f 0.5",
    '/ghostnote/played sis "kick" 100',
    "/ghostnote/meters fffff",
    "/ghostnote/depth iiii",
    "amount = 7",
    "no such address",
)


def test_liblo_programs_set_get_subscribe_and_hear_of_errors() -> None:
    need("oscsend", "oscdump")
    with fake(driver="null") as daemon:
        port = str(daemon.ask()["osc_port"])

        def send(*message: str) -> None:
            subprocess.run(["oscsend", "127.0.0.1", port, *message], check=True, **QUIET)  # type: ignore[call-overload]

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            listener = str(free.getsockname()[1])
        lines: list[str] = []

        def has_come(expected: str) -> bool:
            return any(expected in line for line in tuple(lines))

        def subscribed() -> bool:
            """Ask until the other program is there to hear the answer."""
            send("/ghostnote/subscribe", "fi", "20", listener)
            return has_come(EXPECTED[0])

        with program("oscdump", "-L", listener, stdout=subprocess.PIPE) as dump:
            Thread(target=lambda: lines.extend(dump.stdout or ()), daemon=True).start()
            until(subscribed)
            send("/ghostnote/pad/kick/amount", "f", "0.5")
            send("/ghostnote/pad/kick/amount")
            send("/ghostnote/pad/kick/amount", "i", "7")
            send("/ghostnote/hit", "si", "kick", "100")
            send("/ghostnote/hit", "iT", "2")
            send("/ghostnote/nothing")
            with suppress(TimeoutError):
                until(lambda: all(map(has_come, EXPECTED)))
    assert [expected for expected in EXPECTED if not has_come(expected)] == [], "".join(lines)


PATCH = """#N canvas 0 0 400 300 10;
#X obj 10 10 loadbang;
#X obj 10 40 delay 300;
#X msg 10 70 connect 127.0.0.1 {port};
#X obj 10 220 netsend -u -b;
#X obj 120 40 delay 800;
#X msg 120 70 36 90;
#X obj 120 100 oscformat ghostnote note;
#X msg 250 70 {bundle};
#X obj 250 40 delay 1100;
#X obj 120 130 list prepend send;
#X obj 120 160 list trim;
#X obj 250 130 list prepend send;
#X obj 250 160 list trim;
#X connect 0 0 1 0;
#X connect 0 0 4 0;
#X connect 0 0 8 0;
#X connect 1 0 2 0;
#X connect 2 0 3 0;
#X connect 4 0 5 0;
#X connect 5 0 6 0;
#X connect 6 0 9 0;
#X connect 9 0 10 0;
#X connect 10 0 3 0;
#X connect 8 0 7 0;
#X connect 7 0 11 0;
#X connect 11 0 12 0;
#X connect 12 0 3 0;
"""


def test_pure_data_sends_messages_and_bundles_with_times(tmp_path: Path) -> None:
    from ghostnote.bridge.live.osc.codec import bundle, pack

    need("pd")
    # A program that starts too slowly for its bundle to be of the future is given longer.
    for seconds in (3.0, 12.0, 50.0):
        with fake(driver="null") as daemon:
            due = time.time() + seconds
            data = bundle(due, pack("/ghostnote/hit", ("kick", 100)), pack("/ghostnote/hit", ("hat", 90)))
            patch = tmp_path / "play.pd"
            words = " ".join(str(byte) for byte in data)
            patch.write_text(PATCH.format(port=daemon.ask()["osc_port"], bundle=words))
            with program("pd", "-nogui", "-noaudio", "-nomidi", str(patch)):
                until(lambda: float(daemon.ask()["notes_fresh"]) >= 1, 60)
                until(lambda: float((status := daemon.ask())["waiting"]) + float(status["notes_fresh"]) == 3)
                has_waited = float(daemon.ask()["waiting"]) == 2
                until(lambda: float(daemon.ask()["notes_fresh"]) == 3, 90)
                assert time.time() >= due
            status = daemon.ask()
        assert status.get("osc_garbage", 0) == 0
        if has_waited:
            break
    assert has_waited
    assert status.get("osc_late", 0) == 0
