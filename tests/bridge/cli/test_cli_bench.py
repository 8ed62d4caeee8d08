import pytest
from typer.testing import CliRunner

from ghostnote.bridge.bench import plugin
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.bench.soak import run
from ghostnote.bridge.cli.app import app


@pytest.mark.parametrize(("is_met", "exit_code"), [(True, 0), (False, 1), (None, 0)])
def test_a_soak_in_which_something_did_not_hold_says_so_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, is_met: bool | None, exit_code: int
) -> None:
    monkeypatch.setattr(run, "soak", lambda *_: [Measurement("lost", "notes lost", 2.0, "", is_met)])
    found = CliRunner().invoke(app, ["bench", "--soak", "60"])
    assert found.exit_code == exit_code
    assert ("NOT met" in found.output) == (is_met is False)


def test_the_plugin_is_measured_for_the_seconds_that_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        plugin, "measure_plugin", lambda _, seconds: [Measurement("share_percent", "of a core", seconds, "%", True)]
    )
    found = CliRunner().invoke(app, ["bench", "--plugin", "--seconds", "7"])
    assert found.exit_code == 0
    assert "7.000 %   met" in found.output


@pytest.mark.parametrize(("options", "with_page"), [((), False), (("--page",), True)])
def test_live_playing_is_measured_with_the_page_open_where_both_are_given(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], with_page: bool
) -> None:
    pytest.importorskip("jack", reason="needs JACK-Client")
    from ghostnote.bridge.bench import live

    monkeypatch.setattr(live, "measure_live", lambda *given: [Measurement("page", f"with a page: {given[-1]}", 0.0)])
    found = CliRunner().invoke(app, ["bench", "--live", *options])
    assert found.exit_code == 0
    assert f"with a page: {with_page}" in found.output


def test_live_playing_of_the_plugin_is_measured_in_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jack", reason="needs JACK-Client")
    from ghostnote.bridge.bench import plugin_host

    monkeypatch.setattr(
        plugin_host, "measure_in_host", lambda _, seconds: [Measurement("underruns", "late blocks", seconds, "", True)]
    )
    found = CliRunner().invoke(app, ["bench", "--live", "--plugin", "--seconds", "7"])
    assert found.exit_code == 0
    assert "7.000     met" in found.output


def test_one_thing_is_measured_at_a_time() -> None:
    for options in (
        ("--plugin", "--page"),
        ("--live", "--plugin", "--page"),
        ("--live", "--batch"),
        ("--page", "--train"),
    ):
        found = CliRunner().invoke(app, ["bench", *options])
        assert "measure one at a time" in str(found.exception)


@pytest.mark.parametrize(
    ("options", "unused"),
    [
        (("--live", "--plugin", "--steps", "4"), "--steps"),
        (("--plugin", "--width", "0.5"), "--width"),
        (("--block", "64"), "--block"),
        (("--batch", "--seconds", "30"), "--seconds"),
    ],
)
def test_an_option_that_nothing_uses_is_refused(options: tuple[str, ...], unused: str) -> None:
    found = CliRunner().invoke(app, ["bench", *options])
    assert f"{unused} is given, but only" in str(found.exception)
