"""Adversarial fine-tuning of a run: from a trained model and a corpus to a fine-tuned one, saved as it goes."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.manifest import skipped_lines
from ghostnote.models.data.trial_set import load_split, make_trials
from ghostnote.models.nets.checkpoint import WEIGHTS, load_model, partial_statistics, save_model
from ghostnote.models.train.adversarial import FineTuner, FinetuneSettings

_REFERENCES: Final = 8
_OTHERS: Final = 2
_SAVE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class FinetuneProgress:
    """How far a fine-tuning has come."""

    step: int
    done: float
    distinguished: float
    """Share of generated strokes that the discriminators lately distinguished from real ones, on drums they know."""


def finetune(
    data: Path,
    start: Path,
    run: Path,
    amounts: tuple[float, ...],
    settings: FinetuneSettings,
    *,
    report: Callable[[FinetuneProgress], None] = lambda progress: None,
    warn: Callable[[str], None] = lambda message: None,
) -> None:
    """Fine-tune the run `start` on the train split of `data`, and save the model into `run`.

    `amounts` are those of the classes, as they will be exported. The model is saved every minute and at an interrupt.
    `warn` receives files that are left out. Raises `CorpusError` where no drum has repeated strokes, and
    `TrainingError` for values that are not numbers: the model stays as it was before them.
    """
    if len(amounts) < len(CLASS_NAMES):
        raise ValueError(f"{len(amounts)} amounts are not one for each of {len(CLASS_NAMES)} classes")
    model, facts = load_model(start)
    hits = load_split(data, "train")
    for line in skipped_lines(hits.skipped):
        warn(line)
    trials = make_trials(hits, _REFERENCES, _OTHERS, settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tuner = FineTuner(model, amounts, partial_statistics(facts), trials, settings, device)
    run.mkdir(parents=True, exist_ok=True)
    facts = {**facts, "finetuning": asdict(settings)}
    started = saved = time.monotonic()
    try:
        done = 0.0
        # However slow the machine, at least one step comes after the warm-up.
        while done < 1 or tuner.step <= settings.warmup_steps:
            tuner.take_step()
            done = (time.monotonic() - started) / 60 / settings.minutes
            report(FinetuneProgress(tuner.step, min(1.0, done), tuner.distinguished))
            if time.monotonic() - saved > _SAVE_SECONDS:
                saved = time.monotonic()
                _save(tuner, run, facts)
    finally:
        _save(tuner, run, facts)


def _save(tuner: FineTuner, run: Path, facts: dict[str, object]) -> None:
    model = tuner.finish().cpu()
    save_model(run / WEIGHTS, model.state_dict(), model.settings, facts)
