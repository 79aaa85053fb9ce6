"""The hooks behind the entry point ``aws-kms``."""

from __future__ import annotations

from typing import Any

from dfns_signers.backends.backend import Backend
from dfns_signers.hooks import hookimpl
from dfns_signers_aws_kms.backend import AwsKmsBackend


@hookimpl
def dfns_backend() -> Backend[Any]:
    """The backend ``aws-kms``."""
    return AwsKmsBackend()
