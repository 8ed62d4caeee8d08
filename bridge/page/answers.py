"""What the page's addresses answer, and what comes in a request's body."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.page.drum_map import Sound, wav_bytes

_MOST_BODY: Final = 4096


async def wav(sound: Sound) -> Response:
    """Return a sound as a file."""
    return Response(await asyncio.to_thread(wav_bytes, sound), media_type="audio/wav")


async def table(request: Request) -> dict[str, Any]:
    """Return the table that a short body holds; `InputError`."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MOST_BODY:
            raise InputError("the body is too long")
    try:
        given = json.loads(data)
    except ValueError as error:
        raise InputError("the body is not JSON") from error
    if not isinstance(given, dict):
        raise InputError("the body is not a table")
    return given


def number(given: Mapping[str, Any], name: str, low: int, high: int, otherwise: int) -> int:
    """Return a whole number of a table, or else `otherwise`; `InputError`."""
    value = given.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} = {value!r}, but it must be a whole number from {low} to {high}")
    return value


async def explained(_: Request, error: GhostnoteError) -> Response:
    """Answer why something cannot be done."""
    return JSONResponse({"error": str(error)}, 422 if isinstance(error, InputError) else 500)


def named(name: str) -> dict[str, str]:
    """Return the headers of a file that is to be saved under a name."""
    return {"content-disposition": f'attachment; filename="{name}"'}
