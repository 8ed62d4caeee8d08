from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper
from tiny import FACTS

from ghostnote.bridge.inference.model import Generator
from ghostnote.export.calibration import calibrated
from ghostnote.export.export import ExportSettings, make_card, to_onnx
from ghostnote.export.node_writer import Writer
from ghostnote.export.parity import EIGHT_BIT_TOLERANCE, TOLERANCE, compare, parity_table
from ghostnote.export.quantization import Exact, Limits, quantised
from ghostnote.export.unet_nodes import NetworkWriter
from ghostnote.models.nets.unet import UNet


@pytest.fixture(scope="module")
def eight_bit_onnx(tiny_model, traced_once, tmp_path_factory):
    path = tmp_path_factory.mktemp("eight") / "eight.onnx"
    settings = ExportSettings(half=False)
    path.write_bytes(to_onnx(tiny_model, make_card(tiny_model, FACTS, settings), half=False, eight_bit=True))
    return path


def test_eight_bits_are_near_and_are_used(tiny_model, eight_bit_onnx):
    cases = compare(tiny_model, eight_bit_onnx.read_bytes())
    diffused = [case.error for case in cases if case.steps]
    assert TOLERANCE[False] < max(diffused) < EIGHT_BIT_TOLERANCE
    assert "int8" in parity_table(cases, half=False, eight_bit=True)


def test_a_hit_of_eight_bits_does_not_depend_on_its_neighbours(eight_bit_onnx):
    generator = Generator.open(eight_bit_onnx)
    card, rng = generator.card, np.random.default_rng(0)
    hits = rng.standard_normal((2, card.hit_frames), np.float32) * np.array([[1.0], [0.01]], np.float32)
    inputs = {"hit": hits, "has_hit": np.ones(2, np.float32)}
    inputs["noise"] = rng.standard_normal((2, card.bands, card.mdct_frames), np.float32)
    inputs["schedule"] = np.array([1, 0.5, 0], np.float32)
    (both,) = generator.run(2, 1, **inputs)
    schedule = inputs.pop("schedule")
    (alone,) = generator.run(1, 1, schedule=schedule, **{name: array[1:] for name, array in inputs.items()})
    assert np.abs(both[1] - alone[0]).max() < 1e-4 * np.abs(alone).max()


def test_calibration_is_the_same_each_time(tiny_model):
    first, second = calibrated(tiny_model), calibrated(tiny_model)
    assert first.limits
    assert first.limits == second.limits


def test_the_network_computes_no_shapes(tiny_model):
    out = Writer("network")
    NetworkWriter(out, tiny_model.sound, 512, Exact()).write("z", "t", "embedded", "conditioning", "v")
    assert not {"Shape", "Size", "ConstantOfShape", "Expand"} & {node.op_type for node in out.nodes}


@pytest.mark.parametrize("patch", [1, 4])
def test_a_network_computes_what_torch_does(tiny_model, patch):
    torch.manual_seed(0)
    network = UNet(replace(tiny_model.settings.sound, patch=patch)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    z, t, embedded = torch.randn(2, network.settings.bands, 64), torch.tensor([1.0, 0.5]), torch.randn(2, 32)
    conditioning = torch.randn(2, 16, 64 // patch)
    given = {"z": z, "t": t, "embedded": embedded, "conditioning": conditioning}
    out = Writer("network")
    NetworkWriter(out, network, 64, Exact()).write(*given, "v")
    sizes = {name: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, x.shape) for name, x in given.items()}
    v = helper.make_tensor_value_info("v", onnx.TensorProto.FLOAT, z.shape)
    graph = helper.make_graph(out.nodes, "network", list(sizes.values()), [v], out.weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    session = onnxruntime.InferenceSession(helper.make_model(graph, opset_imports=opsets).SerializeToString())
    computed = session.run(["v"], {name: x.numpy() for name, x in given.items()})[0]
    with torch.no_grad():
        expected = network(z, t, embedded, conditioning)
    assert np.abs(computed - expected.numpy()).max() < 1e-4 * expected.abs().max()


def test_equal_weights_are_stored_once():
    out = Writer("part")
    names = {out.integers(0, -1), out.integers(0, -1), out.weight(np.array([0, -1], np.float32))}
    assert len(names) == len(out.weights) == 2
    assert onnx.numpy_helper.to_array(out.weights[0]).tolist() == [0, -1]


def test_limits_represent_zero_and_their_ends():
    limits = Limits(-0.3, 4.0)
    given = torch.tensor([0.0, -0.3, 4.0, 9.0])
    rounded = limits.rounded(given)
    assert rounded[0] == 0
    assert torch.allclose(rounded[1:], torch.tensor([-0.3, 4.0, 4.0]), atol=limits.scale)


def test_weights_have_seven_bits_for_each_output():
    matrix = np.array([[1.0, 0.01], [-0.5, 0.02]], np.float32)
    whole, scale = quantised(matrix)
    assert np.abs(whole).max(axis=0).tolist() == [63, 63]
    assert np.allclose(whole * scale, matrix, atol=scale.max())
