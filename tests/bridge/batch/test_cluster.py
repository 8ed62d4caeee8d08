import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_fakes import FAKES, RATE, Spec, hit, tree
from live_fakes import until

from ghostnote.bridge.batch.cluster import LOCAL, Certificates, cluster_pool
from ghostnote.bridge.batch.humanize import BatchReport, Pool, humanize_files, local_pool
from ghostnote.bridge.batch.settings import BatchSettings
from ghostnote.bridge.batch.sources import find_sources
from ghostnote.bridge.errors import GhostnoteError, InputError, MissingExtraError
from ghostnote.bridge.io.audio_file import write_audio

needs_dask = pytest.mark.skipif(not importlib.util.find_spec("distributed"), reason="Dask is not installed")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    for number in range(24):
        write_audio(tmp_path / "pack" / f"tom {number}.wav", hit(0.05, seed=number), RATE)
    return tmp_path / "pack"


def batch(pack: Path, output: Path, pool: Pool, *, slow: bool = False) -> BatchReport:
    sources = find_sources([pack], output)
    return humanize_files(sources, output, BatchSettings(count=4, velocities=2), Spec(slow), pool)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, pack: Path, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install .\.\[cluster\]"):
        batch(pack, tmp_path / "out", cluster_pool(LOCAL, 2))


@pytest.fixture
def scheduler() -> list[subprocess.Popen[bytes]]:
    """Holds the process of the cluster's scheduler."""
    return []


@pytest.fixture
def cluster(
    tmp_path: Path, scheduler: list[subprocess.Popen[bytes]]
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process of its own."""
    environment = {**os.environ, "PYTHONPATH": FAKES, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *arguments]
        return subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)

    address = tmp_path / "scheduler.json"
    options = ("--scheduler-file", str(address), "--no-dashboard")
    processes = [start("distributed.cli.dask_scheduler", *options, "--port", "0", "--host", "127.0.0.1")]
    scheduler += processes
    try:
        for _ in range(2):
            worker = ("distributed.cli.dask_worker", *options, "--nthreads", "1", "--no-nanny")
            processes.append(start(*worker))
        until(lambda: _address(address), 60)
        from distributed import Client

        with Client(_address(address)) as client:
            client.wait_for_workers(2, timeout=60)
        yield _address(address), processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _address(path: Path) -> str:
    """Return the scheduler's address, nothing as long as it is not written to the end."""
    try:
        return str(json.loads(path.read_text())["address"])
    except (OSError, ValueError):
        return ""


@needs_dask
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_worker_killed_half_way_changes_no_byte(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], pack: Path, tmp_path: Path
) -> None:
    address, workers = cluster
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if done >= total // 2 and not killed:
            killed.append(workers[0].pid)
            workers[0].send_signal(signal.SIGKILL)

    sources = find_sources([pack], tmp_path / "out")
    report = humanize_files(
        sources,
        tmp_path / "out",
        BatchSettings(count=4, velocities=2),
        Spec(slow=True),
        cluster_pool(address, 2),
        progress=kill_one,
    )
    assert killed
    assert workers[0].wait(60) == -signal.SIGKILL
    assert report.problems == ()
    batch(pack, tmp_path / "plain", local_pool(1))
    assert tree(tmp_path / "out") == tree(tmp_path / "plain")


@needs_dask
def test_a_mute_port_is_said(monkeypatch: pytest.MonkeyPatch, pack: Path, tmp_path: Path) -> None:
    monkeypatch.setattr("ghostnote.bridge.batch.cluster._CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(InputError, match="no scheduler answers"):
        batch(pack, tmp_path / "out", cluster_pool(f"tcp://127.0.0.1:{mute.getsockname()[1]}", 2))


@needs_dask
def test_a_scheduler_without_workers_is_said(monkeypatch: pytest.MonkeyPatch, pack: Path, tmp_path: Path) -> None:
    monkeypatch.setattr("ghostnote.bridge.batch.cluster._WORKERS_SECONDS", 1)
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, dashboard_address=None) as empty, pytest.raises(InputError, match="has no workers"):
        batch(pack, tmp_path / "out", cluster_pool(empty.scheduler_address, 2))


@needs_dask
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no signals on this system")
@pytest.mark.parametrize(
    ("who", "how", "line"),
    [
        ("scheduler", "SIGKILL", "scheduler is gone"),
        ("scheduler", "SIGSTOP", "scheduler is gone"),
        ("workers", "SIGKILL", "lost all its workers"),
    ],
)
def test_a_cluster_that_dies_or_freezes_ends_the_run_and_it_resumes(
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
    scheduler: list[subprocess.Popen[bytes]],
    pack: Path,
    tmp_path: Path,
    who: str,
    how: str,
    line: str,
) -> None:
    address, workers = cluster
    lost: list[float] = []

    def lose(done: int, total: int) -> None:
        if done >= total // 2 and not lost:
            lost.append(time.monotonic())
            for process in scheduler if who == "scheduler" else workers:
                process.send_signal(getattr(signal, how))

    sources = find_sources([pack], tmp_path / "out")
    settings = BatchSettings(count=4, velocities=2)
    pool = cluster_pool(address, 2)
    with pytest.raises(GhostnoteError, match=f"{line}.*--resume"):
        humanize_files(sources, tmp_path / "out", settings, Spec(slow=True), pool, progress=lose)
    assert time.monotonic() - lost[0] < 60
    report = humanize_files(sources, tmp_path / "out", settings, Spec(), local_pool(1), resume=True)
    assert report.reused >= 12
    batch(pack, tmp_path / "plain", local_pool(1))
    assert tree(tmp_path / "out") == tree(tmp_path / "plain")


@needs_dask
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_certificates_are_passed_on_and_a_cluster_that_asks_for_them_refuses_who_has_none(
    pack: Path, tmp_path: Path
) -> None:
    from distributed import LocalCluster, Security

    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    request = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    subprocess.run((*request, "-keyout", str(key), "-out", str(cert)), check=True, capture_output=True)
    sides = {
        f"tls_{side}_{kind}": str(path)
        for side in ("scheduler", "worker", "client")
        for kind, path in (("key", key), ("cert", cert))
    }
    security = Security(require_encryption=True, tls_ca_file=str(cert), **sides)
    with LocalCluster(
        n_workers=1, processes=False, protocol="tls", security=security, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        assert address.startswith("tls://")
        with pytest.raises(InputError, match="certificates"):
            batch(pack, tmp_path / "refused", cluster_pool(address, 1))
        report = batch(pack, tmp_path / "out", cluster_pool(address, 1, Certificates(cert, cert, key)))
    assert report.sources == 24


@needs_dask
def test_an_address_without_a_scheduler_is_said(monkeypatch: pytest.MonkeyPatch, pack: Path, tmp_path: Path) -> None:
    monkeypatch.setattr("ghostnote.bridge.batch.cluster._CONNECT_SECONDS", 1)
    with socket.socket() as taken:
        # Nobody listens there, and nobody else can.
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match="no scheduler answers"):
            batch(pack, tmp_path / "out", cluster_pool(address, 2))
