"""DecentSampler: a `.dspreset` beside its samples (decentsampler-developers-guide.readthedocs.io)."""

from ghostnote.bridge.sampler.instrument import Instrument, SamplerKit
from ghostnote.bridge.sampler.xml import Element, child, xml_text

_RELEASE_SECONDS = 60
"""Hits are one-shots: the release is longer than any sample."""


def decent_files(kit: SamplerKit) -> dict[str, str]:
    """Return the kit's text files by name."""
    root = Element("DecentSampler", minVersion="1.6.0", title=kit.name, author=kit.author)
    groups = child(root, "groups", attack=0, decay=0, sustain=1, release=_RELEASE_SECONDS)
    for number, instrument in enumerate(kit.instruments, 1):
        for note in instrument.notes:
            _add_key(groups, kit, number, instrument, note)
    about = "\n".join((kit.name, kit.author, kit.licence, *kit.info))
    return {f"{kit.name}.dspreset": xml_text(root), "CREDITS.txt": about + "\n"}


def _add_key(parent: Element, kit: SamplerKit, number: int, instrument: Instrument, note: int) -> None:
    """Add a key's groups: one for each velocity layer, as each has its own round robins."""
    numbers = {other.name: n for n, other in enumerate(kit.instruments, 1)}
    strikers = [other for other in kit.instruments if instrument in kit.choked_by_stroke(other)]
    chokes = {"silencedByTags": ",".join(f"drum{numbers[o.name]}" for o in strikers), "silencingMode": "fast"}
    for layer in instrument.layers:
        group = child(
            parent,
            "group",
            name=f"{instrument.name} {layer.low}-{layer.high}",
            tags=f"drum{number}",
            ampVelTrack=0 if instrument.has_velocity_layers else 1,
            seqMode="round_robin",
            seqLength=len(layer.samples),
            **(chokes if strikers else {}),
        )
        for turn, sample in enumerate(layer.samples, 1):
            child(
                group,
                "sample",
                path=sample.file,
                rootNote=note,
                loNote=note,
                hiNote=note,
                loVel=layer.low,
                hiVel=layer.high,
                seqPosition=turn,
            )
