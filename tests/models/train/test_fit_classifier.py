import numpy as np
import pytest

from ghostnote.bridge.classify.classifier import WEIGHTS
from ghostnote.models.train.classifier import main


@pytest.fixture
def fitted(small_corpus, tmp_path, capsys):
    """Return the weights file of a classifier fitted to the synthetic corpus, and the output."""
    main(small_corpus, tmp_path / "weights.npz")
    return tmp_path / "weights.npz", capsys.readouterr().out


def test_it_learns_the_classes_of_the_corpus_and_writes_what_the_product_reads(fitted):
    path, output = fitted
    accuracy = {line.split(":")[0]: float(line.split()[1]) for line in output.splitlines()}
    assert accuracy["train"] > 0.95
    assert accuracy["valid"] > 0.6
    with np.load(path) as new, np.load(WEIGHTS) as shipped:
        assert {name: (new[name].shape, new[name].dtype) for name in new.files} == {
            name: (shipped[name].shape, shipped[name].dtype) for name in shipped.files
        }
