import os
import resource
import struct
import wave
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.errors import AudioFileError, OutputError
from ghostnote.bridge.io.audio_checks import file_seconds
from ghostnote.bridge.io.audio_file import FORMATS, AudioWriter, format_for, read_audio, write_audio
from ghostnote.bridge.io.sample_size import source_bits

Audio = NDArray[np.float32]
RATE = 48_000


def noise(channels: int = 2, frames: int = 4_000, level: float = 0.2) -> Audio:
    return (np.random.default_rng(1).standard_normal((channels, frames)) * level).astype(np.float32)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "bits", "error"),
    [
        ("a.wav", None, 2**-23),
        ("a.wav", 16, 2**-14),
        ("a.wav", 32, 0.0),
        ("a.flac", None, 2**-23),
        ("a.flac", 16, 2**-14),
        ("a.aiff", None, 2**-23),
        ("a.AIF", 16, 2**-14),
        ("a.ogg", None, 0.1),
    ],
)
def test_what_is_written_is_read_back(tmp_path: Path, name: str, bits: int | None, error: float) -> None:
    sound = np.clip(noise(), -1, 1)
    write_audio(tmp_path / name, sound, RATE, bits)
    again, rate = read_audio(tmp_path / name)
    assert (again.shape, str(again.dtype), rate) == (sound.shape, "float32", RATE)
    assert np.abs(again - sound).max() <= error


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_samples_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    write_audio(one, noise(), RATE)
    write_audio(two, noise(), RATE)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(("suffix", "bits"), [(".wav", 16), (".wav", 24), (".wav", 32), (".flac", 16)])
def test_the_blocks_do_not_show_in_the_bytes(tmp_path: Path, suffix: str, bits: int | None) -> None:
    sound = noise(frames=70_003)
    write_audio(tmp_path / f"whole{suffix}", sound, RATE, bits)
    with AudioWriter(tmp_path / f"parts{suffix}", RATE, bits=bits) as writer:
        # Two frames of two channels first: an array that could be either way round.
        for start, stop in [(0, 2), (2, 2), (2, 3), (3, 500), (500, 40_000), (40_000, 70_003)]:
            writer.write(sound[:, start:stop])
    assert writer.frames == 70_003
    assert (tmp_path / f"parts{suffix}").read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


@pytest.mark.parametrize("bits", [16, 24])
def test_integers_clip_and_count_what_they_clipped(tmp_path: Path, bits: int | None) -> None:
    sound = np.array([[0.5, 1.5, -7.0, 1.0, 0.25] + 100 * [0.5]], np.float32)
    with AudioWriter(tmp_path / "a.wav", RATE, 1, bits) as writer:
        writer.write(sound)
    again, _ = read_audio(tmp_path / "a.wav")
    assert writer.clipped == 2
    np.testing.assert_allclose(again[0, :5], [0.5, 1.0, -1.0, 1.0, 0.25], atol=2**-14)


def test_floats_pass_full_scale_unharmed(tmp_path: Path) -> None:
    sound = np.tile(np.array([0.5, 1.5, -7.0], np.float32), (1, 40))
    write_audio(tmp_path / "a.wav", sound, RATE, 32)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav")[0], sound)


def test_16_bits_are_dithered_but_silence_stays_silent(tmp_path: Path) -> None:
    quiet = np.full((1, 20_000), 0.3 / 32_767, np.float32)
    quiet[:, 10_000:] = 0.0
    quiet[:, 0] = 0.5
    write_audio(tmp_path / "a.wav", quiet, RATE, 16)
    with wave.open(str(tmp_path / "a.wav")) as file:
        samples = np.frombuffer(file.readframes(20_000), "<i2")
    assert abs(samples[1:10_000].mean() - 0.3) < 0.03
    assert set(samples[1:10_000]) == {-1, 0, 1}
    assert not samples[10_000:].any()


