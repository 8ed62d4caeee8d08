"""`ghostnote systems`: the other ways to generate drums that can be trained and compared."""

from __future__ import annotations

from ghostnote.bridge.cli.extras import needs_extra


def systems() -> None:
    """List the systems that can be trained on the same drums, by the names that 'train --system' takes."""
    with needs_extra("systems"):
        from rich.console import Console
        from rich.table import Table

        from ghostnote.models.systems.registry import SYSTEMS, make_system

        table = Table("name", "system", "parameters", "rate", "after", box=None)
        for name, kind in SYSTEMS.items():
            system = make_system(name)
            parameters = sum(each.numel() for each in system.parameters())
            table.add_row(name, kind.title, f"{parameters / 1e6:.2f} M", f"{system.rate} Hz", kind.paper)
        Console().print(table)
