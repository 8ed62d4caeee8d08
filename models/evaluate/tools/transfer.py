"""Hits that become other drums: whether a classifier takes them for those, and what stays of the envelope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ghostnote.bridge.classify.classifier import probabilities
from ghostnote.bridge.classify.features import features
from ghostnote.bridge.drums import label_of
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.tools.hit_parts import fit, power_of
from ghostnote.bridge.tools.transfer import TransferSettings, transfer_steps
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.dsp.metrics import distances_to, log_mel
from ghostnote.models.evaluate.distributions import Estimate, bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import Audio, ToolRow, ToolSplit, share
from ghostnote.models.plots.before_after import BeforeAfter, draw_before_after

SOURCES: Final = ("kick", "snare", "tom", "perc")
TARGETS: Final = ("kick", "snare", "clap", "closed_hat", "tom")
STRENGTHS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_JUDGED: Final = 0.8
_DRUMS: Final = 3
"""Sources of each class, of which each becomes each target."""
_INFINITE: Final = float("inf")


@dataclass(frozen=True)
class _Case:
    """One hit on its way to another class."""

    probability: NDArray[np.float64]
    """Of the target's class, at each strength."""
    is_target: NDArray[np.bool_]
    envelope: NDArray[np.float64]
    """The correlation with the source's envelope, at each strength."""
    closed: tuple[bool, float]
    """Without the network, at the strength that is judged: whether it is the target, and the envelope's."""
    distance_db: tuple[float, float]
    """To the nearest real hit of the target's class, with the network and without."""


def judge_transfer(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return how often hits become their target at 0.8, what their envelope keeps, and how both go with strength.

    The baseline is the closed form alone: levels of the residual's cells, and the partials, without the network.
    """
    chosen = [i for name in SOURCES for i in split.drums([name])[:: max(1, split.per_class // _DRUMS)][:_DRUMS]]
    pairs = [(i, name) for i in chosen for name in TARGETS if name != split.hits.files[i].drum_class]
    cases = []
    for done, (i, name) in enumerate(pairs, 1):
        cases.append(_case(split, i, name))
        tick(done, len(pairs))
    _draw(split, pairs)
    at = STRENGTHS.index(_JUDGED)
    rising, falling = (_rank_correlations([getattr(case, name) for case in cases]) for name in _CURVES)
    bare, with_network = (np.array([case.distance_db[k] for case in cases]) for k in (1, 0))
    closed = "without the network"
    return [
        _row("takes for the target at 0.8, %", share([bool(case.is_target[at]) for case in cases]), (80, _INFINITE),
             share([case.closed[0] for case in cases]), closed, 0),
        _row("envelope's correlation at 0.8", bootstrap([case.envelope[at] for case in cases]), (0.7, _INFINITE),
             bootstrap([case.closed[1] for case in cases]), closed),
        _row("rank correlation of strength and the target's probability", rising, (0.8, 1)),
        _row("rank correlation of strength and the envelope's correlation", falling, (-1, -0.8)),
        _row("dB to the nearest real hit of the target at 0.8", bootstrap(with_network), None, bootstrap(bare), closed),
        *(
            _row(f"takes for the target at {strength:g}, %", share([case.is_target[k] for case in cases]), digits=0)
            for k, strength in enumerate(STRENGTHS)
            if strength != _JUDGED
        ),
    ]  # fmt: skip


_CURVES: Final = ("probability", "envelope")


def _row(
    figure: str,
    found: Estimate,
    target: tuple[float, float] | None = None,
    baseline: Estimate | None = None,
    name: str = "",
    digits: int = 2,
) -> ToolRow:
    return ToolRow("transfer", figure, found, target, baseline, name, digits)


def _case(split: ToolSplit, i: int, name: str) -> _Case:
    hit, label = split.hit(i), label_of(name)
    made = _moved(split, i, name, STRENGTHS)
    (closed,) = _moved(split, i, name, [_JUDGED], steps=0)
    chances = np.array([probabilities(features(audio[0].astype(float))) for audio in (*made, closed)])
    envelopes = [envelope_correlation(hit, audio) for audio in (*made, closed)]
    is_target = chances.argmax(axis=1) == label
    at = STRENGTHS.index(_JUDGED)
    return _Case(
        chances[:-1, label],
        is_target[:-1],
        np.array(envelopes[:-1]),
        (bool(is_target[-1]), envelopes[-1]),
        (_nearest_db(split, label, i, made[at]), _nearest_db(split, label, i, closed)),
    )


def _moved(split: ToolSplit, i: int, name: str, strengths: Sequence[float], steps: int | None = None) -> list[Audio]:
    settings = TransferSettings(name, seed=split.seed + i, steps=steps)
    return transfer_steps(split.hit(i), RATE, settings, strengths, split.generator)


def envelope_correlation(a: Audio, b: Audio) -> float:
    """Return the correlation of the amplitudes of two hits (channels, frames) over 0.74 s, in steps of 5.8 ms."""
    frames = HIT_FRAMES // 256
    levels = [np.sqrt(power_of(hit, frames).sum(axis=0)) for hit in (a, b)]
    return float(np.corrcoef(*levels)[0, 1])


def _nearest_db(split: ToolSplit, label: int, i: int, audio: Audio) -> float:
    """Return the log-mel distance to the nearest hit of a class, of other groups than that of hit `i`."""
    groups = [file.group for file in split.hits.files]
    places = [k for k in torch.nonzero(split.hits.labels == label)[:, 0].tolist() if groups[k] != groups[i]]
    if not places:
        return float("nan")
    made = torch.from_numpy(fit(audio, HIT_FRAMES))
    return float(distances_to(log_mel(made), log_mel(split.hits.audio[places])).min())


def _rank_correlations(curves: Sequence[NDArray[np.float64]]) -> Estimate:
    """Return the mean of how a curve over STRENGTHS goes with it (Spearman), over cases."""
    place = np.arange(len(STRENGTHS))
    found = [np.corrcoef(np.argsort(np.argsort(curve, kind="stable")), place)[0, 1] for curve in curves]
    return bootstrap(found, "mean")


def _draw(split: ToolSplit, pairs: Sequence[tuple[int, str]]) -> None:
    """Draw a hit of each source class on its way, and what the closed form makes of it."""
    shown: dict[str, BeforeAfter] = {}
    for i, name in pairs:
        own = split.hits.files[i].drum_class
        if own in shown or name not in ("snare", "kick"):
            continue
        shares = (0.4, _JUDGED, 1.0)
        (closed,) = _moved(split, i, name, [_JUDGED], steps=0)
        sounds = [("before", split.hit(i), RATE)]
        sounds += [
            (f"{name} {at:g}", audio, RATE) for at, audio in zip(shares, _moved(split, i, name, shares), strict=True)
        ]
        sounds.append((f"{_JUDGED:g}, no network", closed, RATE))
        shown[own] = BeforeAfter(f"{own} to {name}", sounds)
    if shown:
        draw_before_after(split.folder / "transfer.png", list(shown.values()))
