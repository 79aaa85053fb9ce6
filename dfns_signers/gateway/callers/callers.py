"""Who calls: identities of the configuration, and which of them a request is of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from dfns_signers.algorithms import PublicKey
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.gateway.requests.messages import Incoming, Refusal
from dfns_signers.policy.policy import Policy

_SCHEME: Final = "Bearer "


@dataclass(frozen=True, slots=True)
class Credential:
    """The throwaway key of a caller that uses an official SDK."""

    id: str
    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller and its rules; a change of the configuration makes another one.

    Attributes:
        token_digests: SHA-256 of its tokens, lower-case hexadecimal.
        uids: of its processes on a unix socket.
        certificates: names in its client certificate.
        credential: with it, each write must be signed by the caller's own key.
        rate: its calls, such as ``120/minute``; None for no limit of its own.
        needs_all: whether each kind of identity that it has must hold.
        of_profile: the rules of the profile, which hold for every caller; None for none.
    """

    name: str
    policy: Policy = field(repr=False)
    token_digests: frozenset[str] = field(default=frozenset(), repr=False)
    uids: frozenset[int] = frozenset()
    certificates: frozenset[str] = frozenset()
    credential: Credential | None = None
    rate: str | None = None
    needs_all: bool = False
    of_profile: Policy | None = field(default=None, repr=False)

    def require(self, call: AnnouncedCall) -> str:
        """The name of its rule that allows a call, which the profile allows, too.

        Nothing is counted.

        Raises:
            PolicyRefusedError: one of them does not.
        """
        rule = self.policy.require(call)
        if self.of_profile is not None:
            self.of_profile.require(call)
        return rule

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of identity that it has, of ``token``, ``uid`` and ``certificate``."""
        has = {"token": self.token_digests, "uid": self.uids, "certificate": self.certificates}
        return frozenset(kind for kind, values in has.items() if values)


@dataclass(frozen=True, slots=True)
class Identification:
    """Who sent a request, and by what that is known.

    Attributes:
        by: kinds of identity that held, of ``certificate``, ``token`` and ``uid``, sorted.
    """

    caller: Caller
    by: tuple[str, ...]


class UnknownCaller(Refusal):
    """401; the answer does not say why.

    Args:
        reason: the ``detail``, for the operator: ``authorization``, ``token``, ``uid``,
            ``certificate``, ``ambiguous``, ``incomplete``, ``listener`` or ``anonymous``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(401, "caller", "the gateway does not know the caller", detail=reason)


class Callers:
    """All callers, as the configuration had them at one time.

    Args:
        callers: with unique names, of which no two have an identity in common.
        pinned: name of the one caller of a listener, by the listener as ``Peer`` has it.
    """

    def __init__(self, callers: Iterable[Caller], pinned: Mapping[str, str] | None = None) -> None:
        self.by_name: Mapping[str, Caller] = MappingProxyType({each.name: each for each in callers})
        self._pinned = dict(pinned or {})
        every = self.by_name.values()
        self._by_token = {digest: each for each in every for digest in each.token_digests}
        self._by_uid = {uid: each for each in every for uid in each.uids}
        self._by_certificate = {name: each for each in every for name in each.certificates}

    def identify(self, incoming: Incoming) -> Identification:
        """The caller of a request, and how it is known.

        A token or a certificate that is shown must be known, and all that is known must be of one
        caller: nothing that is wrong is passed over because something else is right.

        Raises:
            UnknownCaller: it is none of them.
        """
        found = dict(self._identities(incoming))
        if not found:
            raise UnknownCaller("uid" if incoming.peer.uid is not None else "anonymous")
        caller, *others = {each.name: each for each in found.values()}.values()
        if others:
            raise UnknownCaller("ambiguous")
        if caller.needs_all and caller.kinds != found.keys():
            raise UnknownCaller("incomplete")
        if self._pinned.get(incoming.peer.listener, caller.name) != caller.name:
            raise UnknownCaller("listener")
        return Identification(caller, tuple(sorted(found)))

    def _identities(self, incoming: Incoming) -> Iterator[tuple[str, Caller]]:
        authorization = incoming.headers.get("authorization")
        if authorization is not None:
            yield "token", self._of_token(authorization)
        if incoming.peer.names is not None:
            yield "certificate", self._of_certificate(incoming.peer.names)
        if incoming.peer.uid in self._by_uid:  # a process always has one, known or not
            yield "uid", self._by_uid[incoming.peer.uid]

    def _of_token(self, authorization: str) -> Caller:
        token = authorization.removeprefix(_SCHEME)
        if token == authorization or not token or " " in token:
            raise UnknownCaller("authorization")
        # Looked up by its digest, whose comparison says nothing about the token.
        digest = sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        return _known(self._by_token.get(digest), "token")

    def _of_certificate(self, names: Iterable[str]) -> Caller:
        found = {
            each.name: each
            for name in names
            if (each := self._by_certificate.get(name)) is not None
        }
        if len(found) > 1:
            raise UnknownCaller("ambiguous")
        return _known(next(iter(found.values()), None), "certificate")


def _known(caller: Caller | None, kind: str) -> Caller:
    if caller is None:
        raise UnknownCaller(kind)
    return caller
