"""The files of a take: the mix, limited and measured, and one stem a pad."""

import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.limiter import Limiter
from ghostnote.bridge.dsp.loudness import LoudnessMeter
from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import check_size, output_errors, prepare_folder, write_bytes
from ghostnote.bridge.io.audio_file import AudioWriter, format_for
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, STEM_LIST, listed_stems
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.output_guard import check_outputs
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.render.mixer import Mixer
from ghostnote.bridge.render.stems import StemWriter, soften

Audio = NDArray[np.float32]


def stem_name(number: int, pad: Pad, suffix: str) -> str:
    """Return a stem's file name, as in `03_snare_38.wav`: safe on every system, `number` from 1."""
    name = re.sub(r"[^\w-]+", "_", pad.name, flags=re.ASCII).strip("_")[:40]
    return f"{number:02d}_{name or 'pad'}_{pad.notes[0] if pad.notes else 'none'}{suffix}"


class TakeFiles:
    """Writes what a mixer renders. A context manager: all files appear at its end, or none after an error.

    The mix is limited if `limited`, stems never are. All files begin at time zero and have one length.
    """

    def __init__(
        self, kit: Kit, pads: Iterable[int], mix: Path, rate: int, stems: Path | None, bits: int | None, limited: bool
    ) -> None:
        """Name the files: `mix`, and in `stems` one for each of the kit's `pads`, in the mix's format."""
        self.mix, self.meter = mix, LoudnessMeter(rate)
        self._bits = bits
        self._folder = stems
        played = list(pads) if stems else []
        self._paths = {pad: (stems or mix) / stem_name(pad + 1, kit.pads[pad], mix.suffix.lower()) for pad in played}
        self._limiter = Limiter(rate) if limited else None
        # Of the mix: nothing but the limiter's and the effects' latency is left out at the beginning.
        self._late = self._limiter.latency_frames if self._limiter else 0
        self._at = 0
        self._end: tuple[int, int] | None = None
        self._mix = AudioWriter(mix, rate, bits=bits)
        self._rate = rate
        self._stems = {pad: StemWriter(AudioWriter(path, rate, bits=bits)) for pad, path in self._paths.items()}
        self._hits = {real_path(file) for pad in kit.pads for file in pad.files}
        check_outputs((mix, *self._paths.values()), self._hits)

    @property
    def stems(self) -> tuple[Path, ...]:
        """The stems' files, in the order of the kit."""
        return tuple(self._paths.values())

    @property
    def frames(self) -> int:
        """How long the mix is so far."""
        return self._mix.frames

    @property
    def limited_db(self) -> float:
        """The limiter's strongest reduction so far."""
        return self._limiter.deepest_db if self._limiter else 0.0

    def __enter__(self) -> Self:
        """Open the files; `OutputError` where that cannot be done."""
        with ExitStack() as stack:
            if self._folder:
                names = {path.name for path in self._paths.values()}
                _check_stem_folder(self._folder, names, self.mix)
                stack.enter_context(_stem_folder(self._folder, names, self._hits))
            for writer in (self._mix, *(stem.writer for stem in self._stems.values())):
                stack.enter_context(writer)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Move the files into place, or remove them after an error."""
        self._stack.__exit__(kind, error, trace)

    def check_room(self, frames: int) -> None:
        """Raise `OutputError` where files of so many frames cannot be written: too long, or on a disk too full."""
        form, bits = format_for(self.mix, self._bits)
        if bits is None or form.container == "flac":
            return
        size = frames * 2 * bits // 8
        check_size(self.mix, form.container, frames * 2, bits)
        needed: Counter[int] = Counter()
        for path in (self.mix, *self._paths.values()):
            with output_errors(path):
                folder = next(parent for parent in path.absolute().parents if parent.exists())
                disk, usage = folder.stat().st_dev, shutil.disk_usage(folder)
            needed[disk] += size
            # Some file systems, as /proc, have no size.
            if usage.total and needed[disk] > usage.free:
                raise OutputError(
                    f"cannot write {path}: the disk is full: {needed[disk] / 1e6:.0f} MB are needed, "
                    f"{usage.free / 1e6:.0f} are free; free some space or choose another folder"
                )

    def end_at(self, frame: int, fade_frames: int) -> None:
        """Fade what effects let ring by that frame, within the last `fade_frames`."""
        self._end = (frame, fade_frames)

    def write(self, mixer: Mixer, frames: int, *, stems: bool = True) -> None:
        """Render the mixer's block and write it, less the latency of its effects."""
        effects = mixer.effects
        bus = self._in_time(mixer.render(frames), effects.latency_frames, bool(effects))
        for pad, writer in self._stems.items() if stems else ():
            part = self._in_time(mixer.stem(pad, frames), effects.pad_latency_frames, bool(effects))
            if part.shape[1]:
                writer.write(part)
        self._at += frames
        self._put(self._limiter.process(bus) if self._limiter and bus.shape[1] else bus)

    def finish(self, mixer: Mixer) -> None:
        """Write what the effects and the limiter still delay."""
        pads, mix = mixer.effects.pad_latency_frames, mixer.effects.latency_frames
        for frames, stems in ((pads, True), (mix - pads, False)):
            if frames:
                self.write(mixer, frames, stems=stems)
        if self._limiter:
            self._put(self._limiter.flush())

    def _in_time(self, block: Audio, late: int, has_effects: bool) -> Audio:
        """Return the next block without what comes before the beginning, faded towards a set end."""
        if self._end and has_effects:
            end, fade_frames = self._end
            left = end + late - np.arange(self._at, self._at + block.shape[1])
            block *= np.clip(left / fade_frames, 0, 1).astype(np.float32)
        return block[:, max(late - self._at, 0) :]

    def soften(self) -> tuple[str, ...]:
        """Make all stems softer if one clips, once they are in place; return a sentence on that, and on the mix."""
        gain_db = soften({self._paths[pad]: stem for pad, stem in self._stems.items()}, self._rate, self._bits)
        softer = f"{abs(gain_db):.1f}"
        said = [f"all stems are {softer} dB softer, as the loudest would clip; 32 bits keep them"] * (softer != "0.0")
        clipped = self._mix.clipped
        if clipped:
            said.append(f"{self.mix.name} is clipped in {clipped} samples: lower gain_db, or write 32 bits")
        return tuple(said)

    def _put(self, block: Audio) -> None:
        """Measure and write the mix, less the limiter's latency."""
        skipped = min(self._late, block.shape[1])
        self._late -= skipped
        if skipped < block.shape[1]:
            self.meter.add(block[:, skipped:])
            self._mix.write(block[:, skipped:])


