"""A file system of one folder that can be full: the other side of `TrialDisk`, a process in namespaces of its own.

It is run as a script and imports the standard library alone, as only a process of one thread may make a user namespace.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_NEW_NAMESPACES: Final = 0x10020000  # of users and of mounts
_HEADER, _ATTRIBUTES, _ENTRY = struct.Struct("<IIQQIIII"), struct.Struct("<6Q10I"), struct.Struct("<4Q2I")
_MOST_WRITTEN: Final = 2**17
_MUTE: Final = {2, 36, 42}
"""Requests without a reply: forget, interrupt, batch-forget."""
_SIZE: Final = 8
_ROOT: Final = 1


class FuseServer:
    """Answers the kernel (FUSE 7.31) from the files of a real folder."""

    def __init__(self, folder: Path, capacity: int) -> None:
        """Serve the files of `folder`, which may take `capacity` bytes together."""
        self._folder, self._capacity = folder, capacity
        self._names: dict[int, str] = {_ROOT: "."}
        self._next = _ROOT + 1
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            1: lambda _, data: self._entry(_text(data)),
            3: self._attributes,
            4: self._change,
            10: self._unlink,
            12: lambda _, data: self._rename(data[8:]),
            14: lambda node, data: _opened(os.open(self._path(node), _flags(data))),
            15: self._read,
            16: self._write,
            17: lambda *_: struct.pack("<5Q4I24x", capacity, *2 * (self._free(),), 999, 999, 4096, 255, 1, 0),
            18: self._release,
            20: lambda *_: b"",
            25: lambda *_: b"",
            26: lambda *_: struct.pack("<IIIIHHIIHHI28x", 7, 31, _MOST_WRITTEN, 0, 16, 12, _MOST_WRITTEN, 1, 32, 0, 0),
            27: lambda *_: struct.pack("<QII", 0, 0, 0),
            28: self._list,
            29: lambda *_: b"",
            34: lambda *_: b"",
            35: self._create,
            45: lambda _, data: self._rename(data[16:]),
        }  # fmt: skip

    def serve(self, device: int) -> None:
        """Answer until the file system is unmounted."""
        while True:
            request = os.read(device, _MOST_WRITTEN + 4096)
            _, code, unique, node, *_ = _HEADER.unpack_from(request)
            if code in _MUTE:
                continue
            failure, answer = 0, b""
            try:
                answer = self._answers[code](node, request[_HEADER.size :])
            except KeyError:
                failure = errno.ENOSYS
            except OSError as error:
                failure = error.errno or errno.EIO
            with suppress(FileNotFoundError):  # it was interrupted meanwhile
                os.write(device, struct.pack("<IiQ", 16 + len(answer), -failure, unique) + answer)

    def _path(self, node: int) -> Path:
        return self._folder / self._names[node]

    def _free(self) -> int:
        return max(0, self._capacity - sum(entry.stat().st_size for entry in os.scandir(self._folder)))

    def _entry(self, name: str) -> bytes:
        found = os.lstat(self._folder / name)
        node = next((node for node, other in self._names.items() if other == name), 0)
        if not node:
            node, self._next = self._next, self._next + 1
            self._names[node] = name
        return _ENTRY.pack(node, 0, 0, 0, 0, 0) + _packed(found)

    def _attributes(self, node: int, data: bytes) -> bytes:
        by_handle, _, handle = struct.unpack_from("<IIQ", data)
        return struct.pack("<QII", 0, 0, 0) + _packed(os.fstat(handle) if by_handle else os.lstat(self._path(node)))

    def _change(self, node: int, data: bytes) -> bytes:
        what, _, _, size = struct.unpack_from("<IIQQ", data)
        if what & _SIZE:
            if size - self._path(node).stat().st_size > self._free():
                raise OSError(errno.ENOSPC, "full")
            os.truncate(self._path(node), size)
        return struct.pack("<QII", 0, 0, 0) + _packed(os.lstat(self._path(node)))

    def _unlink(self, _: int, data: bytes) -> bytes:
        name = _text(data)
        (self._folder / name).unlink()
        self._names = {node: other for node, other in self._names.items() if other != name}
        return b""

    def _rename(self, data: bytes) -> bytes:
        before, after = (name.decode() for name in data.split(b"\0")[:2])
        (self._folder / before).replace(self._folder / after)
        names = {node: name for node, name in self._names.items() if name != after}
        self._names = {node: after if name == before else name for node, name in names.items()}
        return b""

    def _create(self, _: int, data: bytes) -> bytes:
        _, mode = struct.unpack_from("<II", data)
        name = _text(data[16:])
        handle = os.open(self._folder / name, _flags(data) | os.O_CREAT | os.O_EXCL, mode & 0o777)
        return self._entry(name) + _opened(handle)

    def _read(self, _: int, data: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<QQI", data)
        return os.pread(handle, size, offset)

    def _write(self, _: int, data: bytes) -> bytes:
        handle, offset, size = struct.unpack_from("<QQI", data)
        if offset + size - os.fstat(handle).st_size > self._free():
            raise OSError(errno.ENOSPC, "full")
        return struct.pack("<II", os.pwrite(handle, data[40 : 40 + size], offset), 0)

    def _release(self, _: int, data: bytes) -> bytes:
        os.close(struct.unpack_from("<Q", data)[0])
        return b""

    def _list(self, _: int, data: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", data)
        out = b""
        for number, name in enumerate(sorted(path.name for path in self._folder.iterdir())):
            raw = name.encode()
            one = struct.pack("<QQII", number + 2, number + 1, len(raw), 0) + raw + bytes(-len(raw) % 8)
            if number >= offset and len(out) + len(one) <= size:
                out += one
        return out


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode()


def _flags(data: bytes) -> int:
    """Return how a file is to be opened; the kernel itself appends, and truncates."""
    wanted: int = struct.unpack_from("<I", data)[0]
    return os.O_RDONLY if wanted & os.O_ACCMODE == os.O_RDONLY else os.O_RDWR


def _opened(handle: int) -> bytes:
    return struct.pack("<QII", handle, 1, 0)


def _packed(found: os.stat_result) -> bytes:
    times = (int(found.st_atime), int(found.st_mtime), int(found.st_ctime))
    owner = (os.getuid(), os.getgid())
    return _ATTRIBUTES.pack(found.st_ino, found.st_size, found.st_blocks, *times, 0, 0, 0, found.st_mode, 1, *owner,
                            0, 4096, 0)  # fmt: skip


def _mounted(place: str) -> int:
    """Mount the file system for this process and those that look through it, and return the kernel's end."""
    user, group = os.getuid(), os.getgid()
    system = ctypes.CDLL(None, use_errno=True)
    if system.unshare(_NEW_NAMESPACES):
        raise OSError(ctypes.get_errno(), "no user namespace can be made")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path("/proc/self", name).write_text(text)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if system.mount(b"trial", place.encode(), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), "FUSE cannot be mounted")
    return device


if __name__ == "__main__":
    try:
        mounted = _mounted(sys.argv[2])
    except OSError as failed:
        sys.exit(str(failed))
    print("mounted", flush=True)
    with suppress(OSError):  # it was unmounted
        FuseServer(Path(sys.argv[1]), int(sys.argv[3])).serve(mounted)
