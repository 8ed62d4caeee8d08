import copy
import json
import os
import stat
from dataclasses import replace

import numpy as np
import onnx
import pytest
from tiny import FACTS
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError, ModelError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.model_card import CARD_KEY, FORMAT, SEAL_KEY, Card
from ghostnote.bridge.inference.model_file import has_external_data, metadata
from ghostnote.bridge.inference.schedule import schedule
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.export.export import ExportSettings, export_model, make_card, read_amounts
from ghostnote.export.parity import TOLERANCE, ParityError, compare, parity_table


@pytest.fixture(scope="session")
def parity(tiny_model, tiny_onnx):
    return compare(tiny_model, tiny_onnx.read_bytes())


def test_the_graph_computes_what_torch_computes(parity):
    assert {case.steps for case in parity} == {0, 1, 2, 4, 8}
    assert {case.reference for case in parity} == {case.mask for case in parity} == {True, False}
    assert max(case.error for case in parity) < TOLERANCE[False]


def test_the_report_has_a_line_for_each_case(parity):
    report = parity_table(parity, half=False)
    assert len(report.splitlines()) == 1 + len(parity)
    assert "8 steps, new sound, guidance 2" in report


def test_parity_notices_another_network(tiny_model, tiny_onnx):
    weight = tiny_model.sound.out.weight
    weight.data += 0.01
    try:
        worst = max(case.error for case in compare(tiny_model, tiny_onnx.read_bytes()))
    finally:
        weight.data -= 0.01
    assert worst > TOLERANCE[False]


def test_half_weights_halve_the_file(tiny_model, tiny_onnx, traced_once, tmp_path):
    path = tmp_path / "half.onnx"
    report = export_model(tiny_model, make_card(tiny_model, FACTS, ExportSettings(shape_steps=2)), path, half=True)
    assert "fp16" in report
    assert path.stat().st_size < 0.75 * tiny_onnx.stat().st_size
    strokes = [case.error for case in compare(tiny_model, path.read_bytes()) if case.reference]
    assert max(strokes) < TOLERANCE[True]


def test_a_graph_that_fails_its_check_is_not_written(tiny_model, tiny_onnx, tmp_path, monkeypatch):
    other = copy.deepcopy(tiny_model)
    other.sound.out.weight.data += 0.01
    monkeypatch.setattr("ghostnote.export.export.to_onnx", lambda *_: tiny_onnx.read_bytes())
    with pytest.raises(ParityError, match="was not written"):
        export_model(other, make_card(other, FACTS, ExportSettings()), tmp_path / "bad.onnx", half=False)
    assert not list(tmp_path.iterdir())


def test_the_card_says_how_the_model_was_made(tiny_generator):
    card = tiny_generator.card
    assert card.name == "tiny"
    assert card.classes == CLASS_NAMES
    assert card.training == {"hits": 3, "steps": 7, "seconds": 1.0}
    assert card.credits == ("Somebody (CC0-1.0)",)


def test_cards_of_before_know_of_no_attack_spread(tiny_generator):
    data = json.loads(tiny_generator.card.to_json())
    del data["attack_spread_db"]
    read = Card.from_json(json.dumps(data), "old.onnx")
    assert read == replace(tiny_generator.card, attack_spread_db=(0.0,) * (len(read.classes) + 1))


def test_info_prints_the_card(tiny_onnx):
    result = CliRunner().invoke(app, ["model", "info", str(tiny_onnx)])
    assert result.exit_code == 0
    assert "Somebody" in result.output
    assert "32768 frames at 44100 Hz" in result.output
    assert "undamaged, whoever made it" in " ".join(result.output.split())


