"""A sheet of drums: a page that plays them, and a table that a later command begins from."""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from ghostnote.bridge.dsp.conversion import mixdown
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.tools.explore import FoundDrum

TABLE: Final = "explore.json"
PAGE: Final = "explore.html"
PICTURE: Final = "explore.png"

_PAGE_SECONDS: Final = 2.0
"""As much of a drum is on the page."""
_COLUMNS: Final = 120
_TEMPLATE: Final = Path(__file__).with_name("sheet.html")


@dataclass(frozen=True, eq=False)
class SheetDrum:
    """A drum of a sheet, with the file that it was written to."""

    file: str
    """Beside the sheet."""
    drum: FoundDrum

    def row(self) -> dict[str, Any]:
        """Return what the table says of it."""
        found = self.drum
        return {
            "file": self.file,
            "seed": found.seed,
            "seconds": round(found.seconds, 3),
            "pitch_hz": None if found.pitch_hz is None else round(found.pitch_hz, 1),
            "brightness_hz": round(found.brightness_hz),
        }


def write_sheet(folder: Path, drums: Sequence[SheetDrum], about: Mapping[str, Any], rate: int) -> None:
    """Write the page and the table of drums at `rate` Hz into a folder; `about` says how they were made.

    The page holds the sounds and asks no other host for anything. What was there of an earlier run in that folder goes
    on in the table; the page shows the new ones.
    """
    rows = [row for row in read_table(folder / TABLE) if row["file"] not in {drum.file for drum in drums}]
    rows += [{**about, **drum.row()} for drum in drums]
    write_bytes(folder / TABLE, json.dumps({"drums": rows}, indent=1).encode())
    write_bytes(folder / PAGE, page(drums, about, rate).encode())


def read_table(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table, none where there is no file; `InputError` for one that is damaged."""
    try:
        rows = json.loads(path.read_bytes())["drums"]
        return [{**row, "file": str(row["file"])} for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a table of drums that 'ghostnote explore' wrote: move it away") from error


def class_in_table(hit: Path) -> tuple[str, str | None] | None:
    """Return the class and kind that the table beside a sound file says it is of; None where it says nothing."""
    for row in read_table(hit.parent / TABLE):
        if row["file"] == hit.name and row.get("class"):
            return str(row["class"]), row.get("kind")
    return None


def page(drums: Sequence[SheetDrum], about: Mapping[str, Any], rate: int) -> str:
    """Return the page of drums at `rate` Hz."""
    said = ", ".join(f"{name} {value}" for name, value in about.items() if value not in (None, "", []))
    cards = "\n".join(_card(drum, rate) for drum in drums)
    text = _TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{{said}}", html.escape(f"{len(drums)} drums: {said}")).replace("{{cards}}", cards)


def _card(sheet: SheetDrum, rate: int) -> str:
    found, name = sheet.drum, html.escape(sheet.file, quote=True)
    pitch = "no pitch" if found.pitch_hz is None else f"{found.pitch_hz:.0f} Hz"
    says = f"{found.seconds:.2f} s · {pitch} · bright {found.brightness_hz:.0f} Hz · seed {found.seed}"
    audio = found.audio[:, : round(_PAGE_SECONDS * rate)]
    return (
        f'<div class="drum" data-file="{name}">'
        f'<button type="button" aria-label="Play {name}">{_waveform(audio)}</button>'
        f'<label><input type="checkbox"> {name}</label><p>{says}</p>'
        f'<audio preload="none" src="data:audio/flac;base64,{_encoded(audio, rate)}"></audio></div>'
    )


def _waveform(audio: NDArray[np.float32]) -> str:
    parts = np.array_split(mixdown(audio, 1)[0], min(_COLUMNS, audio.shape[1]))
    lines = "".join(f"M{x} {50 - 48 * part.max():.1f}V{50 - 48 * part.min() + 0.5:.1f}" for x, part in enumerate(parts))
    return f'<svg viewBox="0 0 {_COLUMNS} 100" preserveAspectRatio="none"><path d="{lines}"/></svg>'


def _encoded(audio: NDArray[np.float32], rate: int) -> str:
    stream = BytesIO()
    with AudioFile(stream, "w", rate, len(audio), bit_depth=16, format="flac") as file:
        file.write(np.clip(audio, -1, 1))
    return base64.b64encode(stream.getvalue()).decode()
