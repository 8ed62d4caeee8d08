import signal
import sys

import pytest

from ghostnote.bridge.cli.app import main


@pytest.mark.parametrize("command", [(), ("live",), ("render",), ("kit", "new"), ("humanize",)])
def test_switches_are_shown_without_a_type(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["ghostnote", *command, "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    text = capsys.readouterr().out
    assert "--help" in text
    assert "bool" not in text