def test_ogg_pages_keep_valid_checksums(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.ogg", noise(frames=20_000), RATE)
    data = bytearray((tmp_path / "a.ogg").read_bytes())
    at, pages = 0, 0
    while at < len(data):
        size = 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
        page = data[at : at + size]
        said, page[22:26] = int.from_bytes(page[22:26], "little"), bytes(4)
        assert said == slow_checksum(page)
        at, pages = at + size, pages + 1
    assert pages > 2


def slow_checksum(page: bytes | bytearray) -> int:
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x104C11DB7 if register & 0x80000000 else 0)
    return register


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("la la la " * 500), "not a sound file"),
        (lambda path: write_audio(path, noise(frames=0), RATE), "no samples"),
        (lambda path: write_audio(path, noise(level=1e-6), RATE, 32), "silent"),
        (lambda path: write_audio(path, noise(level=1e18), RATE, 32), "peak of .e.18, where 1 is full scale"),
        (lambda path: write_audio(path, noise(frames=10), RATE), "lasts 0.21 ms, a hit at least 2"),
        (lambda path: write_audio(path, noise(1, 1_201 * 1_000), 1_000), "1201.0 seconds"),
    ],
    ids=["missing", "folder", "empty", "text", "no frames", "silent", "loud", "short", "20 minutes"],
)
def test_a_file_that_is_no_hit_is_refused_with_its_name_and_the_reason(
    tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "hit.wav"
    make(path)
    with pytest.raises(AudioFileError, match=words) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hit.wav"
    write_audio(path, noise(1), RATE, 32)
    path.write_bytes(path.read_bytes()[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(AudioFileError, match="not numbers"):
        read_audio(path)


def test_a_longer_limit_can_be_given(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", noise(1, 61_000), 1_000)
    assert read_audio(tmp_path / "a.wav", max_seconds=120)[0].shape == (1, 61_000)


def test_a_cut_off_file_gives_what_is_there_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "hit.wav"
    write_audio(path, noise(1, 4_000), RATE, 16)
    path.write_bytes(path.read_bytes()[:-2_000])
    assert read_audio(path)[0].shape == (1, 3_000)


def test_96_khz_of_8_channels_is_read_and_folded(tmp_path: Path) -> None:
    sound = noise(8, 9_600, 0.1)
    sound[4:] = 0.0
    write_audio(tmp_path / "a.wav", sound, 96_000, 32)
    again, rate = read_audio(tmp_path / "a.wav")
    assert (again.shape, rate) == ((8, 9_600), 96_000)
    np.testing.assert_allclose(mixdown(again, 2), [sound[[0, 2]].mean(0), sound[[1, 3]].mean(0)], atol=1e-7)
    np.testing.assert_allclose(mixdown(again, 1), sound[:4].mean(0, keepdims=True), atol=1e-7)


def test_mono_is_copied_and_stereo_left_alone() -> None:
    mono, stereo = noise(1), noise(2)
    np.testing.assert_array_equal(mixdown(mono, 2), np.concatenate([mono, mono]))
    assert mixdown(stereo, 2) is stereo
    assert not mixdown(np.zeros((3, 8), np.float32), 2).any()


@pytest.mark.parametrize("rate_in", [44_100, 47_999, 96_000])
@pytest.mark.parametrize("frames", [1, 2, 44_101])
def test_resampling_gives_the_exact_length(rate_in: int, frames: int) -> None:
    made = resample(noise(2, frames), rate_in, RATE)
    assert made.shape == (2, round(frames * RATE / rate_in))
    assert made.dtype == np.float32


def test_resampling_keeps_a_tone_in_place() -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(44_100) / 44_100)[None].astype(np.float32)
    made = resample(tone, 44_100, RATE)
    expected = np.sin(2 * np.pi * 1_000 * np.arange(48_000) / 48_000)
    assert np.abs(made[0] - expected)[500:-500].max() < 1e-4
    assert resample(tone, RATE, RATE) is tone


@pytest.mark.parametrize(("name", "bits"), [("a.mp3", None), ("a", None), ("a.flac", 32), ("a.ogg", 16), ("a.wav", 8)])
def test_a_format_that_cannot_be_written_is_refused_before_anything_is_made(
    tmp_path: Path, name: str, bits: int | None
) -> None:
    with pytest.raises(AudioFileError, match=r"end the name in|have no"):
        format_for(tmp_path / name, bits)
    with pytest.raises(AudioFileError):
        write_audio(tmp_path / name, noise(), RATE, bits)
    assert not names(tmp_path)


def test_a_folder_or_a_name_without_an_ending_is_said(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="is a folder; give a file name"):
        format_for(tmp_path)
    with pytest.raises(AudioFileError, match="mix: has no ending that says the format; end the name in"):
        format_for(tmp_path / "mix")


def test_a_rate_that_the_format_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="700000"):
        write_audio(tmp_path / "a.flac", noise(), 700_000)
    assert not names(tmp_path)


def test_a_broken_sample_is_never_written(tmp_path: Path) -> None:
    broken = noise()
    broken[0, 7] = np.nan
    with pytest.raises(OutputError, match="not numbers"):
        write_audio(tmp_path / "a.wav", broken, RATE)
    assert not names(tmp_path)


def wav(channels: int, bits: int, data: bytes, tag: int, rate: int = RATE, size: int | None = None) -> bytes:
    """Return a WAV file whose header says `size` bytes of samples."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    if tag == 0xFFFE:
        form += struct.pack("<HHIH", 22, bits, 0, 3) + bytes.fromhex("000000001000800000aa00389b71")
    size = len(data) if size is None else size
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", len(head) + size) + head + data


@pytest.mark.parametrize("tag", [3, 0xFFFE])
@pytest.mark.parametrize("channels", [1, 2])
def test_floats_of_64_bits_are_read(tmp_path: Path, tag: int, channels: int) -> None:
    sound = noise(channels, 500).astype("<f8")
    (tmp_path / "a.wav").write_bytes(wav(channels, 64, sound.T.tobytes(), tag) + b"LIST\4\0\0\0abcd")
    again, rate = read_audio(tmp_path / "a.wav")
    np.testing.assert_array_equal(again, sound.astype(np.float32))
    assert (rate, again.dtype, source_bits(tmp_path / "a.wav")) == (RATE, np.float32, 32)
    (tmp_path / "a.wav").write_bytes(wav(1, 64, np.full(9, 1e300).tobytes(), tag))
    with pytest.raises(AudioFileError, match="not numbers"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("bits", [16, 64])
def test_a_file_that_claims_gigabytes_is_refused_before_it_is_read(tmp_path: Path, bits: int) -> None:
    path, rate, channels = tmp_path / "sparse.wav", 192_000, 16
    size = 59 * rate * channels * bits // 8
    with path.open("wb") as file:
        file.write(wav(channels, bits, b"", 3 if bits == 64 else 1, rate, size))
        file.truncate(file.tell() + size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(AudioFileError, match="16 channels, at most 92,160,000 samples are read"):
        read_audio(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize("bits", [8, 16, 24, 32, 64])
def test_so_many_channels_that_reading_would_never_end_are_refused(tmp_path: Path, bits: int) -> None:
    path, tag = tmp_path / "hit.wav", 3 if bits >= 32 else 1
    for channels in (0, 257, 6_000):
        head = bytearray(wav(channels, bits, bytes(channels * bits // 8 * 200), tag))
        head[32:34] = max(channels * bits // 8, 1).to_bytes(2, "little")
        path.write_bytes(head)
        with pytest.raises(AudioFileError, match=r"hit\.wav: has [06257,]* channels, but 1 to 256 can be used"):
            read_audio(path)
        assert file_seconds(path) is None
    path.write_bytes(wav(256, bits, np.ones(256 * 200 * bits // 8, np.uint8).tobytes(), tag))
    # They are values of no use, but are read.
    with pytest.raises(AudioFileError, match=r"is silent|full scale") if bits >= 32 else nullcontext():
        assert read_audio(path)[0].shape == (256, 200)


@pytest.mark.parametrize("bits", [16, 64])
def test_a_header_whose_frames_have_no_bytes_is_damaged(tmp_path: Path, bits: int) -> None:
    path, data = tmp_path / "hit.wav", bytearray(wav(1, bits, bytes(8_000), 3 if bits == 64 else 1))
    data[32:34] = bytes(2)
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match=r"is damaged \(its header says that frames have no bytes\)"):
        read_audio(path)
    assert file_seconds(path) is None


def test_a_transposed_array_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="has 4,000 channels, but 1 to 256"):
        write_audio(tmp_path / "new" / "a.wav", noise().T, RATE)
    assert not names(tmp_path)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hit.wav")
    with pytest.raises(AudioFileError, match="a device or a pipe, not a sound file"):
        read_audio(tmp_path / "hit.wav")


def test_an_aiff_that_passes_4_gib_ends_with_our_own_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghostnote.bridge.io.atomic_file.MAX_AIFF_BYTES", 6_000)
    file, block = AudioWriter(tmp_path / "a.aiff", 48_000), np.zeros((2, 1_000), np.float32)
    with pytest.raises(OutputError, match="AIFF holds at most 4 GiB"), file:
        [file.write(block) for _ in range(2)]
    assert file.frames == 1_000
    assert not list(tmp_path.iterdir())
