"""The keys that ``demo`` shows: PEM files made on the fly, and keys on local servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.pem.parsing import PrivateKey
from dfns_signers.errors import PluginError
from dfns_signers.near_miss import did_you_mean

GROUP: Final = "dfns_signers.local_signers"
"""Entry points of functions without arguments that return a context manager.

Entering it starts local servers and gives a sequence of LocalSigner; leaving it stops them.
"""

_INSTALL: Final = (
    'pip install "dfns-signers-testkit[all]", or in a clone of the repository: '
    'pip install . ./plugins/cloud-kms-emulator "./plugins/testkit[all]"'
)

_GENERATE: Final[Mapping[Algorithm, Callable[[], PrivateKey]]] = {
    Algorithm.ED25519: ed25519.Ed25519PrivateKey.generate,
    Algorithm.ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
    Algorithm.ES256K: lambda: ec.generate_private_key(ec.SECP256K1()),
    Algorithm.RS256: lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


class LocalSigner(Protocol):
    """A key to show."""

    @property
    def name(self) -> str:
        """What its row is called."""

    @property
    def signer(self) -> Mapping[str, Any]:
        """The ``[signer]`` table that opens it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables that its credentials come from."""


@dataclass(frozen=True, slots=True)
class _PemFile:
    name: str
    signer: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def pem_signers() -> Iterator[Sequence[LocalSigner]]:
    """A key file of each algorithm, in a folder that is removed at the end."""
    with TemporaryDirectory(prefix="dfns-signers-pem-") as folder:
        yield [_pem_file(Path(folder), algorithm) for algorithm in _GENERATE]


def _pem_file(folder: Path, algorithm: Algorithm) -> _PemFile:
    path = folder / f"{algorithm}.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        _GENERATE[algorithm]().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return _PemFile(path.name, {"backend": "pem", "path": str(path)})


def local_signers(backend: str) -> AbstractContextManager[Sequence[LocalSigner]]:
    """Keys on the local servers for a backend; entering starts the servers.

    Raises:
        PluginError: nothing is installed that starts them, or it cannot be imported.
    """
    entry = _entry(backend)
    try:
        start: Callable[[], AbstractContextManager[Sequence[LocalSigner]]] = entry.load()
    except ImportError as error:
        raise PluginError(
            f"the local servers for {backend!r} cannot be imported: {error}; run: {_INSTALL}"
        ) from error
    return start()


def _entry(backend: str) -> EntryPoint:
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not entries:
        raise PluginError(
            f"no local servers for {backend!r}: dfns-signers-testkit is not installed; run: "
            f"{_INSTALL}"
        )
    if backend not in entries:
        hint = did_you_mean(backend, entries)
        raise PluginError(
            f"there are no local servers for {backend!r}{hint}. Known: {', '.join(sorted(entries))}"
        )
    return entries[backend]
