import os
import tempfile

# Tests run small networks, on which several threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Drums that tests generate stay out of the user's cache.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="ghostnote-tests-")

import signal

import pytest
from hypothesis import settings

# The same examples everywhere, however long each takes.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.load_profile("same")


def pytest_configure() -> None:
    """Let Ctrl-C reach tests and their programs, also from a shell that starts them in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_model():
    """Return a small model with random weights."""
    import torch
    from tiny import TINY

    from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS
    from ghostnote.models.nets.cascade import Cascade

    torch.manual_seed(0)
    model = Cascade(TINY).eval()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    coherence = torch.linspace(0.9, 0, GROUPS)[:, None].expand(GROUPS, SEGMENTS)
    model.repeatability_bias[: GROUPS * SEGMENTS] = coherence.flatten()
    model.principal_components.copy_(
        torch.randn(model.principal_components.shape) / model.principal_components.shape[0] ** 0.5
    )
    model.level_spread_db.fill_(1.0)
    # Shapes like a drum's: falling by some 60 dB, at a pitch around 100 Hz.
    model.shape_mean.fill_(-3.0)
    model.shape_mean[GROUPS] = 0.0
    model.shape_std.fill_(0.3)
    return model


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory):
    """Return a folder of synthesized drums, two of each class, three strokes each; not to be changed."""
    from ghostnote.models.data.synthetic.corpus import make_corpus

    folder = tmp_path_factory.mktemp("small_corpus") / "drums"
    make_corpus(folder, drums_per_class=2, strokes=3)
    return folder


@pytest.fixture(scope="session")
def traced_once(tmp_path_factory):
    """Let all processes of a run trace each part of a model once."""
    import traced_parts

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "traced"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ghostnote.export.torch_parts.traced", traced_parts.traced_once(folder))
        yield


@pytest.fixture(scope="session")
def tiny_onnx(tiny_model, traced_once, tmp_path_factory):
    """Return the path of that model as ONNX, fp32."""
    from tiny import FACTS

    from ghostnote.export.export import ExportSettings, make_card, to_onnx

    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    settings = ExportSettings(name="tiny", half=False, shape_steps=2)
    facts = {**FACTS, "training": {"hits": 3}, "credits": ["Somebody (CC0-1.0)"], "step": 7, "seconds": 1.0}
    path.write_bytes(to_onnx(tiny_model, make_card(tiny_model, facts, settings), half=False))
    return path


@pytest.fixture(scope="session")
def tiny_generator(tiny_onnx):
    """Return that model, opened."""
    from ghostnote.bridge.inference.model import Generator

    return Generator.open(tiny_onnx)
