"""Sound files as the device: what is played live is written as it sounds, the mix and each pair to a file."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ghostnote.bridge.devices.base import Audio, AudioError, DriverSettings
from ghostnote.bridge.devices.blocking_driver import BlockingDriver
from ghostnote.bridge.io.audio_file import format_for
from ghostnote.bridge.io.recording import CLOSE_SECONDS, Recording

_STOP_SECONDS: Final = 2 * CLOSE_SECONDS


def output_files(mix: Path, outputs: Iterable[str]) -> list[Path]:
    """Return the files of the pairs behind the mix, as in `song-02-Snare.wav` beside `song.wav`."""
    named = ((number, re.sub(r"[^\w-]+", "_", name)[:40]) for number, name in enumerate(outputs, 1))
    return [mix.with_name(f"{mix.stem}-{number:02d}-{name}{mix.suffix}") for number, name in named]


class FileDriver(BlockingDriver):
    """Writes at the pace of a device. The file appears under its name when the driver stops."""

    stop_seconds = _STOP_SECONDS
    """A disk that is slow to close the file is not dead, and to leave it would lose what was played."""

    def __init__(self, settings: DriverSettings) -> None:
        """Choose the format by the file's name; `AudioError` without one."""
        super().__init__(settings)
        if settings.file is None:
            raise AudioError("the file driver needs a file to write: name one with --output")
        format_for(settings.file)
        self.device = str(settings.file)
        paths = (settings.file, *output_files(settings.file, settings.outputs))
        self._recordings = [Recording(path, self.rate, self.notices.append) for path in paths]

    @property
    def trouble(self) -> str:  # type: ignore[override]
        """Why the recording waits for a disk, or nothing."""
        return next((recording.trouble for recording in self._recordings if recording.trouble), "")

    def open(self) -> None:
        """Open the files beside their places; errors as `Recording` raises them."""
        for recording in self._recordings:
            recording.open()

    def put(self, block: Audio) -> None:
        """Append the block."""
        for number, recording in enumerate(self._recordings):
            recording.put(block[2 * number : 2 * number + 2])

    def close(self) -> None:
        """Put the files into their places."""
        for recording in self._recordings:
            recording.close()
