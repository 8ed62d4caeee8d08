"""Who may see the page: by plain HTTP and WebSocket, without a browser."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from live_program import free_port
from page_rig import page_server

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.page.serve import PageServer, PageSettings

HOSTS = ("evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1:{port}.evil.example")
ORIGINS = ("http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "")


ACTIONS = (
    ("POST", "/drops"),
    ("POST", "/export"),
    ("DELETE", "/export"),
    ("POST", "/kit/notes/roland"),
    ("POST", "/bench/kit"),
    ("POST", "/pattern.zip"),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        with page_server(free_port()) as server:
            found = urlsplit(server.address)
            yield found.port, found.query.removeprefix("token=")


def ask(page: tuple[int, str], path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", page[0], timeout=30)
    line.putrequest(method, path, skip_host=True)
    for name, value in {"host": f"127.0.0.1:{page[0]}", "content-length": "0", **headers}.items():
        line.putheader(name.replace("_", "-"), value)
    line.endheaders()
    return line.getresponse()


def cookie(page: tuple[int, str]) -> str:
    return ask(page, f"/?token={page[1]}").headers["set-cookie"].partition(";")[0]


UPGRADE = {
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec_websocket_version": "13",
    "sec_websocket_key": "x3JJHMbDL1EzLkh9GBhXDw==",
}


def test_the_token_becomes_a_cookie_that_opens_the_page(page: tuple[int, str]) -> None:
    answer = ask(page, f"/?token={page[1]}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=Strict" in answer.headers["set-cookie"]
    shown = ask(page, "/", cookie=cookie(page))
    assert shown.status == 200
    assert b"<title>ghostnote</title>" in shown.read()
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/?token=", "/static/page.js", "/pattern.mid", "/nothing"])
def test_nothing_is_shown_without_the_token(page: tuple[int, str], path: str) -> None:
    answer = ask(page, path)
    assert answer.status == 403
    assert b"token" in answer.read()
    assert ask(page, path, cookie=f"ghostnote-{page[0]}=wrong").status == 403


@pytest.mark.parametrize("host", HOSTS)
def test_another_host_name_is_refused_even_with_the_token(page: tuple[int, str], host: str) -> None:
    given = host.format(port=page[0])
    assert ask(page, "/", cookie=cookie(page), host=given).status == 403
    assert ask(page, f"/?token={page[1]}", host=given).status == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", ""]
)
def test_another_page_can_neither_act_nor_listen(page: tuple[int, str], origin: str) -> None:
    headers = {"cookie": cookie(page), "origin": origin.format(port=page[0])}
    for method, path in ACTIONS:
        assert ask(page, path, method, **headers).status == 403
        assert ask(page, path, method, cookie=headers["cookie"]).status == 403
    assert ask(page, "/state", **headers, **UPGRADE).status == 403


def test_requests_that_a_browser_marks_as_of_another_site_are_refused(page: tuple[int, str]) -> None:
    assert ask(page, "/static/page.js", cookie=cookie(page), sec_fetch_site="cross-site").status == 403
    assert ask(page, "/", cookie=cookie(page), sec_fetch_site="same-site").status == 403


def test_the_page_itself_acts_and_listens(page: tuple[int, str]) -> None:
    headers = {"cookie": cookie(page), "origin": f"http://127.0.0.1:{page[0]}", "sec_fetch_site": "same-origin"}
    for method, path in ACTIONS:
        # There is no daemon here, no loop and no pattern: more cannot be done.
        assert ask(page, path, method, **headers).status in (200, 422)
        assert ask(page, path, method, **{**headers, "cookie": ""}).status == 403
    assert ask(page, "/state", **headers, **UPGRADE).status == 101
    assert ask(page, "/state", **{**headers, "cookie": ""}, **UPGRADE).status == 403


@pytest.mark.parametrize(
    "path", ["/static/../serve.py", "/static/%2e%2e/serve.py", "/static//etc/passwd", "/static/.."]
)
def test_no_path_leads_out_of_the_pages_files(page: tuple[int, str], path: str) -> None:
    assert ask(page, f"/static/{path}", cookie=cookie(page)).status == 404


def test_answers_do_not_wait_for_the_receipt_of_the_last_one() -> None:
    server = PageServer(PageSettings(free_port(), port=0))
    with socket.create_connection(server.listening.getsockname()):
        taken, _ = server.listening.accept()
        with taken:
            # What asyncio asks before it turns the delay off.
            assert taken.proto == socket.IPPROTO_TCP
    server.listening.close()


def test_only_this_computer_is_listened_to(page: tuple[int, str]) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines() + Path("/proc/net/tcp6").read_text().splitlines()
    places = [line.split()[1] for line in listening[1:] if line.split()[1].endswith(f":{page[0]:04X}")]
    assert set(places) >= {f"0100007F:{page[0]:04X}"}
    assert all(place.startswith("0100007F:") for place in places)
