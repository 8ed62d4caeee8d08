"""No device: the engine runs at its pace and nobody hears it."""

from ghostnote.bridge.devices.base import Audio
from ghostnote.bridge.devices.blocking_driver import BlockingDriver


class NullDriver(BlockingDriver):
    """For tests, for machines without sound, and in the place of a device that went away."""

    device = "no device"

    def put(self, block: Audio) -> None:
        """Drop the block."""
