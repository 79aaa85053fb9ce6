"""Transit keys on a local OpenBao or Vault. Needs the extra ``vault``."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import hvac  # type: ignore[import-untyped]

from dfns_signers_testkit.local_signer import LocalSigner
from dfns_signers_testkit.vault import VaultServer, local_vault

_KEY_TYPES: Final = ("ed25519", "ecdsa-p256", "rsa-2048")


@contextmanager
def local_signers() -> Iterator[Sequence[LocalSigner]]:
    """A key of each type on a local server, in a secrets engine that is removed at the end."""
    with local_vault() as server:
        client = hvac.Client(url=server.address, token=server.token)
        mount = f"dfns-demo-{secrets.token_hex(4)}"
        client.sys.enable_secrets_engine("transit", path=mount)
        try:
            yield [_signer(client, server, mount, name) for name in _KEY_TYPES]
        finally:
            client.sys.disable_secrets_engine(mount)


def _signer(client: Any, server: VaultServer, mount: str, key_type: str) -> LocalSigner:
    client.secrets.transit.create_key(key_type, key_type=key_type, mount_point=mount)
    table = {
        "backend": "vault-transit",
        "address": server.address,
        "mount": mount,
        "key": key_type,
        "key_version": 1,
    }
    return LocalSigner(f"Vault Transit {key_type}", table, {"VAULT_TOKEN": server.token})
