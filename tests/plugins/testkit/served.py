"""Read what a script prints that leaves a server running."""

from __future__ import annotations

import subprocess


def read_profiles(process: subprocess.Popen[str], *, last: str, ends_with: str) -> str:
    """The output of a script up to a setting of its last profile."""
    assert process.stdout
    lines: list[str] = []
    heading = f"[profiles.{last}.signer]\n"
    while heading not in lines or not lines[-1].startswith(f"{ends_with} = "):
        lines.append(process.stdout.readline())
        assert lines[-1], "".join(lines)
    return "".join(lines)
