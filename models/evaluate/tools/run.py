"""All tools judged on a split: `ghostnote evaluate --tools`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import torch

from ghostnote.bridge.errors import InputError
from ghostnote.models.evaluate.markdown import estimate, section, table
from ghostnote.models.evaluate.run import Stage
from ghostnote.models.evaluate.tools.explore import judge_explore
from ghostnote.models.evaluate.tools.extend import judge_extend
from ghostnote.models.evaluate.tools.melody import judge_melody
from ghostnote.models.evaluate.tools.morph import judge_morph, judge_transition
from ghostnote.models.evaluate.tools.repair import judge_repair
from ghostnote.models.evaluate.tools.rows import ToolEvaluation, ToolRow, ToolSplit
from ghostnote.models.evaluate.tools.slice import judge_slice
from ghostnote.models.evaluate.tools.transfer import judge_transfer
from ghostnote.models.evaluate.tools.tweak import judge_tweak
from ghostnote.models.evaluate.tools.upsample import judge_upsample
from ghostnote.models.evaluate.tools.widen import judge_widen
from ghostnote.models.evaluate.tools.words import judge_words

TOOLS: Final[dict[str, ToolEvaluation]] = {
    "tweak": judge_tweak,
    "explore": judge_explore,
    "transfer": judge_transfer,
    "widen": judge_widen,
    "repair": judge_repair,
    "upsample": judge_upsample,
    "words": judge_words,
    "melody": judge_melody,
    "slice": judge_slice,
    "morph": judge_morph,
    "transition": judge_transition,
    "extend": judge_extend,
}
"""What judges each tool, by its command."""


def evaluate_tools(split: ToolSplit, stage: Stage, only: Collection[str] = ()) -> list[ToolRow]:
    """Return the rows of all tools, or of those named; `InputError` for a name that is no tool's."""
    unknown = [name for name in only if name not in TOOLS]
    if unknown:
        raise InputError(f"{unknown[0]!r} is not a tool that can be judged; choose one of {', '.join(TOOLS)}")
    rows: list[ToolRow] = []
    with torch.no_grad():
        for name, judge in TOOLS.items():
            if not only or name in only:
                rows += judge(split, stage(f"Judging {name}"))
    return rows


def render_tools(rows: Sequence[ToolRow], about: Mapping[str, Any]) -> str:
    """Return the rows as a table in Markdown."""
    head = ("tool", "figure", "value [95 %]", "groups", "target", "", "baseline", "")
    cells = [
        (
            row.tool,
            row.figure,
            estimate(vars(row.found), row.digits),
            str(row.found.groups),
            _bounds(row.target),
            {None: "", True: "met", False: "missed"}[row.met],
            estimate(vars(row.baseline), row.digits) if row.baseline else "–",
            row.baseline_name,
        )
        for row in rows
    ]
    facts = f"{about['model']}, {about['split']} split, {about['hits']} hits; seed {about['seed']}."
    return "\n".join(section("Sound tools", facts, table(head, cells))) + "\n"


def _bounds(target: tuple[float, float] | None) -> str:
    if target is None:
        return "–"
    low, high = target
    if low == float("-inf"):
        return f"at most {high:g}"
    return f"at least {low:g}" if high == float("inf") else f"{low:g} to {high:g}"
