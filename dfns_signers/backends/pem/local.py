"""A PEM key of each algorithm, made for the moment."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.pem.parsing import PrivateKey
from dfns_signers.hooks import LocalSigner

_GENERATE: Final[Mapping[Algorithm, Callable[[], PrivateKey]]] = {
    Algorithm.ED25519: ed25519.Ed25519PrivateKey.generate,
    Algorithm.ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
    Algorithm.ES256K: lambda: ec.generate_private_key(ec.SECP256K1()),
    Algorithm.RS256: lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


@contextmanager
def pem_signers() -> Iterator[Sequence[LocalSigner]]:
    """Key files in a folder of their own, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="dfns-signers-pem-") as folder:
        yield [_signer(Path(folder), algorithm) for algorithm in _GENERATE]


def _signer(folder: Path, algorithm: Algorithm) -> LocalSigner:
    path = folder / f"{algorithm}.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        _GENERATE[algorithm]().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return LocalSigner(path.name, {"backend": "pem", "path": str(path)})
