"""The mixer sums voices to one stem a pad and to the bus, block by block, accurate to the frame."""

import math
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.effect_rack import Rack
from ghostnote.bridge.kit.kit import Kit, Pad

POLYPHONY: Final = 64
STEAL_SECONDS: Final = 0.005
BLOCK_FRAMES: Final = 16_384

_PEAK_WINDOW_SECONDS: Final = 0.01

Audio = NDArray[np.float32]


def pad_gains(pad: Pad) -> Audio:
    """Return a pad's left and right gain, (2, 1): its level and constant-power panning, 1 at the centre."""
    angle = (pad.pan + 1) * np.pi / 4
    level = 10 ** (pad.gain_db / 20) * np.sqrt(2)
    return np.array([[level * np.cos(angle)], [level * np.sin(angle)]], np.float32)


def rack_for(kit: Kit, rate: int, before: Rack | None = None) -> Rack:
    """Return the effects of a kit at work, going on from those `before` of the same pads; `KitError`."""
    return Rack([(pad.name, pad.effects) for pad in kit.pads], kit.effects, rate, before)


class _Voice:
    """One stroke being played: the position in its audio, and the linear fades that end it."""

    __slots__ = ("at", "audio", "begin", "channel", "end", "fades", "gains", "pad", "peak", "sides", "stolen", "window")

    def __init__(self, pad: int, audio: Audio, gains: Audio, begin: int, channel: int | None) -> None:
        self.pad, self.audio, self.gains, self.channel = pad, audio, gains, channel
        self.sides = (float(gains[0, 0]), float(gains[1, 0]))
        self.at, self.end = 0, audio.shape[1]
        # Where it begins in its first block; 0 from then on.
        self.begin = begin
        # (first frame in the audio, length in frames, level at the first frame); each replaces the one before.
        self.fades: list[tuple[int, int, float]] = []
        self.stolen = False
        self.window, self.peak = -1, 0.0

    def position(self, offset: int) -> int:
        """Return the frame of the audio that is played `offset` frames into the block."""
        return self.at + offset - self.begin

    def fade(self, frames: int, position: int) -> None:
        """End within `frames` from `position` on; a fade that has begun only ever gets shorter."""
        if self.fades and self.fades[-1][0] + self.fades[-1][1] <= position + frames:
            return
        self.fades.append((position, frames, self.level(position)))
        self.end = min(self.end, position + frames)

    def level(self, position: int) -> float:
        if not self.fades:
            return 1.0
        start, frames, level = self.fades[-1]
        return level * (1 - (position - start) / frames)

    def measure_peak(self, window: int, frames: int) -> None:
        """Set `peak` to that of a window of so many frames and the next one."""
        samples = self.audio[:, window * frames : (window + 2) * frames]
        peaks = np.maximum(samples.max(axis=1, initial=0.0), -samples.min(axis=1, initial=0.0))
        left, right = peaks.tolist()
        self.window, self.peak = window, max(left * self.sides[0], right * self.sides[1])

    def add_to(self, out: Audio, scratch: Audio) -> None:
        """Add the next frames to `out` (2, frames) and move on."""
        n = min(out.shape[1] - self.begin, self.end - self.at)
        if n > 0:
            part = np.multiply(self.audio[:, self.at : self.at + n], self.gains, out=scratch[:, :n])
            for number, (start, frames, level) in enumerate(self.fades, 1):
                until = self.fades[number][0] - self.at if number < len(self.fades) else n
                since = max(start - self.at, 0)
                if since < min(until, n):
                    # Counted from the fade's start, so that the blocks do not change a bit.
                    elapsed = np.arange(self.at + since - start, self.at + min(until, n) - start)
                    part[:, since : min(until, n)] *= (level * (1 - elapsed / frames)).astype(np.float32)
            into = out[:, self.begin : self.begin + n]
            np.add(into, part, out=into)
        self.at, self.begin = self.at + max(n, 0), 0
        self.fades = self.fades[-1:]


