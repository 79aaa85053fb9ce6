"""SIGHUP: what a running gateway takes of a file that was changed, and what it refuses."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.assembly import new_service
from dfns_signers.gateway.configuration.settings import GatewaySettings, TlsTable
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.operation.instruments import new_instruments
from dfns_signers.gateway.reloading import RELOADABLE, load_again, require_reloadable
from dfns_signers.gateway.serving import running
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.tls import server_context
from tests.gateway.processes import GatewayProcess, eventually, gateway_process
from tests.gateway.requests.raw_sockets import connection_to, head, received, status_of_one
from tests.gateway.running import DIGEST, LISTEN, PAYMENTS, TOKEN, UPSTREAM_TOKEN, configuration
from tests.support.certificates import Authority

WALLET = {"network": "EthereumSepolia"}
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
TAKEN = "the configuration was read again"
NOT_TAKEN = "the configuration is not taken, the former one stays"
ANOTHER = f"""
[gateway.callers.treasury]
token_sha256 = ["{sha256(b"another").hexdigest()}"]
reads = true
"""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(exact_payloads=True) as emulator:
        yield emulator


@pytest.fixture
def file(emulator: Emulator, tmp_path: Path) -> Path:
    return configuration(tmp_path, emulator, LISTEN + PAYMENTS)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@contextmanager
def kept_alive(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    """A caller with one connection, which has had an answer."""
    with httpx.Client(base_url=gateway.urls[0], headers=HEADERS, trust_env=False) as caller:
        assert caller.post("/wallets", json=WALLET).status_code == 200
        yield caller


def reloaded(gateway: GatewayProcess, outcome: str = TAKEN) -> str:
    """Send SIGHUP, and wait for its outcome; returns the line of the log."""
    before = len(gateway.logged(outcome))
    gateway.signal(signal.SIGHUP)
    eventually(lambda: len(gateway.logged(outcome)) > before, outcome)
    return gateway.logged(outcome)[-1]


# What is taken


def test_caller_that_was_removed_is_refused_at_once_on_its_open_connection(file: Path) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        change(file, PAYMENTS, ANOTHER)
        reloaded(gateway)

        assert caller.post("/wallets", json=WALLET).status_code == 401


def test_caller_that_was_added_is_served(file: Path) -> None:
    with gateway_process(file) as gateway:
        change(file, PAYMENTS, PAYMENTS + ANOTHER)
        reloaded(gateway)

        headers = {"Authorization": "Bearer another"}
        url = f"{gateway.urls[0]}/wallets"
        assert httpx.get(url, headers=headers, trust_env=False).status_code == 200


def test_rule_that_was_removed_allows_nothing_any_more(file: Path) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        change(file, 'call = "POST /wallets"', 'call = "POST /keys"')
        reloaded(gateway)

        assert caller.post("/wallets", json=WALLET).status_code == 403
        assert caller.post("/keys", json={"scheme": "ECDSA", "curve": "secp256k1"}).is_success


def test_signals_in_a_row_end_with_what_the_file_says(file: Path) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        for _ in range(20):
            change(file, PAYMENTS, ANOTHER)
            gateway.signal(signal.SIGHUP)
            change(file, ANOTHER, PAYMENTS)
            gateway.signal(signal.SIGHUP)

        eventually(
            lambda: caller.post("/wallets", json=WALLET).status_code == 200, "the caller is back"
        )


# What is refused


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "wallets"', "", "[gateway]"),
        ("[gateway.callers.payments]", "[gateway.callers.payments", "is not valid TOML"),
        (LISTEN, 'listen = ["127.0.0.1:1"]', "'listen' in [gateway]"),
        ('credential_id = "cr-1"', 'credential_id = "cr-2"', "'credential_id' in profile"),
    ],
    ids=["wrong rule", "not TOML", "listener", "profile"],
)
def test_file_that_cannot_be_taken_changes_nothing_and_is_one_line_in_the_log(
    file: Path, old: str, new: str, place: str
) -> None:
    with gateway_process(file) as gateway, kept_alive(gateway) as caller:
        change(file, old, new)
        change(file, DIGEST, sha256(b"another").hexdigest())
        line = reloaded(gateway, NOT_TAKEN)

        assert str(file) in line
        assert not gateway.logged("Traceback")
        assert caller.post("/wallets", json=WALLET).status_code == 200
        assert place in line


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[gateway]\n", '[gateway]\nadmin = "127.0.0.1:0"\n', "'admin' in [gateway]"),
        ("[gateway]\n", "[gateway]\nmax_body = 100\n", "'max_body' in [gateway]"),
        (
            "[gateway]\n",
            '[gateway]\nstore = "redis://127.0.0.1:1"\nseal_keys = ["' + "ab" * 32 + '"]\n',
            "'seal_keys' in [gateway], 'store' in [gateway]",
        ),
        (f'"{UPSTREAM_TOKEN}"', '"other-token"', "'auth_token' in profile 'production'"),
        ("key.pem", "../key.pem", "'signer' in profile 'production'"),
        ('"cr-1"\n', '"cr-1"\nread_only = true\n', "'read_only' in profile 'production'"),
    ],
)
def test_setting_that_needs_a_restart_is_named(file: Path, old: str, new: str, named: str) -> None:
    running = load_gateway(config=file)
    change(file, old, new)

    with pytest.raises(ConfigurationError) as refused:
        load_again(running)

    assert str(refused.value) == (
        f"configuration file {file}: restart the gateway to change {named}"
    )


def test_profile_that_signs_is_kept(file: Path) -> None:
    text = file.read_text().replace('profile = "production"\n', "")
    file.write_text('default_profile = "production"\n' + text)
    running = load_gateway(config=file)
    change(file, "production", "other")

    with pytest.raises(ConfigurationError, match=r"to change the profile that signs$"):
        load_again(running)


def test_secret_may_change_where_it_is_and_be_nowhere_else(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(file, f'"{UPSTREAM_TOKEN}"', '{ env = "UPSTREAM" }')
    monkeypatch.setenv("UPSTREAM", UPSTREAM_TOKEN)
    monkeypatch.setenv("ANOTHER", UPSTREAM_TOKEN)
    running = load_gateway(config=file)

    monkeypatch.setenv("UPSTREAM", "next-token")
    require_reloadable(running, load_again(running))

    change(file, "UPSTREAM", "ANOTHER")
    with pytest.raises(ConfigurationError, match="'auth_token'"):
        load_again(running)


def test_what_may_change_is_named_as_the_settings_are() -> None:
    assert GatewaySettings.model_fields.keys() >= RELOADABLE


# Certificates


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


def handshake(gateway: GatewayProcess, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(connection_to(gateway.urls[0]), server_hostname="localhost")


# The service manager


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_service_manager_hears_of_start_reload_and_end(
    file: Path, tmp_path: Path, kind: str
) -> None:
    address = f"{tmp_path}/notify" if kind == "path" else f"@{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.settimeout(60)

        def heard() -> str:
            return manager.recv(1024).decode().partition("\n")[0]

        with gateway_process(file, NOTIFY_SOCKET=address) as gateway:
            assert heard() == "READY=1"
            gateway.signal(signal.SIGHUP)
            assert [heard(), heard()] == ["RELOADING=1", "READY=1"]
            gateway.signal(signal.SIGTERM)
            assert heard() == "STOPPING=1"
            assert gateway.exit_code() == 0


def test_service_manager_that_does_not_listen_ends_nothing(file: Path, tmp_path: Path) -> None:
    with gateway_process(file, NOTIFY_SOCKET=f"{tmp_path}/none") as gateway:
        gateway.signal(signal.SIGTERM)

        assert gateway.exit_code() == 0
