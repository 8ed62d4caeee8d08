"""Strokes of a drum of which several were recorded: each starts from a real one of the nearest layer."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ghostnote.bridge.batch.full_band import Audio, Strokes
from ghostnote.bridge.dsp.velocity import hit_level_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.inference.variation import StrokeKey
from ghostnote.bridge.inference.velocity_layers import VelocityLayers
from ghostnote.bridge.io.audio_file import mixdown, read_audio, resample
from ghostnote.bridge.kit.hits import PadHit, picks


def strokes_of_many(
    hits: Sequence[PadHit], channels: int, rate: int, seed: int, make: Callable[[Audio], Strokes]
) -> Strokes:
    """Return what makes strokes of recorded ones, all at one rate and with one number of channels.

    `make` returns what makes strokes of one of them. `AudioFileError` for one that cannot be read, or has more
    channels than can be mixed down.
    """
    sounds = {hit: _read(hit, channels, rate) for hit in hits}
    layers = VelocityLayers.measured(hits, lambda hit: hit_level_db(sounds[hit], rate))
    makers: dict[PadHit, Strokes] = {}

    def strokes(keys: Sequence[StrokeKey]) -> Iterator[Audio]:
        chosen = [next(picks(hits, seed, key.index, key.velocity)) for key in keys]
        own: dict[PadHit, list[StrokeKey]] = defaultdict(list)
        for key, hit in zip(keys, chosen, strict=True):
            own[hit].append(replace(key, louder_db=layers.louder_db(hit, key.velocity)))
        for hit in own:
            makers[hit] = makers.get(hit) or make(sounds[hit])
        # Those of one recorded stroke are made together, and taken one by one.
        made = {hit: makers[hit](of_hit) for hit, of_hit in own.items()}
        for hit in chosen:
            yield next(made[hit])

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
