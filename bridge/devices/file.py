"""A sound file as the device: what is played live is written as it sounds."""

from typing import Final

from ghostnote.bridge.devices.base import Audio, AudioError, DriverSettings
from ghostnote.bridge.devices.blocking_driver import BlockingDriver
from ghostnote.bridge.io.audio_file import format_for
from ghostnote.bridge.io.recording import CLOSE_SECONDS, Recording

_STOP_SECONDS: Final = 2 * CLOSE_SECONDS


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
        self._recording = Recording(settings.file, self.rate, self.notices.append)

    @property
    def trouble(self) -> str:  # type: ignore[override]
        """Why the recording waits for a disk, or nothing."""
        return self._recording.trouble

    def open(self) -> None:
        """Open the file beside its place; errors as `Recording` raises them."""
        self._recording.open()

    def put(self, block: Audio) -> None:
        """Append the block."""
        self._recording.put(block)

    def close(self) -> None:
        """Put the file into its place."""
        self._recording.close()
