"""Where in a configuration file a setting stands, in the errors that it causes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dfns_signers.errors import ConfigurationError


@contextmanager
def placing(file: Path, table: str, key: str = "") -> Iterator[None]:
    """Name the table, and a key in it, in the errors that are raised within."""
    try:
        yield
    except ConfigurationError as error:
        place = f"[{table}]" + (f", key {key!r}" if key else "")
        raise ConfigurationError(f"configuration file {file}, {place}: {error}") from error
