"""Structured logs on standard error: a line for each request, without header, body or query."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, TypeAlias

from dfns_signers.gateway.operation.allowance import Allowance

if TYPE_CHECKING:
    from dfns_signers.gateway.requests.observing import Exchange

OURS: Final = "dfns_signers"
REQUESTS: Final = "dfns_signers.gateway.requests"

Format: TypeAlias = Literal["json", "text"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]

_MEMBERS: Final = "members"
"""Attribute of a log record with what is shown beside the message."""

_STRANGERS: Final = 10
"""Lines in a period for requests whose caller is not known."""

_PERIOD: Final = 60.0
"""Seconds."""

_log: Final = logging.getLogger(REQUESTS)


@contextmanager
def logging_to(stream: TextIO, form: Format, level: Level) -> Iterator[None]:
    """Log to a stream, and nowhere else, until the end of the block.

    The level is that of this package. Other libraries are shown from WARNING on whatever it is, and
    whatever level they are set to: at DEBUG some of them log headers and bodies.

    Args:
        stream: usually standard error.
        form: ``json`` for an object a line, ``text`` for people.
        level: the lowest that is shown.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(_is_ours_or_a_warning)
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    before = root.handlers[:], ours.level
    root.handlers[:] = [handler]
    ours.setLevel(level.upper())
    try:
        yield
    finally:
        root.handlers[:] = before[0]
        ours.setLevel(before[1])


def _is_ours_or_a_warning(record: logging.LogRecord) -> bool:
    is_ours = record.name == OURS or record.name.startswith(f"{OURS}.")
    return is_ours or record.levelno >= logging.WARNING


class JsonFormatter(logging.Formatter):
    """A JSON object: time (UTC), level, logger, message, and the members of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, of ASCII."""
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        return json.dumps(
            {
                "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
                **_shown(record),
            },
            default=str,
        )


class TextFormatter(logging.Formatter):
    """Time, level, message, and the members of the record as ``name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without control characters."""
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        members = [f"{name}={value}" for name, value in _shown(record).items()]
        line = " ".join([moment, record.levelname.lower(), record.getMessage(), *members])
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def _shown(record: logging.LogRecord) -> dict[str, Any]:
    members = dict(getattr(record, _MEMBERS, {}))
    if record.exc_info and record.exc_info[1]:
        error = record.exc_info[1]
        members["error"] = f"{type(error).__name__}: {error}"
    return members


class RequestLog:
    """Logs each request; an ``Observer``.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._strangers = Allowance(_STRANGERS, _PERIOD, clock)

    def began(self, exchange: Exchange) -> None:
        """See ``Observer``."""

    def finished(self, exchange: Exchange) -> None:
        """See ``Observer``."""
        if exchange.caller is None:
            self._log_stranger(exchange)
            return
        place = exchange.operation or f"{exchange.method} {exchange.path}".strip() or "a request"
        _log.log(
            _level(exchange),
            "%s: %d",
            place,
            exchange.status,
            extra={_MEMBERS: members_of(exchange)},
        )

    def _log_stranger(self, exchange: Exchange) -> None:
        # Of a stranger nothing is repeated but the address: neither how much nor what is logged is
        # for it to say.
        left_out = self._strangers.take()
        if left_out is None:
            return
        members = _given(
            status=exchange.status,
            check=exchange.check,
            detail=exchange.detail,
            left_out=left_out or None,
            **_peer(exchange),
        )
        _log.warning("refused before the caller was known", extra={_MEMBERS: members})


def _level(exchange: Exchange) -> int:
    if not exchange.check:
        return logging.INFO
    return logging.ERROR if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING


def members_of(exchange: Exchange) -> dict[str, Any]:
    """What is logged of a request; paths have ids of wallets and the like, and no secret."""
    upstream = exchange.upstream_seconds
    return _given(
        call=exchange.id,
        caller=exchange.caller,
        method=exchange.method,
        path=exchange.path,
        status=exchange.status,
        rule=exchange.rule,
        check=exchange.check,
        detail=exchange.detail,
        milliseconds=round(exchange.seconds * 1000, 1),
        upstream_milliseconds=None if upstream is None else round(upstream * 1000, 1),
        may_have_taken_effect=exchange.may_have_taken_effect or None,
        has_secret_answer=exchange.has_secret_answer or None,
        **_peer(exchange),
    )


def _peer(exchange: Exchange) -> dict[str, Any]:
    peer = exchange.peer
    return _given(listener=peer.listener, uid=peer.uid, address=peer.address)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None and value != ""}
