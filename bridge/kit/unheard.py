"""Pads that make no sound, as their `start` lies behind the end of what sounds."""

from collections.abc import Iterable, Iterator

import numpy as np

from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.io.audio_checks import SILENCE_PEAK
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import Pad


def unheard(pads: Iterable[Pad]) -> Iterator[str]:
    """Yield a sentence on each pad whose `start` leaves nothing of its sound files; `AudioFileError`."""
    for pad in pads:
        if pad.start and pad.files and not any(_sounds_after(pad, number) for number in range(len(pad.files))):
            yield f"pad {pad.name!r} is silent: start = {pad.start:g} ms leaves nothing of its hits; give a smaller one"


def _sounds_after(pad: Pad, number: int) -> bool:
    """Return whether anything of one of a pad's files is left behind its start, which counts from the onset."""
    audio, rate = read_audio(pad.files[number])
    if pad.hits:
        audio = audio[:, round(pad.hits[number].offset * rate / 1000) :]
    left = audio[:, onset_frame(audio) + round(pad.start * rate / 1000) :] if audio.size else audio
    return bool(np.abs(left).max(initial=0.0) >= SILENCE_PEAK)
