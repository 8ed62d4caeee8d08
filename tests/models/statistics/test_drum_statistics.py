import numpy as np
import pytest
import torch

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.shape import BANDS
from ghostnote.bridge.inference.drum_table import MODES
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.statistics.drum_statistics import measure_drums

PERC = CLASS_NAMES.index("perc")


def hit_set(*audio: np.ndarray, kinds: tuple[str, ...]) -> HitSet:
    hits = torch.from_numpy(np.stack(audio).astype(np.float32))
    peaks = 20 * hits.abs().amax(1).log10()
    return HitSet(hits, hits, torch.full((len(hits),), PERC), peaks, (), ("",) * len(hits), kinds)


def ringing(*lines: tuple[float, float, float]) -> np.ndarray:
    t = np.arange(HIT_FRAMES) / RATE
    return sum(level * 10 ** (-3 * t / t60) * np.sin(2 * np.pi * hz * t) for hz, level, t60 in lines)


def test_a_cowbells_lines_are_its_modes_with_their_decay() -> None:
    noise = 1e-4 * np.random.default_rng(0).standard_normal(HIT_FRAMES)
    table = measure_drums(hit_set(ringing((540, 0.4, 0.8), (800.5, 0.3, 0.5)) + noise, kinds=("cowbell",)))
    assert (table.kinds, table.labels) == (("cowbell",), (PERC,))
    modes = np.array(table.modes[0]).reshape(MODES, 3)
    assert (modes[:, 0] > 0).sum() == 2
    modes = modes[modes[:, 0].argsort()][-2:]
    np.testing.assert_allclose(modes[:, 0], [540, 800.5], atol=1)
    np.testing.assert_allclose(modes[:, 2], [0.8, 0.5], rtol=0.03)
    # Each is alone in its band.
    np.testing.assert_allclose(modes[:, 1], 0, atol=0.7)


def test_noise_has_no_modes_and_its_own_decay() -> None:
    t = np.arange(HIT_FRAMES) / RATE
    noise = np.random.default_rng(0).standard_normal(HIT_FRAMES) * 10 ** (-3 * t / 0.9)
    table = measure_drums(hit_set(noise, kinds=("shaker",)))
    assert not any(table.modes[0])
    level, octaves, prominence = np.array(table.bands[0]).reshape(3, BANDS)
    np.testing.assert_allclose(2**octaves, 0.9, rtol=0.15)
    np.testing.assert_allclose(prominence, 8.2, atol=2)
    assert level[-1] == pytest.approx(10 * np.log10(20 / 64), abs=0.5)


def test_a_drum_counts_once_however_often_it_was_struck() -> None:
    hits = hit_set(*(ringing((500, level, 0.5)) for level in (0.2, 0.9, 0.4)), kinds=("cowbell",) * 3)
    grouped = HitSet(hits.audio, hits.residual, hits.labels, hits.peak_db, ((0, 1, 2),), hits.layers, hits.kinds)
    assert len(measure_drums(grouped).kinds) == 1
    assert len(measure_drums(hits).kinds) == 3
