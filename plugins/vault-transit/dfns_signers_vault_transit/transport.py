"""HTTP connections that end by a deadline, however slowly a server answers.

A timeout of a socket begins anew with each piece of an answer, head or body; here each piece is
waited for no longer than until the deadline of the operation. Only the look-up of a host's
addresses has no bound but that of the system.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from dfns_signers.plugin import deadlines

_POOL: Final = 64  # connections kept for threads; the default of 10 warns when there are more


class Transport(HTTPAdapter):
    """Keeps the deadline and enough connections, and may expect another name in a certificate."""

    def __init__(self, server_name: str | None) -> None:
        context = create_urllib3_context()
        context.sslsocket_class = _TlsSocket
        self._tls: dict[str, Any] = {"ssl_context": context}
        if server_name:
            self._tls["server_hostname"] = server_name
        super().__init__(pool_maxsize=_POOL)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Like the base class's, with connections that keep the deadline."""
        super().init_poolmanager(*args, **{**kwargs, **self._tls})
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Like the base class's, with connections that keep the deadline."""
        manager = super().proxy_manager_for(proxy, **{**kwargs, **self._tls})
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _UntilDeadline:
    """Waits for each piece no longer than until the deadline."""

    def recv_into(self: Any, *args: Any) -> int:
        self.settimeout(deadlines.at_most(self.gettimeout()))
        received: int = super().recv_into(*args)  # type: ignore[misc]  # a socket's
        return received

    def send(self: Any, *args: Any) -> int:
        self.settimeout(deadlines.at_most(self.gettimeout()))
        sent: int = super().send(*args)  # type: ignore[misc]
        return sent


class _Socket(_UntilDeadline, socket.socket):
    pass


class _TlsSocket(_UntilDeadline, ssl.SSLSocket):
    pass


class _Connecting:
    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]  # a connection's
        timeout = made.gettimeout()
        replaced = _Socket(made.family, made.type, made.proto, fileno=made.detach())
        replaced.settimeout(timeout)
        return replaced


class _Connection(_Connecting, HTTPConnection):
    pass


class _TlsConnection(_Connecting, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS: Final = {"http": _Pool, "https": _TlsPool}
