"""What the gateway itself records: who connected, refusals at the door, and reads."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import ContextVar
from typing import Any, Final

from dfns_signers.config.guard import Recorder
from dfns_signers.errors import AuditError, DfnsSignersError
from dfns_signers.gateway.operation.allowance import Allowance
from dfns_signers.gateway.requests.observing import Exchange
from dfns_signers.user_action.endpoints import needs_user_action
from dfns_signers.user_action.signing_flow import COMPLETE_PATH, INIT_PATH
from dfns_signers.worker_threads import WorkerThreads

_log: Final = logging.getLogger(__name__)

_REFUSALS: Final = 300
"""Refusals of one caller that are recorded in a period."""

_PERIOD: Final = 60.0
"""Seconds."""

_PENDING: Final = 1000
"""Records that may wait for the disk."""

_current: Final[ContextVar[Exchange | None]] = ContextVar("dfns_signers_exchange", default=None)


class PeerRecorder:
    """The audit trail of the profile, whose decisions also say who was at the other end.

    Args:
        trail: where records go.
        failed: called for each record that cannot be written.
    """

    def __init__(self, trail: Recorder, failed: Callable[[], object]) -> None:
        self._trail = trail
        self._failed = failed

    def append(self, event: str, *, call_id: str, **members: Any) -> None:
        """As of ``AuditTrail``."""
        exchange = _current.get()
        if event == "decided" and exchange is not None and exchange.id == call_id:
            members = {**members, **_peer(exchange)}
            if members.get("outcome") == "allowed":
                # The door counted the rates of rules, and knows which one it was.
                members["rule"] = exchange.rule
        try:
            self._trail.append(event, call_id=call_id, **members)
        except AuditError:
            self._failed()
            raise


class AuditObserver:
    """Records what never reaches the guard of the signer; an ``Observer``.

    Requests of unknown callers are counted and logged, and not recorded: strangers must not fill
    the disk. What is recorded is written in a thread, in this order.

    Args:
        trail: that which the guard writes into.
        reads: whether reads are recorded.
        failed: called for each record that is left out, because the disk is too slow.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        trail: Recorder,
        *,
        reads: bool,
        failed: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trail = trail
        self._reads = reads
        self._failed = failed
        self._threads = WorkerThreads(1)
        self._pending: set[Future[None]] = set()
        self._refusals: defaultdict[str, Allowance] = defaultdict(
            lambda: Allowance(_REFUSALS, _PERIOD, clock)
        )

    def began(self, exchange: Exchange) -> None:
        """Have a decision on this request say who was at the other end."""
        _current.set(exchange)

    def finished(self, exchange: Exchange) -> None:
        """Record a refusal at the door, a read, and an answer that gives power."""
        if exchange.caller is None:
            return
        if exchange.outcome == "refused":
            left_out = self._refusals[exchange.caller].take()
            if left_out is not None:
                self._append("decided", exchange, outcome="refused", leftOut=left_out or None)
        elif self._is_recorded(exchange):
            self._append("answered", exchange)
        if exchange.has_secret_answer:
            self._append("handed-out", exchange)

    def close(self, patience: float = 10.0) -> None:
        """Wait for what is not on the disk yet, for so many seconds."""
        wait(set(self._pending), patience)

    def _is_recorded(self, exchange: Exchange) -> bool:
        if needs_user_action(exchange.method, exchange.path):
            return False  # the guard did
        if exchange.path in {INIT_PATH, COMPLETE_PATH}:
            return False  # the call that it is for will be
        return self._reads or exchange.method != "GET"

    def _append(self, event: str, exchange: Exchange, **members: Any) -> None:
        if len(self._pending) >= _PENDING:
            self._failed()
            _log.error("the audit trail is too slow: a record is left out")
            return
        members = {**_request(exchange), **_peer(exchange), **members}
        try:
            writing = self._threads.submit(self._write, event, exchange.id, members)
        except DfnsSignersError as error:  # there is no thread to be had
            self._failed()
            _log.error("a record of the audit trail is left out: %s", error)
            return
        self._pending.add(writing)
        writing.add_done_callback(self._pending.discard)

    def _write(self, event: str, call_id: str, members: dict[str, Any]) -> None:
        try:
            self._trail.append(event, call_id=call_id, **members)
        except AuditError as error:
            _log.error("a record of the audit trail is left out: %s", error)


def _request(exchange: Exchange) -> dict[str, Any]:
    upstream = exchange.upstream_seconds
    return {
        "caller": exchange.caller,
        "method": exchange.method or None,
        "path": exchange.path or None,
        "query": list(exchange.query_names) or None,
        "bodySha256": exchange.body_sha256 or None,
        "rule": exchange.rule,
        "check": exchange.check or None,
        "status": exchange.status,
        "mayHaveTakenEffect": exchange.may_have_taken_effect or None,
        "milliseconds": round(exchange.seconds * 1000, 3),
        "upstreamMilliseconds": None if upstream is None else round(upstream * 1000, 3),
    }


def _peer(exchange: Exchange) -> dict[str, Any]:
    peer = exchange.peer
    return {
        "listener": peer.listener,
        "identifiedBy": list(exchange.identified_by) or None,
        "uid": peer.uid,
        "pid": peer.pid,
        "address": peer.address or None,
        "names": list(peer.names or ()) or None,
    }
