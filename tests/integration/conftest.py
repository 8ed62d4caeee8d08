import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """Return the folder of the plugin's bundles: built once, or before in `GHOSTNOTE_PLUGIN`."""
    from ghostnote.bridge.plugin.build import build, why_not

    if built := os.environ.get("GHOSTNOTE_PLUGIN"):
        return Path(built)
    if problem := why_not():
        pytest.skip(problem)
    folder = tmp_path_factory.mktemp("plugin")
    build(folder)
    return folder
