"""Print constraints that pin every direct dependency to its lower bound.

Usage: python tests/lowest_versions.py pyproject.toml [plugins/x/pyproject.toml ...]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OURS = ("dfns-signers", "cloud-kms-emulator")
REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9_.-]+)(?:\[[^]]*\])?\s*>=\s*(?P<version>[0-9][0-9.]*)"
)


def requirements(project: Path) -> list[str]:
    """Direct dependencies of a project and its extras, but for our own distributions."""
    metadata = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = metadata.get("optional-dependencies", {}).values()
    every = [*metadata.get("dependencies", []), *(one for extra in extras for one in extra)]
    return [one for one in every if not one.startswith(OURS)]


def pin(requirement: str) -> str:
    """``name>=1.2; marker`` as ``name==1.2; marker``."""
    match = REQUIREMENT.match(requirement)
    if match is None:
        raise SystemExit(f"no lower bound: {requirement}")
    marker = requirement.partition(";")[2].strip()
    return f"{match['name']}=={match['version']}" + (f"; {marker}" if marker else "")


if __name__ == "__main__":
    pins = {pin(one) for path in sys.argv[1:] for one in requirements(Path(path))}
    sys.stdout.write("\n".join(sorted(pins)) + "\n")
