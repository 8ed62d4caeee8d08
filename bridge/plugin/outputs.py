"""Which of a plugin's stereo outputs a pad leaves by."""

from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.plugin import layout


def outputs_of(kit: Kit) -> list[int]:
    """Return the output of each pad, from 0: one for each, and the last for all that are left."""
    return [min(number, layout.OUTPUTS - 1) for number in range(len(kit.pads))]
