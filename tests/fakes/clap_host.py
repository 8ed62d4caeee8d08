"""A host for CLAP plugins, as small as it can be: it opens one, renders, and hands notes and parameters in."""

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char_p,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
    cast,
)
from pathlib import Path

import numpy as np

PARAMETER, MIDI = 5, 10
OFFLINE = 1
_VERSION = c_uint32 * 3


class Entry(Structure):
    _fields_ = [
        ("version", _VERSION),
        ("init", CFUNCTYPE(c_bool, c_char_p)),
        ("deinit", CFUNCTYPE(None)),
        ("get_factory", CFUNCTYPE(c_void_p, c_char_p)),
    ]


class Descriptor(Structure):
    _fields_ = [("version", _VERSION), ("id", c_char_p), ("name", c_char_p), ("vendor", c_char_p)]


class Host(Structure):
    _fields_ = [
        ("version", _VERSION),
        ("data", c_void_p),
        *((name, c_char_p) for name in ("name", "vendor", "url", "host_version")),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
        *((name, CFUNCTYPE(None, c_void_p)) for name in ("restart", "process", "callback")),
    ]


class Plugin(Structure):
    _fields_ = [
        ("descriptor", POINTER(Descriptor)),
        ("data", c_void_p),
        ("init", CFUNCTYPE(c_bool, c_void_p)),
        ("destroy", CFUNCTYPE(None, c_void_p)),
        ("activate", CFUNCTYPE(c_bool, c_void_p, c_double, c_uint32, c_uint32)),
        ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("start_processing", CFUNCTYPE(c_bool, c_void_p)),
        ("stop_processing", CFUNCTYPE(None, c_void_p)),
        ("reset", CFUNCTYPE(None, c_void_p)),
        ("process", CFUNCTYPE(c_int32, c_void_p, c_void_p)),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
    ]


class Factory(Structure):
    _fields_ = [
        ("count", CFUNCTYPE(c_uint32, c_void_p)),
        ("descriptor", CFUNCTYPE(POINTER(Descriptor), c_void_p, c_uint32)),
        ("create", CFUNCTYPE(POINTER(Plugin), c_void_p, POINTER(Host), c_char_p)),
    ]


class Render(Structure):
    _fields_ = [("is_hard", CFUNCTYPE(c_bool, c_void_p)), ("set", CFUNCTYPE(c_bool, c_void_p, c_int32))]


_HEAD = [("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("type", c_uint16), ("flags", c_uint32)]


class Midi(Structure):
    _fields_ = [*_HEAD, ("port", c_uint16), ("data", c_uint8 * 3)]


class ParameterValue(Structure):
    _fields_ = [
        *_HEAD,
        ("parameter", c_uint32),
        ("cookie", c_void_p),
        ("note", c_int32),
        *((name, c_int16) for name in ("port", "channel", "key")),
        ("value", c_double),
    ]


class Events(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("count", CFUNCTYPE(c_uint32, c_void_p)),
        ("get", CFUNCTYPE(c_void_p, c_void_p, c_uint32)),
    ]


class Sink(Structure):
    _fields_ = [("data", c_void_p), ("push", CFUNCTYPE(c_bool, c_void_p, c_void_p))]


class Buffer(Structure):
    _fields_ = [
        ("floats", POINTER(POINTER(c_float))),
        ("doubles", c_void_p),
        ("channels", c_uint32),
        ("latency", c_uint32),
        ("constant", c_uint64),
    ]


class Process(Structure):
    _fields_ = [
        ("time", ctypes.c_int64),
        ("frames", c_uint32),
        ("transport", c_void_p),
        ("inputs", c_void_p),
        ("outputs", POINTER(Buffer)),
        ("input_count", c_uint32),
        ("output_count", c_uint32),
        ("events", POINTER(Events)),
        ("sink", POINTER(Sink)),
    ]


class ClapHost:
    """Holds one plugin, active at a rate. A context manager."""

    def __init__(self, bundle: Path, outputs: int, rate: float, block: int) -> None:
        self._library = ctypes.CDLL(str(bundle))
        self._entry = Entry.in_dll(self._library, "clap_entry")
        assert self._entry.init(str(bundle).encode())
        factory = cast(self._entry.get_factory(b"clap.plugin-factory"), POINTER(Factory)).contents
        assert factory.count(byref(factory)) == 1
        self.descriptor = factory.descriptor(byref(factory), 0).contents
        nothing = Host._fields_[-1][1](lambda _: None)
        extension = Host._fields_[6][1](lambda *_: None)
        self._host = Host(_VERSION(1, 0, 0), None, b"test", b"", b"", b"1", extension, nothing, nothing, nothing)
        self._plugin = factory.create(byref(factory), byref(self._host), self.descriptor.id)
        self._outputs, self._rate, self._block = outputs, rate, block

    def __enter__(self) -> "ClapHost":
        plugin, this = self._plugin.contents, self._plugin
        assert plugin.init(this)
        render = cast(plugin.get_extension(this, b"clap.render"), POINTER(Render)).contents
        assert not render.is_hard(this)
        assert render.set(this, OFFLINE)
        assert plugin.activate(this, self._rate, 1, self._block)
        assert plugin.start_processing(this)
        return self

    def __exit__(self, *_: object) -> None:
        plugin = self._plugin.contents
        plugin.stop_processing(self._plugin)
        plugin.deactivate(self._plugin)
        plugin.destroy(self._plugin)
        self._entry.deinit()

    def process(self, events: list[Structure]) -> np.ndarray:
        """Return the next block, (outputs, 2, frames)."""
        audio = np.zeros((self._outputs, 2, self._block), np.float32)
        buffers = (Buffer * self._outputs)()
        for buffer, pair in zip(buffers, audio, strict=True):
            sides = (POINTER(c_float) * 2)(*(cast(side.ctypes.data, POINTER(c_float)) for side in pair))
            buffer.floats, buffer.channels = cast(sides, POINTER(POINTER(c_float))), 2
            buffer.kept = sides
        kept = [ctypes.pointer(event) for event in events]
        source = Events(
            None,
            Events._fields_[1][1](lambda _: len(kept)),
            Events._fields_[2][1](lambda _, at: cast(kept[at], c_void_p).value),
        )
        sink = Sink(None, Sink._fields_[1][1](lambda *_: True))
        count = self._outputs
        call = Process(-1, self._block, None, None, buffers, 0, count, ctypes.pointer(source), ctypes.pointer(sink))
        assert self._plugin.contents.process(self._plugin, cast(ctypes.pointer(call), c_void_p)) == 1
        return audio


def midi(frame: int, *data: int) -> Midi:
    return Midi(ctypes.sizeof(Midi), frame, 0, MIDI, 0, 0, (c_uint8 * 3)(*data))


def parameter(number: int, value: float) -> ParameterValue:
    return ParameterValue(ctypes.sizeof(ParameterValue), 0, 0, PARAMETER, 0, number, None, -1, -1, -1, -1, value)
