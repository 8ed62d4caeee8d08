"""A daemon with fake strokes as a program of its own: `python page_daemon.py PORT`. It plays until it is killed."""

import sys
import time

from live_fakes import running

from ghostnote.bridge.live.osc.server import OscSettings

if __name__ == "__main__":
    with running(osc=OscSettings(port=int(sys.argv[1]))):
        while True:
            time.sleep(1)
