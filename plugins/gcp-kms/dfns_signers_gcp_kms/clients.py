"""Google's clients: one that blocks, and one for each event loop that signs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.api_core.client_options import ClientOptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.kms_v1 import KeyManagementServiceAsyncClient, KeyManagementServiceClient
from typing_extensions import Self

from dfns_signers.errors import ConfigurationError
from dfns_signers_gcp_kms.credentials import load_credentials
from dfns_signers_gcp_kms.endpoints import parse_endpoint
from dfns_signers_gcp_kms.options import ConnectionOptions

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

# A proxy has no business between this machine and itself.
_PLAINTEXT: Final = (("grpc.enable_http_proxy", 0),)


class Clients:
    """The clients of one key; safe to use from several threads and event loops.

    Args:
        client: Google's blocking client, over gRPC.
        new_async_client: makes Google's asyncio client; called within each event loop that signs,
            since such a client belongs to the loop it was made in. Without it, ``client`` is used
            in a worker thread.
        owned: whether ``close`` closes ``client`` too.

    Attributes:
        closed: whether ``close`` or ``aclose`` was called.
    """

    def __init__(
        self,
        client: KeyManagementServiceClient,
        new_async_client: Callable[[], KeyManagementServiceAsyncClient] | None = None,
        *,
        owned: bool = False,
    ) -> None:
        self.client = client
        self.new_async_client = new_async_client
        self.closed = False
        self._owned = owned
        self._lock = threading.Lock()
        self._by_loop: dict[asyncio.AbstractEventLoop, KeyManagementServiceAsyncClient] = {}

    @classmethod
    def connect(cls, options: ConnectionOptions) -> Self:
        """Clients as the options say; nothing is sent yet.

        Raises:
            ConfigurationError, KeyAccessError: there are no usable credentials, or Google's
                client refuses its environment.
        """
        address = parse_endpoint(options.endpoint) if options.endpoint else None
        if address is not None and address.plaintext:
            return cls(*_plaintext(address.target), owned=True)
        client_options = ClientOptions(api_endpoint=address.target if address else None)
        return cls(*_secured(load_credentials(options), client_options), owned=True)

    def for_running_loop(
        self, new_async_client: Callable[[], KeyManagementServiceAsyncClient]
    ) -> KeyManagementServiceAsyncClient:
        """The asyncio client of the running event loop, made now if it has none."""
        loop = asyncio.get_running_loop()
        with self._lock:
            for other in [known for known in self._by_loop if known.is_closed()]:
                del self._by_loop[other]
            if loop not in self._by_loop:
                self._by_loop[loop] = new_async_client()
            return self._by_loop[loop]

    def close(self) -> None:
        """Close the clients; those of event loops with the last call under way."""
        with self._lock:
            self.closed = True
            self._by_loop.clear()
        if self._owned:
            transport: Any = self.client.transport
            transport.close()

    async def aclose(self) -> None:
        """Like ``close``, and waits for the client of the running event loop."""
        with self._lock:
            self.closed = True
            client = self._by_loop.pop(asyncio.get_running_loop(), None)
        if client is not None:
            transport: Any = client.transport
            await transport.close()
        self.close()


_NewAsync = Callable[[], KeyManagementServiceAsyncClient]


def _secured(
    credentials: Credentials, options: ClientOptions
) -> tuple[KeyManagementServiceClient, _NewAsync]:
    def new_client(client: Any) -> Any:
        try:
            return client(credentials=credentials, client_options=options)
        except (GoogleAuthError, ValueError) as error:
            raise ConfigurationError(
                "Google's client cannot be made: check the environment variables GOOGLE_API_… and "
                f"GOOGLE_CLOUD_…, and the credentials. Google says: {error}"
            ) from error

    return (
        new_client(KeyManagementServiceClient),
        lambda: new_client(KeyManagementServiceAsyncClient),
    )


def _plaintext(target: str) -> tuple[KeyManagementServiceClient, _NewAsync]:
    def new_client(client: Any, kind: str, channel: Any) -> Any:
        return client(transport=client.get_transport_class(kind)(channel=channel))

    return (
        new_client(
            KeyManagementServiceClient, "grpc", grpc.insecure_channel(target, options=_PLAINTEXT)
        ),
        lambda: new_client(
            KeyManagementServiceAsyncClient,
            "grpc_asyncio",
            grpc.aio.insecure_channel(target, options=_PLAINTEXT),
        ),
    )
