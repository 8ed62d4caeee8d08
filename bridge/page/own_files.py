"""The page's own files, read once and served from memory: a browser has them at once, and no path leads elsewhere."""

import mimetypes
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

STATIC: Final = Path(__file__).with_name("static")
INDEX: Final = "index.html"


class OwnFiles:
    """Serves the files of a folder by their names."""

    def __init__(self, folder: Path = STATIC) -> None:
        """Read them all."""
        self._files = {file.name: (file.read_bytes(), _kind(file)) for file in folder.iterdir() if file.is_file()}

    async def index(self, _: Request) -> Response:
        """Return the page itself."""
        return self._answer(INDEX)

    async def file(self, request: Request) -> Response:
        """Return the file whose name is in the path; 404 for any other."""
        return self._answer(request.path_params["name"])

    def _answer(self, name: str) -> Response:
        if name not in self._files:
            raise HTTPException(404)
        data, kind = self._files[name]
        return Response(data, media_type=kind)


def _kind(file: Path) -> str:
    # What the system knows of endings may be wrong: a module of another type is not run.
    own = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    return own.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
