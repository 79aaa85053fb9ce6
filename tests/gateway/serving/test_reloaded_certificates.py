"""Certificates that are replaced while a gateway runs, and the connections that showed one."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.gateway.assembly import new_service
from dfns_signers.gateway.configuration.settings import TlsTable
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.operation.instruments import new_instruments
from dfns_signers.gateway.serving import running
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.tls import server_context
from tests.gateway.processes import GatewayProcess, gateway_process
from tests.gateway.reloads import NOT_TAKEN, change, reloaded
from tests.gateway.requests.raw_sockets import connection_to, head, received, status_of_one
from tests.gateway.running import DIGEST, configuration
from tests.support.certificates import Authority

TLS = """
listen = ["localhost:0?tls=gateway"]

[gateway.tls.gateway]
certificate = "server.pem"
key = { file = "server.key" }
client_ca = "ca.pem"

[gateway.callers.payments]
certificate = ["localhost"]
reads = true
"""


def issue(folder: Path, *names: str) -> None:
    """Write certificates of a new authority, which is the only one that counts from then on."""
    authority = Authority(folder)
    for name in names:
        authority.issue(name, "localhost")
        (folder / f"{name}.key").chmod(0o600)


def trusting(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    return context


def handshake(gateway: GatewayProcess, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(connection_to(gateway.urls[0]), server_hostname="localhost")


def test_certificates_are_replaced_and_connections_by_the_former_ones_closed(
    emulator: Emulator, tmp_path: Path
) -> None:
    issue(tmp_path, "server", "client")
    file = configuration(tmp_path, emulator, TLS)
    with gateway_process(file) as gateway:
        former = trusting(tmp_path)
        with closing(handshake(gateway, former)) as connection:
            connection.sendall(head(gateway.urls[0]))
            assert connection.recv(1)
            issue(tmp_path, "server", "client")
            reloaded(gateway)

            received(connection)  # ends when the gateway closes
        with closing(handshake(gateway, trusting(tmp_path))) as connection:
            assert connection.version() is not None
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(gateway, former)


def test_connection_that_shows_no_certificate_outlives_a_reload(
    emulator: Emulator, tmp_path: Path
) -> None:
    issue(tmp_path, "server", "client")
    unproven = TLS.replace('client_ca = "ca.pem"', "")
    by_token = unproven.replace('certificate = ["localhost"]', f'token_sha256 = ["{DIGEST}"]')
    file = configuration(tmp_path, emulator, by_token)
    with (
        gateway_process(file) as gateway,
        closing(handshake(gateway, trusting(tmp_path))) as connection,
    ):
        connection.sendall(head(gateway.urls[0]))
        assert status_of_one(connection) == 200

        reloaded(gateway)

        connection.sendall(head(gateway.urls[0]))
        assert status_of_one(connection) == 200


def test_connection_by_certificate_is_closed_by_a_reload_that_asks_for_none(
    emulator: Emulator, tmp_path: Path
) -> None:
    issue(tmp_path, "server", "client")
    file = configuration(tmp_path, emulator, f'{TLS}token_sha256 = ["{DIGEST}"]\n')
    with (
        gateway_process(file) as gateway,
        closing(handshake(gateway, trusting(tmp_path))) as connection,
    ):
        connection.sendall(head(gateway.urls[0]))
        assert status_of_one(connection) == 200
        change(file, 'client_ca = "ca.pem"', "")
        change(file, 'certificate = ["localhost"]', "")

        reloaded(gateway)

        assert received(connection) == b""


def test_certificate_that_does_not_fit_its_key_changes_nothing(
    emulator: Emulator, tmp_path: Path
) -> None:
    issue(tmp_path, "server", "client")
    file = configuration(tmp_path, emulator, TLS)
    with gateway_process(file) as gateway:
        former, key = trusting(tmp_path), (tmp_path / "server.key").read_bytes()
        issue(tmp_path, "server")
        (tmp_path / "server.key").write_bytes(key)
        line = reloaded(gateway, NOT_TAKEN)

        assert "[gateway.tls.gateway]" in line
        with closing(handshake(gateway, former)) as connection:
            assert connection.version() is not None


def test_certificate_that_vanishes_while_it_is_read_changes_nothing(
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    issue(tmp_path, "server", "client")
    gateway = load_gateway(config=configuration(tmp_path, emulator, TLS))
    instruments = new_instruments(gateway.settings, gateway.profile)
    service, _ = new_service(gateway, instruments)
    listeners = running.RunningListeners(
        gateway, service, Bounds(), health=instruments.health, metrics=instruments.metrics
    )
    former = service.callers

    def vanishing(name: str, table: TlsTable) -> ssl.SSLContext:
        context = server_context(name, table)
        table.certificate.unlink()
        return context

    monkeypatch.setattr(running, "server_context", vanishing)

    asyncio.run(listeners.reload())

    assert NOT_TAKEN in caplog.text
    assert service.callers is former
