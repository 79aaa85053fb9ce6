"""What an operator of Vault does before and while somebody signs, with the root token."""

from __future__ import annotations

import base64
import contextlib
import secrets
from dataclasses import dataclass
from typing import Any

import hvac  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from dfns_signers_testkit.vault import VaultServer
from tests.core.keys import PublicKey


def unique(word: str) -> str:
    """A name that no other run of the suite uses on the same server."""
    return f"dfns-{word}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class AppRole:
    """A role that somebody can log in by."""

    path: str
    role: str
    role_id: str
    secret_id: str

    @property
    def auth(self) -> dict[str, str]:
        return {
            "method": "approle",
            "path": self.path,
            "role_id": self.role_id,
            "secret_id": self.secret_id,
        }


class Operator:
    """Mounts a secrets engine of its own, and removes at the end whatever it made."""

    def __init__(self, server: VaultServer, namespace: str | None = None) -> None:
        self.server = server
        self.client: Any = hvac.Client(url=server.address, token=server.token, namespace=namespace)
        self.mount = f"{unique('mount')}/transit"
        self._policies: list[str] = []
        self._auth_methods: list[str] = []
        self.client.sys.enable_secrets_engine("transit", path=self.mount)

    def clean_up(self) -> None:
        self.client.sys.disable_secrets_engine(self.mount)
        for path in self._auth_methods:
            self.client.sys.disable_auth_method(path)
        for name in self._policies:
            self.client.sys.delete_policy(name)

    @property
    def _transit(self) -> Any:
        return self.client.secrets.transit

    def key(self, key_type: str = "ed25519", *, versions: int = 1, **options: Any) -> str:
        name = unique("key")
        self._transit.create_key(name, key_type=key_type, mount_point=self.mount, **options)
        for _ in range(versions - 1):
            self.rotate(name)
        return name

    def rotate(self, key: str) -> None:
        self._transit.rotate_key(key, mount_point=self.mount)

    def configure(self, key: str, **settings: Any) -> None:
        self._transit.update_key_configuration(key, mount_point=self.mount, **settings)

    def delete(self, key: str) -> None:
        self.configure(key, deletion_allowed=True)
        self._transit.delete_key(key, mount_point=self.mount)

    def described(self, key: str) -> dict[str, Any]:
        data: dict[str, Any] = self._transit.read_key(key, mount_point=self.mount)["data"]
        return data

    def versions(self, prefix: str) -> list[str]:
        """The versions of every key whose name begins so."""
        try:
            names = self._transit.list_keys(mount_point=self.mount)["data"]["keys"]
        except hvac.exceptions.InvalidPath:  # there is none
            return []
        return [
            f"{name}/{version}"
            for name in names
            if name.startswith(prefix)
            for version in self.described(name)["keys"]
        ]

    def public_key(self, key: str, version: int = 1) -> PublicKey:
        """As Vault shows it, read with cryptography alone."""
        text = self.described(key)["keys"][str(version)]["public_key"]
        if text.startswith("-----"):
            return serialization.load_pem_public_key(text.encode())  # type: ignore[return-value]
        return ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(text))

    def policy(self, rules: str) -> str:
        name = unique("policy")
        self.client.sys.create_or_update_policy(name, rules)
        self._policies.append(name)
        return name

    def signing_policy(self, key: str) -> str:
        return self.policy(
            f'path "{self.mount}/keys/{key}" {{ capabilities = ["read"] }}\n'
            f'path "{self.mount}/sign/{key}" {{ capabilities = ["update"] }}\n'
        )

    def token(self, *policies: str, **options: Any) -> str:
        created = self.client.auth.token.create(policies=list(policies), no_parent=True, **options)
        return str(created["auth"]["client_token"])

    def revoke(self, token: str) -> None:
        self.client.auth.token.revoke(token)

    def auth_method(self, kind: str) -> str:
        path = f"{unique(kind)}/login-here"
        self.client.sys.enable_auth_method(kind, path=path)
        self._auth_methods.append(path)
        return path

    def approle(self, *policies: str, **settings: Any) -> AppRole:
        path, role = self.auth_method("approle"), "signer"
        methods = self.client.auth.approle
        methods.create_or_update_approle(
            role, token_policies=list(policies), mount_point=path, **settings
        )
        role_id = methods.read_role_id(role, mount_point=path)["data"]["role_id"]
        secret_id = methods.generate_secret_id(role, mount_point=path)["data"]["secret_id"]
        return AppRole(path, role, role_id, secret_id)

    def tokens_of(self, approle: AppRole) -> list[dict[str, Any]]:
        """What the server knows of the living tokens that a role has handed out."""
        tokens, found = self.client.auth.token, []
        for accessor in tokens.list_accessors()["data"]["keys"]:
            # One that ended in the meantime.
            with contextlib.suppress(hvac.exceptions.VaultError):
                found.append(tokens.lookup_accessor(accessor)["data"])
        return [one for one in found if one["path"] == f"auth/{approle.path}/login"]

    def revoke_tokens_of(self, approle: AppRole) -> None:
        for one in self.tokens_of(approle):
            self.client.auth.token.revoke_accessor(one["accessor"])

    def token_data(self, token: str) -> dict[str, Any]:
        """What the server knows of a token."""
        data: dict[str, Any] = self.client.auth.token.lookup(token)["data"]
        return data
