"""The next stroke of a hit of any length and one or two channels.

A reference is split into partials and a residual. The partials go through a random filter as a whole, so that what
rings goes on ringing. Of the residual the model renews the first 0.743 s of each channel, at the model's rate; the
silence before the onset, the stereo image, the length and the rest of the tail are the reference's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partial_response import bent
from ghostnote.bridge.dsp.stereo_image import match_image
from ghostnote.bridge.dsp.tail_crossfade import with_body
from ghostnote.bridge.dsp.velocity import FULL_VELOCITY, velocity_db
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.reference import PreparedReference, ResidualHead
from ghostnote.bridge.inference.stroke_noise import draw_noise

Audio = NDArray[np.float32]

_FADE: Final = np.cos(np.linspace(0, np.pi / 2, 220, dtype=np.float32)) ** 2
ROWS: Final = 8
"""Sounds that go through the network at once; more are hardly faster."""
_PREDICTED: Final = 3.0
"""Recorded strokes that the model's prediction of their levels weighs as much as."""
_LEVEL_STREAM: Final = 2
_PARTIAL_STREAM: Final = 4
_ATTACK_STREAM: Final = 5


@dataclass(frozen=True, eq=False)
class Reference:
    """A stroke of a drum that others follow; its features are kept as long as it lives."""

    audio: Audio
    """(channels, frames), one or two channels at the model's rate."""
    label: int
    """The drum's class, as the model's card numbers them."""
    velocity: int = FULL_VELOCITY
    """The velocity at which it was struck, 1 to 127."""


@dataclass(frozen=True, slots=True)
class StrokeChange:
    """How a stroke differs from its reference, where more is known of the drum than one velocity."""

    louder_db: float
    """Its level beside the reference's."""
    harder_db: float
    """How much harder it is struck: what the model does to the timbre."""
    amount: float = 1.0
    """The share of the variation's amount."""
    level_deviations: tuple[float, int] = (0.0, 0)
    """The sum of squares of how levels of the drum's strokes deviate, in dB, and its degrees of freedom."""


@dataclass(frozen=True, slots=True)
class StrokeKey:
    """Which stroke of a drum: its number and its velocity."""

    index: int
    """From 0; each number is another stroke."""
    velocity: int = FULL_VELOCITY
    """1 to 127."""
    change: StrokeChange | None = None
    """None goes by the velocities."""


@dataclass(frozen=True, slots=True)
class Variation:
    """How strokes differ from their reference, and from each other."""

    seed: int = 1
    """Another seed, other strokes."""
    amount: float = 1.0
    """0 repeats the reference, 1 varies as a drummer does, 2 is exaggerated."""
    width: float = 0.0
    """0 keeps the reference's stereo image, 1 makes left and right two independent strokes."""
    steps: int | None = None
    """Diffusion steps; None is the model's default, 0 leaves the network out."""


class _Struck(NamedTuple):
    """A stroke of a reference: which, and how much harder."""

    number: int
    difference_db: float
    amount: float = 1.0