class Mixer:
    """Plays strokes on pads. Calls are in order of time; `offset` counts from the block's start.

    `start` and `fade` act on exactly the frame that they name; `render` ends the block. It and `stem` return views
    that are valid until the next call.
    """

    def __init__(
        self,
        pads: Sequence[Pad],
        rate: int,
        polyphony: int = POLYPHONY,
        block_frames: int = BLOCK_FRAMES,
        effects: Rack | None = None,
    ) -> None:
        """Start in silence; blocks have at most `block_frames`, and at most `polyphony` voices play on."""
        self.polyphony = polyphony
        self.effects = effects or Rack((), (), rate)
        """What the stems and the mix go through."""
        self.stolen = 0
        """How many voices were stolen."""
        self.sounding: tuple[int, ...] = ()
        """The pads with voices or effects in the last block."""
        self._rate = rate
        self._window_frames = max(1, round(_PEAK_WINDOW_SECONDS * rate))
        self.set_gains(pads)
        self._stems: Audio = np.zeros((len(pads), 2, block_frames), np.float32)
        self._bus: Audio = np.zeros((2, block_frames), np.float32)
        self._scratch: Audio = np.zeros((2, block_frames), np.float32)
        self._voices: list[_Voice] = []
        self._at = 0

    @property
    def voices(self) -> int:
        """How many voices are active."""
        return len(self._voices)

    def set_gains(self, pads: Sequence[Pad]) -> None:
        """Set the gain and pan of the same pads, for strokes from here on."""
        self.pads = tuple(pads)
        self._gains = [pad_gains(pad) for pad in pads]

    def gains(self, pad: int) -> Audio:
        """Return a pad's left and right gain, (2, 1)."""
        return self._gains[pad]

    @property
    def remaining_frames(self) -> int:
        """How long it sounds if nothing more happens: the longest voice, and what its effects let ring."""
        return self.effects.remaining_frames(max((voice.end - voice.at for voice in self._voices), default=0))

    def use_effects(self, effects: Rack) -> None:
        """Go through other effects of the same pads from this block on."""
        if effects is not self.effects:
            effects.begin(self.effects)
            self.effects = effects

    def start(
        self, pad: int, audio: Audio, offset: int = 0, gains: Audio | None = None, channel: int | None = None
    ) -> None:
        """Start a stroke (2, frames) of a MIDI channel, with `gains` (2, 1) instead of the pad's own if given.

        Beyond the polyphony the quietest voice is stolen.
        """
        self._advance(offset)
        if len(self._voices) >= self.polyphony:
            self._steal_quietest()
        self._voices.append(_Voice(pad, audio, self._gains[pad] if gains is None else gains, self._at, channel))

    def fade(
        self,
        pads: Collection[int],
        seconds: float,
        offset: int = 0,
        channel: int | None = None,
        younger: float | None = None,
    ) -> None:
        """Fade all voices of these pads within `seconds`: of a MIDI `channel`, those known to be of another stay.

        With `younger` only those that began within so many seconds before.
        """
        self._advance(offset)
        longest = math.inf if younger is None else round(younger * self._rate)
        for voice in self._voices:
            if (
                voice.pad in pads
                and (channel is None or voice.channel in (None, channel))
                and voice.position(self._at) <= longest
            ):
                voice.fade(max(1, round(seconds * self._rate)), voice.position(self._at))

    def render(self, frames: int) -> Audio:
        """End a block of `frames` and return its mix (2, frames): the sum of its stems through the bus's effects."""
        self._advance(frames)
        self._at = 0
        for pad in self.sounding:
            self._stems[pad].fill(0)
        struck = {voice.pad for voice in self._voices}
        self.sounding = tuple(sorted(struck | self.effects.chains.keys()))
        for voice in self._voices:
            voice.add_to(self._stems[voice.pad, :, :frames], self._scratch)
        self._voices = [voice for voice in self._voices if voice.at < voice.end]
        self.effects.process(self._stems[:, :, :frames], bool(struck))
        bus = self._bus[:, :frames]
        bus.fill(0)
        for pad in self.sounding:
            bus += self._stems[pad, :, :frames]
        self.effects.process_bus(bus)
        return bus

    def stem(self, pad: int, frames: int) -> Audio:
        """Return a pad's part (2, frames) of the block that `render` ended."""
        return self._stems[pad, :, :frames]

    def _advance(self, offset: int) -> None:
        """Advance to `offset`; an earlier one means now."""
        if offset > self._bus.shape[1]:
            raise ValueError(f"frame {offset} lies outside a block of at most {self._bus.shape[1]}")
        self._at = max(self._at, offset)

    def _steal_quietest(self) -> None:
        """Steal the quietest of the voices that play on, if they are as many as the polyphony."""
        now, window_frames = self._at, self._window_frames
        quietest, least, lasting = self._voices[0], math.inf, 0
        # Few calls in this loop: it runs for every note of a burst.
        for voice in self._voices:
            position = voice.at + now - voice.begin
            if voice.stolen or position >= voice.end:
                continue
            lasting += 1
            window = position // window_frames
            if window != voice.window:
                voice.measure_peak(window, window_frames)
            peak = voice.peak * voice.level(position) if voice.fades else voice.peak
            if peak < least:
                quietest, least = voice, peak
        if lasting >= self.polyphony:
            self._steal(quietest)

    def _steal(self, voice: _Voice) -> None:
        voice.stolen = True
        self.stolen += 1
        position = voice.position(self._at)
        voice.fade(max(1, round(STEAL_SECONDS * self._rate)), position)
        if not position:
            self._voices.remove(voice)
