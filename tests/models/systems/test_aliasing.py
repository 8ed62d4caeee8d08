"""Aliasing has right values: of patches in closed form, of one channel none, and little of the lapped transform."""

import numpy as np
import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.models.dsp.aliasing import BAND_BINS, FRAMES, equalised_map, error_map, images, response, tilt
from ghostnote.models.nets.checkpoint import WEIGHTS
from ghostnote.models.systems import aliasing
from ghostnote.models.systems.checkpoint import save_system
from ghostnote.models.systems.registry import make_system

STRIDE = 8
PATCHES = response(np.eye(STRIDE), STRIDE)


def lapped(stride):
    """Return the MDCT's filters (Princen, Johnson & Bradley 1987) for another number of bands."""
    n, k = np.arange(2 * stride), np.arange(stride)[:, None]
    window = np.sin(np.pi / (2 * stride) * (n + 0.5))
    return np.sqrt(2 / stride) * window * np.cos(np.pi / stride * (n + 0.5 + stride / 2) * (k + 0.5))


def test_energy_is_kept():
    for kernels in (np.eye(STRIDE), lapped(STRIDE), np.random.default_rng(0).normal(size=(STRIDE, 2 * STRIDE))):
        energy = error_map(response(kernels, STRIDE))
        assert energy.shape == (STRIDE * BAND_BINS + 1,) * 2
        assert energy.sum(axis=0) == pytest.approx(np.ones(len(energy)))


def test_errors_of_patches_sound_at_every_image_alike():
    wave = 5
    found = error_map(PATCHES)[:, wave]
    bins = {min((wave + k * FRAMES) % 64, -(wave + k * FRAMES) % 64) for k in range(STRIDE)}
    assert set(np.flatnonzero(found > 1e-9)) == bins
    assert found[sorted(bins)] == pytest.approx(np.full(STRIDE, 1 / STRIDE))
    # Of the images only the wave itself and the one nearest lie within a band.
    assert images(error_map(PATCHES), BAND_BINS)[wave] == pytest.approx(1 - 2 / STRIDE)


def test_an_equaliser_of_patches_is_a_modulation():
    gains = np.random.default_rng(1).uniform(0.2, 1, STRIDE)
    found = images(equalised_map(PATCHES, gains))[5]
    assert found == pytest.approx(1 - gains.mean() ** 2 / np.square(gains).mean())


def test_equal_gains_have_no_images():
    for responses in (PATCHES, response(lapped(STRIDE), STRIDE)):
        assert images(equalised_map(responses, np.full(STRIDE, 0.5))).max() < 1e-12


def test_a_lapped_transform_is_orthonormal_as_it_is():
    kernels = lapped(STRIDE)
    spectrum = np.fft.fft(np.pad(kernels, ((0, 0), (0, 48))), norm="ortho")
    assert response(kernels, STRIDE)[:, 0] == pytest.approx(spectrum, abs=1e-9)


def test_the_filters_of_the_model_are_the_mdcts():
    assert aliasing.lapped_kernels() == pytest.approx(lapped(64), abs=1e-6)


def test_the_lapped_transform_keeps_errors_near_and_images_low():
    measured = [aliasing.measure(kernels) for kernels in (np.eye(16), lapped(16))]
    patches, lap = ([each.beyond[2], each.equalised.mean()] for each in measured)
    assert 10 * np.log10(patches) == pytest.approx([-1, -4], abs=1)
    assert 10 * np.log10(lap[0]) < -20
    assert 10 * np.log10(lap[1]) < -20


def test_a_tilt_falls_from_the_lowest_filter_to_the_highest():
    gains = tilt(response(lapped(STRIDE)[::-1], STRIDE), 24.0)
    assert 20 * np.log10(gains) == pytest.approx(np.linspace(-24, 0, STRIDE))


def test_the_picture_is_drawn_and_the_shares_are_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(aliasing, "patch_kernels", lambda: np.eye(16))
    monkeypatch.setattr(aliasing, "lapped_kernels", lambda: lapped(16))
    system = make_system("waveform", {"decimation": 4, "front": "transform", "stride": 64, "widths": (64,)})
    save_system(tmp_path / WEIGHTS, "waveform", system, system.state_dict(), {})
    aliasing.main(tmp_path / "aliasing.png", tmp_path)
    assert (tmp_path / "aliasing.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == ["patches", "strided transform, learned", "lapped transform"]
    system = make_system("waveform", {"decimation": 4, "front": "transform", "stride": 16, "widths": (64,)})
    save_system(tmp_path / WEIGHTS, "waveform", system, system.state_dict(), {})
    with pytest.raises(InputError, match="train with --set stride=64 as well"):
        aliasing.main(tmp_path / "aliasing.png", tmp_path)
    system = make_system("ddpm", {"decimation": 4, "widths": (8,), "attention_levels": 0})
    save_system(tmp_path / WEIGHTS, "ddpm", system, system.state_dict(), {})
    with pytest.raises(InputError, match="has no mono transform"):
        aliasing.main(tmp_path / "aliasing.png", tmp_path)
