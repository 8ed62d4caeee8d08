import copy
import json

import onnx
import pytest
import torch
from tiny import FACTS, TINY

from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.model_card import BLANK_SEAL, SEAL_KEY, seal
from ghostnote.export.export import ExportSettings, make_card, read_amounts, to_onnx
from ghostnote.export.parity import compare, tolerance
from ghostnote.export.recover import AMOUNTS, main, recover
from ghostnote.models.nets.checkpoint import load_model

FP16 = 1e-3
"""What fp16 leaves of a number's precision; smaller numbers than 1 are stored no coarser."""


@pytest.fixture(scope="module")
def told_apart(tiny_model):
    """Return that model with statistics of which no two are alike."""
    model, generator = copy.deepcopy(tiny_model), torch.Generator().manual_seed(1)
    for name, buffer in model.named_buffers():
        if not name.endswith("frequencies"):
            buffer.add_(0.05 * torch.rand(buffer.shape, generator=generator))
    return model


@pytest.fixture(scope="module")
def small_file(told_apart, traced_once, tmp_path_factory):
    """Return the path of that model as it ships: fp16, and 8 bits where the sound network computes."""
    path = tmp_path_factory.mktemp("small") / "small.onnx"
    settings = ExportSettings(amounts=tuple(0.5 + 0.1 * i for i in range(TINY.sound.classes + 1)))
    facts = {**FACTS, "training": {"hits": 3}, "credits": ["Somebody (CC0-1.0)"], "step": 7, "seconds": 1.0}
    path.write_bytes(to_onnx(told_apart, make_card(told_apart, facts, settings), half=True, eight_bit=True))
    return path


def test_a_file_of_32_bits_gives_every_weight_back(tiny_model, tiny_onnx):
    found, _, _ = recover(tiny_onnx)
    assert found.settings == TINY
    expected = tiny_model.state_dict()
    assert found.state_dict().keys() == expected.keys()
    for name, tensor in found.state_dict().items():
        assert torch.allclose(tensor, expected[name], rtol=1e-6, atol=1e-6), name


def test_statistics_are_those_of_the_run_to_fp16(told_apart, small_file):
    found, _, _ = recover(small_file)
    expected = told_apart.state_dict()
    for name, tensor in found.state_dict().items():
        if not name.startswith("sound."):
            assert torch.allclose(tensor, expected[name], rtol=FP16, atol=FP16), name


def test_weights_of_8_bits_are_the_runs_to_a_step(told_apart, small_file):
    found, _, _ = recover(small_file)
    expected = told_apart.state_dict()
    for name, tensor in found.sound.state_dict().items():
        error = (tensor - expected[f"sound.{name}"]).abs().max()
        assert error <= expected[f"sound.{name}"].abs().max() / 63 + FP16, name


def test_strokes_of_the_recovered_run_are_those_of_the_file(small_file):
    found, _, _ = recover(small_file)
    cases = compare(found, small_file.read_bytes())
    assert max(case.error for case in cases) < tolerance(half=True, eight_bit=True)


def test_the_folder_is_a_runs(small_file, tmp_path):
    main(small_file, tmp_path / "run")
    model, facts = load_model(tmp_path / "run")
    card = Generator.open(small_file).card
    settings = ExportSettings(amounts=read_amounts(tmp_path / "run" / AMOUNTS))
    assert json.loads(make_card(model, facts, settings).to_json()) == json.loads(card.to_json())


def test_a_graph_of_other_parts_is_refused(tiny_onnx, tmp_path):
    model = onnx.load(tiny_onnx)
    label = next(node for node in model.graph.node if "condition_network" in node.name and node.op_type == "Gemm")
    label.name = "elsewhere/node"
    entry = next(entry for entry in model.metadata_props if entry.key == SEAL_KEY)
    entry.value = BLANK_SEAL
    path = tmp_path / "other.onnx"
    path.write_bytes(seal(model.SerializeToString()))
    with pytest.raises(ModelError, match="condition_network has 0 constants"):
        recover(path)
