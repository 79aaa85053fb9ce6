"""``make bench``: measure, and write a table with the goals.

The figures depend on the machine: compare those of one run. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from bench import areas
from bench.measuring import Effort
from bench.table import Row, line, markdown

_LIBRARIES: Final = (
    *("cryptography", "httpx", "httpcore", "anyio", "pydantic", "typer", "dfns-sdk", "boto3"),
    *("google-cloud-kms", "grpcio", "hvac"),
)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(areas.names()))
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--strict", action="store_true", help="end with 1 if a goal is missed")
    parser.add_argument("--output", type=Path, default=Path(".bench"), help="folder of the tables")
    chosen = parser.parse_args()
    if unknown := set(chosen.areas) - set(areas.names()):
        parser.error(f"no such area: {', '.join(unknown)}; there are {', '.join(areas.names())}")
    return chosen


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def _setting(*, quick: bool) -> dict[str, str]:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores shared with the local servers",
        "system": platform.platform(),
        "Python": platform.python_version(),
        **{library: _version(library) for library in _LIBRARIES},
        "taken": "subjects in turns; median [lower to upper quartile]"
        + (", a tenth of the rounds" if quick else ""),
        "load at the start": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _measure(chosen: argparse.Namespace) -> tuple[list[Row], list[str]]:
    rows, failures = [], []
    for area in chosen.areas or areas.names():
        _say(area.replace("_", " "))
        try:
            for row in areas.measured(area, Effort(0.1 if chosen.quick else 1.0)):
                rows.append(row)
                _say(line(row))
        except RuntimeError as error:
            failures.append(str(error))
            _say(f"  {error}")
    return rows, failures


def _write(folder: Path, setting: dict[str, str], rows: list[Row]) -> None:
    folder.mkdir(exist_ok=True)
    described = "\n".join(f"* {name}: {value}" for name, value in setting.items())
    (folder / "table.md").write_text(f"{described}\n\n{markdown(rows)}\n")
    table = {"setting": setting, "rows": [row.as_json() for row in rows]}
    (folder / "table.json").write_text(f"{json.dumps(table, indent=2, ensure_ascii=False)}\n")
    _say(f"\nwritten: {folder / 'table.md'}, {folder / 'table.json'}")


def _main() -> int:
    chosen = _arguments()
    setting = _setting(quick=chosen.quick)
    rows, failures = _measure(chosen)
    _write(chosen.output, setting, rows)
    missed = [row.what for row in rows if row.is_missed]
    if missed:
        _say(f"{len(missed)} of {len(rows)} rows miss their goals: {'; '.join(missed)}")
    return 1 if failures or (chosen.strict and missed) else 0


if __name__ == "__main__":
    sys.exit(_main())
