import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.models.data.corpus import load_hits, scan
from ghostnote.models.data.synthetic.corpus import draw_drum, make_corpus, strike
from ghostnote.models.data.synthetic.recipes import RECIPES

RATE = 44100
Audio = NDArray[np.float32]


def band_correlation(a: Audio, b: Audio) -> float:
    """The waveform correlation over the first 100 ms."""
    a, b = a[:4410], b[:4410]
    return float(np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2)))


def repeats(drum_class: str, drums: int = 5, strokes: int = 3) -> list[float]:
    likenesses = []
    for index in range(drums):
        drum = draw_drum(drum_class, 3, index)
        hits = [strike(drum, 1.0, i, 8192) for i in range(strokes)]
        likenesses += [band_correlation(a, b) for a, b in itertools.combinations(hits, 2)]
    return likenesses


def power(audio: Audio) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), 65536)) ** 2
    return np.asarray(np.fft.rfftfreq(65536, 1 / RATE), np.float64), np.asarray(spectrum, np.float64)


def pitch_hz(audio: Audio) -> float:
    hz, spectrum = power(audio)
    return float(hz[np.argmax(spectrum)])


def test_every_class_has_a_recipe() -> None:
    assert set(RECIPES) == set(CLASS_NAMES)


@pytest.mark.parametrize("drum_class", CLASS_NAMES)
def test_a_stroke_is_one_hit_with_its_onset_at_the_start(drum_class: str) -> None:
    for index in range(4):
        hit = strike(draw_drum(drum_class, 1, index), 1.0, 0)
        level = np.abs(hit)
        assert hit.shape == (32768,)
        assert hit.dtype == np.float32
        assert 0.15 < level.max() < 1
        assert np.argmax(level > 0.1 * level.max()) < 0.003 * RATE
        assert hit[-1] == 0
        assert np.abs(hit.mean()) < 0.01 * level.max()


@pytest.mark.parametrize("drum_class", CLASS_NAMES)
def test_a_stroke_is_a_function_of_its_arguments(drum_class: str) -> None:
    drum = draw_drum(drum_class, 1)
    assert np.array_equal(strike(drum, 0.7, 2, 4096), strike(draw_drum(drum_class, 1), 0.7, 2, 4096))
    assert not np.array_equal(strike(drum, 0.7, 2, 4096), strike(drum, 0.7, 3, 4096))
    assert not np.array_equal(strike(drum, 0.7, 2, 4096), strike(draw_drum(drum_class, 2), 0.7, 2, 4096))


@pytest.mark.parametrize("drum_class", ["kick", "tom"])
def test_repeats_of_a_body_are_coherent_but_never_the_same(drum_class: str) -> None:
    likenesses = repeats(drum_class)
    assert min(likenesses) > 0.8
    assert np.median(likenesses) > 0.9
    assert max(likenesses) < 0.99999


@pytest.mark.parametrize("drum_class", ["closed_hat", "open_hat", "pedal_hat", "crash"])
def test_repeats_of_noise_are_not_coherent(drum_class: str) -> None:
    assert np.median(repeats(drum_class)) < 0.3


@pytest.mark.parametrize("drum_class", ["kick", "tom"])
def test_two_drums_of_a_class_differ(drum_class: str) -> None:
    hits = [strike(draw_drum(drum_class, 3, i), 1.0, 0, 8192) for i in range(6)]
    assert np.median([band_correlation(a, b) for a, b in itertools.combinations(hits, 2)]) < 0.5


