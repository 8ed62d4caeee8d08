"""Trains every system a few steps in each process of `torchrun`, and writes down what the weights came to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from test_systems import STEPS, TINY
from torch import distributed

from ghostnote.models.train import system_run
from ghostnote.models.train.loop import joined_processes, load_training_data
from ghostnote.models.train.system_run import SystemRun, train_system


def main(corpus: Path, output: Path) -> None:
    """Train on `corpus`, and write a file for each system and process into `output`."""
    torch.set_num_threads(1)
    data = load_training_data(corpus, torch.device("cpu"), print)
    run_to_end = system_run.run_to_end

    def keeping(trainer: SystemRun, *arguments: Any) -> None:
        run_to_end(trainer, *arguments)
        clock = torch.tensor(trainer.seconds)
        state = {"generator": trainer.generator.get_state(), "clock": clock, **trainer.model.state_dict()}
        torch.save(state, output / f"{trainer.name}-{distributed.get_rank()}.pt")

    @contextmanager
    def rank() -> Iterator[int]:
        yield distributed.get_rank()

    system_run.run_to_end = keeping
    system_run.load_training_data = lambda *arguments: data
    # All runs share the one group of processes.
    system_run.joined_processes = rank
    SystemRun.preview = lambda self, run: None
    with joined_processes():
        for name, settings in TINY.items():
            train_system(corpus, output / name, name, STEPS, settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
