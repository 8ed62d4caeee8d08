"""Long work of the page: in processes and threads that end with it, away from what answers."""

import asyncio
import multiprocessing
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_makers import FakeMakerSpec, never_done

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.page import apart, bench
from ghostnote.bridge.page.apart import work_folder
from ghostnote.bridge.page.bench import Bench
from ghostnote.bridge.page.drum_map import Sound
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.studio import Studio
from ghostnote.bridge.page.tool_runs import Task


def children() -> list[str]:
    return [process.name for process in multiprocessing.active_children() if process.name == never_done.__name__]


def test_work_that_is_cancelled_leaves_no_process() -> None:
    async def cancelled() -> list[str]:
        begun = asyncio.Event()
        task = asyncio.create_task(apart.apart(never_done, tell=lambda done, of: begun.set()))
        await begun.wait()
        running = children()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return running

    assert asyncio.run(cancelled()) == ["never_done"]
    assert children() == []


def test_work_that_is_cancelled_while_it_starts_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, may_start, is_started = threading.Event(), threading.Event(), threading.Event()
    start = apart.start

    def held(process: BaseProcess) -> None:
        starts.set()
        may_start.wait(60)
        start(process)
        is_started.set()

    async def cancelled() -> None:
        task = asyncio.create_task(apart.apart(never_done))
        await asyncio.to_thread(starts.wait, 60)
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
        may_start.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(is_started.wait, 60)

    monkeypatch.setattr(apart, "start", held)
    asyncio.run(cancelled())
    assert is_started.is_set()
    assert children() == []


def test_a_work_folder_is_removed_when_its_work_is_cancelled(tmp_path: Path) -> None:
    async def cancelled() -> None:
        async def work() -> None:
            async with work_folder(tmp_path) as folder:
                (folder / "inside").mkdir()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        while not list(tmp_path.glob("*/inside")):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert list(tmp_path.iterdir()) == []


def test_sounds_are_sent_and_resampled_away_from_what_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, threading.Thread] = {}

    class Line:
        def send(self, request: Any) -> None:
            threads["send"] = threading.current_thread()

        def recv(self) -> None:
            return None

    def resampled(audio: np.ndarray, *_: int) -> np.ndarray:
        threads["resample"] = threading.current_thread()
        return audio

    monkeypatch.setattr(Studio, "_opened", lambda _: Line())
    monkeypatch.setattr(bench, "resample", resampled)
    tools, audio = Bench(Hub(), Studio(FakeMakerSpec())), np.ones((1, 100), np.float32)
    tools.take(Sound("a", audio, 44_100, ""))
    tools.take(Sound("b", audio, 48_000, ""), "other")
    asyncio.run(tools.work("morph", {}))
    assert threads.keys() == {"send", "resample"}
    assert threading.main_thread() not in threads.values()


def test_a_sound_longer_than_the_line_takes_at_once_comes_through() -> None:
    async def worked() -> Any:
        studio = Studio(FakeMakerSpec())
        try:
            return await studio.work("tweak", Task(audio, 44_100, {}))
        finally:
            studio.close()

    audio = np.random.default_rng(1).normal(0, 0.1, (2, 500_000)).astype(np.float32)
    (made,) = asyncio.run(worked())
    np.testing.assert_array_equal(made.audio, audio[:, ::-1] * np.float32(0.5))
