import socket

import pytest

pytest.importorskip("starlette", reason="needs the extra 'page'")

from live_fakes import KIT, running, until

from ghostnote.bridge.bench.page_client import looked_at
from ghostnote.bridge.live.osc.codec import pack
from ghostnote.bridge.live.osc.subscribers import ROOT


def test_a_page_that_is_looked_at_gets_the_status_and_levels():
    with running() as live, looked_at(live.osc.address[1], len(KIT.pads)) as client:

        def struck():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                line.sendto(pack(f"{ROOT}/hit", (1, 100)), ("127.0.0.1", live.osc.address[1]))
            return client.levels >= 10

        until(struck)
        until(lambda: client.facts["notes_fresh"])
