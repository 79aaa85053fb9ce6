"""``gateway certificate``: three files that clients and the gateway take as they are."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from dfns_signers.gateway.loading import load_gateway
from tests.core.cli.support import Command, command
from tests.core.config.support import write_config
from tests.gateway.configuration.test_settings import PROFILE
from tests.gateway.running import PAYMENTS

__all__ = ["command"]


@pytest.fixture
def folder(command: Command, tmp_path: Path) -> Path:
    done = command("gateway", "certificate", "-o", tmp_path / "tls")
    assert done.code == 0, done.err
    (tmp_path / "printed.toml").write_text(done.out)
    return tmp_path / "tls"


def handshake(folder: Path, name: str) -> None:
    """A client that trusts the authority connects to a server with the certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_verify_locations(folder / "ca.crt")
    one, other = socket.socketpair()
    one.settimeout(30)
    other.settimeout(30)

    def serve() -> None:
        with suppress(ssl.SSLError), server.wrap_socket(one, server_side=True) as accepted:
            accepted.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(other, server_hostname=name) as connected:
            connected.sendall(b"x")
    finally:
        thread.join(30)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_certificate_is_trusted_for_this_machine(folder: Path, name: str) -> None:
    handshake(folder, name)


def test_certificate_is_for_no_other_name(folder: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(folder, "gateway.example.com")


def test_files_are_for_their_owner_alone_which_is_said(command: Command, tmp_path: Path) -> None:
    done = command("gateway", "certificate", "-o", tmp_path / "tls")

    assert {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "tls").iterdir()} == {0o600}
    assert "programs of other users need a copy of ca.crt" in done.err


def test_key_of_the_authority_is_gone(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "tls.crt", "tls.key"]
    assert "PRIVATE" not in (folder / "ca.crt").read_text() + (folder / "tls.crt").read_text()


def test_printed_table_is_what_the_gateway_takes(folder: Path) -> None:
    printed = (folder.parent / "printed.toml").read_text()
    listen = 'listen = ["localhost:8788?tls=local"]\n'

    config = write_config(folder.parent, PROFILE + listen + printed + PAYMENTS)

    assert load_gateway(config=config).settings.tls.keys() == {"local"}


def test_files_that_are_there_are_left_as_they_are(folder: Path, command: Command) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    done = command("gateway", "certificate", "-o", folder)

    assert done.code == 3
    assert "ca.crt is there already" in done.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_go_is_given_the_address_that_speaks_https(folder: Path, command: Command) -> None:
    listen = 'listen = ["127.0.0.1:8787", "localhost:8788?tls=local"]\n'
    printed = (folder.parent / "printed.toml").read_text()
    config = write_config(folder.parent, PROFILE + listen + printed)

    done = command("gateway", "caller", "add", "web", "--config", config)

    assert 'BaseURL:   "https://localhost:8788"' in done.out
    assert f"SSL_CERT_FILE={folder}/ca.crt" in done.err
