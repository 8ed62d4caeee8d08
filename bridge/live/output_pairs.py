"""Separate outputs of the engine: beside the mix a pair of channels for each pad or group, in time with it."""

from collections.abc import Iterable

import numpy as np

from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.kit.outputs import STEREO, output_names, output_of
from ghostnote.bridge.live.commands import MAX_BLOCK
from ghostnote.bridge.live.hit import Audio
from ghostnote.bridge.render.mixer import Mixer


class OutputPairs:
    """Puts the pads' parts behind the mix. The pairs are those of the first kit; what has none is in the mix alone."""

    def __init__(self, kit: Kit, mode: str = STEREO) -> None:
        """Take the outputs of a kit in a mode of `MODES`; `InputError`."""
        self.names = output_names(kit, mode)
        """What the pairs behind the mix are called."""
        self._mode = mode
        self._pair_of = {name: 2 * number for number, name in enumerate(self.names, 1)}
        self._block: Audio = np.zeros((2 + 2 * len(self.names), MAX_BLOCK), np.float32)
        self._held: Audio = np.zeros((2 * len(self.names), 0), np.float32)

    def block(self, mix: Audio, mixers: Iterable[Mixer], late: int) -> Audio:
        """Return the mix (2, frames) and behind it the pairs, as many frames later as the mix itself comes."""
        if not self.names:
            return mix
        frames = mix.shape[1]
        block = self._block[:, :frames]
        block[:2] = mix
        block[2:] = 0
        for mixer in mixers:
            for pad in mixer.sounding:
                at = self._pair_of.get(output_of(mixer.pads[pad], self._mode) or "")
                if at:
                    block[at : at + 2] += mixer.stem(pad, frames)
        if late != self._held.shape[1]:
            self._held = np.zeros((2 * len(self.names), late), np.float32)
        if late:
            joined = np.concatenate((self._held, block[2:]), axis=1)
            block[2:], self._held = joined[:, :frames], joined[:, frames:]
        return block
