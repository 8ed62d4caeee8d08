"""No device: the engine runs at its pace and nobody hears it."""

from ghostnote.bridge.audio.driver import Audio
from ghostnote.bridge.audio.paced import PacedDriver


class NullDriver(PacedDriver):
    """For tests, for machines without sound, and in the place of a device that went away."""

    device = "no device"

    def put(self, block: Audio) -> None:
        """Drop the block."""
