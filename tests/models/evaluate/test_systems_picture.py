"""The picture of all systems: real hits from all over the split above, and a strip of each system."""

import torch

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.mdct import HIT_FRAMES, PEAK
from ghostnote.models.evaluate.systems_picture import SHOWN, draw_systems, spread


def hits_of(labels):
    audio = torch.randn(len(labels), HIT_FRAMES, generator=torch.Generator().manual_seed(0)) / 100
    return Hits(audio, (), torch.tensor(labels))


def test_real_hits_are_the_first_and_the_last_of_each_class_at_full_level():
    hits = hits_of([0, 0, 0, 3, 0])
    chosen = spread(hits)
    assert [len(chosen[kind]) for kind in CLASS_NAMES[:4]] == [2, 0, 0, 1]
    for made, row in zip(chosen[CLASS_NAMES[0]], (0, 4), strict=True):
        torch.testing.assert_close(made / made.norm(), hits.audio[row] / hits.audio[row].norm())
        assert abs(float(made.abs().max()) - PEAK) < 1e-6


def test_a_picture_has_a_strip_for_each_system_though_a_class_may_lack_hits(tmp_path):
    from matplotlib.image import imread

    made = {kind: torch.full((SHOWN, 4_000), 0.1) for kind in CLASS_NAMES[:5]}
    draw_systems(tmp_path / "one.png", hits_of([0, 1]), {"one": made})
    draw_systems(tmp_path / "two.png", hits_of([0, 1]), {"one": made, "two": {}})
    one, two = (imread(tmp_path / name).shape for name in ("one.png", "two.png"))
    assert one[1] == two[1]
    assert two[0] > 1.3 * one[0]
