import pytest
import torch
from torch import Tensor

from ghostnote.models.data.synthetic.synthesizer import draw_drum, strike
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.evaluate.baselines import dsp_jitter
from ghostnote.models.evaluate.c2st import FAMILIES, judge, pair_features, pair_weights

GROUPS = [f"drum {i % 5}" for i in range(60)]
MADE = torch.arange(120) >= 60


def drawn(seed: int, shift: float = 0.0) -> Tensor:
    return torch.randn(60, 12, generator=torch.Generator().manual_seed(seed)) + shift


def test_a_judge_guesses_where_there_is_nothing_to_hear() -> None:
    found = judge(torch.cat([drawn(0), drawn(1)]), MADE, GROUPS * 2)
    assert 0.3 < found.right.mean() < 0.68
    assert found.right.shape == (120,)


def test_a_judge_hears_a_plain_difference() -> None:
    found = judge(torch.cat([drawn(0), drawn(1, 1.5)]), MADE, GROUPS * 2)
    assert found.right.mean() > 0.9


def test_a_judge_does_not_learn_a_drum_by_heart() -> None:
    # What is made differs in another feature in each drum: nothing that holds for a drum never heard.
    own = torch.eye(12)[:5].repeat(12, 1)
    found = judge(torch.cat([drawn(0), drawn(1) + 4 * own]), MADE, GROUPS * 2)
    assert found.right.mean() < 0.75


def test_a_judge_of_one_drum_is_refused() -> None:
    with pytest.raises(ValueError, match="group"):
        judge(drawn(0), torch.arange(60) >= 30, ["one"] * 60)


def test_drums_weigh_alike_however_many_pairs_they_have() -> None:
    weight = pair_weights(torch.tensor([False, True, True, False, True]), ["a", "a", "a", "b", "b"])
    assert weight.tolist() == pytest.approx([0.25, 0.125, 0.125, 0.25, 0.25])


def test_features_are_nought_for_a_hit_beside_itself_and_all_families_speak_of_jitter() -> None:
    hit = torch.randn(3, HIT_FRAMES, generator=torch.Generator().manual_seed(0))
    hit = hit * torch.exp(-torch.arange(HIT_FRAMES) / 5000)
    same = pair_features(hit, hit)
    other = pair_features(hit, dsp_jitter(hit, torch.Generator().manual_seed(1)))
    assert same.isfinite().all()
    assert float(same[:, FAMILIES["spectrum"]].abs().max()) < 1e-4
    for columns in FAMILIES.values():
        assert float((other - same)[:, columns].abs().max()) > 0.05


def test_jitter_by_hand_is_told_from_repeats_of_drums_never_heard() -> None:
    drums = [draw_drum(name, 1, i) for name in ("snare", "tom", "closed_hat") for i in range(2)]
    strokes = torch.stack(
        [torch.stack([torch.from_numpy(strike(d, 0.8, i)) for i in range(5)]) for d in drums]
    )
    references, others = strokes[:, :1].expand(-1, 4, -1).flatten(0, 1), strokes[:, 1:].flatten(0, 1)
    made = dsp_jitter(references, torch.Generator().manual_seed(0))
    features = torch.cat([pair_features(references, others), pair_features(references, made)])
    groups = [f"drum {i}" for i in range(len(drums)) for _ in range(4)] * 2
    found = judge(features, torch.arange(len(groups)) >= len(groups) // 2, groups)
    assert found.right.mean() >= 0.9