def test_a_kick_glides_down_to_its_pitch_and_rings_there() -> None:
    for index in range(5):
        drum = draw_drum("kick", 5, index)
        hit = strike(drum, 1.0, 0)
        late = hit[RATE // 10 : RATE // 3]
        assert abs(1200 * np.log2(pitch_hz(late) / drum.pitch_hz)) < 120
        assert pitch_hz(hit[:1024]) > 1.1 * drum.pitch_hz
        hz, spectrum = power(late)
        ringing = np.abs(np.log2(hz[1:] / pitch_hz(late))) < 1 / 3
        assert spectrum[1:][ringing].sum() > 0.8 * spectrum[1:].sum()


@pytest.mark.parametrize("drum_class", ["closed_hat", "open_hat", "crash"])
def test_noise_has_no_hum(drum_class: str) -> None:
    for index in range(4):
        hz, spectrum = power(strike(draw_drum(drum_class, 2, index), 1.0, 0))
        assert spectrum[hz < 200].sum() < 1e-3 * spectrum.sum()
        assert spectrum.max() < 0.05 * spectrum.sum()


def test_a_closed_hat_falls_silent_and_before_the_open_one() -> None:
    def end_seconds(drum_class: str, index: int) -> float:
        level = np.abs(strike(draw_drum(drum_class, 2, index), 1.0, 0))
        return float(np.flatnonzero(level > level.max() * 10 ** (-50 / 20))[-1] / RATE)

    closed, opened = ([end_seconds(c, i) for i in range(6)] for c in ("closed_hat", "open_hat"))
    assert max(closed) < 0.4
    assert np.median(opened) > 2 * np.median(closed)


@pytest.mark.parametrize("drum_class", CLASS_NAMES)
def test_a_harder_stroke_is_louder(drum_class: str) -> None:
    drum = draw_drum(drum_class, 4)
    means = [np.mean([np.sum(strike(drum, v, i, 8192) ** 2) for i in range(4)]) for v in (0.0, 0.2, 0.5, 1.0)]
    assert means[0] == 0
    assert np.all(np.diff(means) > 0)


def test_a_harder_kick_is_brighter() -> None:
    drum = draw_drum("kick", 4)

    def brightness(velocity: float) -> float:
        hz, spectrum = power(strike(drum, velocity, 0)[:2048])
        return float(spectrum[hz > 2000].sum() / spectrum.sum())

    assert brightness(1.0) > 2 * brightness(0.3)


def test_a_velocity_or_class_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        strike(draw_drum("kick", 1), 1.5, 0)
    with pytest.raises(KeyError):
        draw_drum("gong", 1)


def test_a_corpus_is_read_back_with_its_groups_layers_and_credit(tmp_path: Path) -> None:
    assert make_corpus(tmp_path / "c", drums_per_class=2, strokes=6, seed=1) == len(RECIPES) * 12
    corpus = scan(tmp_path / "c")
    assert not corpus.skipped
    kicks = [h for h in corpus.hits if h.drum_class == "kick"]
    assert len({h.group for h in kicks}) == 2
    assert {h.group_kind for h in kicks} == {"rr"}
    assert {(h.layer, h.velocity) for h in kicks} == {("1", 0.35), ("2", 0.675), ("3", 1.0)}
    assert {h.split for h in kicks} == {"train", "valid"}
    assert all("synthesizer" in h.credit and "CC0" in h.credit for h in kicks)
    audio, loaded, skipped = load_hits(kicks)
    assert audio.shape == (12, 32768)
    assert len(loaded) == 12
    assert not skipped
    peaks = np.abs(audio).max(axis=1)
    by_layer = {layer: peaks[[h.layer == layer for h in loaded]].mean() for layer in "123"}
    assert by_layer["1"] < by_layer["2"] < by_layer["3"]


def test_a_corpus_written_again_is_the_same_to_the_byte(tmp_path: Path) -> None:
    for name in "ab":
        make_corpus(tmp_path / name, drums_per_class=1, strokes=1, seed=7)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert len(files) == len(RECIPES) + 1
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        make_corpus(tmp_path)
    assert (tmp_path / "manifest.csv").read_text() == "mine"


@pytest.mark.parametrize(("drums", "strokes", "seed"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, drums: int, strokes: int, seed: int) -> None:
    with pytest.raises(InputError, match="give"):
        make_corpus(tmp_path / "c", drums, strokes, seed)
    assert not (tmp_path / "c").exists()


def test_nothing_is_left_of_a_corpus_that_was_broken_off(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_corpus(tmp_path / "c", 1, 1, progress=stop)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        make_corpus(tmp_path / "no" / "such" / "parent", 1, 1)
