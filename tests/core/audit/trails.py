"""Trails that tests write and read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dfns_signers.audit.trail import AuditTrail
from dfns_signers.audit.verification import Verification, verify
from tests.support import ROOT


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def events(file: Path) -> list[str]:
    return [line["event"] for line in lines(file)]


def recorded(file: Path) -> list[dict[str, Any]]:
    """The records but for what each of them has, and what differs from run to run."""
    varying = {"sequence", "previous", "hash", "time", "writer", "milliseconds"}
    return [
        {name: value for name, value in line.items() if name not in varying}
        for line in lines(file)
        if line["event"] != "started"
    ]


def write(file: Path, count: int) -> None:
    """Records of so many calls, by a writer that ends in order."""
    trail = AuditTrail(file)
    for number in range(count):
        trail.append("decided", call_id=f"call-{number}", outcome="allowed", method="POST")
        trail.append("signed", call_id=f"call-{number}", key="key-1")
    trail.close()


def verified(*files: Path) -> Verification:
    return verify(files)


def is_whole(*files: Path) -> bool:
    found = verify(files)
    return not found.findings and not found.warnings


def process(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process with an AuditTrail ``trail`` of the file that the first argument names."""
    begin = (
        "import sys; from pathlib import Path; from dfns_signers.audit.trail import AuditTrail\n"
        "trail = AuditTrail(Path(sys.argv[1]))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", begin + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ,
    )


def end_well(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """What processes printed by the time of their end."""
    printed = []
    for each in processes:
        output, errors = each.communicate(timeout=120)
        assert each.returncode == 0, errors
        printed.append(output)
    return printed
