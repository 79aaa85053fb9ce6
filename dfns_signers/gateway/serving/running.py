"""All listeners of a gateway at work: opened together, reloaded together, drained together."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from dfns_signers.errors import DfnsSignersError
from dfns_signers.gateway.configuration.addresses import TcpAddress
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.loading import LoadedGateway
from dfns_signers.gateway.operation.admin import AdminApplication
from dfns_signers.gateway.operation.health import Health
from dfns_signers.gateway.operation.metrics import Metrics
from dfns_signers.gateway.reloading import load_again
from dfns_signers.gateway.requests.observing import Exchange
from dfns_signers.gateway.service import Service
from dfns_signers.gateway.serving.acceptor import Acceptor
from dfns_signers.gateway.serving.application import api_application
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.listeners import Listener, open_listener
from dfns_signers.gateway.serving.service_manager import READY, notify, reloading
from dfns_signers.gateway.serving.tls import server_context

_log: Final = logging.getLogger(__name__)

_LAST_ANSWERS: Final = 1.0
"""Seconds in which callers hear that their calls are cut off."""

_NOT_TAKEN: Final = "the configuration is not taken, the former one stays"


class RunningListeners:
    """The listeners of a gateway, and what they serve at the moment.

    Args:
        gateway: as the configuration has it.
        service: what answers; its callers are replaced by a reload.
        bounds: of connections.
        health: its state is set.
        metrics: shown by the admin listener.

    Raises:
        ConfigurationError: a certificate cannot be used.
    """

    def __init__(
        self,
        gateway: LoadedGateway,
        service: Service,
        bounds: Bounds,
        *,
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._gateway = gateway
        self._service = service
        self._bounds = bounds
        self._contexts = _contexts(gateway.settings)
        self._acceptors: list[Acceptor] = []
        self._admin: Acceptor | None = None
        metrics.configured(gateway.settings)

    @property
    def urls(self) -> Sequence[str]:
        """Where clients of this machine connect, in the order of ``listen``."""
        return [acceptor.listener.url for acceptor in self._acceptors]

    def open(self) -> None:
        """Listen on every address, or on none.

        Raises:
            ListeningError: an address is in use or not permitted.
        """
        settings = self._gateway.settings
        with ExitStack() as opened:
            for address in settings.addresses:
                listener = open_listener(address)
                opened.callback(listener.close)
                self._acceptors.append(self._for_api(listener))
            if settings.admin_address is not None:
                listener = open_listener(settings.admin_address)
                opened.callback(listener.close)
                self._admin = self._for_admin(listener)
            opened.pop_all()
        for acceptor in self._all:
            acceptor.start()
            connections = self._metrics.connections.labels(acceptor.listener.address.text)
            connections.set_function(partial(_count, acceptor))
        self._health.state = "serving"

    @property
    def _all(self) -> Sequence[Acceptor]:
        return [*self._acceptors, *([self._admin] if self._admin else [])]

    def _for_api(self, listener: Listener) -> Acceptor:
        application = api_application(
            self._service,
            hosts=lambda: listener.hosts.union(self._gateway.settings.hosts),
            max_body=self._gateway.settings.max_body,
            is_draining=lambda: self._health.state == "draining",
        )
        return Acceptor(
            listener,
            application,
            lambda refusal, peer: self._service.refuse(Exchange(peer), refusal),
            tls=partial(self._context, listener),
            bounds=self._bounds,
        )

    def _for_admin(self, listener: Listener) -> Acceptor:
        application = AdminApplication(self._health, self._metrics, listener.hosts)
        return Acceptor(
            listener,
            application,
            lambda refusal, _peer: refusal.answer(),
            tls=lambda: None,
            bounds=self._bounds,
        )

    def _context(self, listener: Listener) -> ssl.SSLContext | None:
        name = _tls_of(listener)
        return None if name is None else self._contexts[name]

    async def follow(self, asked: asyncio.Event) -> None:
        """Read the configuration again each time that the event is set; one after the other."""
        while True:
            await asked.wait()
            asked.clear()
            notify(reloading())
            await self.reload()
            notify(READY)

    async def reload(self) -> None:
        """Take callers, rules and certificates of the file as it is; on an error, none of it."""
        try:
            fresh = await asyncio.to_thread(load_again, self._gateway)
            contexts = _contexts(fresh.settings)
            self._metrics.configured(fresh.settings)  # reads certificates, too
        except DfnsSignersError as error:
            self._metrics.not_configured()
            _log.error("%s: %s", _NOT_TAKEN, "; ".join(str(error).splitlines()))
        except Exception:  # noqa: BLE001  # whatever it is, the gateway goes on
            _log.exception(_NOT_TAKEN)
            self._metrics.not_configured()
        else:
            self._take(fresh, contexts)

    def _take(self, fresh: LoadedGateway, contexts: dict[str, ssl.SSLContext]) -> None:
        former, self._gateway, self._contexts = self._gateway, fresh, contexts
        self._service.callers = fresh.callers
        for acceptor in self._acceptors:
            name = _tls_of(acceptor.listener)
            if any(_asks_for_certificates(one.settings, name) for one in (former, fresh)):
                acceptor.close_waiting()  # what it was identified by may not hold any more
        _log.info("the configuration was read again, and holds from now on")

    async def drain(self) -> None:
        """End: accept connections for the delay, then none, and let calls under way finish."""
        self._health.state = "draining"
        _log.info("ending: calls under way have %g seconds to finish", self._bounds.drain)
        await asyncio.sleep(self._gateway.settings.drain_delay)
        await asyncio.gather(*(acceptor.stop() for acceptor in self._acceptors))
        await self._wait_for_ends(self._bounds.drain)
        cut_off = [call for acceptor in self._acceptors for call in acceptor.calls]
        if cut_off:
            _log.warning(
                "calls that did not end in %g seconds and are cut off: %d; they may have taken "
                "effect",
                self._bounds.drain,
                len(cut_off),
            )
            for call in cut_off:
                call.cancel()
            await self._wait_for_ends(_LAST_ANSWERS)

    async def _wait_for_ends(self, seconds: float) -> None:
        """Wait for calls and connections to end, for so many seconds."""
        ending: list[asyncio.Future[None]] = [
            *(call for acceptor in self._acceptors for call in acceptor.calls),
            *(one.lost for acceptor in self._acceptors for one in acceptor.connections),
        ]
        if ending:
            await asyncio.wait(ending, timeout=seconds)

    def abort(self) -> None:
        """Close what is still open at once."""
        for acceptor in self._all:
            acceptor.abort()
            acceptor.listener.close()


def _contexts(settings: GatewaySettings) -> dict[str, ssl.SSLContext]:
    return {name: server_context(name, table) for name, table in settings.tls.items()}


def _asks_for_certificates(settings: GatewaySettings, tls: str | None) -> bool:
    return tls is not None and settings.tls[tls].client_ca is not None


def _count(acceptor: Acceptor) -> int:
    return len(acceptor.connections)


def _tls_of(listener: Listener) -> str | None:
    """The name of the table of its certificate; None for plain http."""
    return listener.address.tls if isinstance(listener.address, TcpAddress) else None
