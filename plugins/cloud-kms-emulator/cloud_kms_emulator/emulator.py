"""A Cloud KMS on this machine: a real gRPC server with Google's own messages."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final

import grpc
from typing_extensions import Self

from cloud_kms_emulator.algorithms import ALGORITHMS
from cloud_kms_emulator.dispatch import Dispatcher, RecordedCall
from cloud_kms_emulator.faults import FaultQueue
from cloud_kms_emulator.iam import IamOperations
from cloud_kms_emulator.names import check_name
from cloud_kms_emulator.operations import operations
from cloud_kms_emulator.permissions import Permissions
from cloud_kms_emulator.resources import ResourceOperations
from cloud_kms_emulator.signing import SigningOperations
from cloud_kms_emulator.store import State, Store

_THREADS: Final = 16


class CloudKmsEmulator:
    """Google Cloud KMS for tests; start it with ``with``, or with ``start`` and ``stop``.

    Everything is in memory and ends with it. There is no authentication, so that it listens on
    loopback addresses only.

    Args:
        host: loopback address.
        port: 0 for any free port.
        generation_delay: seconds during which a new version is PENDING_GENERATION; with 0 it is
            so in the answer that creates it only.
        page_size: items on a page when a request names no size.
        clock: returns the time in seconds since the epoch; for tests of generation and destruction.
        tls: serves TLS, for clients that refuse plaintext.

    Raises:
        ValueError: the host is not a loopback address.

    Attributes:
        faults: queue of what goes wrong with calls to come.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        generation_delay: float = 0.0,
        page_size: int = 100,
        clock: Callable[[], float] = time.time,
        tls: grpc.ServerCredentials | None = None,
    ) -> None:
        self._address = f"{_bracketed(host)}:{port}"
        self._host = host
        self._tls = tls
        self._port = 0
        self._server: grpc.Server | None = None
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="cloud-kms-emulator")
        self._store = Store(clock, generation_delay)
        self._permissions = Permissions()
        emulated = operations(
            ResourceOperations(self._store, page_size),
            SigningOperations(self._store),
            IamOperations(self._store, self._permissions),
        )
        self.faults = FaultQueue(emulated)
        self._dispatcher = Dispatcher(emulated, self.faults, self._permissions)

    @property
    def endpoint(self) -> str:
        """Where it listens, such as ``http://127.0.0.1:41217``."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{self.target}"

    @property
    def target(self) -> str:
        """The same for a gRPC channel, such as ``127.0.0.1:41217``."""
        return f"{_bracketed(self._host)}:{self._port}"

    @property
    def settings(self) -> Mapping[str, str]:
        """What the command line announces."""
        return {"endpoint": self.endpoint, "target": self.target}

    @property
    def calls(self) -> Sequence[RecordedCall]:
        """The last 10,000 calls, newest last."""
        return list(self._dispatcher.calls)

    def start(self) -> None:
        """Accept connections.

        Raises:
            OSError: the port is taken.
            RuntimeError: it was started before.
        """
        if self._server is not None:
            raise RuntimeError("the emulator was started before; make a new one")
        server = grpc.server(
            self._pool,
            handlers=[self._dispatcher],
            options=[("grpc.so_reuseport", 0)],
        )
        self._port = _bind(server, self._address, self._tls)
        server.start()
        self._server = server

    def stop(self) -> None:
        """Close every connection and free the port; calls under way are cancelled."""
        if self._server is not None:
            stopped = self._server.stop(grace=None)
            stopped.wait()
            self._pool.shutdown()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def add_version(
        self,
        crypto_key: str,
        algorithm: str,
        *,
        protection_level: str = "SOFTWARE",
        private_key: Any = None,
        state: str = "ENABLED",
    ) -> str:
        """Add a version, and its crypto key and key ring where they are missing.

        Args:
            crypto_key: full name of the crypto key.
            algorithm: such as ``EC_SIGN_P256_SHA256``.
            protection_level: ``SOFTWARE`` or ``HSM``; counts for a new crypto key.
            private_key: key of ``cryptography`` to have; generated if None.
            state: state that the version is in.

        Returns:
            The full name of the version.

        Raises:
            ValueError: the emulator has no keys of that algorithm or at that level.
        """
        _check_seed(algorithm, protection_level)
        check_name("CryptoKey", crypto_key)
        self._store.ensure_key(crypto_key, algorithm, protection_level)
        version = self._store.add_version(crypto_key, private_key)
        self.set_state(version.name, state)
        return version.name

    def set_state(self, version: str, state: str) -> None:
        """Put a version into any state at once, such as ``DISABLED`` or ``GENERATION_FAILED``.

        With ``PENDING_GENERATION`` it stays so until its state is set again.
        """
        with self._store.lock:
            self._store.version(version).put(State[state], self._store.clock())

    def deny(self, permission: str, resource: str) -> None:
        """Deny a permission, such as ``cloudkms.cryptoKeyVersions.useToSign``, on a resource.

        It is denied on everything below the resource too; ``*`` is every permission.
        """
        self._permissions.deny(permission, resource)

    def allow(self, permission: str, resource: str) -> None:
        """Take one denial back."""
        self._permissions.allow(permission, resource)


def _check_seed(algorithm: str, level: str) -> None:
    if algorithm not in ALGORITHMS:
        raise ValueError(f"the emulator has no {algorithm} keys; it has {', '.join(ALGORITHMS)}")
    if level not in ALGORITHMS[algorithm].levels:
        raise ValueError(f"{algorithm} is not available at the protection level {level}")


def _bracketed(host: str) -> str:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(
            f"the emulator cannot listen on {host!r}: it has no authentication, so that it "
            "listens on 127.0.0.1, ::1 or localhost only"
        )
    return f"[{host}]" if ":" in host else host


def _bind(server: grpc.Server, address: str, tls: grpc.ServerCredentials | None) -> int:
    try:
        if tls is not None:
            return server.add_secure_port(address, tls)
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"the emulator cannot listen on {address}: {error}") from error
