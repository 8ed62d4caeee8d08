"""The drums of a corpus put into a model file, whose networks stay as they are."""

import onnx

from ghostnote.bridge.inference.drum_table import DrumTable
from ghostnote.bridge.inference.model import Generator
from ghostnote.export.describe_drums import main, with_new_kinds


def test_a_model_file_gets_the_drums_of_a_corpus_and_keeps_its_graph(tiny_onnx, small_corpus, tmp_path, capsys):
    main(tiny_onnx, small_corpus, tmp_path / "described.onnx")
    before, after = (Generator.open(path).card for path in (tiny_onnx, tmp_path / "described.onnx"))
    assert len(after.drums.kinds) > 0
    assert after.drums != before.drums
    assert f"{len(after.drums.kinds)} drums" in capsys.readouterr().out
    graphs = [onnx.load(path).graph for path in (tiny_onnx, tmp_path / "described.onnx")]
    assert graphs[0] == graphs[1]


def test_only_kinds_that_are_lacking_are_taken_from_other_drums():
    def table(*kinds):
        numbers = range(len(kinds))
        return DrumTable(
            kinds, tuple(numbers), tuple((float(i),) for i in numbers), ((0.0,),) * len(kinds), ((1.0,),) * len(kinds)
        )

    both = with_new_kinds(table("cowbell", ""), table("", "cowbell", "hang", "hang"))
    assert both.kinds == ("cowbell", "", "hang", "hang")
    assert both.labels == (0, 1, 2, 3)
    assert both.bands[2:] == ((2.0,), (3.0,))
    assert both.low == ((1.0,),) * 4
