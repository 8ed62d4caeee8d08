"""A smaller sound network, taught to compute what a larger one does (knowledge distillation, Hinton et al. 2015)."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from ghostnote.bridge.errors import InputError
from ghostnote.models.diffusion.v_prediction import add_noise, to_v
from ghostnote.models.dsp.mdct import MDCT_FRAMES
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.checkpoint import load_model
from ghostnote.models.train.batch import Batch
from ghostnote.models.train.distill_methods import bind, euler
from ghostnote.models.train.loop import Report, Warn, default_device, joined_processes, load_training_data, run_to_end
from ghostnote.models.train.trainer import Trainer, TrainingTask, TrainSettings

_PARTS: Final = 3
"""A third of a batch is at the first of two steps, a third at the second, and a third anywhere between."""
_HALFWAY: Final = 0.5
_STEPS: Final = 2


@dataclass(frozen=True)
class SmallerNetwork:
    """The shape of the student's sound network; all else is its teacher's."""

    channels: tuple[int, ...] = (64, 96, 128, 192)
    """Channels of each level."""
    blocks: int = 1
    """Residual blocks a level, on the way down and again on the way up."""
    patch: int = 2
    """Frames that become channels of one."""

    def of(self, teacher: Cascade) -> Cascade:
        """Return a student with new weights for the sound; `InputError` for a shape that cannot be."""
        fewest = self.patch << max(0, len(self.channels) - 1)
        if not self.channels or MDCT_FRAMES % fewest or any(width % 64 for width in self.channels[-2:]):
            raise InputError(
                f"channels of {', '.join(map(str, self.channels)) or 'nothing'} at a patch of {self.patch}: the last "
                f"two levels attend in heads of 64, and {MDCT_FRAMES} frames must divide by {fewest}"
            )
        if any(width % 8 for width in self.channels):
            raise InputError(f"channels of {', '.join(map(str, self.channels))}: each must divide by 8, for its norm")
        shape = replace(teacher.settings.sound, channels=self.channels, blocks=self.blocks, patch=self.patch)
        student = Cascade(replace(teacher.settings, sound=shape))
        known = {name: value for name, value in teacher.state_dict().items() if not name.startswith("sound.")}
        student.load_state_dict(known, strict=False)
        student.shape.requires_grad_(False)
        return student


class Imitation(nn.Module):
    """The student's v is to be its teacher's, most of all where the two steps of a stroke ask for it.

    Where a part is given, it is to be that of the data.
    """

    def __init__(self, student: Cascade, teacher: Cascade) -> None:
        """Teach `student`; `teacher` stays as it is."""
        super().__init__()
        self.student, self.teacher = student, teacher

    def forward(self, batch: Batch, t: Tensor, noise: Tensor, _: Tensor) -> Tensor:
        """Return the loss of the sound, and 0 for the shape (2,); the last third of `t` (batch,) counts."""
        share = len(t) // _PARTS
        with torch.no_grad():
            teacher, t = bind(self.teacher, batch), t.clone()
            t[:share] = 1.0
            t[share : 2 * share] = _HALFWAY
            half = bind(self.teacher, batch.rows(slice(share, 2 * share)))
            start, end = torch.ones_like(t[:share]), torch.full_like(t[:share], _HALFWAY)
            arrived = euler(half, noise[share : 2 * share], start, end, 1)
            rest = slice(2 * share, None)
            z = torch.cat([noise[:share], arrived, add_noise(batch.innovation[rest], noise[rest], t[rest])])
            # A teacher may never have seen a mask, so what continues a given part is learned from the data.
            masked = batch.mask.amax((1, 2), keepdim=True) > 0
            z = torch.where(masked, add_noise(batch.innovation, noise, t), z)
            aim = torch.where(masked, to_v(batch.innovation, noise, t), teacher(z, t))
        loss = (batch.weight * (bind(self.student, batch)(z, t) - aim).square()).mean()
        return torch.stack([loss, torch.zeros_like(loss)])


def shrink(
    data: Path,
    teacher: Path,
    run: Path,
    network: SmallerNetwork,
    training: TrainSettings,
    *,
    report: Report = lambda progress: None,
    warn: Warn = lambda message: None,
) -> None:
    """Teach a smaller network what `teacher` computes on the corpus `data`, into the folder `run`.

    The shape network and the statistics are the teacher's. A run that was stopped resumes where it was.
    """
    large, known = load_model(teacher)
    with joined_processes() as rank:
        corpus = load_training_data(data, default_device(rank), warn)
        student = network.of(large)
        large.requires_grad_(False).to(corpus.device)
        task = TrainingTask(lambda model: Imitation(model, large))
        trainer = Trainer(student.train(), corpus.train, replace(training, preview_steps=_STEPS), corpus.device, task)
        if training.compile:
            large.sound.compile()
        facts = {**known, "training": {**known.get("training", {}), "shrunk": asdict(network)}}
        run_to_end(trainer, run, corpus.valid, facts, report if rank == 0 else None)
