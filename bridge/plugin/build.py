"""Builds the plugin's formats from its source and DPF with g++."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import GhostnoteError, OutputError
from ghostnote.bridge.io.atomic_file import output_errors, prepare_folder
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.plugin.dpf_patches import PATCHES

DPF: Final = Path("/usr/share/dpf")
"""Where Debian's dpf-source lies."""
SOURCES: Final = Path(__file__).with_name("src")
BUILT: Final = Path(__file__).with_name("built")
"""Where a wheel has the plugin."""
NAMES: Final = {"ghostnote": 1, "ghostnote-multi": layout.OUTPUTS}
"""The variants, by how many stereo outputs they have."""
BUNDLES: Final = ("{}.vst3", "{}.clap", "{}.lv2")

_SECONDS: Final = 300
_LOOK_SECONDS: Final = 0.05
_FLAGS: Final = ("-std=c++17", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-gnu-unique", "-pthread", "-Wall")


@dataclass(frozen=True)
class _Format:
    """A format that DPF builds."""

    target: str
    symbols: str
    path: str
    """The library inside its bundle, by the plugin's name and the processor's."""


_FORMATS: Final = (
    _Format("VST3", "vst3", "{0}.vst3/Contents/{1}-linux/{0}.so"),
    _Format("CLAP", "clap", "{0}.clap"),
    _Format("LV2", "lv2-dsp", "{0}.lv2/{0}.so"),
)


def why_not(dpf: Path = DPF) -> str:
    """Return what is missing for a build here, in one line; '' where nothing is."""
    if os.uname().sysname != "Linux":
        return f"the plugin is built on Linux alone, not on {os.uname().sysname}: play by 'ghostnote live' instead"
    if shutil.which("g++") is None:
        return "g++ is missing: on Debian or Ubuntu  apt install g++"
    if not (dpf / "distrho").is_dir():
        return f"DPF is missing in {dpf}: on Debian or Ubuntu  apt install dpf-source"
    return ""


def build(folder: Path, dpf: Path = DPF, tell: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Build every format of every variant into `folder` and return the bundles; `GhostnoteError`, `OutputError`.

    `tell` gets a line at the start and one for each bundle. What ends the build, Ctrl-C included, ends its compilers.
    """
    if problem := why_not(dpf):
        raise GhostnoteError(problem)
    with _prepared(folder), tempfile.TemporaryDirectory(prefix="ghostnote-") as place, output_errors(folder):
        tell(f"building {' and '.join(NAMES)} as VST3, CLAP and LV2: this takes a minute or two")
        distrho = patched(dpf, Path(place) / "distrho")
        made = Path(place) / "made"
        commands = {
            Path(form.path.format(name, "")).parts[0]: _command(name, outputs, form, distrho, dpf, made)
            for name, outputs in NAMES.items()
            for form in _FORMATS
        }
        with closing(_compiled(commands, Path(place))) as compiled:
            for number, bundle in enumerate(compiled, 1):
                tell(f"built {bundle} ({number} of {len(commands)})")
        for name in NAMES:
            _describe(made / f"{name}.lv2", name)
        bundles = []
        for name in NAMES:
            for bundle in BUNDLES:
                bundles.append(folder / bundle.format(name))
                put(made / bundle.format(name), bundles[-1])
    return bundles


@contextmanager
def _prepared(folder: Path) -> Iterator[None]:
    """Make `folder`; where the block fails, remove what was made and is empty."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        prepare_folder(folder)
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):
                each.rmdir()
        raise


def patched(dpf: Path, target: Path) -> Path:
    """Copy DPF's sources with the patches."""
    shutil.copytree(dpf / "distrho", target)
    for patch in PATCHES:
        file = target / patch.file
        text = file.read_text("utf-8")
        if text.count(patch.old) < 1:
            raise GhostnoteError(f"{dpf}/distrho/{patch.file} is not that of DPF 1.6: install Debian's dpf-source 1.6")
        file.write_text(text.replace(patch.old, patch.new), "utf-8")
    return target


def _command(name: str, outputs: int, form: _Format, distrho: Path, dpf: Path, made: Path) -> list[str]:
    """Return the compiler's command for a library, whose folder is made."""
    library = made / form.path.format(name, os.uname().machine)
    library.parent.mkdir(parents=True, exist_ok=True)
    symbols = dpf / "utils" / "symbols" / f"{form.symbols}.version"
    return [
        "g++",
        *_FLAGS,
        f"-DDISTRHO_PLUGIN_TARGET_{form.target}",
        f"-DGHOSTNOTE_OUTPUTS={outputs}",
        f'-DGHOSTNOTE_VERSION="{version("ghostnote")[:15]}"',
        f"-I{SOURCES}",
        f"-I{distrho}",
        f"-Wl,--version-script={symbols}",
        "-Wl,--no-undefined",
        "-s",
        str(SOURCES / "ghostnote.cpp"),
        str(distrho / "DistrhoPluginMain.cpp"),
        "-ldl",
        "-o",
        str(library),
    ]


@dataclass(frozen=True)
class _Job:
    """A compiler that runs, in a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    began: float

    def is_done(self) -> bool:
        """Return whether it has made its library; `GhostnoteError` where it failed."""
        code = self.process.poll()
        if code:
            raise GhostnoteError(f"g++ failed: {self.log.read_text('utf-8', 'replace').strip()}")
        if code is None and time.monotonic() - self.began > _SECONDS:
            raise GhostnoteError(f"g++ took more than {_SECONDS} s: try again on a machine that is less busy")
        return code == 0

    def end(self) -> None:
        """Kill it, with the processes that it started."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _compiled(commands: dict[str, list[str]], place: Path) -> Generator[str, None, None]:
    """Run the commands, one for each processor at a time, and yield the name of each that is done."""
    waiting, running = list(commands), list[_Job]()
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                running.append(_started(waiting[0], commands[waiting.pop(0)], place))
            done = [job for job in running if job.is_done()]
            for job in done:
                running.remove(job)
                yield job.name
            if not done:
                time.sleep(_LOOK_SECONDS)
    finally:
        for job in running:
            job.end()


def _started(name: str, command: list[str], place: Path) -> _Job:
    log = place / f"{name}.log"
    # Its own files go where they are removed, also where it is killed.
    environment = os.environ | {"TMPDIR": str(place)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True
        )
    return _Job(name, process, log, time.monotonic())


def _describe(bundle: Path, name: str) -> None:
    """Write an LV2 bundle's Turtle files, as the plugin itself says."""
    script = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).lv2_generate_ttl(sys.argv[2].encode())"
    _run(sys.executable, "-c", script, str(bundle / f"{name}.so"), name, cwd=bundle)
    text = (bundle / f"{name}.ttl").read_text("utf-8")
    # DPF has no word for the port by which a host says that it renders.
    marked, count = re.subn(
        r'(lv2:symbol "freewheel" ;\n)',
        r"\1        lv2:designation lv2:freeWheeling ;\n"
        r"        lv2:portProperty <http://lv2plug.in/ns/ext/port-props#notOnGUI> ;\n",
        text,
    )
    if count != 1:
        raise GhostnoteError("the LV2 plugin's description has no freewheel port: install Debian's dpf-source 1.6")
    # Nor is there a definition of this property that `lv2_validate` would find.
    valid = re.sub(r" ,\n *<http://kxstudio\.sf\.net/ns/lv2ext/props#NonAutomatable>", "", marked)
    (bundle / f"{name}.ttl").write_text(valid, "utf-8")


def _run(*command: str, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, cwd=cwd)
    except subprocess.TimeoutExpired as error:
        raise GhostnoteError(
            f"{command[0]} took more than {_SECONDS} s: try again on a machine that is less busy"
        ) from error
    if done.returncode:
        raise GhostnoteError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


def put(source: Path, target: Path) -> None:
    """Put a file or folder in the place of what was there."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    elif target.exists() or target.is_symlink():
        target.unlink()
    try:
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    except shutil.Error as error:
        raise OutputError(f"cannot write {target}: {error}") from error
    except KeyboardInterrupt:
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
        raise
