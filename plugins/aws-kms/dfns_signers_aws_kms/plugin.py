"""The hooks behind the entry point ``aws-kms``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from dfns_signers.backends.backend import Backend
from dfns_signers.hooks import LocalSigner, hookimpl
from dfns_signers_aws_kms.backend import AwsKmsBackend


@hookimpl
def dfns_backend() -> Backend[Any]:
    """The backend ``aws-kms``."""
    return AwsKmsBackend()


@hookimpl
def dfns_local_signers() -> AbstractContextManager[Sequence[LocalSigner]]:
    """A key of each algorithm on MiniStack, and of each that it can do on LocalStack."""
    from dfns_signers_aws_kms.local import local_signers  # noqa: PLC0415  # it imports boto3

    return local_signers()
