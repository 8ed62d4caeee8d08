"""`ghostnote evaluate --sweep`: one evaluation for each combination of seeds and settings, on a Dask cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghostnote.bridge.cli.terminal import echo

if TYPE_CHECKING:
    from ghostnote.models.evaluate.run import EvaluationRequest
    from ghostnote.models.evaluate.settings import EvaluationSettings

TABLE: Final = "sweep.md"
REPORT: Final = "sweep.json"


def run_sweep(
    model: Path | None,
    request: EvaluationRequest,
    settings: EvaluationSettings,
    sweeps: list[str],
    cluster: str | None,
    jobs: int,
) -> None:
    """Evaluate at every point under a progress bar; write and print the table."""
    import json

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.progress import track

    from ghostnote.bridge.batch.cluster import LOCAL, cluster_client
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
    from ghostnote.models.evaluate.sweep import points_of, sweep, sweep_table

    points = points_of(sweeps)
    # A model that cannot be opened ends the command before the cluster starts.
    Generator.open(model)
    prepare_folder(request.output)
    with cluster_client(cluster or LOCAL, min(jobs, len(points))) as client:
        found = sweep(client, model, request, settings, points)
        rows = list(track(found, "Evaluating", total=len(points), console=Console(stderr=True)))
    table = sweep_table(rows, points)
    data = [{**row.point, "figures": dict(row.figures)} for row in rows]
    write_bytes(request.output / REPORT, json.dumps(data, indent=1).encode())
    write_bytes(request.output / TABLE, table.encode())
    Console().print(Markdown(table))
    echo(f"{request.output / TABLE}, with a report in a folder for each evaluation")
