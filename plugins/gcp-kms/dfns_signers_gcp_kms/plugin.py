"""The entry point ``gcp-kms``."""

from __future__ import annotations

from typing import Any

from dfns_signers.backends.backend import Backend
from dfns_signers.hooks import hookimpl


@hookimpl
def dfns_backend() -> Backend[Any]:
    """The backend behind the entry point ``gcp-kms``."""
    from dfns_signers_gcp_kms.backend import GcpKmsBackend  # noqa: PLC0415  # when it is selected

    return GcpKmsBackend()