def damaged(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"no model at all", "damaged or not an ONNX file"),
        (lambda data: b"", "damaged or not an ONNX file"),
        (lambda data: data[:-1000], "damaged"),
        (damaged, "checksum|damaged"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(tiny_onnx, tmp_path, change, reason):
    path = tmp_path / "bad.onnx"
    path.write_bytes(change(tiny_onnx.read_bytes()))
    with pytest.raises(ModelError, match=reason):
        Generator.open(path)


def test_another_version_is_refused(tiny_onnx, tmp_path):
    data = tiny_onnx.read_bytes().replace(f'"format": {FORMAT}'.encode(), b'"format": 9')
    digest = onnx.load_from_string(data)
    assert {entry.key for entry in digest.metadata_props} == {CARD_KEY, SEAL_KEY}
    from ghostnote.bridge.inference.model_card import BLANK_SEAL, seal

    old = next(entry.value for entry in digest.metadata_props if entry.key == SEAL_KEY)
    path = tmp_path / "other.onnx"
    path.write_bytes(seal(data.replace(old.encode(), BLANK_SEAL.encode())))
    with pytest.raises(ModelError, match=rf"format 9.*plays format {FORMAT}"):
        Generator.open(path)


def test_a_foreign_onnx_file_is_refused(tmp_path):
    graph = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["": 20]> g (float[1] x) => (float[1] y) { y = Neg(x) }'
    )
    path = tmp_path / "foreign.onnx"
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ModelError, match="not one that 'ghostnote export' wrote"):
        Generator.open(path)


@pytest.mark.parametrize(("name", "reason"), [("missing.onnx", "no such file"), (".", "is a folder")])
def test_what_cannot_be_read_is_named(tmp_path, name, reason):
    with pytest.raises(ModelError, match=reason):
        Generator.open(tmp_path / name)


def test_weights_in_another_file_are_refused_even_where_it_is_there(tiny_onnx, tmp_path):
    model = onnx.load_from_string(tiny_onnx.read_bytes())
    onnx.save_model(
        model, str(tmp_path / "split.onnx"), save_as_external_data=True, location="weights.bin", size_threshold=64
    )
    with pytest.raises(ModelError, match="weights in other files"):
        Generator.open(tmp_path / "split.onnx")
    subgraph = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["": 20]> g (bool c, float[1] x) => (float[1] y)'
        "{ y = If (c) <then_branch = t () => (float[1] a) { a = Constant <value = float[1] {1}> () },"
        "else_branch = e () => (float[1] b) { b = Neg(x) }> }"
    )
    tensor = subgraph.graph.node[0].attribute[0].g.node[0].attribute[0].t
    assert not has_external_data(subgraph.SerializeToString())
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    assert has_external_data(subgraph.SerializeToString())


def test_the_card_is_checked_before_the_graph_is_opened(tiny_onnx, tmp_path, monkeypatch):
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: pytest.fail("the graph was opened"))
    model = onnx.load_from_string(tiny_onnx.read_bytes())
    assert metadata(tiny_onnx.read_bytes()) == {entry.key: entry.value for entry in model.metadata_props}
    model.metadata_props[0].value = "{}"
    path = tmp_path / "other.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"other\.onnx"):
        Generator.open(path)


def test_a_written_model_has_the_mode_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "model.onnx", b"model")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model.onnx").stat().st_mode) == 0o640


def test_schedules_are_even_and_bounded():
    assert np.array_equal(schedule(0), [1])
    assert np.allclose(schedule(4), [1, 0.75, 0.5, 0.25, 0])
    with pytest.raises(ValueError, match="-1 steps"):
        schedule(-1)


def test_amounts_come_from_a_report(tmp_path):
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"calibration": {"amounts": [0.8] * (len(CLASS_NAMES) + 1)}}))
    assert read_amounts(report) == (0.8,) * (len(CLASS_NAMES) + 1)


@pytest.mark.parametrize("text", ["", "[]", '{"calibration": {}}', '{"calibration": {"amounts": [1, 2]}}'])
def test_a_report_without_amounts_is_named(tmp_path, text):
    report = tmp_path / "report.json"
    report.write_text(text)
    with pytest.raises(InputError, match=r"report\.json"):
        read_amounts(report)
