"""The servers of a gateway: every listener in one event loop, from start to end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

from dfns_signers.config.profile_guards import open_trail
from dfns_signers.errors import ListeningError
from dfns_signers.gateway.assembly import new_service
from dfns_signers.gateway.loading import LoadedGateway
from dfns_signers.gateway.operation.instruments import new_instruments
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.running import RunningListeners
from dfns_signers.gateway.serving.service_manager import READY, STOPPING, notify

Ready: TypeAlias = Callable[[Sequence[str]], None]

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)
_USUAL: Final = Bounds()


def run_gateway(gateway: LoadedGateway, ready: Ready) -> None:
    """Serve in the foreground until SIGTERM or Ctrl-C; SIGHUP reads the configuration again.

    A second signal ends the process at once, and SIGHUP has no effect from the end on. Arguments
    and errors are those of ``serve``; on Windows, ``ListeningError``.
    """
    if sys.platform == "win32":
        raise ListeningError(
            "the gateway does not run on Windows; run it on Linux, in a container or in WSL"
        )

    _permit_connections()

    async def until_signalled() -> None:
        stop, reload = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            for number in _ENDING:
                loop.remove_signal_handler(number)
            stop.set()

        def listening(urls: Sequence[str]) -> None:
            for number in _ENDING:
                loop.add_signal_handler(number, end)
            ready(urls)

        signal.signal(signal.SIGHUP, lambda _number, _frame: loop.call_soon_threadsafe(reload.set))
        await serve(gateway, listening, stop, reload=reload)
        # Else it would kill the process at its end, as one that the loop handles also would.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    asyncio.run(until_signalled())


def _permit_connections() -> None:
    """Have as many files and connections as the system permits, which programs must ask for."""
    import resource  # noqa: PLC0415  # there is none on Windows

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems permit less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def serve(
    gateway: LoadedGateway,
    ready: Ready,
    stop: asyncio.Event,
    *,
    reload: asyncio.Event | None = None,
    bounds: Bounds = _USUAL,
) -> None:
    """Serve until ``stop`` is set, and return when what was under way has ended.

    Args:
        gateway: as the configuration has it.
        ready: called once every listener accepts connections, with the URL of each: ``http://…``,
            ``https://…`` or ``unix:/PATH``, in the order of ``listen``.
        stop: set from the event loop.
        reload: set from the event loop each time that the configuration is to be read again.
        bounds: of connections.

    Raises:
        SigningKeyError: the key cannot be opened.
        AuditError: the audit trail cannot be written, and calls would be refused.
        ListeningError: an address is in use or not permitted.
    """
    instruments = new_instruments(gateway.settings, gateway.profile)
    service, signer = new_service(gateway, instruments)
    try:
        await signer.aopen()
        await asyncio.to_thread(open_trail, gateway.profile)
        running = RunningListeners(
            gateway, service, bounds, health=instruments.health, metrics=instruments.metrics
        )
        reloading = asyncio.create_task(running.follow(reload or asyncio.Event()))
        try:
            running.open()
            ready(running.urls)
            notify(READY)
            await stop.wait()
            notify(STOPPING)
            reloading.cancel()
            await running.drain()
        finally:
            reloading.cancel()
            running.abort()
    finally:
        await service.upstream.aclose()
        await signer.aclose()
        await asyncio.to_thread(instruments.close)
