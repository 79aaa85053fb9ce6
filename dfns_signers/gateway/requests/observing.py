"""What became of each request, for the metrics, the log and the audit trail of a gateway."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from dfns_signers.announced_call import new_call_id
from dfns_signers.gateway.requests.messages import Peer

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class Exchange:
    """A request and its answer, filled in as far as the request comes; no secret is in it.

    Attributes:
        peer: who sent it.
        id: names the attempt; the audit records of the signature have the same one.
        method: as it came; empty where the request was not understood.
        path: in the form that the gateway takes, without query; empty where it had another.
        caller: name of the caller; None where it is not known.
        identified_by: by what it was known: ``certificate``, ``token``, ``uid``.
        operation: method and path template of the operation; None where the API has none.
        rule: the rule of the caller that allowed it, or the rule that refused or came near; None
            where no rule is asked, as for the answer to a challenge, whose announcement was.
        check: what refused it, such as ``host``, ``no-rule``, ``rate``; empty where Dfns answered.
        status: of the answer.
        detail: of a failure, for the operator: names keys, profiles and the API; not the answer.
        seconds: from the whole request to its answer.
        upstream_seconds: of them, how long announcing, signing and sending on took; None where
            nothing was sent on.
        may_have_taken_effect: whether Dfns may have carried out a call that was answered with an
            error.
        has_secret_answer: whether the answer hands out a token or a secret.
        body_sha256: SHA-256 of the body in hexadecimal; empty where there is none.
        query_names: names of the query parameters.
    """

    peer: Peer
    id: str = field(default_factory=new_call_id)
    method: str = ""
    path: str = ""
    caller: str | None = None
    identified_by: Sequence[str] = ()
    operation: str | None = None
    rule: str | None = None
    check: str = ""
    status: int = 0
    detail: str = ""
    seconds: float = 0.0
    upstream_seconds: float | None = None
    may_have_taken_effect: bool = False
    has_secret_answer: bool = False
    body_sha256: str = ""
    query_names: Sequence[str] = ()

    @property
    def outcome(self) -> str:
        """``refused`` by the gateway, ``failed`` on the way to Dfns, or ``answered`` by Dfns."""
        if not self.check:
            return "answered"
        return "refused" if self.upstream_seconds is None else "failed"


class Observer(Protocol):
    """Hears of each request; must not raise, and must not wait."""

    def began(self, exchange: Exchange) -> None:
        """A request that was admitted is there whole; nobody has judged it yet."""

    def finished(self, exchange: Exchange) -> None:
        """A request is about to be answered; one that was not admitted has not begun."""


class Observers:
    """Several observers as one, of which none breaks a call.

    Args:
        observers: asked one after the other.
    """

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self._observers = tuple(observers)

    def began(self, exchange: Exchange) -> None:
        """See ``Observer``."""
        for observer in self._observers:
            _observed(observer.began, exchange)

    def finished(self, exchange: Exchange) -> None:
        """See ``Observer``."""
        for observer in self._observers:
            _observed(observer.finished, exchange)


def _observed(observe: Callable[[Exchange], None], exchange: Exchange) -> None:
    try:
        observe(exchange)
    except Exception:  # noqa: BLE001  # whatever it is, the answer goes out
        _log.exception("an observer of requests failed, which changes no answer")
