"""The API of a listener as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from dfns_signers.gateway.requests.grammar import read_request
from dfns_signers.gateway.requests.messages import Refusal, send_answer
from dfns_signers.gateway.requests.observing import Exchange
from dfns_signers.gateway.service import Service, cut_off
from dfns_signers.gateway.serving.acceptor import Application


def api_application(
    service: Service,
    *,
    hosts: Callable[[], frozenset[str]],
    max_body: int,
    is_draining: Callable[[], bool],
) -> Application:
    """Answers requests by a service.

    Args:
        service: what answers.
        hosts: what ``Host`` may be at the moment.
        max_body: bytes.
        is_draining: whether clients are asked to connect anew for their next request.
    """

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        exchange = Exchange(scope["state"]["peer"])
        try:
            incoming = await read_request(
                scope,
                receive,
                exchange.peer,
                max_body=max_body,
                hosts=hosts(),
                admit=partial(service.admit, exchange),
            )
        except Refusal as refusal:
            answer = service.refuse(exchange, refusal)
        except asyncio.CancelledError:  # while the body is awaited
            answer = service.refuse(exchange, cut_off(exchange))
        else:
            answer = await service.answer(exchange, incoming)
        await send_answer(answer, send, close=is_draining())

    return application
