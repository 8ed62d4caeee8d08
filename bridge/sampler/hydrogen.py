"""Hydrogen: `drumkit.xml` after the program's own schema, packed with its samples as `.h2drumkit`."""

from dataclasses import replace
from typing import Final

from ghostnote.bridge.sampler.instrument import Instrument, Layer, SamplerKit
from ghostnote.bridge.sampler.xml import Element, child, xml_text

MAX_SAMPLES: Final = 16
"""Hydrogen drops all further samples of an instrument."""
_NAMED: Final = 3
"""Instruments that are named where notes are lost."""

_RELEASE_FRAMES: Final = 1000


def hydrogen_files(kit: SamplerKit) -> dict[str, str]:
    """Return the kit's text files by name."""
    root = Element("drumkit_info", xmlns="http://www.hydrogen-music.org/drumkit")
    child(root, "name", kit.name)
    child(root, "author", kit.author)
    child(root, "info", "\n".join(kit.info))
    child(root, "license", kit.licence)
    child(root, "image")
    child(root, "imageLicense")
    component = child(child(root, "componentList"), "drumkitComponent")
    child(component, "id", 0)
    child(component, "name", "Main")
    child(component, "volume", 1)
    instruments = child(root, "instrumentList")
    for number, instrument in enumerate(kit.instruments):
        _add_instrument(instruments, kit, number, instrument)
    return {"drumkit.xml": xml_text(root)}


def within_limits(kit: SamplerKit) -> tuple[SamplerKit, tuple[str, ...]]:
    """Return the kit with as many samples as Hydrogen plays, and messages on the others and on notes that are lost."""
    notes = []
    instruments = tuple(replace(i, layers=_limit_samples(i.layers)) for i in kit.instruments)
    if instruments != kit.instruments:
        most = max(len(layer.samples) for i in kit.instruments for layer in i.layers)
        kept = max(len(layer.samples) for i in instruments for layer in i.layers)
        notes.append(
            f"Hydrogen plays {MAX_SAMPLES} samples an instrument: {kept} of {most} round robins are in its kit"
        )
    lost = [f"{i.name} plays {i.notes[0]}, not {', '.join(map(str, i.notes[1:]))}" for i in instruments if i.notes[1:]]
    if lost:
        others = f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        notes.append(f"Hydrogen has one note an instrument: {'; '.join(lost[:_NAMED])}{others}")
    return replace(kit, instruments=instruments), tuple(notes)


def _limit_samples(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return layers with at most `MAX_SAMPLES` samples in all: layers come before round robins."""
    count = min(len(layers), MAX_SAMPLES)
    kept = [layers[round((n + 1) * len(layers) / count) - 1] for n in range(count)]
    lows = [layers[0].low, *(layer.high + 1 for layer in kept[:-1])]
    each = MAX_SAMPLES // count
    return tuple(replace(layer, low=low, samples=layer.samples[:each]) for layer, low in zip(kept, lows, strict=True))


def _add_instrument(parent: Element, kit: SamplerKit, number: int, instrument: Instrument) -> None:
    """Add an instrument, in the order of elements that the schema asks for."""
    entry = child(parent, "instrument")
    group = kit.choke_groups.get(instrument.choke or "", 0) - 1
    fields = {
        "id": number,
        "name": instrument.name,
        "volume": 1,
        "isMuted": "false",
        "isSoloed": "false",
        "pan": 0,
        "pitchOffset": 0,
        "randomPitchFactor": 0,
        "gain": 1,
        "applyVelocity": "false" if instrument.has_velocity_layers else "true",
        "filterActive": "false",
        "filterCutoff": 1,
        "filterResonance": 0,
        "Attack": 0,
        "Decay": 0,
        "Sustain": 1,
        "Release": _RELEASE_FRAMES,
        "muteGroup": group,
        "midiOutChannel": -1,
        "midiOutNote": instrument.notes[0],
        "isStopNote": "false",
        "sampleSelectionAlgo": "ROUND_ROBIN",
        "isHihat": -1,
        "lower_cc": 0,
        "higher_cc": 127,
        **{f"FX{send}Level": 0 for send in range(1, 5)},
    }
    for key, value in fields.items():
        child(entry, key, value)
    component = child(entry, "instrumentComponent")
    child(component, "component_id", 0)
    child(component, "gain", 1)
    for layer in instrument.layers:
        for sample in layer.samples:
            # Halfway between velocities, so that none belongs to two layers.
            low, high = (layer.low - 0.5) / 127, (layer.high + 0.5) / 127
            _add_layer(component, sample.file, low if layer.low > 1 else 0, min(high, 1))


def _add_layer(parent: Element, file: str, low: float, high: float) -> None:
    entry = child(parent, "layer")
    for key, value in (("filename", file), ("min", f"{low:.6f}"), ("max", f"{high:.6f}"), ("gain", 1), ("pitch", 0)):
        child(entry, key, value)
