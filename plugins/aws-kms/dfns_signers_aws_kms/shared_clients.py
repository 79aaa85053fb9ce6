"""Clients of AWS KMS that keys of equal settings share: one is made, and closed with the last."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dfns_signers.plugin import forks
from dfns_signers_aws_kms.client import connect
from dfns_signers_aws_kms.options import AwsKmsConnection

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_FILES: Final = {
    "AWS_CONFIG_FILE": "~/.aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
}


@dataclass(frozen=True, slots=True)
class _Settings:
    """What decides where requests go, and as whom.

    Attributes:
        connection: the options, by name.
        surroundings: digest of the environment, and of the AWS configuration files.
    """

    connection: tuple[tuple[str, object], ...]
    surroundings: bytes

    @classmethod
    def of(cls, connection: AwsKmsConnection) -> _Settings:
        """The settings as they are at present."""
        # The whole environment: proxies, the home folder and the paths of commands count, too.
        files = [_content(os.environ.get(name, usual)) for name, usual in _FILES.items()]
        known = repr((sorted(os.environ.items()), files))
        digest = hashlib.sha256(known.encode("utf-8", "surrogatepass")).digest()
        return cls(tuple(vars(connection).items()), digest)


def _content(path: str) -> bytes | None:
    try:
        return Path(os.path.expandvars(path)).expanduser().read_bytes()
    except (OSError, RuntimeError, ValueError):
        return None  # botocore says what is wrong with a file that it needs


class Lease:
    """A client that other keys may use too; ``release`` gives it back."""

    def __init__(self, client: KMSClient, release: Callable[[Lease], None]) -> None:
        self.client = client
        self.holders = 1
        self._release = release

    def release(self) -> None:
        """Close the client unless another key holds it."""
        self._release(self)


class SharedClients:
    """The clients that keys share in a process; safe to use from several threads.

    A forked child makes clients of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: dict[_Settings, Lease] = {}
        forks.watch(self)

    def lease(self, connection: AwsKmsConnection) -> Lease:
        """A client for a connection, made if there is none; errors are those of ``kms_client``."""
        settings = _Settings.of(connection)
        with self._lock:
            held = self._leases.get(settings)
            if held is not None:
                held.holders += 1
                return held
        # Not under the lock, since a source of credentials may take its time.
        made = connect(connection, repeats=False)
        lease = Lease(made.client, partial(self._give_back, settings))
        with self._lock:
            # Another thread may have made one at the same time: each is closed by its holders.
            if made.is_shareable:
                self._leases.setdefault(settings, lease)
        return lease

    def after_fork(self) -> None:
        """Forget, in a forked child, the clients of its parent; see ``dfns_signers.forks``."""
        self._lock = threading.Lock()
        self._leases = {}

    def _give_back(self, settings: _Settings, lease: Lease) -> None:
        with self._lock:
            lease.holders -= 1
            if lease.holders:
                return
            if self._leases.get(settings) is lease:
                del self._leases[settings]
        lease.client.close()


CLIENTS: Final = SharedClients()
"""The clients of keys that are opened by configuration."""
