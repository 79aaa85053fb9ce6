"""A key as the first credential of a new service account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dfns_signers.lifecycle.new_identity import Made, NewIdentity
from dfns_signers.lifecycle.registrable import Client, RegistrationKind, member


class NewServiceAccount(NewIdentity):
    """A key that is to sign for a new service account; the arguments are those of its base."""

    kind: ClassVar[RegistrationKind] = "service-account"
    path: ClassVar[str] = "/auth/service-accounts"
    title: ClassVar[str] = "service account"
    claimed_kind: ClassVar[str] = "ServiceAccount"

    def _resource(self, dfns: Client) -> Any:
        return dfns.auth.service_accounts

    def _made(self, entry: Mapping[str, Any]) -> Made:
        token, info = self.own_token(entry), entry.get("userInfo")
        user_id, where = member(info, "userId", self.path), info or {}
        return Made(
            identity=user_id,
            name=str(where.get("name")),
            is_active=where.get("isActive") is True and token.get("isActive") is True,
            credential_uuid=where.get("credentialUuid") or None,
            user_id=user_id,
            token=token,
        )

    def _tokens(self, entry: Any) -> Sequence[Any]:
        tokens = entry.get("accessTokens") if isinstance(entry, Mapping) else None
        return tokens if isinstance(tokens, list) else []

    def _external_id_of(self, entry: Mapping[str, Any]) -> object:
        info = entry.get("userInfo")
        return info.get("externalId") if isinstance(info, Mapping) else None
