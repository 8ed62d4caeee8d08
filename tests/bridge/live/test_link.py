"""What a page gets of a session over the local socket."""

import json
import socket
import stat
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_fakes import KIT, RATE, fill, until

from ghostnote.bridge.kit.kit import parse_kit
from ghostnote.bridge.live.link.frames import HEAD, JSON, SOUND, json_frame
from ghostnote.bridge.live.link.server import MOST_PAGES, LinkServer, link_path
from ghostnote.bridge.live.link.waveform import waveform
from ghostnote.bridge.live.session import Session


class PageLine:
    """The page's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(str(path))
        self.line.settimeout(30)
        self._data = b""

    def next(self) -> tuple[int, bytes]:
        while True:
            if len(self._data) >= HEAD.size:
                size, kind = HEAD.unpack_from(self._data)
                if len(self._data) >= HEAD.size + size:
                    found = self._data[HEAD.size : HEAD.size + size]
                    self._data = self._data[HEAD.size + size :]
                    return kind, found
            received = self.line.recv(65536)
            if not received:
                raise EOFError
            self._data += received

    def message(self, kind: str) -> dict[str, Any]:
        """Return the next message of a kind."""
        while True:
            sort, data = self.next()
            if sort == JSON and (found := json.loads(data))["type"] == kind:
                return dict(found)

    def sound(self) -> np.ndarray:
        while True:
            kind, data = self.next()
            if kind == SOUND:
                return np.frombuffer(data, "<i2").reshape(-1, 2)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = Session(KIT, RATE, tmp_path, limiter=False)
    fill(made.pool)
    return made


@contextmanager
def linked(session: Session, tmp_path: Path) -> Iterator[LinkServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        with LinkServer(session, lambda: {"underruns": 0}, 9999) as server:
            yield server


def test_a_page_is_told_everything_and_then_what_changes(session: Session, tmp_path: Path) -> None:
    with linked(session, tmp_path) as server:
        page = PageLine(server.path)
        kit = page.message("kit")
        assert kit["pads"] == ["kick", "snare_drum", "hat", "open_hat"]
        assert kit["folder"] == str(tmp_path)
        pads = [page.message("pad") for _ in KIT.pads]
        assert [pad["name"] for pad in pads] == [pad.name for pad in KIT.pads]
        assert (pads[1]["gain"], pads[1]["notes"], pads[2]["choke"]) == (-6.0, [38], "hats")
        assert page.message("depth")["values"] == [24] * 4
        assert page.message("status")["facts"] == {"underruns": 0}
        session.set(session.kit.pads[2], "tune", -3.0)
        changed = page.message("pad")
        assert (changed["at"], changed["tune"], changed["undo"]) == (2, -3.0, 0)
        session.reroll(session.kit.pads[2])
        assert page.message("pad")["undo"] == 1
        session.set(session.kit.pads[0], "mute", True)
        assert page.message("pad")["mute"] is True
        session.say("something happened")
        assert page.message("change")["values"] == ["something happened"]
        session.save("mine")
        assert page.message("kits")["names"] == ["mine.toml"]


def test_a_stroke_is_told_with_its_waveform_and_its_moment(session: Session, tmp_path: Path) -> None:
    with linked(session, tmp_path) as server:
        render = server.tapped(session.render)
        page = PageLine(server.path)
        page.message("status")
        session.strike("Snare Drum", 64, 99.99)
        render(80, 100.0)
        hit = session.pool.queues[1].recent[-1]
        found = page.message("played")
        assert (found["pad"], found["velocity"], found["origin"], found["index"]) == (
            "snare_drum",
            64,
            "fresh",
            hit.index,
        )
        assert found["at"] == pytest.approx(100.0, abs=80 / RATE)
        ends = np.frombuffer(b64decode(found["wave"]), np.int8)
        assert np.abs(ends.astype(int)).max() == 127
        assert found["peak"] == pytest.approx(float(abs(hit.audio[0]).max()) * (64 / hit.velocity) ** 2, rel=1e-6)


def test_sound_is_sent_to_whoever_asks_for_it(session: Session, tmp_path: Path) -> None:
    with linked(session, tmp_path) as server:
        render = server.tapped(session.render)
        page = PageLine(server.path)
        page.line.sendall(json_frame({"sound": True}))
        page.message("kit")
        until(lambda: server.is_listened)
        session.strike("Kick", 120, 99.99)
        mix = render(80, 100.0).copy()
        assert mix.any()
        np.testing.assert_allclose(page.sound(), np.rint(mix.T * 32767), atol=1)


def test_the_kit_can_be_asked_for(session: Session, tmp_path: Path) -> None:
    with linked(session, tmp_path) as server:
        page = PageLine(server.path)
        page.line.sendall(json_frame({"kit": True}))
        found = page.message("kit_text")
        assert parse_kit(found["text"], Path("/"), "found").pads == KIT.pads


def test_nobody_watches_without_a_page_and_one_that_goes_leaves_no_trace(session: Session, tmp_path: Path) -> None:
    with linked(session, tmp_path) as server:
        render = server.tapped(session.render)
        session.strike("Kick", 100, 99.99)
        render(80, 100.0)
        page = PageLine(server.path)
        page.message("status")
        page.line.close()
        until(lambda: not server.is_watched)
        again = PageLine(server.path)
        again.message("status")
        session.strike("Kick", 90, 100.5)
        render(80, 101.0)
        assert again.message("played")["velocity"] == 90


def test_strangers_and_too_many_are_let_go(session: Session, tmp_path: Path) -> None:
    with linked(session, tmp_path) as server:
        stranger = PageLine(server.path)
        stranger.line.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises((EOFError, ConnectionError)):
            stranger.message("nothing")
        until(lambda: not server.is_watched)
        pages = [PageLine(server.path) for _ in range(MOST_PAGES)]
        for page in pages:
            page.message("kit")
        with pytest.raises((EOFError, ConnectionError)):
            PageLine(server.path).message("kit")


def test_the_socket_is_this_users_alone_and_goes(session: Session, tmp_path: Path) -> None:
    with linked(session, tmp_path) as server:
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(server.path.parent.stat().st_mode) == 0o700
    assert not server.path.exists()


def test_the_socket_is_found_by_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert link_path(9001) == tmp_path / "ghostnote" / "live-9001.sock"


def test_waveforms_show_the_audible_part() -> None:
    audio = np.zeros((2, 48_000), np.float32)
    audio[0, 100], audio[0, 4_000], audio[0, 30_000] = 0.5, -0.25, 0.0005
    drawn = waveform(audio, points=100)
    ends = np.frombuffer(b64decode(drawn.ends), np.int8).reshape(100, 2)
    assert drawn.peak == 0.5
    assert 4_000 < drawn.frames < 5_000
    assert ends.max() == 127
    assert ends.min() == -64
    silent = waveform(np.zeros((1, 500), np.float32))
    assert (silent.peak, silent.frames) == (0.0, 500)
