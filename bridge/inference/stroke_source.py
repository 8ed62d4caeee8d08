"""Strokes for the pads of a kit, as the renderer's and the daemon's workers make them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.bridge.dsp.shaping import shaped
from ghostnote.bridge.dsp.sliders import Sliders
from ghostnote.bridge.dsp.tweak import tweaked
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.inference.drum_plan import plan_drum
from ghostnote.bridge.inference.drum_table import Drum
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.model_card import Card
from ghostnote.bridge.inference.new_drum import PITCHED, choose_drum, ended, synthesize_drum
from ghostnote.bridge.inference.recorded_drum import RecordedDrum
from ghostnote.bridge.inference.variation import Reference, StrokeKey, Variation, Variator
from ghostnote.bridge.inference.velocity_layers import VelocityLayers, read_hit
from ghostnote.bridge.kit.hits import PadHit, picks
from ghostnote.bridge.kit.kit import Pad

Audio = NDArray[np.float32]
ReferenceKey = tuple[Path | PadHit | None, str, str | None, int, int, Sliders]
"""The file, class, kind, seed, velocity and sliders of what strokes follow."""
_DrumKey = tuple[tuple[PadHit, ...], str, int | None]
"""The recorded strokes, class and steps of a pad."""

DRUM_PEAK: Final = 0.9
MOST_BYTES: Final = 32 * 2**20
"""What the drums that are kept open may take, in each process: some sixty generated ones, or half as many seconds of
stereo. Who rerolls pads all night must not run out of memory; opening a drum again takes a stroke's time."""

MOST_BYTES_OF_MANY: Final = 96 * 2**20
"""The same where pads have many recorded strokes: some fifty of two seconds, in stereo."""
DRUMS_VERSION: Final = 3
"""Goes up when other drums come of the same model and seeds: those that are kept in files are made anew."""
_MOST_PADS: Final = 128
_DRUM_STREAM: Final = 3
_CANDIDATES: Final = 4
"""Shapes of which the nearest to a drum is taken."""
_RISE_FRAMES: Final = 32
"""A new hit rises from silence in 0.7 ms, as recorded ones do; otherwise it would begin with a click."""


@dataclass(frozen=True)
class SourceSpec:
    """What a worker process needs to make strokes."""

    model: Path | None
    """The model file; None for the one in the package."""
    rate: int
    """Sample rate of the strokes, in Hz."""
    goes_on: bool = False
    """Whether another stroke of a pad stands in for one whose file is gone."""

    def open(self) -> "StrokeSource":
        """Open the model in this process."""
        return StrokeSource(Generator.open(self.model), self.rate, goes_on=self.goes_on)


class _Start(NamedTuple):
    """What strokes start from."""

    reference: Reference
    keys: dict[int, StrokeKey]
    """Those that do, by their place in a call."""
    finish: Callable[[int, Audio], Audio]
    """Brings one of some velocity to its timbre."""


