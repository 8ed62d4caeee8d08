"""Which of a plugin's stereo outputs a pad leaves by."""

from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.plugin import layout


def outputs_of(kit: Kit) -> list[int]:
    """Return the output of each pad, from 0: its own, or its group's, and the last for all that are left."""
    numbers: dict[str, int] = {}
    keys = (f"group {pad.out}" if pad.out else f"pad {pad.name}" for pad in kit.pads)
    return [min(numbers.setdefault(key, len(numbers)), layout.OUTPUTS - 1) for key in keys]
