"""How many bits a sound file has for each sample."""

from pathlib import Path
from typing import Final

from ghostnote.bridge.io.audio_checks import opened_audio
from ghostnote.bridge.io.wav_layout import wav_layout

_BITS: Final = {"int8": 16, "int16": 16, "int24": 24, "int32": 32, "float32": 32, "float64": 32}
_LOSSY_BITS: Final = 24
_LOSSY: Final = (".ogg", ".mp3")


def source_bits(path: Path) -> int:
    """Return the bits per sample of a sound file: 16, 24, or 32."""
    if path.suffix.lower() in _LOSSY:
        return _LOSSY_BITS
    layout = wav_layout(path)
    if layout and layout.is_double:
        return _BITS["float64"]
    with opened_audio(path) as file:
        return _BITS[file.file_dtype]
