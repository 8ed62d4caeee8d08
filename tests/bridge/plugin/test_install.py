import subprocess
import sys
from pathlib import Path

import pytest

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.plugin import build as building
from ghostnote.bridge.plugin import install as installing
from ghostnote.bridge.plugin.build import BUNDLES, NAMES, why_not
from ghostnote.bridge.plugin.install import install


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Return a folder of bundles as a wheel brings them."""
    folder = tmp_path / "built"
    for name in NAMES:
        for bundle in BUNDLES:
            path = folder / bundle.format(name)
            if path.suffix == ".clap":
                path.write_text("new")
            else:
                path.mkdir(parents=True)
                (path / "library").write_text("new")
    monkeypatch.setattr(installing, "BUILT", folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


def test_every_bundle_is_put_where_hosts_look_in_the_place_of_an_older_one(built, tmp_path):
    old = tmp_path / ".vst3" / "ghostnote.vst3"
    old.mkdir(parents=True)
    (old / "left").touch()
    installed = install(tmp_path)
    found = sorted(str(path.relative_to(tmp_path)) for path in installed)
    assert found[:4] == [".clap/ghostnote-multi.clap", ".clap/ghostnote.clap"] + [
        f".lv2/{name}.lv2" for name in ("ghostnote-multi", "ghostnote")
    ]
    assert [path.name for path in old.iterdir()] == ["library"]


def test_the_plugin_learns_how_to_start_the_daemon_of_this_installation(built, tmp_path):
    install(tmp_path, tmp_path / "my kits")
    lines = (tmp_path / "config" / "ghostnote" / "plugin-daemon").read_text().splitlines()
    assert lines[0] == sys.executable
    assert lines[-2:] == ["--kits", str(tmp_path / "my kits")]
    run = subprocess.run([*lines, "--help"], capture_output=True, text=True, check=True)
    assert "Serve the plugins of all hosts" in run.stdout


def test_what_is_missing_for_a_build_is_named_with_its_remedy(tmp_path, monkeypatch):
    assert "apt install dpf-source" in why_not(tmp_path) or "apt install g++" in why_not(tmp_path)
    monkeypatch.setattr(building.shutil, "which", lambda _: None)
    with pytest.raises(GhostnoteError, match=r"g\+\+ is missing: on Debian or Ubuntu  apt install g\+\+"):
        building.build(tmp_path)


def test_another_dpf_than_the_patches_are_for_is_named(tmp_path):
    (tmp_path / "distrho" / "src").mkdir(parents=True)
    for name in ("DistrhoPluginVST.hpp", "DistrhoPluginVST3.cpp", "DistrhoPluginCLAP.cpp"):
        (tmp_path / "distrho" / "src" / name).write_text("// another one")
    with pytest.raises(GhostnoteError, match=r"is not that of DPF 1.6: install Debian's dpf-source 1.6"):
        building.patched(tmp_path, Path(tmp_path) / "copy")
