"""The next stroke of a hit of any length and one or two channels, keeping all that the model does not own.

The model renews the first 0.743 s of each channel, at the model's rate. Silence before the onset, the stereo image, the
length and the tail beyond are the reference's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack import Attack
from ghostnote.bridge.dsp.stereo_image import balance_sides, band_correlation, correlated_sides, match_image
from ghostnote.bridge.dsp.tail_crossfade import attach_tail
from ghostnote.bridge.dsp.velocity import FULL_VELOCITY, velocity_db
from ghostnote.bridge.inference.model import Generator, ReferenceFeatures
from ghostnote.bridge.inference.reference import PreparedReference

Audio = NDArray[np.float32]

_FADE_FRAMES: Final = 220
ROWS: Final = 8
"""Sounds that go through the network at once; more are hardly quicker."""
_NOISE_STREAM: Final = 1
_LEVEL_STREAM: Final = 2


@dataclass(frozen=True, eq=False)
class Reference:
    """A stroke of a drum, to be followed by others; its features are kept as long as it lives."""

    audio: Audio
    """(channels, frames), one or two channels at the model's rate."""
    label: int
    """The drum's class, as the model's card numbers them."""
    velocity: int = FULL_VELOCITY
    """The velocity at which it was struck."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Which stroke of a drum, and how hard."""

    index: int
    velocity: int = FULL_VELOCITY
    """1 to 127."""


