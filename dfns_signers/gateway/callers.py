"""Who calls: identities of the configuration, and which of them a request is of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from dfns_signers.algorithms import PublicKey
from dfns_signers.gateway.messages import Incoming, Refusal
from dfns_signers.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Credential:
    """The throwaway key of a caller that uses an official SDK."""

    id: str
    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller and its rules; a change of the configuration makes another one.

    Attributes:
        credential: with it, each write must be signed by the caller's own key.
        rate: its calls, such as ``120/minute``; None for no limit of its own.
    """

    name: str
    policy: Policy
    token_digests: frozenset[str] = frozenset()
    uids: frozenset[int] = frozenset()
    certificates: frozenset[str] = frozenset()
    credential: Credential | None = None
    rate: str | None = None
    needs_all: bool = False


class Callers:
    """All callers, as the configuration had them at one time.

    Args:
        callers: with unique names.
    """

    def __init__(self, callers: Iterable[Caller]) -> None:
        self.by_name = {caller.name: caller for caller in callers}

    def identify(self, incoming: Incoming) -> Caller:
        """The caller of a request.

        Raises:
            Refusal: 401, it is none of them.
        """
        scheme, _, token = incoming.headers.get("authorization", "").partition(" ")
        digest = sha256(token.encode()).hexdigest() if scheme.lower() == "bearer" else ""
        for caller in self.by_name.values():
            if digest in caller.token_digests or incoming.peer.uid in caller.uids:
                return caller
        raise Refusal(401, "caller", "the gateway does not know the caller")
