"""From options to what they describe: clients, a policy, an opened key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dfns_signers_gcp_kms.clients import Clients
from dfns_signers_gcp_kms.key import GcpKmsKey
from dfns_signers_gcp_kms.options import ConnectionOptions, GcpKmsOptions
from dfns_signers_gcp_kms.retrying import RetryPolicy


def policy_of(options: ConnectionOptions) -> RetryPolicy:
    """How long operations may take, and how often they are repeated."""
    return RetryPolicy(
        timeout=options.timeout,
        max_attempts=options.max_attempts,
        generation_timeout=options.generation_timeout,
    )


def open_key(options: GcpKmsOptions) -> GcpKmsKey:
    """Open a key version.

    Raises:
        ConfigurationError, SigningKeyError: as GcpKmsKey.
    """
    clients = Clients.connect(options)
    try:
        return GcpKmsKey(clients, options.key_version, policy=policy_of(options))
    except BaseException:
        clients.close()
        raise


@contextmanager
def connected(options: ConnectionOptions) -> Iterator[Clients]:
    """Clients for the length of a block."""
    clients = Clients.connect(options)
    try:
        yield clients
    finally:
        clients.close()
