"""How much an export of the page may hold."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live_fakes import KIT
from page_makers import FakeStrokes

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.page import exports as module
from ghostnote.bridge.page.exports import LAYERS, MOST_LAYERS, MOST_SAMPLES, Exports, read_wish
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.sampler.write import FORMATS


def kit_of(pads: int) -> Kit:
    return replace(KIT, pads=KIT.pads[:1] * pads)


def wish(velocities: int, count: int, formats: int = 1) -> Any:
    return read_wish({"formats": ",".join(list(FORMATS)[:formats]), "velocities": velocities, "count": count})


def test_the_usual_numbers_are_for_every_kit_in_all_formats() -> None:
    assert 128 * LAYERS**2 * len(FORMATS) <= MOST_SAMPLES
    wish(LAYERS, LAYERS, len(FORMATS)).check_size(kit_of(128))


def test_the_limit_is_of_pads_layers_round_robins_and_formats_together() -> None:
    most = MOST_SAMPLES // MOST_LAYERS**2
    wish(MOST_LAYERS, MOST_LAYERS).check_size(kit_of(most))
    wish(MOST_LAYERS, MOST_LAYERS // 2, 2).check_size(kit_of(most))
    for too_much, pads in ((wish(16, 16), most + 1), (wish(16, 16, 2), most), (wish(16, 9, 2), most)):
        with pytest.raises(InputError, match=f"at most {MOST_SAMPLES}: choose fewer"):
            too_much.check_size(kit_of(pads))


def test_an_export_that_is_too_large_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def never(*_: Any, **__: Any) -> None:
        raise AssertionError("it began")

    monkeypatch.setattr(module, "apart", never)
    with Exports(Hub(), FakeStrokes()) as exports:
        match = "64 pads in 16 velocity layers with 16 round robins and 1 format are 16384 samples"
        with pytest.raises(InputError, match=match):
            asyncio.run(exports.export(kit_of(64), wish(16, 16)))
        assert list(exports.folder.iterdir()) == []
