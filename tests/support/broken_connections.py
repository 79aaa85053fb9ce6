"""Faults of the connection: refused, silent, cut, slow, and requests or answers in two copies."""

from __future__ import annotations

from tests.support.exchange import Answer, Exchange
from tests.support.fault_kinds import fault

_PAUSE = 0.01
_PIECES = 25
_LONG_PAUSE = 0.2
_SPACES = 50


# Broken connections


@fault
def refuse(exchange: Exchange) -> None:
    """This connection and the next one break."""
    exchange.refuse_next()
    exchange.reset()


@fault
def hang_before(exchange: Exchange) -> None:
    exchange.hang()


@fault
def hang_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.hang()


@fault
def cut_request(exchange: Exchange) -> None:
    """The upstream gets the beginning of the request."""
    exchange.forward_part(exchange.random.randrange(1, len(exchange.request.raw)))
    exchange.reset()


@fault
def cut_after_effect(exchange: Exchange) -> None:
    exchange.forward()
    exchange.end()


@fault
def reset_after_effect(exchange: Exchange) -> None:
    exchange.forward()
    exchange.reset()


@fault
def cut_answer(exchange: Exchange) -> None:
    """The client gets the beginning of the answer."""
    raw = exchange.forward().raw
    exchange.send(raw[: exchange.random.randrange(1, len(raw))])
    exchange.end()


@fault
def stale_keep_alive(exchange: Exchange) -> None:
    """The connection breaks when it is used again."""
    exchange.answer(exchange.forward())
    exchange.reset_when_reused()


# Slow answers


@fault
def drip_head(exchange: Exchange) -> None:
    answer = exchange.forward()
    if exchange.drip([bytes([byte]) for byte in answer.head[:_PIECES]], _PAUSE):
        exchange.send(answer.raw[_PIECES:])


@fault
def drip_body(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.send(answer.head)
    if exchange.drip([bytes([byte]) for byte in answer.body[:_PIECES]], _PAUSE):
        exchange.send(answer.body[_PIECES:])


@fault
def many_103(exchange: Exchange) -> None:
    answer = exchange.forward()
    if exchange.drip([b"HTTP/1.1 103 Early Hints\r\n\r\n"] * _PIECES, _PAUSE):
        exchange.answer(answer)


@fault
def long_drip(exchange: Exchange) -> None:
    """Spaces before the body, one by one, for longer than a call may take."""
    answer = exchange.forward()
    padded = Answer(answer.status, b" " * _SPACES + answer.body, answer.headers)
    exchange.send(padded.head)
    if exchange.drip([b" "] * _SPACES, _LONG_PAUSE):
        exchange.send(answer.body)


@fault
def long_103(exchange: Exchange) -> None:
    """Informational answers for longer than a call may take."""
    answer = exchange.forward()
    if exchange.drip([b"HTTP/1.1 103 Early Hints\r\n\r\n"] * _SPACES, _LONG_PAUSE):
        exchange.answer(answer)


# Answers and requests in the wrong place


@fault
def duplicated_request(exchange: Exchange) -> None:
    """The upstream gets the request twice; the client sees one of the answers."""
    answers = (exchange.forward(), exchange.forward())
    exchange.answer(exchange.random.choice(answers))


@fault
def duplicated_answer(exchange: Exchange) -> None:
    exchange.send(exchange.forward().raw * 2)


@fault
def answer_of_another_step(exchange: Exchange) -> None:
    """The request is carried out, and what came back for an earlier one of the call answers."""
    answer = exchange.forward()
    exchange.answer(exchange.random.choice(exchange.earlier) if exchange.earlier else answer)
