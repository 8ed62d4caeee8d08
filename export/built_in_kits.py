"""Makes the kits that come along: of many seeds, each pad's drum is the one that is nearest to a description.

`python -m ghostnote.export.built_in_kits --seeds 24` chooses all drums anew. Without `--seeds` the kits keep
theirs, and only the ready-made files are written, as a model with another checksum needs them.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.loudness import LoudnessMeter
from ghostnote.bridge.inference.drum_cache import READY_MADE, drum_file, ready_made
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kinds import find_kind
from ghostnote.bridge.kit.fields import quoted
from ghostnote.bridge.kit.kit import BUILT_IN, DEFAULT_SEED, Pad, built_in_file, load_kit, pad_seed
from ghostnote.bridge.kit.save import pad_text
from ghostnote.export.kit_plans import KIT_PLANS, KitPlan, Wanted
from ghostnote.models.program import run_program

Audio = NDArray[np.float32]

_LOWEST_HZ: Final = 30.0
_HIGHEST_HZ: Final = 4_000.0
_AUDIBLE_HZ: Final = 16_000.0
_SOUNDING: Final = 10 ** (-40 / 20)
_METERED_SECONDS: Final = 0.4
"""As much of each hit is metered."""
_HEADROOM_DB: Final = 3.0
_MOST_GAIN_DB: Final = 12.0
_LEAST_TUNING, _MOST_TUNING = 0.3, 6.0
_TOO_LONG: Final = 1.5
_SHORTEST: Final = 0.05
_NEAR: Final = 0.4
_BITS: Final = 16
_TAIL_SECONDS, _BLOCK_SECONDS, _FALL_BLOCKS = 0.15, 0.02, 3
_AUDIBLE_DB: Final = -45.0
_MOST_FALL_DB: Final = 14.0
"""What decays of itself may fall in 60 ms."""
_SILENT: Final = 1e-10


@dataclass(frozen=True)
class Description:
    """What a drum is like."""

    hz: float
    """Frequency of its strongest line."""
    seconds: float
    """Until it has decayed by 40 dB."""
    centroid_hz: float
    """Middle of its power over the logarithm of frequency."""
    lufs: float
    """Loudness of its first 400 ms."""
    gate_db: float
    """How far it falls at most in 60 ms of its tail."""


def describe(drum: Audio, rate: int) -> Description:
    """Return the description of a drum (frames,)."""
    spectrum = np.square(np.abs(np.fft.rfft(drum[: 1 << 15], 1 << 16)))
    hz = np.arange(len(spectrum)) * (rate / (1 << 16))
    low, audible = (hz > _LOWEST_HZ) & (hz < _HIGHEST_HZ), (hz > _LOWEST_HZ) & (hz < _AUDIBLE_HZ)
    sounding = np.flatnonzero(np.abs(drum) > _SOUNDING * np.abs(drum).max())
    centroid = float(np.exp((spectrum[audible] * np.log(hz[audible])).sum() / spectrum[audible].sum()))
    meter, frames = LoudnessMeter(rate), int(_METERED_SECONDS * rate)
    meter.add(np.pad(drum, (0, max(0, frames - len(drum))))[None, :frames])
    strongest = float(hz[low][spectrum[low].argmax()])
    seconds = float(sounding[-1] + 1) / rate
    return Description(strongest, seconds, centroid, meter.integrated_lufs, _steepest_fall_db(drum, rate))


def _steepest_fall_db(drum: Audio, rate: int) -> float:
    """Return how far the level of a drum (frames,) falls at most in 60 ms, from 0.15 s on, where it is audible."""
    block = int(_BLOCK_SECONDS * rate)
    blocks = drum[int(_TAIL_SECONDS * rate) :]
    blocks = blocks[: len(blocks) // block * block].reshape(-1, block)
    level = 10 * np.log10(np.square(blocks).mean(axis=1) + _SILENT)
    falls = (level[:-_FALL_BLOCKS] - level[_FALL_BLOCKS:])[level[:-_FALL_BLOCKS] > _AUDIBLE_DB]
    return float(falls.max(initial=0.0))


def distance(found: Description, wanted: Wanted) -> float:
    """Return how far a drum is from what is wanted, in octaves; those of pitch count four times, a gate each 5 dB."""
    gate = max(0.0, found.gate_db - _MOST_FALL_DB) / 5
    pairs = ((4, wanted.hz, found.hz), (1, wanted.seconds, found.seconds), (1, wanted.centroid_hz, found.centroid_hz))
    return gate + sum(weight * abs(float(np.log2(value / wish))) for weight, wish, value in pairs if wish is not None)


def class_and_kind(name: str) -> tuple[str, str | None]:
    """Return the class, and the kind if it is one, of a `Wanted.kind`."""
    if name in CLASS_NAMES:
        return name, None
    found = find_kind(name)
    return found.drum_class, found.name


def choose(generator: Generator, wanted: Wanted, seeds: Sequence[int]) -> tuple[int, Audio]:
    """Return the first of `seeds` that is near enough, or else the nearest, and its drum (frames,)."""
    drum_class, kind = class_and_kind(wanted.kind)
    found: list[tuple[float, int, Audio]] = []
    for seed in seeds:
        drum = generate_drum(generator, drum_class, seed, kind=kind)
        found.append((distance(describe(drum, generator.card.rate), wanted), seed, drum))
        if found[-1][0] < _NEAR:
            break
    _, seed, drum = min(found, key=lambda candidate: candidate[:2])
    return seed, drum


def make_pads(generator: Generator, plan: KitPlan, seeds: Sequence[Sequence[int]]) -> Iterator[tuple[Pad, Audio]]:
    """Yield the pads of a kit with their drums, chosen of the seeds that each pad has, levelled beside the snare."""
    snare: float | None = None
    # The snare comes first: the others are levelled by it.
    order = sorted(range(len(plan.pads)), key=lambda i: plan.pads[i].name != "Snare")
    for i in order:
        wanted = plan.pads[i]
        seed, drum = choose(generator, wanted, seeds[i])
        found = describe(drum, generator.card.rate)
        snare = found.lufs if snare is None else snare
        gain_db = round(2 * (snare + wanted.level_lu - found.lufs - _HEADROOM_DB)) / 2
        tune, decay = _tuning(found.hz, wanted.hz), _shortening(found.seconds, wanted.seconds)
        yield replace(_pad(wanted, seed, gain_db), tune=tune, decay=decay), drum


def _tuning(hz: float, wanted_hz: float | None) -> float:
    """Return the semitones to the pitch that is wanted; 0 where the drum is near enough, or too far off."""
    semitones = 12 * float(np.log2(wanted_hz / hz)) if wanted_hz else 0.0
    return round(semitones, 1) if _LEAST_TUNING < abs(semitones) < _MOST_TUNING else 0.0


def _shortening(seconds: float, wanted_seconds: float | None) -> float:
    """Return the decay, beside its own, of a drum that rings far longer than is wanted."""
    if wanted_seconds is None or seconds < _TOO_LONG * wanted_seconds:
        return 1.0
    return round(max(wanted_seconds / seconds, _SHORTEST), 2)


def _pad(wanted: Wanted, drum: int, gain_db: float) -> Pad:
    drum_class, kind = class_and_kind(wanted.kind)
    return Pad(
        wanted.name,
        wanted.notes,
        drum_class,
        width=wanted.width,
        gain_db=min(gain_db, _MOST_GAIN_DB),
        pan=wanted.pan,
        choke=wanted.choke,
        seed=pad_seed(DEFAULT_SEED, wanted.name),
        drum=drum,
        kind=kind,
    )


def kit_file_text(plan: KitPlan, pads: Sequence[Pad], keys: str) -> str:
    """Return the text of a kit file; `keys` explains what may be in it."""
    remarks = {wanted.name: wanted.remark for wanted in plan.pads}
    ordered = sorted(pads, key=lambda pad: list(remarks).index(pad.name))
    parts = [f"# {plan.about}\n{keys}\nname = {quoted(plan.name)}\nseed = {DEFAULT_SEED}\n"]
    for pad in ordered:
        text = pad_text(pad, DEFAULT_SEED, built_in_file(BUILT_IN[0]).parent)
        parts.append(text.replace("\n", f"\n# {remarks[pad.name]}\n", 1) if remarks[pad.name] else text)
    return "".join(parts)


def main(
    seeds: Annotated[int, typer.Option(min=0, help="Candidates for each pad; 0 keeps the kits' drums.")] = 0,
) -> None:
    """Make the kits that come along, and their drums ready-made."""
    generator = Generator.open()
    keys = built_in_file(BUILT_IN[0]).read_text("utf-8")
    keys = keys[keys.index("#\n") : keys.index("\nname = ")]
    folder = ready_made(generator.checksum)
    shutil.rmtree(READY_MADE, ignore_errors=True)
    prepare_folder(folder)
    for plan in KIT_PLANS:
        path = built_in_file(plan.name.lower())
        given = {pad.name: [pad.drum_seed] for pad in load_kit(path).pads} if not seeds else {}
        candidates = [
            # Each pad has seeds of its own: no two pads of a kind are the same drum.
            given.get(wanted.name, range(i * seeds, (i + 1) * seeds))
            for i, wanted in enumerate(plan.pads)
        ]
        made = []
        for pad, drum in track(make_pads(generator, plan, candidates), plan.name, total=len(plan.pads)):
            write_audio(folder / drum_file(pad, ".flac"), drum[None], generator.card.rate, _BITS)
            made.append(pad)
        write_bytes(path, kit_file_text(plan, made, keys).encode())


if __name__ == "__main__":
    run_program(main)