def _check_stem_folder(folder: Path, names: Collection[str], mix: Path) -> None:
    """Raise `OutputError` for a folder whose sound files no render wrote, so that stems do not mix with others' files.

    In a folder of stems only files that these would replace count.
    """
    listed = listed_stems(folder)
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for name in there:
        is_meant = name in names if listed else Path(name).suffix.lower() in HIT_SUFFIXES
        if is_meant and name not in listed and real_path(folder / name) != real_path(mix):
            raise OutputError(
                f"cannot write stems into {folder}: {name} in it is no stem of an earlier render; "
                "name another folder, or move your files out of it"
            )


@contextmanager
def _stem_folder(folder: Path, names: Collection[str], hits: Collection[Path]) -> Iterator[None]:
    """Make the folder of the stems `names`, and remove it again if an error leaves it empty.

    At the end it holds no stem of an earlier song, as that listed them, but for those that are `hits` of the kit now.
    """
    is_new = not folder.exists()
    prepare_folder(folder)
    try:
        yield
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise
    listed = folder / STEM_LIST
    with output_errors(listed):
        for path in (folder / name for name in listed_stems(folder) if name not in names):
            if path.is_file() and real_path(path) not in hits:
                path.unlink()
        write_bytes(listed, "\n".join(sorted(names)).encode())