class Variator:
    """Makes next strokes: the same arguments, the same samples."""

    def __init__(self, generator: Generator) -> None:
        """Make strokes with an opened model."""
        self.generator = generator
        self._prepared: WeakKeyDictionary[Reference, PreparedReference] = WeakKeyDictionary()

    def next_stroke(
        self,
        reference: Reference,
        *,
        seed: int,
        index: int,
        velocity: int = FULL_VELOCITY,
        amount: float = 1.0,
        width: float = 0.0,
        steps: int | None = None,
    ) -> Audio:
        """Return the `index`-th stroke after `reference`, as many frames as it has.

        One channel for a mono reference at `width` 0, else two. `velocity` 1..127 sets level and timbre. `amount`
        0 repeats the reference, 1 varies as a drummer does, 2 more. `width` 0..1 parts left from right: 0 keeps
        the reference's image, 1 is two independent strokes.
        """
        channels = _channels(reference, width)
        # Features that are not known yet are computed in the same call, which is faster.
        features = self._prepare(reference).features(channels, channels)
        made = self._together(
            reference, [Strike(index, velocity)], features, seed=seed, amount=amount, width=width, steps=steps
        )
        return next(made)

    def next_strokes(
        self,
        reference: Reference,
        strikes: Sequence[Strike],
        *,
        seed: int,
        amount: float = 1.0,
        width: float = 0.0,
        steps: int | None = None,
    ) -> Iterator[Audio]:
        """Yield the stroke of each strike; all else is as in `next_stroke`, but for rounding.

        Several go through the network at once, and the reference is encoded once for all, which takes less time.
        Their number does not show in them.
        """
        channels = _channels(reference, width)
        prepared = self._prepare(reference)
        features = prepared.features(channels, ROWS)
        if features is None:
            head = prepared.head(channels, self.generator.card.hit_frames)
            prepared.keep(self.generator.encode_reference(head, reference.label))
            features = prepared.features(channels, ROWS)
        many = ROWS // channels
        for first in range(0, len(strikes), many):
            block = strikes[first : first + many]
            # For a single row products are added up in another order.
            rows = [*block, *block] if len(block) * channels == 1 else block
            made = self._together(
                reference, rows, features, seed=seed, amount=amount, width=width, steps=steps
            )
            yield from islice(made, len(block))

    def _together(
        self,
        reference: Reference,
        strikes: Sequence[Strike],
        features: ReferenceFeatures | None,
        *,
        seed: int,
        amount: float,
        width: float,
        steps: int | None,
    ) -> Iterator[Audio]:
        """Make strokes in one call of the network, and yield them one by one.

        `features` has a row for each channel of each strike, or more; None is for a single strike.
        """
        prepared = self._prepare(reference)
        head = prepared.head(_channels(reference, width), self.generator.card.hit_frames)
        louder_db = [velocity_db(strike.velocity) - velocity_db(reference.velocity) for strike in strikes]
        chances = self._chances(head, seed, strikes, width)
        rows, kept = self.generator.vary(
            head,
            *chances,
            label=reference.label,
            difference_db=np.repeat(np.array(louder_db, np.float32), len(head)),
            amount=amount,
            steps=steps,
            features=None if features is None else features[: len(strikes) * len(head)],
        )
        if features is None:
            prepared.keep(kept)
        attack = Attack.of(head)
        lead = np.broadcast_to(prepared.lead, (len(head), prepared.lead.shape[1]))
        for strike, louder, varied in zip(
            strikes, louder_db, rows.reshape(len(strikes), *head.shape), strict=True
        ):
            stroke = np.concatenate([lead, _whole(varied, head, attack, prepared.body, width)], axis=1)
            gain = 10 ** ((louder + self._level_db(reference.label, seed, strike.index, amount)) / 20)
            stroke *= np.float32(gain)
            yield stroke

    def bytes_held(self, reference: Reference) -> int:
        """Return what a reference takes: its audio, and its features so far."""
        return reference.audio.nbytes + self._prepare(reference).feature_bytes

    def _prepare(self, reference: Reference) -> PreparedReference:
        prepared = self._prepared.get(reference)
        if prepared is None:
            prepared = self._prepared[reference] = PreparedReference(reference.audio)
        return prepared

    def _chances(
        self, head: Audio, seed: int, strikes: Sequence[Strike], width: float
    ) -> tuple[Audio, Audio]:
        """Return noise (rows, bands, steps) and wander (rows, wander): for each strike the sides of `head`.

        The noise of the sides is as alike, band by band, as the sides are, less `width`; without width they stray
        together.
        """
        card, sides = self.generator.card, len(head)
        noise = np.empty((len(strikes), sides, card.bands, card.mdct_frames), np.float32)
        variation_latent = np.empty((len(strikes), sides, card.latent_size), np.float32)
        for strike, of_noise, of_wander in zip(strikes, noise, variation_latent, strict=True):
            rng = np.random.default_rng([_NOISE_STREAM, seed, strike.index])
            rng.standard_normal(dtype=np.float32, out=of_noise)
            rng.standard_normal(dtype=np.float32, out=of_wander)
        if sides == 2:
            alike = (band_correlation(head, card.bands) * (1 - width))[:, None]
            for of_noise, of_wander in zip(noise, variation_latent, strict=True):
                of_noise[:] = correlated_sides(of_noise, alike)
                of_wander[:] = correlated_sides(of_wander, np.float32(1 - width))
        return noise.reshape(-1, card.bands, card.mdct_frames), variation_latent.reshape(-1, card.latent_size)

    def _level_db(self, label: int, seed: int, index: int, amount: float) -> float:
        spread = self.generator.card.level_spread_db[label]
        return float(amount * spread * np.random.default_rng([_LEVEL_STREAM, seed, index]).standard_normal())


def _channels(reference: Reference, width: float) -> int:
    return 2 if width > 0 else len(reference.audio)


def _whole(varied: Audio, head: Audio, attack: Attack, body: Audio, width: float) -> Audio:
    """Return what the network gave for a head at its level, with its image, and as long as `body`.

    `varied` itself is changed on the way.
    """
    attack.apply_to(varied)
    if len(body) == 2:
        varied = match_image(varied, head, width)
    elif len(varied) == 2:
        varied = balance_sides(varied)
    if body.shape[1] > head.shape[1]:
        original = np.broadcast_to(body, (len(varied), body.shape[1]))
        whole = attach_tail(varied, original, widened=width > 0)
        # A dry attack and a wide room have an image each, and the tail brings the original's: mended once more.
        return match_image(whole, body, width) if len(body) == 2 else whole
    varied = varied[:, : body.shape[1]]
    fall = _fall(min(_FADE_FRAMES, varied.shape[1]))
    varied[:, varied.shape[1] - len(fall) :] *= fall
    return varied


@lru_cache(maxsize=8)
def _fall(frames: int) -> Audio:
    """Return the fade (frames,) of a hit's end, where the model's own hiss would be cut."""
    return np.cos(np.linspace(0, np.pi / 2, frames, dtype=np.float32)) ** 2
