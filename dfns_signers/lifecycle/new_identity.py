"""A key as the first credential of a new service account or personal access token.

Both come with a bearer token, which the API shows only in the answer that creates them.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from typing_extensions import NotRequired, TypedDict, Unpack

from dfns_signers.client.call import Call
from dfns_signers.errors import DfnsSignersError, RegistrationError, UnexpectedResponseError
from dfns_signers.lifecycle.registrable import (
    Client,
    Registrable,
    Registration,
    fingerprint_of,
    member,
    require_done,
)
from dfns_signers.lifecycle.steps import Flow, asked, listed, ran
from dfns_signers.lifecycle.token_file import TokenFile
from dfns_signers.sealed import Sealed
from dfns_signers.signing_key import SigningKey
from dfns_signers.user_action.token_claims import TokenClaims, read_claims


class NewIdentityOptions(TypedDict):
    """How a service account or a personal access token is created.

    Attributes:
        name: for people.
        token_file: a new file for its token; one of mode 0600 is created.
        permission_id: what it may do.
        external_id: an id of your own; no second one is created with it.
        days_valid: lifetime of the token.
        replace: whether one of this key and this name whose token is lost is deleted, and created
            anew.
    """

    name: str
    token_file: str | os.PathLike[str]
    permission_id: NotRequired[str | None]
    external_id: NotRequired[str | None]
    days_valid: NotRequired[int | None]
    replace: NotRequired[bool]


@dataclass(frozen=True, slots=True)
class Made:
    """A service account or a personal access token that is registered.

    Attributes:
        identity: what it is deleted by.
        user_id: the user that its token acts for.
        token: that which the key signs for, as the API shows it; empty if there is none.
    """

    identity: str
    name: str
    is_active: bool
    credential_uuid: str | None
    user_id: str
    token: Mapping[str, Any]

    def has_token(self, claims: TokenClaims) -> bool:
        """Whether a token is its own."""
        is_one = claims.token_id in (None, self.token.get("tokenId"))
        return is_one and claims.user_id == self.user_id


class NewIdentity(Registrable):
    """What service accounts and personal access tokens share.

    Args:
        key: the key that is to sign for it.
        **options: as NewIdentityOptions has them.

    Raises:
        ConfigurationError: the key is not a SigningKey.
        RequestError: the name is empty.
    """

    title: ClassVar[str]
    claimed_kind: ClassVar[str]

    def __init__(self, key: SigningKey, **options: Unpack[NewIdentityOptions]) -> None:
        super().__init__(key, options["name"])
        self._file = TokenFile(options["token_file"])
        self._replace = options.get("replace", False)
        self._external_id = options.get("external_id")
        self._members = {
            "name": self.name,
            "public_key": self.public_key,
            "permission_id": options.get("permission_id"),
            "external_id": self._external_id,
            "days_valid": options.get("days_valid"),
        }

    @abstractmethod
    def _resource(self, dfns: Client) -> Any:
        """Its typed calls."""

    @abstractmethod
    def _made(self, entry: Mapping[str, Any]) -> Made:
        """An entry of the list, or the answer that created it, without the token itself."""

    @abstractmethod
    def _tokens(self, entry: Any) -> Sequence[Any]:
        """The tokens of an entry, each with the public key that signs for it."""

    @abstractmethod
    def _external_id_of(self, entry: Mapping[str, Any]) -> object:
        """The external id of an entry of the list."""

    def find(self, dfns: Client, *, replace_lost: bool = False) -> Flow[Registration | None]:
        """The one of this key, whose token is in the file."""
        entries = yield from listed(dfns, Call[Any].of("GET", self.path))
        own = [entry for entry in entries if isinstance(entry, Mapping) and self.own_token(entry)]
        made = [self._made(entry) for entry in own]
        self._require_free_external_id(entries, own)
        if not made:
            return None
        found = yield from ran(self._with_token_in_file, made)
        if found is not None:
            return self._adopted(found)
        if not (replace_lost and self._replace):
            raise self._lost(made)
        yield from self._delete(dfns, made)
        return None

    def own_token(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """The token of an entry that the key signs for; empty if there is none."""
        for token in self._tokens(entry):
            public_key = token.get("publicKey") if isinstance(token, Mapping) else None
            if fingerprint_of(public_key) == self.fingerprint:
                return token  # type: ignore[no-any-return]  # a Mapping, as it has the key
        return {}

    def _require_free_external_id(self, entries: list[Any], own: list[Mapping[str, Any]]) -> None:
        if self._external_id is None:
            return
        for entry in entries:
            is_taken = isinstance(entry, Mapping) and entry not in own
            if is_taken and self._external_id_of(entry) == self._external_id:
                other = self._made(entry)
                raise RegistrationError(
                    f"the external id {self._external_id!r} is that of {self._titled(other)}, "
                    f"which has another key than {self.fingerprint}: choose another external id, "
                    "or delete that one"
                )

    def _with_token_in_file(self, made: list[Made]) -> Made | None:
        token = self._file.read()
        if token is None:
            return None
        claims = read_claims(token)
        if claims is not None and claims.kind in (None, self.claimed_kind):
            for one in made:
                if one.has_token(claims):
                    return one
        raise RegistrationError(
            f"the key {self.fingerprint} is registered already, as {self._titled(made[0])}, and "
            f"the file {self._file.path} has something else in it than its token: name the file "
            "that has it, or a new one together with --replace (replace=True)"
        )

    def _adopted(self, found: Made) -> Registration:
        if not found.is_active:
            raise RegistrationError(
                f"the key {self.fingerprint} is registered already, as {self._titled(found)}, "
                f"which is deactivated: activate it (PUT {self.path}/{found.identity}/activate), "
                "or register another key"
            )
        return self._registration(found, is_new=False)

    def _lost(self, made: list[Made]) -> RegistrationError:
        these = ", ".join(map(self._titled, made))
        return RegistrationError(
            f"the key {self.fingerprint} is registered already, as {these}, and its token is not "
            f"in {self._file.path}: the API shows it only once, in the answer that creates it. If "
            "you have it, name its file; if it is lost, run this again with --replace "
            "(replace=True), which deletes what is registered and registers it anew"
        )

    def _delete(self, dfns: Client, made: list[Made]) -> Flow[None]:
        """Delete the one whose token is lost; not before there is a file for the new one."""
        if len(made) > 1 or made[0].name != self.name:
            raise RegistrationError(
                f"the key {self.fingerprint} is registered as "
                f"{', '.join(map(self._titled, made))}: only a single one that is named "
                f"{self.name!r} is replaced; delete those that are not needed yourself (DELETE "
                f"{self.path}/{made[0].identity})"
            )
        yield from ran(self._file.reserve)
        try:
            answer = yield from asked(self._resource(dfns).delete, made[0].identity)
            require_done(answer, f"{self._titled(made[0])} is deleted")
        except DfnsSignersError:
            yield from ran(self._file.release)
            raise

    def create(self, dfns: Client) -> Flow[Any]:
        """Send the public key."""
        return (yield from asked(partial(self._resource(dfns).create, **self._members)))

    def accept(self, answer: Sealed[Any]) -> Registration:
        """Write the token into its file."""
        self._file.write(self._secret(answer), f"the {self.title} {self.name!r}")
        return self._registration(self._made(_without_tokens(answer)), is_new=True)

    def _secret(self, answer: Sealed[Any]) -> Sealed[str]:
        tokens = Sealed([_secret_in(token) for token in self._tokens(answer.open())])
        if len(tokens.open()) != 1 or not tokens.open()[0].open():
            raise UnexpectedResponseError(f"the answer of POST {self.path} has no token")
        return tokens.open()[0]

    def prepare(self) -> None:
        """Create the file for the token."""
        self._file.reserve()

    def discard(self) -> None:
        """Remove the file, if no token came."""
        self._file.release()

    def announced_public_key(self, body: Mapping[str, Any]) -> object:
        """The one that is sent."""
        return body["publicKey"]

    def _registration(self, made: Made, *, is_new: bool) -> Registration:
        return Registration(
            self.kind,
            member(made.token, "credId", self.path),
            made.credential_uuid,
            made.name,
            made.identity,
            self._file.path,
            is_new,
        )

    def _titled(self, made: Made) -> str:
        return f"the {self.title} {made.identity} ({made.name!r})"


def _secret_in(token: Any) -> Sealed[Any]:
    secret = token.get("accessToken") if isinstance(token, Mapping) else None
    return Sealed(secret if isinstance(secret, str) else None)


def _without_tokens(answer: Sealed[Any]) -> Any:
    """The same JSON without the tokens themselves."""
    if isinstance(answer.open(), list):
        return [_without_tokens(Sealed(value)) for value in answer.open()]
    if isinstance(answer.open(), Mapping):
        return {
            name: _without_tokens(Sealed(value))
            for name, value in answer.open().items()
            if name != "accessToken"
        }
    return answer.open()
