"""The kept inputs: a folder for each target, a file for each input."""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
NAMES = sorted(folder.name for folder in CORPUS.iterdir())


def inputs(name: str) -> dict[str, bytes]:
    """The inputs of a target by the names of their files."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / name).iterdir())}
