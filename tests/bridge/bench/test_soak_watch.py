"""What is true of a status, and what is not."""

from types import SimpleNamespace
from typing import Any

import pytest

from ghostnote.bridge.bench.soak import watch as watch_module
from ghostnote.bridge.bench.soak.watch import GONE_SECONDS, NAMED_SECONDS, Watch

CALM: dict[str, Any] = {
    "trouble": "", "kit": "a", "playing": "a", "device_lost": 0, "memory_mb": 1.0, "pool_mb": 0.0, "waiting": 0,
    "notices": "",
}  # fmt: skip
HITS = "hits: a worker ended (for 1 s)"
AFTER = 61 + GONE_SECONDS


def watched(monkeypatch: pytest.MonkeyPatch, looks: dict[float, dict[str, Any]], lasts: bool = True) -> Watch:
    """Return a watch with looks at these seconds, and a trouble of 'hits' from second 10 to 60."""
    now, status = [0.0], dict[str, Any]()
    monkeypatch.setattr(watch_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    made = Watch(SimpleNamespace(ask=lambda: {**CALM, **status}))  # type: ignore[arg-type]
    now[0] = 10.0
    made.began("a dead refill", "hits", lasts)
    now[0] = 60.0
    made.ended("a dead refill")
    for at, said in looks.items():
        now[0], status = at, said
        made.look()
    return made


@pytest.mark.parametrize(
    ("looks", "untruths"),
    [
        ({5: {}, 11: {"trouble": HITS}, 19: {"trouble": HITS}, AFTER: {}}, []),
        ({5: {}, 11: {}, 19: {}, AFTER: {}}, ["a dead refill is not named at all"]),
        ({11: {"trouble": HITS}, 15: {}, 19: {"trouble": HITS}}, ["a dead refill is not named all the time"]),
        ({11: {}, 11 + NAMED_SECONDS: {"trouble": HITS}}, [f"a dead refill is named after {NAMED_SECONDS + 1:.1f} s"]),
        ({11: {"trouble": HITS}, AFTER: {"trouble": HITS}}, ["without a cause: hits: a worker ended"]),
        ({5: {"device_lost": 1}, 11: {"trouble": HITS}}, ["without a cause: ; device: lost"]),
        ({11: {"trouble": HITS}, 12: {"trouble": HITS, "kit": "b"}, 13: {"trouble": HITS}}, []),
        ({11: {"trouble": HITS}, 12: {"trouble": HITS, "kit": "b"}, 13: {"trouble": HITS, "kit": "b"}},
         ["it names another kit"]),
    ],
)  # fmt: skip
def test_a_status_names_each_trouble_while_it_lasts_and_no_other(
    monkeypatch: pytest.MonkeyPatch, looks: dict[float, dict[str, Any]], untruths: list[str]
) -> None:
    assert watched(monkeypatch, looks).untruths() == untruths


def test_a_trouble_that_the_program_gets_out_of_need_not_be_named_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, {11: {"trouble": HITS}, 15: {}}, lasts=False).untruths() == []


def test_memory_is_compared_before_the_first_trouble_and_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = {1: 5.0, 9: 7.0, 15: 90.0, 65: 80.0, 71: 9.0, 72: 8.0}
    assert watched(monkeypatch, {at: {"memory_mb": mb} for at, mb in memory.items()}).grown_mb() == 2.0
