"""Meters: peaks that fall slowly."""

from typing import Final

from ghostnote.bridge.live.hit import Audio

_DB_A_SECOND: Final = 24.0


class Meters:
    """The peaks of the pads by their names, and of the whole mix under ''."""

    def __init__(self, rate: int) -> None:
        """Start in silence."""
        self._rate = rate
        self._peaks: dict[str, tuple[float, int]] = {}

    def peak(self, name: str, frame: int) -> float:
        """Return what a meter shows at a frame."""
        peak, since = self._peaks.get(name, (0.0, 0))
        return float(peak * 10 ** (-_DB_A_SECOND * (frame - since) / self._rate / 20))

    def measure(self, name: str, audio: Audio, frame: int) -> None:
        """Let a meter see a block that begins at a frame."""
        peak = max(float(audio.max()), -float(audio.min()))
        if peak > self.peak(name, frame):
            self._peaks[name] = (peak, frame)