class StrokeSource:
    """Makes the strokes of pads: each depends on the model, the pad, the index and the velocity alone."""

    def __init__(self, generator: Generator, rate: int, *, goes_on: bool = False) -> None:
        """Make strokes at `rate` Hz with an opened model; all else is as in `SourceSpec`."""
        self.rate = rate
        self._generator, self._goes_on = generator, goes_on
        self._variator = Variator(generator)
        self._references: dict[ReferenceKey, Reference] = {}
        self._drums: dict[_DrumKey, RecordedDrum] = {}

    @property
    def checksum(self) -> str:
        """The model file's SHA-256."""
        return self._generator.checksum

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        """Return the pad's `index`-th stroke (2, frames), its level and timbre by `velocity` 1..127.

        `AudioFileError` where the pad's hit cannot be read, or none of several.
        """
        return self.strokes(pad, [StrokeKey(index, velocity)])[0]

    def strokes(self, pad: Pad, keys: Sequence[StrokeKey]) -> list[Audio]:
        """Return several of the pad's strokes, which takes less time; they are the same as by `stroke`."""
        variation, rate = Variation(pad.seed, pad.amount, pad.width, pad.steps), self._generator.card.rate
        made: dict[int, Audio] = {}
        for reference, numbered, finish in self._by_reference(pad, keys):
            strokes = self._variator.next_strokes(reference, list(numbered.values()), variation)
            for (number, key), stroke in zip(numbered.items(), strokes, strict=True):
                audio = resample(finish(key.velocity, stroke), rate, self.rate)
                made[number] = mixdown(shaped(audio, self.rate, pad.shaping), 2)
        # Once more: the strokes may have added the references' features.
        self._evict()
        return [made[number] for number in range(len(keys))]

    def reference(self, pad: Pad) -> Reference:
        """Return what the pad's strokes follow: its hit, or a drum generated from its seed, as its sliders move it."""
        drum = (None, 0) if pad.hit else (pad.kind, pad.drum_seed)
        return self._kept((pad.hit, pad.drum_class, *drum, pad.velocity, pad.sliders), lambda: self._opened(pad))

    def _by_reference(self, pad: Pad, keys: Sequence[StrokeKey]) -> Iterator[_Start]:
        """Yield what strokes start from, with those that do."""
        if not pad.hits:
            yield _Start(self.reference(pad), dict(enumerate(keys)), lambda _, stroke: stroke)
            return
        drum = self._drum(pad)
        own: dict[PadHit, dict[int, StrokeKey]] = {}
        for number, key in enumerate(keys):
            hit = self._chosen(pad, key)
            own.setdefault(hit, {})[number] = replace(key, change=drum.change(hit, key.velocity))
        for hit, numbered in own.items():
            finish = partial(drum.finish, hit, rate=self._generator.card.rate)
            yield _Start(self._recorded(pad, hit), numbered, finish)

    def _chosen(self, pad: Pad, key: StrokeKey) -> PadHit:
        """Return the recorded stroke that a stroke starts from; `AudioFileError` where it cannot be read."""
        problems = []
        for hit in picks(pad.hits, pad.seed, key.index, key.velocity):
            try:
                self._recorded(pad, hit)
            except AudioFileError as error:
                if not self._goes_on:
                    raise
                problems.append(error)
            else:
                return hit
        raise problems[0]

    def _recorded(self, pad: Pad, hit: PadHit) -> Reference:
        label = self._generator.card.classes.index(pad.drum_class)
        return self._kept(
            (hit, pad.drum_class, None, 0, 0, pad.sliders),
            lambda: Reference(self._moved(self._read(hit), pad.sliders), label),
        )

    def _drum(self, pad: Pad) -> RecordedDrum:
        """Return what a pad's recorded strokes say, measured once: sliders move all of them by the same steps."""
        key = pad.hits, pad.drum_class, pad.steps
        found = self._drums.pop(key, None)
        if found is None:
            layers = VelocityLayers.measured(pad.hits, self._generator.card.rate, self._sound)
            once = Variation(steps=pad.steps)

            def stroke_of(hit: PadHit) -> Audio:
                return self._variator.next_stroke(self._recorded(pad.plain, hit), once, index=0)

            found = RecordedDrum(layers, stroke_of)
            while len(self._drums) >= _MOST_PADS:
                del self._drums[next(iter(self._drums))]
        self._drums[key] = found
        return found

    def _sound(self, hit: PadHit) -> Audio | None:
        try:
            return self._read(hit)
        except AudioFileError:
            if not self._goes_on:
                raise
            return None

    def _kept(self, key: ReferenceKey, opened: Callable[[], Reference]) -> Reference:
        """Return a reference that is kept open, or open it."""
        found = self._references.pop(key, None)
        # Put back last: the first is the least recently used.
        self._references[key] = found if found is not None else opened()
        self._evict()
        return self._references[key]

    @property
    def bytes_held(self) -> int:
        """What the drums that are kept open take."""
        return sum(map(self._variator.bytes_held, self._references.values()))

    def _evict(self) -> None:
        """Close the least recently used drums until the others are within bounds."""
        most = MOST_BYTES_OF_MANY if self._drums else MOST_BYTES
        while len(self._references) > 1 and self.bytes_held > most:
            del self._references[next(iter(self._references))]

    def _opened(self, pad: Pad) -> Reference:
        label = self._generator.card.classes.index(pad.drum_class)
        if pad.hit:
            return Reference(self._moved(self._read(PadHit(pad.hit)), pad.sliders), label, pad.velocity)
        if pad.sliders != Sliders():
            # The drum itself is kept, so that a slider that moves waits for no network.
            return Reference(self._moved(self.reference(pad.plain).audio, pad.sliders), label, pad.velocity)
        # Of a kind that the model does not know, any of the class is nearest.
        kind = pad.kind if pad.kind in self._generator.card.drums.kinds else None
        drum = generate_drum(self._generator, pad.drum_class, pad.drum_seed, kind=kind)
        return Reference(drum[None], label, pad.velocity)

    def _moved(self, audio: Audio, sliders: Sliders) -> Audio:
        return tweaked(audio, self._generator.card.rate, sliders)

    def _read(self, hit: PadHit) -> Audio:
        return read_hit(hit, self._generator.card.rate)


def generate_drum(
    generator: Generator,
    drum_class: str,
    seed: int,
    *,
    kind: str | None = None,
    steps: int | None = None,
    guidance: float = 1.0,
) -> Audio:
    """Return a new hit (frames,) of a class at the model's rate, of a kind if given; it ends when it has decayed."""
    card, rng = generator.card, np.random.default_rng([_DRUM_STREAM, seed])
    label = card.classes.index(drum_class)
    shapes = generator.draw_shapes(rng, _CANDIDATES, label=label, guidance=guidance)
    shape, drum = choose_drum(card.drums, shapes, rng, label, kind)
    plan = plan_drum(shape, drum, rng, pitched=drum_class in PITCHED)
    hit = synthesize_drum(generator, shape, plan, rng, label=label, steps=steps, guidance=guidance)
    hit[:_RISE_FRAMES] *= np.sin(np.linspace(0, np.pi / 2, _RISE_FRAMES, dtype=np.float32)) ** 2
    return ended(hit / max(float(np.abs(hit).max()), PEAK_FLOOR)) * np.float32(DRUM_PEAK)


def described_drum(card: Card, drum_class: str, seed: int, kind: str | None = None) -> Drum | None:
    """Return the description of the drum that `generate_drum` makes of a seed, without the network; None for none."""
    rng = np.random.default_rng([_DRUM_STREAM, seed])
    # What the shapes take of the stream.
    rng.standard_normal((_CANDIDATES, *card.shape_size), np.float32)
    return card.drums.draw(rng, card.classes.index(drum_class), kind)
