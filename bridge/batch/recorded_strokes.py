"""Strokes of a drum of which several were recorded: each starts from a real one of the nearest layer."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ghostnote.bridge.batch.full_band import Audio, Strokes
from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.inference.recorded_drum import RecordedDrum
from ghostnote.bridge.inference.variation import StrokeKey, Variation
from ghostnote.bridge.inference.velocity_layers import VelocityLayers
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.hits import PadHit, picks


def strokes_of_many(
    hits: Sequence[PadHit], channels: int, rate: int, variation: Variation, make: Callable[[Audio, Variation], Strokes]
) -> Strokes:
    """Return what makes strokes of recorded ones, all at one rate and with one number of channels.

    `make` returns what makes strokes of one of them. `AudioFileError` for one that cannot be read, or has more
    channels than can be mixed down.
    """
    sounds = {hit: _read(hit, channels, rate) for hit in hits}
    once = replace(variation, amount=1.0, width=0.0)
    drum = RecordedDrum(
        VelocityLayers.measured(hits, rate, sounds.get), lambda hit: next(make(sounds[hit], once)([StrokeKey(0)]))
    )
    makers: dict[PadHit, Strokes] = {}

    def strokes(keys: Sequence[StrokeKey]) -> Iterator[Audio]:
        chosen = [next(picks(hits, variation.seed, key.index, key.velocity)) for key in keys]
        own: dict[PadHit, list[StrokeKey]] = defaultdict(list)
        for key, hit in zip(keys, chosen, strict=True):
            own[hit].append(replace(key, change=drum.change(hit, key.velocity)))
        for hit in own:
            makers[hit] = makers.get(hit) or make(sounds[hit], variation)
        # Those of one recorded stroke are made together, and taken one by one.
        made = {hit: makers[hit](of_hit) for hit, of_hit in own.items()}
        for key, hit in zip(keys, chosen, strict=True):
            yield drum.finish(hit, key.velocity, next(made[hit]), rate)

    return strokes


def _read(hit: PadHit, channels: int, rate: int) -> Audio:
    audio, own_rate = read_audio(hit.file)
    if len(audio) != channels:
        if channels > 2:
            raise AudioFileError(
                f"{hit.file}: has {len(audio)} channels, and its drum's loudest stroke {channels}; export them alike"
            )
        audio = mixdown(audio, channels)
    return resample(audio, own_rate, rate)
