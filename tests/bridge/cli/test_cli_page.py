import http.client
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from live_program import free_port
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.cli.page import page_beside
from ghostnote.bridge.errors import InputError

pytest.importorskip("starlette", reason="needs the 'page' extra")


def test_a_page_beside_a_session_is_there_and_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with page_beside("127.0.0.1", free_port(), open_browser=False) as said:
        where = urlsplit(said.removeprefix("page: "))
        line = http.client.HTTPConnection(where.netloc, timeout=60)
        line.request("GET", f"/?{where.query}")
        assert line.getresponse().status == 303
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(where.netloc, timeout=60).connect()


@pytest.mark.parametrize("address", ["off", "127.0.0.1:0"])
def test_a_page_without_osc_is_refused(address: str) -> None:
    result = CliRunner().invoke(app, ["live", "--driver", "null", "--page", "--osc", address])
    assert isinstance(result.exception, InputError)
    assert "--page plays by OSC" in str(result.exception)


def test_the_page_asks_no_other_host_for_anything() -> None:
    static = files("ghostnote.bridge.page") / "static"
    names = [file.name for file in static.iterdir()]
    assert {"index.html", "page.js", "page.css", "icon.svg"} <= set(names)
    for file in static.iterdir():
        text = file.read_text().replace("http://www.w3.org/", "")
        assert "http://" not in text
        assert "https://" not in text
