import errno
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import output_errors, write_bytes
from ghostnote.bridge.io.audio_file import FORMATS, AudioWriter, read_audio, write_audio

Audio = NDArray[np.float32]
RATE = 48_000


def noise(channels: int = 2, frames: int = 4_000, level: float = 0.2) -> Audio:
    return (np.random.default_rng(1).standard_normal((channels, frames)) * level).astype(np.float32)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("where", ["file/a.wav", "folder.wav", "circle.wav", "x" * 300 + ".wav"])
def test_a_path_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("a file")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "circle.wav").symlink_to("circle.wav")
    with pytest.raises(OutputError, match="cannot write"):
        write_audio(tmp_path / where, noise(), RATE)
    assert names(tmp_path) == ["circle.wav", "file", "folder.wav"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_audio(tmp_path / "new" / "one" / "a.wav", noise(), RATE)
    assert names(tmp_path / "new" / "one") == ["a.wav"]


def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("mine")
    path.chmod(0o444)
    with pytest.raises(OutputError, match=r"a\.wav: it is read-only"):
        write_audio(path, noise(), RATE)
    assert path.read_text() == "mine"
    assert names(tmp_path) == ["a.wav"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_take_leaves_the_old_file_alone(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.wav"
    path.write_text("the take before")

    def interrupted() -> None:
        with AudioWriter(path, RATE) as writer:
            writer.write(noise())
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_text() == "the take before"
    assert names(tmp_path) == ["a.wav"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.wav").write_text("old")
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    write_audio(tmp_path / "link.wav", noise(), RATE)
    assert (tmp_path / "link.wav").is_symlink()
    assert read_audio(tmp_path / "real.wav")[0].shape == (2, 4_000)


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow past 64 kB, as a full disk would not."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_does_not_fit_is_an_error_and_leaves_nothing(tmp_path: Path, small_disk: None, suffix: str) -> None:
    with pytest.raises(OutputError, match="larger than is allowed"):
        write_audio(tmp_path / f"a{suffix}", noise(frames=200_000), RATE)
    assert not names(tmp_path)


def test_a_text_that_does_not_fit_leaves_the_old_one(tmp_path: Path, small_disk: None) -> None:
    path = tmp_path / "kit.toml"
    write_bytes(path, b"old")
    with pytest.raises(OutputError, match=r"kit\.toml"):
        write_bytes(path, bytes(100_000))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["kit.toml"]


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission"), (errno.EROFS, "read-only"), (errno.EIO, "I/O")],
)
def test_the_reason_is_told_in_words(code: int, words: str) -> None:
    with pytest.raises(OutputError, match=rf"out\.wav: .*{words}"), output_errors(Path("out.wav")):
        raise OSError(code, "I/O error")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_is_no_file_to_replace(tmp_path: Path) -> None:
    (tmp_path / "full.wav").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="device"):
        write_audio(tmp_path / "full.wav", noise(), RATE)
    assert Path("/dev/full").is_char_device()
