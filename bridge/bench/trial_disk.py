"""A disk that gets full or freezes on demand, for measurements and tests. Linux alone; root is not needed."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from ghostnote.bridge.bench import fuse_server
from ghostnote.bridge.errors import GhostnoteError

CAPACITY_BYTES: Final = 2**31
_FILLER: Final = "filler"


class TrialDisk:
    """A real file system in a process of its own, served from a folder by FUSE. A context manager.

    It is mounted in a namespace that only this process's user can look into; `folder` leads there.
    """

    def __init__(self, place: Path, capacity: int = CAPACITY_BYTES) -> None:
        """Use the folder `place`, which need not exist, for the files of a disk of `capacity` bytes."""
        self.files = place / "files"
        """Where the files really lie, which can be read whatever the disk does."""
        self._mount = place / "mount"
        self._capacity = capacity
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "TrialDisk":
        """Mount it; `GhostnoteError` where this system does not let it."""
        for folder in (self.files, self._mount):
            folder.mkdir(parents=True)
        command = [sys.executable, "-I", fuse_server.__file__, str(self.files), str(self._mount), str(self._capacity)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, errors = self._process.stdout, self._process.stderr
        if not (output and errors and output.readline()):
            why = errors.read().decode(errors="replace").strip() if errors else ""
            self.__exit__()
            raise GhostnoteError(
                f"no disk for trials can be mounted: {why}; it takes Linux with user namespaces and FUSE"
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        if self._process:
            self._process.kill()
            self._process.communicate()

    @property
    def folder(self) -> Path:
        """The disk's folder."""
        return Path(f"/proc/{self._pid}/root{self._mount.absolute()}")

    @property
    def _pid(self) -> int:
        return self._process.pid if self._process else 0

    def fill(self) -> None:
        """Leave no room on it."""
        filler = self.folder / _FILLER
        filler.touch()
        while free := shutil.disk_usage(self.folder).free:
            with contextlib.suppress(OSError):  # someone else took a part of the room meanwhile
                os.truncate(filler, filler.stat().st_size + free)

    def empty(self) -> None:
        """Make the room free again."""
        (self.folder / _FILLER).unlink(missing_ok=True)

    def freeze(self) -> None:
        """Let whoever reads or writes there wait."""
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        os.kill(self._pid, signal.SIGCONT)
