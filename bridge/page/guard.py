"""Who may see the page: this computer's user alone, who knows the token, from the page itself."""

import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST: Final = "127.0.0.1"
"""Other computers never reach the page."""
TOKEN: Final = "token"
"""What the token is called in the address."""

_NAMES: Final = (HOST, "localhost")
_SAFE: Final = ("GET", "HEAD")
_HEADERS: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"media-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
)


class Guard:
    """Lets through what comes from the page itself, with the token; all else gets a reason."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        """Guard an application that listens on a port of this computer."""
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in _NAMES}
        self._origins = {f"http://{host}" for host in self._hosts}
        # Cookies know no ports: another page of ours on another port has its own.
        self._cookie = f"ghostnote-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = parse_qs(scope["query_string"].decode("latin-1"))
        if reason := self._refusal(scope, headers, given):
            await _refuse(scope, send, 403, reason)
        elif self._is_arrival(scope, given):
            await self._welcome(send, given)
        elif not self._knows_token(headers):
            await _refuse(
                scope, send, 403, "open the address that 'ghostnote page' printed: it holds this page's token"
            )
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, str], given: dict[str, list[str]]) -> str:
        """Return why a request is refused whatever its cookie, or nothing."""
        if headers.get("host", "") not in self._hosts:
            return f"the page is at {min(self._hosts)}, not at another name"
        is_action = scope["type"] == "websocket" or scope["method"] not in _SAFE
        origin = headers.get("origin", "")
        if (is_action or origin) and origin not in self._origins:
            return "this comes from another page"
        # A link from elsewhere may open the page, but nothing of it.
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not self._is_arrival(scope, given):
            return "this comes from another page"
        if TOKEN in given and not self._is_arrival(scope, given):
            return "the token in the address is not this page's: open the one that 'ghostnote page' printed"
        return ""

    def _is_arrival(self, scope: Scope, given: dict[str, list[str]]) -> bool:
        """Return whether somebody comes with the token in the address."""
        is_page = scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET"
        return is_page and any(self._is_token(token) for token in given.get(TOKEN, ()))

    def _knows_token(self, headers: dict[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())

    async def _welcome(self, send: Send, given: dict[str, list[str]]) -> None:
        """Turn the token in the address into a cookie, so that it stands in no history or list of links."""
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        others = {name: values for name, values in given.items() if name != TOKEN}
        target = f"/?{urlencode(others, doseq=True)}" if others else "/"
        await _answer(send, 303, b"", ((b"location", target.encode()), (b"set-cookie", cookie.encode())))


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return sending


async def _refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return
    await _answer(send, status, reason.encode(), ((b"content-type", b"text/plain; charset=utf-8"),))


async def _answer(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length, *_HEADERS]})
    await send({"type": "http.response.body", "body": body})
