"""Every system trained by two processes under `torchrun`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from live_fakes import FAKES

from ghostnote.models.systems.checkpoint import load_system
from ghostnote.models.systems.registry import SYSTEMS

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def trained(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = [str(Path(FAKES) / "train_systems.py"), str(small_corpus), str(output)]
    environment = {**os.environ, "PYTHONPATH": f"{FAKES}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command, *script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return output


@pytest.mark.parametrize("name", SYSTEMS)
def test_two_processes_draw_apart_and_learn_together(name: str, trained: Path) -> None:
    first, second = (torch.load(trained / f"{name}-{rank}.pt") for rank in (0, 1))
    assert not torch.equal(first.pop("generator"), second.pop("generator"))
    assert first.keys() == second.keys()
    assert first["clock"] == second["clock"] > 0
    for key, tensor in first.items():
        assert torch.allclose(tensor, second[key], atol=1e-6), key
    load_system(trained / name)
