"""The entry point ``gcp-kms``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from dfns_signers.backends.backend import Backend
from dfns_signers.hooks import LocalSigner, hookimpl


@hookimpl
def dfns_backend() -> Backend[Any]:
    """The backend behind the entry point ``gcp-kms``."""
    from dfns_signers_gcp_kms.backend import GcpKmsBackend  # noqa: PLC0415  # when it is selected

    return GcpKmsBackend()


@hookimpl
def dfns_local_signers() -> AbstractContextManager[Sequence[LocalSigner]]:
    """A key of each algorithm on the emulator of Cloud KMS."""
    from dfns_signers_gcp_kms.local import emulated_signers  # noqa: PLC0415  # loads the SDK

    return emulated_signers()
