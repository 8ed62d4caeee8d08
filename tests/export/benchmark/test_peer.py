import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import InputError
from ghostnote.export.benchmark.peer import PeerBench, ddim, measure, quality_figures
from ghostnote.export.benchmark.tiny_audio_diffusion import Peer, PeerSettings
from ghostnote.models.evaluate.targets import REPORT_FORMAT

SMALL = PeerSettings(
    audio_channels=1,
    frames=64,
    channels=(8, 8),
    factors=(1, 2),
    items=(1, 1),
    attention=(False, True),
    heads=1,
    head_channels=8,
    features=16,
    waves=4,
)


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "report.json"
    diversity = {"model": {"beside_real": {"lmd": {"all": {"value": 0.93, "groups": 9}}}}}
    path.write_text(json.dumps({"about": {"steps": 2, "format": REPORT_FORMAT}, "diversity": diversity}))
    return path


def test_the_peer_has_its_published_size():
    with torch.device("meta"):
        peer = Peer(PeerSettings())
    assert sum(parameter.numel() for parameter in peer.parameters()) == pytest.approx(31.6e6, rel=0.002)


def test_both_are_measured_and_compared(tiny_onnx, report):
    bench = PeerBench(SMALL, peer_steps=2, matrix=16, repeats=3)
    values = {figure.key: figure.value for figure in measure(tiny_onnx, [report], bench)}
    assert values["peer_ratio_2"] == pytest.approx(values["peer_ms_per_hit"] / values["ms_per_hit_2"])
    assert values["peer_ms_per_step"] == pytest.approx(values["peer_ms_per_hit"] / 2)
    assert values["gflop_per_step"] == pytest.approx(0.75, rel=0.05)
    assert values["peak_gflops"] > 0
    assert values["diversity_ratio_all_2"] == 0.93


def test_ddim_finds_the_sample_that_v_points_to():
    rng = np.random.default_rng(0)
    sample, noise = rng.standard_normal((2, 1, 1, 8), np.float32)

    def velocity(z, t):
        alpha, sigma = np.cos(t * np.pi / 2), np.sin(t * np.pi / 2)
        return alpha * (z - alpha * sample) / sigma - sigma * sample

    assert np.allclose(ddim(velocity, noise, 5), sample, atol=1e-5)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"about": {"steps": null}}'])
def test_another_file_than_a_report_is_named(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"other\.json is not a report"):
        quality_figures(path)


def test_a_report_of_another_format_is_refused(tmp_path):
    path = tmp_path / "old.json"
    path.write_text('{"about": {"steps": 2, "format": 1}}')
    with pytest.raises(InputError, match=f"format 1, not {REPORT_FORMAT}"):
        quality_figures(path)


def test_reports_belong_to_the_peer(report):
    result = CliRunner().invoke(app, ["bench", "--report", str(report)])
    assert result.exit_code != 0
    assert "--peer" in str(result.exception) + result.output
