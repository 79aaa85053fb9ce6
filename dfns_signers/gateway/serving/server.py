"""The servers of a gateway: every listener in one event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn

from dfns_signers.gateway.assembly import LoadedGateway, new_service
from dfns_signers.gateway.grammar import read_request
from dfns_signers.gateway.messages import Answer, Peer, Refusal
from dfns_signers.gateway.raw_requests import StrictProtocol
from dfns_signers.gateway.service import Service

Ready = Callable[[Sequence[str]], None]


def run_gateway(gateway: LoadedGateway, ready: Ready) -> None:
    """Serve in the foreground until SIGTERM or Ctrl-C; arguments and errors as of ``serve``."""

    async def until_signalled() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await serve(gateway, ready, stop)

    asyncio.run(until_signalled())


async def serve(gateway: LoadedGateway, ready: Ready, stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set, and return when what was under way has ended.

    Args:
        gateway: as the configuration has it.
        ready: called once every listener accepts connections, with the URL of each: ``http://…``,
            ``https://…`` or ``unix:/PATH``, in the order of ``listen``.
        stop: set from the event loop.

    Raises:
        SigningKeyError: the key cannot be opened.
        ListeningError: an address is in use or not permitted.
    """
    service, signer = new_service(gateway)
    try:
        await signer.aopen()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        host, _, port = gateway.settings.listen[0].rpartition(":")
        listener.bind((host, int(port)))
        listener.listen(128)
        address = f"{host}:{listener.getsockname()[1]}"
        server = _Server(
            uvicorn.Config(
                _application(service, gateway, Peer(gateway.settings.listen[0]), address),
                http=StrictProtocol,
                ws="none",
                lifespan="off",
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
                log_level="warning",
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        ready([f"http://{address}"])
        await stop.wait()
        server.should_exit = True
        await serving
        await service.upstream.aclose()
    finally:
        await signer.aclose()


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        """Leave the signals of the process alone."""
        import contextlib  # noqa: PLC0415

        return contextlib.nullcontext()


def _application(service: Service, gateway: LoadedGateway, peer: Peer, address: str) -> Any:
    """An API listener as an ASGI application."""
    hosts = frozenset({address, *gateway.settings.hosts})

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        try:
            incoming = await read_request(
                scope, receive, peer, max_body=gateway.settings.max_body, hosts=hosts
            )
        except Refusal as refusal:
            answer = service.refuse(refusal, peer)
        else:
            answer = await service.answer(incoming)
        await _send(answer, send)

    return application


async def _send(answer: Answer, send: Any) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})
