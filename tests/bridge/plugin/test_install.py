import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli import app as program
from ghostnote.bridge.cli import plugin as cli
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.plugin import build as building
from ghostnote.bridge.plugin import install as installing
from ghostnote.bridge.plugin.build import BUNDLES, NAMES, why_not
from ghostnote.bridge.plugin.install import install


def write_bundles(folder):
    for name in NAMES:
        for bundle in BUNDLES:
            path = folder / bundle.format(name)
            if path.suffix == ".clap":
                path.write_text("new")
            else:
                path.mkdir(parents=True)
                (path / "library").write_text("new")


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Return a folder of bundles as a wheel brings them."""
    folder = tmp_path / "built"
    write_bundles(folder)
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


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Return what writes a script that stands for g++, beside a DPF without content."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "temporary").mkdir()
    (tmp_path / "dpf" / "distrho").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(building, "PATCHES", ())
    monkeypatch.setattr(building, "_describe", lambda *_: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def write(lines):
        (tmp_path / "bin" / "g++").write_text(f"#!/bin/sh\n{lines}\n")
        (tmp_path / "bin" / "g++").chmod(0o755)

    return write


def _runs(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="the plugin is built on Linux alone")
def test_ctrl_c_ends_a_build_with_its_compilers_and_leaves_no_folder(compiler, tmp_path):
    compiler(f"sleep 60 & echo $! >> {tmp_path / 'sleepers'}; wait")
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        building.build(tmp_path / "new" / "plugin", tmp_path / "dpf")
    assert time.monotonic() - began < 2
    sleepers = (tmp_path / "sleepers").read_text().split()
    assert sleepers
    # A process that is killed may still run for a moment on a busy machine.
    while any(map(_runs, sleepers)) and time.monotonic() - began < 10:
        time.sleep(0.01)
    assert not any(map(_runs, sleepers))
    assert not (tmp_path / "new").exists()
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="the plugin is built on Linux alone")
def test_a_build_tells_what_it_does_and_why_it_fails(compiler, tmp_path):
    compiler('for last; do :; done; : > "$last"')
    lines = []
    bundles = building.build(tmp_path / "plugin", tmp_path / "dpf", lines.append)
    assert all(bundle.exists() for bundle in bundles)
    assert lines[0] == "building ghostnote and ghostnote-multi as VST3, CLAP and LV2: this takes a minute or two"
    assert sorted(line.split()[1] for line in lines[1:]) == sorted(bundle.name for bundle in bundles)
    assert lines[-1].endswith("(6 of 6)")
    compiler("echo no memory >&2; exit 1")
    with pytest.raises(GhostnoteError, match=r"g\+\+ failed: no memory"):
        building.build(tmp_path / "plugin", tmp_path / "dpf")


def test_what_was_built_and_installed_by_this_version_is_not_built_again(built, tmp_path, monkeypatch):
    calls = []

    def build(folder, tell):
        calls.append(folder)
        write_bundles(folder)

    monkeypatch.setattr(installing, "BUILT", tmp_path / "none")
    monkeypatch.setattr(installing, "build", build)
    install(tmp_path)
    lines = []
    install(tmp_path, tmp_path / "others", lines.append)
    assert lines == ["this version of the plugin is already there: it is not built again"]
    assert str(tmp_path / "others") in (tmp_path / "config" / "ghostnote" / "plugin-daemon").read_text()
    assert len(calls) == 1
    (tmp_path / ".clap" / "ghostnote.clap").write_text("another")
    install(tmp_path)
    assert len(calls) == 2


def test_the_folder_of_kits_is_named_in_full_and_that_it_is_new_and_that_a_daemon_has_another(
    built, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cli, "_status", lambda: '{"process": 17, "kits": "/before"}')
    first = CliRunner().invoke(cli.app, ["install", "--kits", "nope"])
    assert f"kits by number: {tmp_path / 'nope'}, a folder made just now: put kit files into it" in first.output
    assert "a daemon runs with the kits of /before until it ends: close your hosts, type  kill 17  and" in first.output
    monkeypatch.setattr(cli, "_status", lambda: f'{{"process": 17, "kits": "{tmp_path / "nope"}"}}')
    second = CliRunner().invoke(cli.app, ["install", "--kits", "nope"])
    assert f"kits by number: {tmp_path / 'nope'}; let your host scan its plugins anew" in second.output
    assert "daemon" not in second.output


def test_ctrl_c_in_a_build_ends_the_command_with_a_line(monkeypatch, tmp_path, capfd):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "build", interrupted)
    monkeypatch.setattr(sys, "argv", ["ghostnote", "plugin", "build", "-o", str(tmp_path / "new")])
    monkeypatch.setattr(program, "prepare_streams", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as end:
        program.main()
    assert end.value.code == 130
    assert "ghostnote: interrupted; no unfinished files are left" in capfd.readouterr().err
