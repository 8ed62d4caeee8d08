from pathlib import Path

import pytest

from ghostnote.bridge.cli.osc import osc
from ghostnote.bridge.live.osc.addresses import ADDRESSES

PAGE = Path(__file__).parents[3] / "docs" / "osc.md"


def test_the_table_has_every_address(capsys: pytest.CaptureFixture[str]) -> None:
    osc()
    text = capsys.readouterr().out
    assert all(f"/ghostnote/{address.path} " in text for address in ADDRESSES)


def test_the_page_in_docs_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    osc(markdown=True)
    text = capsys.readouterr().out
    assert text == PAGE.read_text("utf-8"), "write docs/osc.md with  ghostnote osc --markdown"
    assert all(f"| `/ghostnote/{address.path}` |" in text for address in ADDRESSES)
