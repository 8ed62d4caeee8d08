import pytest
import torch
from torch import Tensor

from ghostnote.models.data.synthetic.synthesizer import draw_drum, strike
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.evaluate.baselines import dsp_baseline
from ghostnote.models.evaluate.c2st import FAMILIES, c2st, pair_features, pair_weights

GROUPS = [f"drum {i % 5}" for i in range(60)]
MADE = torch.arange(120) >= 60


def drawn(seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(60, 12, generator=torch.Generator().manual_seed(seed)) + shift


def test_accuracy_is_near_chance_where_nothing_differs() -> None:
    found = c2st(torch.cat([drawn(0), drawn(1)]), MADE, GROUPS * 2)
    assert 0.3 < found.correct.mean() < 0.68
    assert found.correct.shape == (120,)


def test_accuracy_is_high_where_features_differ() -> None:
    found = c2st(torch.cat([drawn(0), drawn(1, 1.5)]), MADE, GROUPS * 2)
    assert found.correct.mean() > 0.9


def test_what_differs_in_one_drum_alone_does_not_help_with_another() -> None:
    # Made strokes differ in another feature in each drum, which does not hold for a new drum.
    own = torch.eye(12)[:5].repeat(12, 1)
    found = c2st(torch.cat([drawn(0), drawn(1) + 4 * own]), MADE, GROUPS * 2)
    assert found.correct.mean() < 0.75


def test_one_drum_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="group"):
        c2st(drawn(0), torch.arange(60) >= 30, ["one"] * 60)


def test_drums_have_the_same_weight_however_many_pairs_they_have() -> None:
    weight = pair_weights(torch.tensor([False, True, True, False, True]), ["a", "a", "a", "b", "b"])
    assert weight.tolist() == pytest.approx([0.25, 0.125, 0.125, 0.25, 0.25])


def test_features_are_zero_for_a_hit_beside_itself_and_every_family_shows_the_dsp_baseline() -> None:
    hit = torch.randn(3, HIT_FRAMES, generator=torch.Generator().manual_seed(0))
    hit = hit * torch.exp(-torch.arange(HIT_FRAMES) / 5000)
    same = pair_features(hit, hit)
    other = pair_features(hit, dsp_baseline(hit, torch.Generator().manual_seed(1)))
    assert same.isfinite().all()
    assert float(same[:, FAMILIES["spectrum"]].abs().max()) < 1e-4
    for columns in FAMILIES.values():
        assert float((other - same)[:, columns].abs().max()) > 0.05


def test_the_dsp_baseline_is_distinguished_from_repeats_of_new_drums() -> None:
    drums = [draw_drum(name, 1, i) for name in ("snare", "tom", "closed_hat") for i in range(2)]
    strokes = torch.stack([torch.stack([torch.from_numpy(strike(d, 0.8, i)) for i in range(5)]) for d in drums])
    references, others = strokes[:, :1].expand(-1, 4, -1).flatten(0, 1), strokes[:, 1:].flatten(0, 1)
    made = dsp_baseline(references, torch.Generator().manual_seed(0))
    features = torch.cat([pair_features(references, others), pair_features(references, made)])
    groups = [f"drum {i}" for i in range(len(drums)) for _ in range(4)] * 2
    found = c2st(features, torch.arange(len(groups)) >= len(groups) // 2, groups)
    assert found.correct.mean() >= 0.9
