"""How an emulator listens, and the server that does, whose packages are optional."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dfns_signers.emulator.origins import check_origins
from dfns_signers.emulator.serving.listening import loopback_address
from dfns_signers.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from dfns_signers.emulator.service import Service
    from dfns_signers.emulator.serving.server import ServerThread


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where to listen, and for whom.

    Attributes:
        address: a loopback address.
        port: 0 is any free port.
        tls: whether to speak https, with a certificate authority of its own.
        cors_origins: of pages that may call the API from a browser.
    """

    address: str
    port: int
    tls: bool
    cors_origins: tuple[str, ...]

    @classmethod
    def of(cls, host: str, port: int, *, tls: bool, cors_origins: Iterable[str]) -> Self:
        """Checked settings.

        Raises:
            ConfigurationError: other machines can reach the host, or an origin is not one.
        """
        origins = tuple(cors_origins)
        check_origins(origins)
        return cls(loopback_address(host), port, tls, origins)


class LocalServer:
    """Serves the API from `start` to `stop`, or within a ``with`` block. It starts once.

    Args:
        service: what answers.
        settings: where to listen, and for whom.
    """

    def __init__(self, service: Service, settings: ServerSettings) -> None:
        self._service = service
        self._settings = settings
        self._server: ServerThread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self._server.url if self._server else ''!r})"

    def start(self) -> None:
        """Accept connections.

        Raises:
            ListeningError: the port is in use, or not permitted.
            ConfigurationError: it was started before, or the packages of the extra "emulator" are
                not installed.
        """
        if self._server is not None:
            raise ConfigurationError(
                "this emulator was started before: make a new one, which has an empty memory"
            )
        self._server = _new_server(self._service, self._settings)
        self._server.start()

    def stop(self) -> None:
        """Close every connection and free the port; does nothing when it is not running."""
        if self._server is not None:
            self._server.stop()
            self._service.state.webhooks.stop()

    @property
    def url(self) -> str:
        """Base URL of the API.

        Raises:
            ConfigurationError: it was not started yet.
        """
        if self._server is None:
            raise ConfigurationError("the emulator has no URL before it is started")
        return self._server.url

    @property
    def ca_file(self) -> Path | None:
        """The certificate (PEM) that clients must trust, while it runs with TLS."""
        return self._server.ca_file if self._server else None


def _new_server(service: Service, settings: ServerSettings) -> ServerThread:
    try:
        from dfns_signers.emulator.serving.server import ServerThread  # noqa: PLC0415 - optional packages
    except ImportError as error:
        raise ConfigurationError(
            'the emulator needs more packages: pip install "dfns-signers[emulator]", or in a '
            f'clone of the repository: pip install ".[emulator]" ({error})'
        ) from error
    return ServerThread(service, settings)
