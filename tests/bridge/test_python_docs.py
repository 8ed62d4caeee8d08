import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ghostnote.bridge
from ghostnote.bridge import InputError, Model, StrokeKey, Variation, humanize_folder, render_midi

DOCS = Path(__file__).parents[2] / "docs"
TOUR = DOCS / "python.md"


def test_the_tour_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", TOUR.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        exec(block, names)
    assert {path.name for path in tmp_path.iterdir()} >= {"tom.wav", "snare_3.wav", "mix.wav", "stems", "strokes"}


def test_the_notebook_of_the_sound_tools_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aubio", reason="onsets need the 'slice' extra")
    monkeypatch.chdir(tmp_path)
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    drawn: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: drawn.append(len(plt.gcf().axes)))
    cells = json.loads((DOCS / "tools.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    plt.close("all")
    assert drawn == [3, 4, 2, 5, 3, 2, 2, 2, 1]
    assert [stroke.classes for stroke in names["strokes"]] == [("kick",), ("snare",)] * 2
    assert np.corrcoef(names["wide"])[0, 1] < 0.8


def test_importing_loads_nothing_heavy() -> None:
    heavy = ("numpy", "onnxruntime", "pedalboard", "torch")
    code = f"import sys, ghostnote.bridge; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    for name in ghostnote.bridge.__all__:
        assert getattr(ghostnote.bridge, name).__doc__ or name == "CLASS_NAMES"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ghostnote.bridge.nothing


def test_wrong_arguments_are_input_errors(tiny_onnx: Path, tmp_path: Path) -> None:
    model, hit, first = Model(tiny_onnx), np.ones((1, 1000)), StrokeKey(0)
    for wrong in (np.ones(1000), np.zeros((1, 1000)), np.full((1, 9), np.nan), [["a"]], np.ones((0, 5))):
        with pytest.raises(InputError, match="hit"):
            model.next_stroke(wrong, 44_100, "snare", first)
    with pytest.raises(InputError, match="'cowbell' is not a drum class"):
        model.next_stroke(hit, 44_100, "cowbell", first)
    with pytest.raises(InputError, match="velocity is 128: choose 1 to 127"):
        model.next_stroke(hit, 44_100, "snare", StrokeKey(0, 128))
    for variation in (Variation(amount=3), Variation(width=-1), Variation(steps=999), Variation(seed=-1)):
        with pytest.raises(InputError, match="choose 0 to"):
            model.next_stroke(hit, 44_100, "snare", first, variation)
    with pytest.raises(InputError, match="steps is 0"):
        model.new_drum("tom", steps=0)
    with pytest.raises(InputError, match=r"nothing\.mid"):
        render_midi(tmp_path / "nothing.mid", tmp_path / "mix.wav")
    with pytest.raises(InputError, match="no such file or folder"):
        humanize_folder(tmp_path / "nothing", tmp_path / "out")


def test_strokes_have_the_shape_of_the_hit_at_any_rate(tiny_onnx: Path) -> None:
    model = Model(tiny_onnx)
    hit = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 9_600)) * np.exp(-np.arange(9_600) / 1_000)
    one, two = model.next_strokes(hit, 96_000, "tom", [StrokeKey(0), StrokeKey(1)])
    assert one.shape == two.shape == hit.shape
    assert one.dtype == np.float32
    assert not np.array_equal(one, two)
    wide = model.next_stroke(hit[:1], 96_000, "tom", StrokeKey(0), Variation(width=0.5))
    assert len(wide) == 2
