"""Faults of the answer: errors, redirects, and what the API does not document."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from email.utils import formatdate
from functools import cache
from typing import Any

from tests.support.exchange import Answer, Exchange
from tests.support.fault_kinds import FAULTS, fault

_ODD_LOCATIONS = (
    "https://elsewhere.example/wallets",
    "/wallets?again=1",
    "//xn--.",
    "http://xn--a/",
    "javascript:@",
    "mailto:x",
    ":abchttp://%\xff[",
    "http://[::1",
    "",
)
_ODD_COOKIES = ("s=\xe4\xf6\xfc", "s=\x7f\x80", "a" * 4000 + "=1", "=", "s=1; Domain=.example")
_DEPTHS = (300, 700, 850, 950, 1_000, 5_000, 100_000)
_MEMBERS_OF_STEPS = ("challenge", "challengeIdentifier", "userAction", "allowCredentials")
_OTHER_MEMBERS = ("id", "status", "data", "keys", "errors", "Signature", "message", "__type")
_HUGE = 2**21


def _answering(name: str, status: int, make: Callable[[Exchange], dict[str, str]]) -> None:
    """Two faults with the same answer: without the effect of the request, and with it."""

    def reply(exchange: Exchange) -> None:
        body = json.dumps({"error": {"message": f"a fault: {name}"}}).encode()
        headers = {"Content-Type": "application/json", **make(exchange)}
        exchange.answer(Answer(status, body, headers))

    def after(exchange: Exchange) -> None:
        exchange.forward()
        reply(exchange)

    FAULTS[f"{name}_before"] = reply
    if status != 429:  # a server that carried the request out cannot be known to have, by a 429
        FAULTS[f"{name}_after"] = after


for _status in (408, 500, 502, 503, 504):
    _answering(f"status_{_status}", _status, lambda _: {})
for _name, _value in {
    "without_retry_after": None,
    "retry_after_0": "0",
    "retry_after_1": "1",
    "retry_after_3600": "3600",
    "retry_after_nonsense": "soon\xff",
    "retry_after_huge": "9" * 400,
}.items():
    _fields = {} if _value is None else {"Retry-After": _value}
    _answering(f"status_429_{_name}", 429, lambda _, fields=_fields: fields)  # type: ignore[misc]
_answering("status_429_retry_after_date", 429, lambda _: {"Retry-After": formatdate(usegmt=True)})
_answering("redirect", 307, lambda exchange: {"Location": exchange.random.choice(_ODD_LOCATIONS)})


# Answers that are not what the API documents; the upstream has carried the request out


def _instead(exchange: Exchange, body: bytes, **headers: str) -> None:
    status = exchange.forward().status
    exchange.answer(Answer(status, body, {"Content-Type": "application/json", **headers}))


@fault
def html(exchange: Exchange) -> None:
    _instead(exchange, b"<html>welcome to the hotel</html>", **{"Content-Type": "text/html"})


@fault
def wrong_content_type(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.answer(Answer(answer.status, answer.body, {"Content-Type": "text/plain"}))


@fault
def empty(exchange: Exchange) -> None:
    _instead(exchange, b"")


@fault
def not_utf8(exchange: Exchange) -> None:
    _instead(exchange, b'{"challenge": "\xff\xfe", "userAction": "\xff", "name": "\xff"}')


@fault
def wrong_shape(exchange: Exchange) -> None:
    shapes: tuple[Any, ...] = ([], [[]], None, 5, "text", True)
    _instead(exchange, json.dumps(exchange.random.choice(shapes)).encode())


@fault
def wrong_members(exchange: Exchange) -> None:
    """Members of other types than documented."""
    odd: Any = exchange.random.choice([None, 5, [], {}, "", "\ud800", "a\r\nb: c", "\x00"])
    is_step = exchange.request.target.startswith("/auth/action")
    names = _MEMBERS_OF_STEPS if is_step else _OTHER_MEMBERS
    _instead(exchange, json.dumps(dict.fromkeys(names, odd)).encode())


@fault
def deep_json(exchange: Exchange) -> None:
    depth = exchange.random.choice(_DEPTHS)
    _instead(exchange, b'{"a":' * depth + b"1" + b"}" * depth)


@fault
def deep_error(exchange: Exchange) -> None:
    depth = exchange.random.choice(_DEPTHS)
    status = exchange.random.choice((500, 503))
    exchange.forward()
    nested = b'{"error":{"message":"deep","details":' + b"[" * depth + b"]" * depth + b"}}"
    exchange.answer(Answer(status, nested, {"Content-Type": "application/json"}))


@fault
def huge(exchange: Exchange) -> None:
    _instead(exchange, b'{"a":"' + b" " * _HUGE + b'"}')


@fault
def gzip_bomb(exchange: Exchange) -> None:
    _instead(exchange, _bomb(), **{"Content-Encoding": "gzip"})


@fault
def damaged_gzip(exchange: Exchange) -> None:
    _instead(exchange, b"\x1f\x8b not gzip", **{"Content-Encoding": "gzip"})


@cache
def _bomb() -> bytes:
    return gzip.compress(b'{"a":"' + b" " * (8 * _HUGE) + b'"}', 9)


@fault
def odd_error_message(exchange: Exchange) -> None:
    """Lone surrogates, terminal codes and line ends where a person will read them."""
    exchange.forward()
    message = "\ud800\x1b[31m\r\nWARNING forged\u2028\u202e\x00"
    body = json.dumps({"error": {"message": message, "id": message}}).encode()
    exchange.answer(Answer(500, body, {"Content-Type": "application/json"}))


@fault
def odd_cookie(exchange: Exchange) -> None:
    answer = exchange.forward()
    cookie = {"Set-Cookie": exchange.random.choice(_ODD_COOKIES)}
    exchange.answer(Answer(answer.status, answer.body, {**answer.headers, **cookie}))


@fault
def garbage(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(
        exchange.random.choice((b"\x00\xff\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/9 x\r\n\r\n"))
    )
    exchange.end()


@fault
def longer_than_announced(exchange: Exchange) -> None:
    """Bytes after the end of the answer, on a connection that is kept."""
    exchange.send(exchange.forward().raw + b"}")


@fault
def shorter_than_announced(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.head + answer.body[:-1])
    exchange.end()
