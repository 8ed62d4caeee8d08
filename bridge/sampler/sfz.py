"""SFZ: one text file of regions, for sfizz, ARIA, Polyphone and many others (sfzformat.com)."""

import re
from typing import Final

from ghostnote.bridge.kit.choke import CHOKE_SECONDS
from ghostnote.bridge.sampler.instrument import Instrument, Sample, SamplerKit

_UNSAFE: Final = re.compile(r"[<>=$#/]")
"""What begins something else in SFZ."""


def sfz_files(kit: SamplerKit) -> dict[str, str]:
    """Return the kit's text files by name."""
    lines = [f"// {line}" for line in (kit.name, kit.author, kit.licence, *kit.info) if line]
    lines += ["", "<global>", "loop_mode=one_shot", f"ampeg_release={CHOKE_SECONDS:g}"]
    for instrument in kit.instruments:
        for note in instrument.notes:
            lines += _key(kit, instrument, note)
    return {f"{kit.name}.sfz": "\n".join(lines) + "\n"}


def _key(kit: SamplerKit, instrument: Instrument, note: int) -> list[str]:
    """Return the regions of one key: a group for each velocity layer, with its round robins."""
    lines = ["", f"// {instrument.name}"]
    group = kit.choke_groups.get(instrument.choke or "")
    choke = [f"group={group} off_by={group} off_mode=normal"] if group else []
    track = ["amp_veltrack=0"] if instrument.has_velocity_layers else []
    for layer in instrument.layers:
        turns = f"seq_length={len(layer.samples)}"
        lines += [
            f"<group> group_label={_UNSAFE.sub('_', instrument.name)}",
            f"key={note} pitch_keycenter={note} lovel={layer.low} hivel={layer.high} {turns}",
            *track,
            *choke,
            *(_region(sample, turn) for turn, sample in enumerate(layer.samples, 1)),
        ]
    return lines


def _region(sample: Sample, turn: int) -> str:
    # The file name comes last, as it may contain spaces.
    return f"<region> seq_position={turn} sample={sample.file}"
