"""How a public key is registered with Dfns, whatever it becomes: looked for first, then made once.

Each is a flow. With a delegated client, the call that registers waits for somebody else's
signature.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from dfns_signers.client.pending import PendingAction
from dfns_signers.client.results import ChangeRequest
from dfns_signers.errors import (
    ApprovalRequiredError,
    CallError,
    DfnsSignersError,
    RegistrationError,
    RequestError,
    UnexpectedResponseError,
    UnsupportedKeyError,
)
from dfns_signers.lifecycle.steps import Flow, asked, ran
from dfns_signers.public_keys import fingerprint, load_public_key
from dfns_signers.registration import public_key_to_register
from dfns_signers.sealed import Sealed
from dfns_signers.signing_key import SigningKey

Client: TypeAlias = Any
"""A client of any of the four kinds: that which drives the flow."""

RegistrationKind: TypeAlias = Literal["credential", "service-account", "token"]


@dataclass(frozen=True, slots=True)
class Registration:
    """What a signing key is registered as.

    Attributes:
        kind: ``credential``, ``service-account``, or ``token`` for a personal access token.
        credential_id: ``credId`` of the credential that the key is.
        credential_uuid: what a credential is deactivated by; None where the API does not say it.
        name: for people.
        identity: id of the service account or of the personal access token; None for a credential.
        token_file: where the token is, of a service account or a personal access token.
        is_new: False where it was found registered already.
    """

    kind: RegistrationKind
    credential_id: str
    credential_uuid: str | None
    name: str
    identity: str | None = None
    token_file: Path | None = None
    is_new: bool = True


class Registrable(ABC):
    """A key that is to be registered, and as what.

    Attributes:
        kind: as of Registration.
        path: of the POST that registers it.
        name: for people.
        public_key: SPKI PEM.
        fingerprint: of the public key.
    """

    kind: ClassVar[RegistrationKind]
    path: ClassVar[str]

    def __init__(self, key: SigningKey, name: str) -> None:
        self.public_key = public_key_to_register(key)
        self.fingerprint = key.fingerprint
        if not name.strip():
            raise RequestError(f"the {self.kind} needs a name, for people: give one")
        self.name = name

    @abstractmethod
    def find(self, dfns: Client, *, replace_lost: bool = False) -> Flow[Registration | None]:
        """What the key is registered as already.

        Args:
            dfns: a client of the identity under which it is registered.
            replace_lost: whether one that is of no use, without its token, is deleted, if the
                caller asked for that.

        Raises:
            RegistrationError: something that is registered is in the way.
        """

    @abstractmethod
    def create(self, dfns: Client) -> Flow[Any]:
        """Send the call that registers it: its answer, or the pending action."""

    @abstractmethod
    def accept(self, answer: Sealed[Any]) -> Registration:
        """Take what the API answered; it may block."""

    @abstractmethod
    def announced_public_key(self, body: Mapping[str, Any]) -> object:
        """The public key in the body of the call."""

    def prepare(self) -> None:  # noqa: B027  # most need nothing
        """Make sure that the answer can be taken; it may block."""

    def discard(self) -> None:  # noqa: B027
        """Undo ``prepare``, where nothing was registered; it may block."""

    def require_own(self, pending: PendingAction) -> None:
        """Refuse a pending action that registers something else with RequestError."""
        if not isinstance(pending, PendingAction):
            raise RequestError(
                f"expected the pending action that was announced, found {type(pending).__name__}; "
                "PendingAction.from_json reads one that was kept as text"
            )
        if (pending.method, pending.path) != ("POST", self.path):
            raise RequestError(
                f"the pending action is {pending.method} {pending.path}, and not the registration "
                f"of a {self.kind} (POST {self.path})"
            )
        announced = None
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            announced = self.announced_public_key(json.loads(pending.payload))
        if fingerprint_of(announced) != self.fingerprint:
            raise RequestError(
                f"the pending action registers another key than {self.fingerprint}: give it with "
                "the key that it was announced for"
            )


def registration(dfns: Client, what: Registrable) -> Flow[Registration]:
    """Register a key with a client that signs; what is registered already is adopted."""
    found = yield from what.find(dfns, replace_lost=True)
    if found is not None:
        return found
    return (yield from _made(dfns, what, what.create(dfns)))


def announcement(dfns: Client, what: Registrable) -> Flow[Registration | PendingAction]:
    """Announce a registration with a delegated client: what somebody else is to sign."""
    found = yield from what.find(dfns)
    return found if found is not None else (yield from what.create(dfns))


def completion(
    dfns: Client, what: Registrable, pending: PendingAction, first_factor: Mapping[str, Any]
) -> Flow[Registration]:
    """Register a key with a delegated client, and the assertion that somebody else made."""
    what.require_own(pending)
    found = yield from what.find(dfns)
    if found is not None:
        return found
    return (yield from _made(dfns, what, asked(dfns.complete, pending, first_factor)))


def _made(dfns: Client, what: Registrable, create: Flow[Any]) -> Flow[Registration]:
    """What a call registers, also where its answer is lost."""
    yield from ran(what.prepare)
    try:
        try:
            answer = Sealed((yield from create))
            require_done(answer.open(), f"the {what.kind} {what.name!r} is registered")
            return (yield from ran(what.accept, answer))
        except CallError as error:
            return (yield from _found_after(error, dfns, what))
    except DfnsSignersError:
        yield from ran(what.discard)
        raise


def require_done(answer: object, what: str) -> None:
    """Refuse the answer that a policy wants approval first with ApprovalRequiredError."""
    if isinstance(answer, ChangeRequest):
        raise ApprovalRequiredError(
            f"a policy wants approval before {what} ({answer.approval_id or answer.id}), "
            "which has not happened yet: have it approved, and run this again"
        )


def _found_after(error: CallError, dfns: Client, what: Registrable) -> Flow[Registration]:
    """What a call has registered although it failed; else, its error.

    Also after a refusal: a proxy may send a call twice, and the second one is refused.
    """
    found = None
    try:
        found = yield from what.find(dfns)
    except CallError:
        raise error from None
    except RegistrationError as problem:
        raise RegistrationError(f"{problem}. The call ended so: {error}") from error
    if found is None:
        raise error
    return replace(found, is_new=True)


def fingerprint_of(public_key: object) -> str | None:
    """The fingerprint of a public key that the API sent; None if it is not one in PEM."""
    try:
        return fingerprint(load_public_key(public_key)) if isinstance(public_key, str) else None
    except UnsupportedKeyError:
        return None


def member(answer: object, name: str, path: str) -> str:
    """A member of an answer that must be a string."""
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, str) or not value:
        raise UnexpectedResponseError(f"the answer of {path} has no {name!r} string")
    return value
