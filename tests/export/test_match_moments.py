"""Cells of strokes vary as real ones' do, once their moments are matched."""

import json

import torch

from ghostnote.export.match_moments import Moments, main, moved
from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS
from ghostnote.models.nets.checkpoint import load_model, save_model
from ghostnote.models.statistics.repeatability import SPANS


def moments(variance: float, sparsity: float = 0.0) -> Moments:
    return Moments(torch.full((GROUPS, SEGMENTS), variance), torch.full((GROUPS, SPANS), sparsity))


def test_cells_that_deviate_too_little_deviate_farther(tiny_model):
    own = torch.full((GROUPS, SEGMENTS), 0.25)
    farther = moved(tiny_model, moments(4.0), moments(3.0), own).principal_components
    assert (farther.abs() >= tiny_model.principal_components.abs()).all()
    assert farther.square().sum() > 3 * tiny_model.principal_components.square().sum()
    nearer = moved(tiny_model, moments(3.0), moments(4.0), own).principal_components
    assert nearer.square().sum() < 0.5 * tiny_model.principal_components.square().sum()
    alike = moved(tiny_model, moments(4.0), moments(4.0), own).principal_components
    torch.testing.assert_close(alike, tiny_model.principal_components)


def test_cells_that_deviate_far_by_themselves_are_not_raised(tiny_model):
    raised = moved(tiny_model, moments(40.0), moments(3.0), torch.full((GROUPS, SEGMENTS), 9.0))
    torch.testing.assert_close(raised.principal_components, tiny_model.principal_components)


def test_sparsity_moves_towards_that_of_real_strokes(tiny_model):
    nearer = moved(tiny_model, moments(1.0, 0.0), moments(1.0, -0.2), torch.ones(GROUPS, SEGMENTS))
    change = nearer.sparsity - tiny_model.sparsity
    assert (change[0] > 0.1).all()
    assert not change[1:].any()


def test_a_run_is_written_whose_strokes_are_matched(tiny_model, small_corpus, tmp_path, capsys):
    from tiny import FACTS

    run, report = tmp_path / "run", tmp_path / "report.json"
    run.mkdir()
    save_model(run / "model.safetensors", tiny_model.state_dict(), tiny_model.settings, FACTS)
    report.write_text(json.dumps({"calibration": {"amounts": [1.0] * 12}}))
    main(run, small_corpus, tmp_path / "matched", report, rounds=1)
    assert "times as far as real ones" in capsys.readouterr().out
    matched, _ = load_model(tmp_path / "matched")
    assert not torch.equal(matched.sparsity[0], tiny_model.sparsity[0])
    torch.testing.assert_close(matched.sparsity[1:], tiny_model.sparsity[1:])
