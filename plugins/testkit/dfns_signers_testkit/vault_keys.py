"""Transit keys on a local OpenBao or Vault. Needs the extra ``vault``."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import hvac  # type: ignore[import-untyped]

from dfns_signers.algorithms import Algorithm
from dfns_signers_testkit.local_signer import LocalSigner
from dfns_signers_testkit.vault import VaultServer, local_vault

_KEY_TYPES: Final = {
    Algorithm.ED25519: "ed25519",
    Algorithm.ES256: "ecdsa-p256",
    Algorithm.RS256: "rsa-2048",
}


def seed(server: VaultServer, mount: str) -> Mapping[Algorithm, Mapping[str, Any]]:
    """Mount a Transit secrets engine with a key for each algorithm that it has.

    Returns:
        The ``[signer]`` table of each key, without a login.
    """
    client = hvac.Client(url=server.address, token=server.token)
    client.sys.enable_secrets_engine("transit", path=mount)
    for kind in _KEY_TYPES.values():
        client.secrets.transit.create_key(kind, key_type=kind, mount_point=mount)
    return {
        algorithm: {
            "backend": "vault-transit",
            "address": server.address,
            "mount": mount,
            "key": kind,
            "key_version": 1,
        }
        for algorithm, kind in _KEY_TYPES.items()
    }


@contextmanager
def local_signers() -> Iterator[Sequence[LocalSigner]]:
    """A key of each type on a local server, in a secrets engine that is removed at the end."""
    with local_vault() as server:
        mount = f"dfns-demo-{secrets.token_hex(4)}"
        login = {"VAULT_TOKEN": server.token}
        try:
            yield [
                LocalSigner(f"Vault Transit {table['key']}", table, login)
                for table in seed(server, mount).values()
            ]
        finally:
            client = hvac.Client(url=server.address, token=server.token)
            client.sys.disable_secrets_engine(mount)
