"""A key as one more credential of an identity that has one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from dfns_signers.client.call import Call
from dfns_signers.encodings import base64url_decode
from dfns_signers.errors import RegistrationError
from dfns_signers.lifecycle.registrable import (
    Client,
    Registrable,
    Registration,
    RegistrationKind,
    fingerprint_of,
    member,
)
from dfns_signers.lifecycle.steps import Flow, asked, listed, ran
from dfns_signers.registration import attest, new_credential_id
from dfns_signers.sealed import Sealed
from dfns_signers.signing_key import SigningKey


class NewCredential(Registrable):
    """A key that is to be a Key credential of the client's identity.

    Args:
        key: the new key; it signs the attestation.
        name: for people.
        credential_id: the ``credId``; a random one if not given.
        keep_id: called with the ``credId`` once it is certain that the key is to be registered, and
            before it is: for you to write it down.

    Raises:
        ConfigurationError: the key is not a SigningKey.
        RequestError: the name is empty.
    """

    kind: ClassVar[RegistrationKind] = "credential"
    path: ClassVar[str] = "/auth/credentials"

    def __init__(
        self,
        key: SigningKey,
        *,
        name: str,
        credential_id: str | None = None,
        keep_id: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__(key, name)
        self._key = key
        self._credential_id = credential_id
        self._keep_id = keep_id

    def find(self, dfns: Client, *, replace_lost: bool = False) -> Flow[Registration | None]:
        """The credential of this key, if the identity has it and it may sign."""
        del replace_lost
        entries = yield from listed(dfns, Call[Any].of("GET", self.path))
        credentials = [entry for entry in entries if isinstance(entry, Mapping)]
        own = [
            entry
            for entry in credentials
            if fingerprint_of(entry.get("publicKey")) == self.fingerprint
        ]
        self._require_free_id(credentials, own)
        own.sort(key=self._preference)
        return self._adopted(own[0]) if own else None

    def _preference(self, credential: Mapping[str, Any]) -> tuple[bool, bool]:
        is_named = credential.get("credentialId") == self._credential_id
        return not is_named, credential.get("isActive") is not True

    def _require_free_id(
        self, credentials: list[Mapping[str, Any]], own: list[Mapping[str, Any]]
    ) -> None:
        for credential in credentials:
            is_named = credential.get("credentialId") == self._credential_id is not None
            if is_named and credential not in own:
                raise RegistrationError(
                    f"the credential {self._credential_id!r} ({credential.get('name')!r}) is "
                    f"registered with another key than {self.fingerprint}: choose another "
                    "credential id, or none for a random one"
                )

    def _adopted(self, credential: Mapping[str, Any]) -> Registration:
        found = self._registered(credential, is_new=False)
        if self._credential_id not in (None, found.credential_id):
            raise RegistrationError(
                f"the key {self.fingerprint} is registered already, as the credential "
                f"{found.credential_id!r} ({found.name!r}), not as {self._credential_id!r}: set "
                f"credential_id = {found.credential_id!r}"
            )
        if credential.get("isActive") is not True:
            raise RegistrationError(
                f"the key {self.fingerprint} is registered already, as the credential "
                f"{found.credential_id!r} ({found.name!r}), which is deactivated: activate it (PUT "
                "/auth/credentials/activate with "
                f'{{"credentialUuid": "{found.credential_uuid}"}}), or register another key'
            )
        return found

    def create(self, dfns: Client) -> Flow[Any]:
        """Ask for a challenge, sign the attestation, and send both back."""
        credential_id = self._credential_id or new_credential_id()
        if self._keep_id is not None:
            yield from ran(self._keep_id, credential_id)
        challenge = yield from asked(dfns.auth.credentials.challenge)
        info = yield from ran(attest, self._key, challenge, credential_id)
        return (
            yield from asked(
                dfns.auth.credentials.create,
                name=self.name,
                challenge=challenge,
                credential_info=info,
            )
        )

    def accept(self, answer: Sealed[Any]) -> Registration:
        """Take the credential that the API answered."""
        return self._registered(answer.open(), is_new=True)

    def _registered(self, credential: Mapping[str, Any], *, is_new: bool) -> Registration:
        return Registration(
            self.kind,
            member(credential, "credentialId", self.path),
            member(credential, "credentialUuid", self.path),
            str(credential.get("name") or self.name),
            is_new=is_new,
        )

    def announced_public_key(self, body: Mapping[str, Any]) -> object:
        """That of the attestation."""
        attestation = base64url_decode(body["credentialInfo"]["attestationData"])
        return json.loads(attestation)["publicKey"]
