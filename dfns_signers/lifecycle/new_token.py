"""A key as the credential of a new personal access token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from dfns_signers.errors import PermissionDeniedError
from dfns_signers.lifecycle.new_identity import Made, NewIdentity
from dfns_signers.lifecycle.registrable import Client, RegistrationKind, member
from dfns_signers.lifecycle.steps import Flow


class NewToken(NewIdentity):
    """A key that is to sign for a new personal access token of the client's user, likewise."""

    kind: ClassVar[RegistrationKind] = "token"
    path: ClassVar[str] = "/auth/pats"
    title: ClassVar[str] = "personal access token"
    claimed_kind: ClassVar[str] = "Pat"

    def create(self, dfns: Client) -> Flow[Any]:
        """Send the public key; only the login session of a user may."""
        try:
            return (yield from super().create(dfns))
        except PermissionDeniedError as error:
            advice = (
                "Only the login session of a user may create personal access tokens, not the token "
                "of a service account nor another personal access token: use a profile whose "
                "'auth_token' is that of a login, or register a service account"
            )
            error.args = (f"{error.args[0]}. {advice}",)
            raise

    def _resource(self, dfns: Client) -> Any:
        return dfns.auth.personal_access_tokens

    def _made(self, entry: Mapping[str, Any]) -> Made:
        return Made(
            identity=member(entry, "tokenId", self.path),
            name=str(entry.get("name")),
            is_active=entry.get("isActive") is True,
            credential_uuid=None,
            user_id=member(entry, "linkedUserId", self.path),
            token=self.own_token(entry),
        )

    def _tokens(self, entry: Any) -> Sequence[Any]:
        return [entry]

    def _external_id_of(self, entry: Mapping[str, Any]) -> object:
        return entry.get("externalId")
