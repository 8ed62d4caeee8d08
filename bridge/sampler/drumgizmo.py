"""DrumGizmo: a kit file, a file for each instrument, and the map of MIDI notes (drumgizmo.org)."""

from typing import Final

from ghostnote.bridge.kit.choke import CHOKE_SECONDS
from ghostnote.bridge.sampler.instrument import Instrument, SamplerKit
from ghostnote.bridge.sampler.xml import Element, child, xml_text

CHANNELS: Final = ("Left", "Right")


def drumgizmo_files(kit: SamplerKit) -> dict[str, str]:
    """Return the kit's text files by name."""
    files = {"drumkit.xml": xml_text(_drumkit(kit)), "midimap.xml": xml_text(_midimap(kit))}
    for number, instrument in enumerate(kit.instruments, 1):
        files[_file(number)] = xml_text(_instrument(instrument))
    return files


def _file(number: int) -> str:
    return f"instrument{number:03d}.xml"


def _drumkit(kit: SamplerKit) -> Element:
    root = Element("drumkit", version="2.0", samplerate=str(kit.rate))
    about = child(root, "metadata")
    child(about, "version", "1.0")
    child(about, "title", kit.name)
    child(about, "description", "\n".join(kit.info))
    child(about, "license", kit.licence)
    child(about, "author", kit.author)
    child(about, "defaultmidimap", src="midimap.xml")
    channels = child(root, "channels")
    for name in CHANNELS:
        child(channels, "channel", name=name)
    instruments = child(root, "instruments")
    for number, instrument in enumerate(kit.instruments, 1):
        entry = child(instruments, "instrument", name=instrument.name, file=_file(number))
        for name in CHANNELS:
            channel = {"in": name, "out": name, "main": "true"}
            child(entry, "channelmap", **channel)
        silenced = kit.choked_by_stroke(instrument)
        if silenced:
            chokes = child(entry, "chokes")
            for other in silenced:
                child(chokes, "choke", instrument=other.name, choketime=f"{1000 * CHOKE_SECONDS:g}")
    return root


def _instrument(instrument: Instrument) -> Element:
    """Return an instrument; samples of equal power are round robins."""
    root = Element("instrument", version="2.0", name=instrument.name)
    samples = child(root, "samples")
    for number, layer in enumerate(instrument.layers, 1):
        power = f"{(layer.low + layer.high) / 2 / 127:.4f}"
        for turn, sample in enumerate(layer.samples, 1):
            entry = child(samples, "sample", name=f"v{number} rr{turn}", power=power)
            for side, name in enumerate(CHANNELS, 1):
                # A mono stroke sounds on both sides.
                channel = min(side, sample.channels)
                child(entry, "audiofile", channel=name, file=sample.file, filechannel=channel)
    return root


def _midimap(kit: SamplerKit) -> Element:
    root = Element("midimap")
    for instrument in kit.instruments:
        for note in instrument.notes:
            child(root, "map", note=note, instr=instrument.name)
    return root
