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

from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.errors import AudioFileError, InputError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.tools.explore import FoundDrum

TABLE: Final = "explore.json"
PAGE: Final = "explore.html"
PICTURE: Final = "explore.png"

_PAGE_SECONDS: Final = 2.0
"""As much of a drum is on the page."""
_TEXT, _NUMBER = (str, type(None)), (int, float)
_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "file": (str,),
    "seed": (int,),
    "seconds": _NUMBER,
    "pitch_hz": (*_NUMBER, type(None)),
    "brightness_hz": _NUMBER,
    "class": _TEXT,
    "kind": _TEXT,
    "like": _TEXT,
}
"""What the table says of a drum, and of which type that is."""
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


def write_sheet(folder: Path, drums: Sequence[SheetDrum], about: Mapping[str, Any], rate: int) -> tuple[SheetDrum, ...]:
    """Write the page and the table of drums at `rate` Hz into a folder, and return all that the page shows.

    `about` says how the new ones were made. Those of earlier runs that are still in the folder come behind them. The
    page holds the sounds and asks no other host for anything.
    """
    rows = [row for row in read_table(folder / TABLE) if row["file"] not in {drum.file for drum in drums}]
    every = (*drums, *(drum for row in rows if (drum := _earlier(folder, row, rate))))
    made_like = {**about, "like": _resolved(about["like"])} if about.get("like") else about
    rows += [{**made_like, **drum.row()} for drum in drums]
    write_bytes(folder / TABLE, json.dumps({"drums": rows}, indent=1).encode())
    said = ", ".join(f"{name} {value}" for name, value in about.items() if value not in (None, "", []))
    new = "" if len(every) == len(drums) else f", {len(drums)} of them new"
    write_bytes(folder / PAGE, page(every, f"{counted(len(every), 'drum')}{new}: {said}", rate).encode())
    return every


def next_seed(folder: Path, about: Mapping[str, Any]) -> int:
    """Return the seed after those of a folder's drums that were made like these; 0 where there are none.

    `InputError` for a table that is damaged.
    """
    rows = [row for row in read_table(folder / TABLE) if _made_like(row) == _made_like(about)]
    return max((int(row["seed"]) + 1 for row in rows if "seed" in row), default=0)


def _made_like(about: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what has to be the same for a seed to make the same drum, more or less."""
    like = about.get("like")
    return about.get("class"), about.get("kind"), _resolved(like) if like else None


def _resolved(path: str) -> str:
    """Return one name for a file, however it was typed."""
    return str(real_path(Path(path)))


def read_table(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table, none where there is no file; `InputError` for one that is damaged."""
    try:
        rows = json.loads(path.read_bytes())["drums"]
        return [_checked(row) for row in rows]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a table of drums that 'ghostnote explore' wrote: move it away") from error


def _checked(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row; `KeyError` or `TypeError` where it cannot be of a table of drums."""
    wrong = [name for name, types in _FIELDS.items() if name in row and type(row[name]) not in types]
    if wrong:
        raise TypeError(f"{wrong[0]} is {row[wrong[0]]!r}")
    return {**row, "file": row["file"]}


def class_in_table(hit: Path) -> tuple[str, str | None] | None:
    """Return the class and kind that the table beside a sound file says it is of; None where it says nothing."""
    for row in read_table(hit.parent / TABLE):
        if row["file"] == hit.name and row.get("class"):
            return str(row["class"]), row.get("kind")
    return None


def _earlier(folder: Path, row: Mapping[str, Any], rate: int) -> SheetDrum | None:
    """Return a drum of an earlier run as the table describes it, or None where its file is gone."""
    try:
        audio, own_rate = read_audio(folder / row["file"])
    except AudioFileError:
        return None
    hz, bright = row.get("pitch_hz"), float(row.get("brightness_hz", 0))
    found = FoundDrum(resample(audio, own_rate, rate), int(row.get("seed", 0)), audio.shape[1] / own_rate, hz, bright)
    return SheetDrum(row["file"], found)


def page(drums: Sequence[SheetDrum], said: str, rate: int) -> str:
    """Return the page of drums at `rate` Hz, under what is said of them."""
    cards = "\n".join(_card(drum, rate) for drum in drums)
    text = _TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{{said}}", html.escape(said)).replace("{{cards}}", cards)


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
