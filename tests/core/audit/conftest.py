"""A trail in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dfns_signers.audit.trail import AuditTrail


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def trail(file: Path) -> Iterator[AuditTrail]:
    trail = AuditTrail(file)
    yield trail
    trail.close()
