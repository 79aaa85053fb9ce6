"""How far a call has come, and whether each of its requests left as it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from dfns_signers import deadlines
from dfns_signers.addresses import DEFAULT_PORTS
from dfns_signers.errors import CallError, RequestError
from dfns_signers.sealed import Sealed
from dfns_signers.user_action.request_extensions import PROGRESS_EXTENSION

READS: Final = frozenset({"GET", "HEAD"})
"""Methods that have no effect."""

TARGET_EXTENSION: Final = "target"
"""Extension of httpx that sends a request to another path than that of its URL."""

_OVERRIDING_HEADERS: Final = (
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-HTTP-Method",
    "X-Original-URL",
    "X-Rewrite-URL",
)
"""Headers that have a server or gateway take a request for one of another method or path."""
_OVERRIDING: Final = frozenset(name.lower().encode("ascii") for name in _OVERRIDING_HEADERS)

_WATCHED: Final = ("Host", "Content-Type", "Content-Encoding", *_OVERRIDING_HEADERS)
"""Headers that say what a request is, or how its body is read."""

_SECRET_MEMBERS: Final = ("challenge", "challengeIdentifier", "userAction")

# Seconds; a socket with a timeout of 0 fails in another way.
_NOT_WITHOUT_WAITING: Final = 0.001


@dataclass(slots=True)
class Progress:
    """How far one attempt at a call has come, as ``UserActionAuth`` notes it.

    Attributes:
        has_begun: whether a request was handed over to be sent: the call, or a step of its user
            action.
        has_reached_call: whether the call itself was handed over to be sent.
        signer: the signer that is asked at this moment, if one is.
        signed_by: the signer that answered the challenge, if one did.
        secrets: the tokens and the challenge, as far as they are known.
    """

    has_begun: bool = False
    has_reached_call: bool = False
    signer: object = None
    signed_by: object = None
    secrets: list[Sealed[str]] = field(default_factory=list)

    def note_secrets(self, answer: Sealed[Mapping[str, Any]]) -> None:
        """Add what the answer to a step of a user action has that only its signer may see."""
        for name in _SECRET_MEMBERS:
            value: Sealed[Any] = Sealed(answer.open().get(name))
            if isinstance(value.open(), str):
                self.secrets.append(value)


def progress_of(request: httpx.Request) -> Progress | None:
    """The progress of a call, if a client of this package made the request."""
    progress = request.extensions.get(PROGRESS_EXTENSION)
    return progress if isinstance(progress, Progress) else None


def refuse_overrides(request: httpx.Request) -> None:
    """Refuse a request that a server could take for another than its method and URL say."""
    if TARGET_EXTENSION in request.extensions:
        raise RequestError(
            f"the extension 'target' of {request.method} {request.url.path} is refused: it sends "
            "another path than the one that is announced"
        )
    if not _OVERRIDING.isdisjoint(name.lower() for name, _ in request.headers.raw):
        found = next(name for name in _OVERRIDING_HEADERS if name in request.headers)
        raise RequestError(
            f"the header {found!r} of {request.method} {request.url.path} is refused: a server "
            "may carry out another method or path than the one that is announced. Remove it"
        )
    hosts = request.headers.get_list("Host")
    if any(host.lower() not in _hosts_of(request.url) for host in hosts) or len(hosts) > 1:
        raise RequestError(
            f"the header 'Host' of {request.method} {request.url.path} is not "
            f"{request.url.netloc.decode('ascii')}, the host of its URL: a server may take the "
            "request for that of another host. Remove it, and set 'base_url'"
        )


def _hosts_of(url: httpx.URL) -> set[str]:
    """What the Host header may be: the host, and with its port where that is the default."""
    host = url.netloc.decode("ascii").lower()
    return {host} if url.port else {host, f"{host}:{DEFAULT_PORTS.get(url.scheme)}"}


def keep_to_the_deadline(request: httpx.Request) -> None:
    """Shorten the timeouts of a request to the time that is left."""
    left = deadlines.remaining()
    if left is None:
        return
    left = max(left, _NOT_WITHOUT_WAITING)
    given = request.extensions.get("timeout", {})
    timeouts = {
        kind: min(left, given.get(kind) or left) for kind in ("connect", "read", "write", "pool")
    }
    request.extensions = {**request.extensions, "timeout": timeouts}


class Departure:
    """A request as it is handed over to be sent, which event hooks of httpx can change.

    Args:
        request: with its body read.
        is_call: whether it is the call itself, not a step of its user action.
    """

    def __init__(self, request: httpx.Request, *, is_call: bool) -> None:
        self._request = request
        self._is_call = is_call
        self._made = Sealed(self._sent())

    def require_unchanged(self) -> None:
        """Refuse what came back if the request was changed on its way; CallError if so."""
        sent = Sealed(self._sent())
        if sent.open() == self._made.open():
            return
        made = _watched(self._made.open())
        changed = [name for name, value in _watched(sent.open()).items() if value != made[name]]
        if not changed:
            return
        method, url = made["method"], made["URL"]
        error = CallError(
            f"{method} {url.path} was changed after it was announced ({', '.join(changed)}): an "
            "event hook of the httpx client must not change the request"
        )
        only_read = {method, self._request.method} <= READS
        error.may_have_taken_effect = self._is_call and not only_read
        raise error

    def _sent(self) -> dict[str, Any]:
        request = self._request
        return {
            "method": request.method,
            "URL": request.url,
            "extension 'target'": request.extensions.get(TARGET_EXTENSION),
            "body": request.stream,
            "headers": request.headers.raw,
        }


def _watched(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What nobody may change; of the headers, those that say what the request is."""
    headers = {
        f"header {watched!r}": [
            value for name, value in sent["headers"] if name.lower() == watched.lower().encode()
        ]
        for watched in _WATCHED
    }
    return {**{name: part for name, part in sent.items() if name != "headers"}, **headers}
