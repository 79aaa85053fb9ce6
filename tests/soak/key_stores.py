"""Keys to sign with: a PEM, or a key on a real local server with a fault proxy before it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dfns_signers import KeySigner, PemKey, load_signer
from dfns_signers.cli.demo_signers import local_signers
from dfns_signers_testkit.aws import MINISTACK, LocalKms
from tests.support.byte_fault_proxy import ByteFaultProxy, seeded_byte_plan
from tests.support.fault_proxy import FaultProxy, SeededPlan
from tests.support.faults import QUICK

CREDENTIAL_ID = "cr-soak"
KEYS = ("pem", "aws-kms", "vault-transit", "vault-transit-alone", "gcp-kms")

_LIMITS = {"connect_timeout": 0.5, "read_timeout": 0.5, "timeout": 2.0, "max_attempts": 2}
_ADDRESSES = {"aws-kms": "endpoint_url", "vault-transit": "address", "gcp-kms": "endpoint"}
_RATE = 0.2  # of requests


@dataclass
class KeyStores:
    """Local servers, which run until they are closed."""

    _stack: ExitStack = field(default_factory=ExitStack)
    _tables: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @contextmanager
    def signer(self, key: str, seed: int, faults: Counter[str]) -> Iterator[KeySigner]:
        """A signer whose key store meets faults once the key is open; they are counted."""
        if key == "pem":
            with KeySigner(_pem_key(), CREDENTIAL_ID) as signer:
                yield signer
            return
        with (
            self.table(key, seed, faults) as (table, fail),
            load_signer(credential_id=CREDENTIAL_ID, signer=table) as signer,
        ):
            fail()
            yield signer

    @contextmanager
    def table(
        self, key: str, seed: int, faults: Counter[str]
    ) -> Iterator[tuple[dict[str, Any], Callable[[], None]]]:
        """The table of a signer on a key store, and what has it meet faults from then on."""
        backend = key.removesuffix("-alone")
        table = dict(self._tables[backend]) | _LIMITS
        if key.endswith("-alone"):
            table["batch"] = False
        name = _ADDRESSES[backend]
        with _proxy(backend, table[name], seed) as (proxy, url):

            def fail() -> None:
                proxy.plan = _plan(backend, seed)
                proxy.break_connections()

            yield {**table, name: url}, fail
        faults.update({f"{backend}: {name}": count for name, count in proxy.faults.items()})

    def start(self, key: str) -> None:
        """Start the server of a kind of key, if it does not run yet."""
        backend = key.removesuffix("-alone")
        if backend in self._tables or key == "pem":
            return
        if backend == "aws-kms":
            self._tables[backend] = self._ministack_key()
        else:
            shown = self._stack.enter_context(local_signers(backend))[0]
            os.environ.update(shown.environment)
            self._tables[backend] = shown.signer

    def _ministack_key(self) -> Mapping[str, Any]:
        from dfns_signers_testkit import aws, aws_keys  # noqa: PLC0415  # they import boto3

        os.environ.update(aws.ENVIRONMENT)
        server = LocalKms(MINISTACK)
        self._stack.callback(server.close)
        aliases = aws_keys.seed(aws_keys.local_client(server.url))
        return server.signer(next(iter(aliases.values())))

    def close(self) -> None:
        """Stop the servers."""
        self._stack.close()


def _pem_key() -> PemKey:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return PemKey.from_pem(pem)


@contextmanager
def _proxy(backend: str, address: str, seed: int) -> Iterator[tuple[Any, str]]:
    if backend == "gcp-kms":
        parts = urlsplit(address)
        with ByteFaultProxy((parts.hostname or "", parts.port or 0), seed=seed) as bytes_alone:
            yield bytes_alone, f"http://127.0.0.1:{bytes_alone.port}"
    else:
        with FaultProxy(address, seed=seed) as proxy:
            yield proxy, proxy.url


def _plan(backend: str, seed: int) -> Any:
    if backend == "gcp-kms":
        return seeded_byte_plan(seed)
    return SeededPlan(seed, QUICK, _RATE)