class Variator:
    """Makes next strokes: the same arguments give the same samples."""

    def __init__(self, generator: Generator) -> None:
        """Make strokes with an opened model."""
        self.generator = generator
        self._prepared: WeakKeyDictionary[Reference, PreparedReference] = WeakKeyDictionary()

    def next_stroke(
        self, reference: Reference, variation: Variation, *, index: int, velocity: int = FULL_VELOCITY
    ) -> Audio:
        """Return the `index`-th stroke after `reference`, (channels, frames) with as many frames.

        One channel for a mono reference at width 0, else two. `velocity` 1..127 sets level and timbre.
        """
        return next(self.next_strokes(reference, [StrokeKey(index, velocity)], variation))

    def next_strokes(self, reference: Reference, keys: Sequence[StrokeKey], variation: Variation) -> Iterator[Audio]:
        """Yield the stroke of each key; all else is as in `next_stroke`.

        Several go through the network at once, which takes less time. How many they are does not change them.
        """
        many = ROWS // _channels(reference, variation)
        for first in range(0, len(keys), many):
            block = keys[first : first + many]
            strokes = self._strokes(reference, [_struck(reference, key) for key in block], variation)
            for key, stroke in zip(block, strokes, strict=True):
                stroke *= self._gain(reference, key, variation)
                yield stroke

    def at_level(self, reference: Reference, variation: Variation, *, index: int, difference_db: float) -> Audio:
        """Return the stroke that is struck `difference_db` harder than `reference`, but at its level."""
        return next(self._strokes(reference, [_Struck(index, difference_db)], variation))

    def _strokes(self, reference: Reference, struck: Sequence[_Struck], variation: Variation) -> Iterator[Audio]:
        """Make strokes at the reference's level in one call of the network, and yield them one by one."""
        prepared, label, card = self._prepare(reference), reference.label, self.generator.card
        residuals = self._residuals(reference, struck, variation)
        lead = np.broadcast_to(prepared.lead, (_channels(reference, variation), prepared.lead.shape[1]))
        for (index, harder_db, share), residual in zip(struck, residuals, strict=True):
            amount = variation.amount * share
            seed = _PARTIAL_STREAM, variation.seed, index
            taps = prepared.filter.taps(card.partials, label, seed, amount=amount, difference_db=harder_db)
            partials = prepared.partials.through(taps, variation.width)
            whole = residual + partials
            if len(prepared.body) == 2:
                whole = match_image(whole, prepared.body, variation.width)
            sharper_db = amount * card.attack_spread_db[label] * _normal(_ATTACK_STREAM, variation, index)
            prepared.strike.apply_to(whole, partials, sharper_db)
            _fade_end(whole)
            yield np.concatenate([lead, whole], axis=1) if lead.shape[1] else whole

    def _residuals(self, reference: Reference, struck: Sequence[_Struck], variation: Variation) -> Iterator[Audio]:
        """Yield the residual (channels, frames) of each stroke."""
        prepared, channels, card = self._prepare(reference), _channels(reference, variation), self.generator.card
        if not prepared.has_residual:
            yield from [prepared.residual] * len(struck)
            return
        head = self._head(reference, channels)
        if prepared.features(channels, 1) is None:
            prepared.keep(self.generator.encode_reference(head.audio, reference.label))
        rows, _ = self.generator.vary(
            head.audio,
            *draw_noise(card, head, [number for number, _, _ in struck], variation.seed, variation.width),
            label=reference.label,
            difference_db=np.repeat(np.array([harder_db for _, harder_db, _ in struck], np.float32), channels),
            amount=np.repeat(
                np.array([bent(variation.amount * share) for _, _, share in struck], np.float32), channels
            ),
            steps=variation.steps,
            features=prepared.features(channels, len(struck) * channels),
        )
        for varied in rows.reshape(len(struck), *head.audio.shape):
            head.attack.limit_rise(varied)
            yield with_body(varied, head.audio, prepared.tail, variation.width)

    def bytes_held(self, reference: Reference) -> int:
        """Return what a reference takes: its audio, and its features so far."""
        return reference.audio.nbytes + self._prepare(reference).nbytes

    def _prepare(self, reference: Reference) -> PreparedReference:
        prepared = self._prepared.get(reference)
        if prepared is None:
            prepared = self._prepared[reference] = PreparedReference(reference.audio)
        return prepared

    def _head(self, reference: Reference, channels: int) -> ResidualHead:
        card = self.generator.card
        return self._prepare(reference).head(channels, card.hit_frames, card.bands)

    def _gain(self, reference: Reference, key: StrokeKey, variation: Variation) -> np.float32:
        """Return the gain of a stroke over its reference: its velocity's, and how levels vary."""
        spread_db = self.generator.card.level_spread_db[reference.label]
        if key.change:
            spread_db = _posterior_spread(spread_db, *key.change.level_deviations)
        return np.float32(
            10
            ** (
                (
                    _louder_db(reference, key)
                    + variation.amount * spread_db * _normal(_LEVEL_STREAM, variation, key.index)
                )
                / 20
            )
        )


def _normal(stream: int, variation: Variation, index: int) -> float:
    """Return a stroke's normal number for what a stream decides."""
    return float(np.random.default_rng([stream, variation.seed, index]).standard_normal())


def _posterior_spread(predicted_db: float, squares: float, degrees: int) -> float:
    """Return a standard deviation by a prediction that weighs as much as `_PREDICTED` strokes, and those recorded.

    It is that of a scaled inverse chi-squared prior (Gelman et al. 2013, section 2.6).
    """
    return float(np.sqrt((squares + _PREDICTED * predicted_db**2) / (degrees + _PREDICTED)))


def _struck(reference: Reference, key: StrokeKey) -> _Struck:
    if key.change:
        return _Struck(key.index, key.change.harder_db, key.change.amount)
    return _Struck(key.index, _louder_db(reference, key))


def _louder_db(reference: Reference, key: StrokeKey) -> float:
    if key.change:
        return key.change.louder_db
    return velocity_db(key.velocity) - velocity_db(reference.velocity)


def _channels(reference: Reference, variation: Variation) -> int:
    return 2 if variation.width > 0 else len(reference.audio)


def _fade_end(stroke: Audio) -> None:
    """Fade the end of a stroke (channels, frames) in place: the model's own hiss would be cut there."""
    end = stroke[:, -len(_FADE) :]
    end *= _FADE[len(_FADE) - end.shape[1] :]
