"""TLS of listeners: who is trusted, and what is spoken."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.tls import names_of
from tests.gateway.requests.raw_sockets import connection_to, received
from tests.gateway.running import PAYMENTS, READER, TOKEN, RunningGateway, running_gateway
from tests.support.certificates import Authority

WALLET = {"network": "EthereumSepolia"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SPIFFE = "spiffe://example.org/payments"
TLS = """
listen = ["localhost:0?tls=gateway"]

[gateway.tls.gateway]
certificate = "server.pem"
key = { file = "server.key" }
"""
MUTUAL = f"""
{TLS}
client_ca = "ca.pem"

[gateway.callers.payments]
certificate = ["{SPIFFE}"]

[[gateway.callers.payments.allow]]
name = "wallets"
call = "POST /wallets"
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Issues certificates into the folder of the configuration."""
    authority = Authority(tmp_path)
    authority.issue("server", "localhost")
    for key in tmp_path.glob("*.key"):
        key.chmod(0o600)
    return authority


@pytest.fixture
def gateway(authority: Authority, tmp_path: Path) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path, TLS + PAYMENTS) as running:
        yield running


@pytest.fixture
def mutual(authority: Authority, tmp_path: Path) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path, MUTUAL) as running:
        yield running


def trusting(folder: Path, certificate: Path | None = None) -> ssl.SSLContext:
    """What a client uses that trusts the authority, and may have a certificate of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "ca.pem")
    if certificate is not None:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def create_wallet(
    gateway: RunningGateway, context: ssl.SSLContext, headers: dict[str, str]
) -> httpx.Response:
    url = f"{gateway.urls[0]}/wallets"
    return httpx.post(url, json=WALLET, headers=headers, verify=context, trust_env=False)


def handshake(gateway: RunningGateway, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(connection_to(gateway.urls[0]), server_hostname="localhost")


def test_caller_is_served_over_tls(gateway: RunningGateway, tmp_path: Path) -> None:
    answer = create_wallet(gateway, trusting(tmp_path), BEARER)

    assert gateway.urls[0].startswith("https://localhost:")
    assert answer.status_code == 200


def test_h2_is_not_spoken(gateway: RunningGateway, tmp_path: Path) -> None:
    context = trusting(tmp_path)
    context.set_alpn_protocols(["h2", "http/1.1"])

    with handshake(gateway, context) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_of_tls_are_refused(gateway: RunningGateway, tmp_path: Path) -> None:
    context = trusting(tmp_path)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
        handshake(gateway, context)


def test_plain_http_gets_no_answer(gateway: RunningGateway) -> None:
    with connection_to(gateway.urls[0]) as connection:
        connection.sendall(b"GET /wallets HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert b"HTTP" not in received(connection)


def test_client_that_does_not_end_its_handshake_is_closed(
    authority: Authority, tmp_path: Path
) -> None:
    bounds = Bounds(handshake=0.2, head=3600, idle=3600)
    with (
        running_gateway(tmp_path, TLS + PAYMENTS, bounds=bounds) as gateway,
        connection_to(gateway.urls[0]) as connection,
    ):
        received(connection)  # ends when the gateway closes


def test_clients_that_do_not_end_their_handshakes_keep_no_other_from_being_served(
    authority: Authority, tmp_path: Path
) -> None:
    bounds = Bounds(handshake=3600, connections=8)
    with running_gateway(tmp_path, TLS + PAYMENTS, bounds=bounds) as gateway:
        silent = [connection_to(gateway.urls[0]) for _ in range(40)]

        assert create_wallet(gateway, trusting(tmp_path), BEARER).status_code == 200
        for connection in silent:
            connection.close()


def test_key_may_come_from_a_variable(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_TLS_KEY", (tmp_path / "server.key").read_text())
    by_variable = TLS.replace('{ file = "server.key" }', '{ env = "GATEWAY_TLS_KEY" }')
    with running_gateway(tmp_path, by_variable + PAYMENTS) as gateway:
        assert create_wallet(gateway, trusting(tmp_path), BEARER).status_code == 200


# Certificates of callers


def test_caller_is_known_by_its_certificate(
    mutual: RunningGateway, authority: Authority, tmp_path: Path
) -> None:
    authority.issue("payments", SPIFFE)

    answer = create_wallet(mutual, trusting(tmp_path, tmp_path / "payments.pem"), {})

    assert answer.status_code == 200


def test_certificate_of_no_caller_is_not_known(
    mutual: RunningGateway, authority: Authority, tmp_path: Path
) -> None:
    authority.issue("other", "spiffe://example.org/other")

    answer = create_wallet(mutual, trusting(tmp_path, tmp_path / "other.pem"), {})

    assert answer.status_code == 401


def test_who_has_no_certificate_gets_no_connection(mutual: RunningGateway, tmp_path: Path) -> None:
    with pytest.raises(httpx.TransportError):
        create_wallet(mutual, trusting(tmp_path), BEARER)


def test_certificate_of_another_authority_gets_no_connection(
    mutual: RunningGateway, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Authority(elsewhere).issue("payments", SPIFFE)

    with pytest.raises(httpx.TransportError):
        create_wallet(mutual, trusting(tmp_path, elsewhere / "payments.pem"), {})


def test_common_name_of_a_certificate_identifies_nobody(
    mutual: RunningGateway, authority: Authority, tmp_path: Path
) -> None:
    authority.issue("payments", "payments", common_name=SPIFFE)

    answer = create_wallet(mutual, trusting(tmp_path, tmp_path / "payments.pem"), {})

    assert answer.status_code == 401


def test_certificate_without_a_name_that_counts_is_refused_with_any_token(
    authority: Authority, tmp_path: Path
) -> None:
    authority.issue("payments", "payments@example.org")
    two = MUTUAL.replace('gateway"]', 'gateway", "127.0.0.1:0"]', 1)
    with running_gateway(tmp_path, two + READER) as gateway:
        answer = create_wallet(gateway, trusting(tmp_path, tmp_path / "payments.pem"), BEARER)

    assert answer.status_code == 401


def test_other_names_of_a_certificate_count_for_nothing() -> None:
    names = (
        ("DNS", "a.example"),
        ("URI", "spiffe://b"),
        ("email", "c"),
        ("IP Address", "10.0.0.1"),
    )

    assert names_of({"subjectAltName": names}) == ("a.example", "spiffe://b")


def test_listener_off_this_machine_is_reached_by_the_hosts_of_the_configuration(
    authority: Authority, tmp_path: Path
) -> None:
    authority.issue("payments", SPIFFE)
    everywhere = MUTUAL.replace("localhost:0?", "0.0.0.0:0?").replace(
        "listen", 'hosts = ["localhost"]\nlisten'
    )
    with running_gateway(tmp_path, everywhere) as gateway:
        port = urlsplit(gateway.urls[0]).port
        with httpx.Client(
            base_url=f"https://localhost:{port}",
            verify=trusting(tmp_path, tmp_path / "payments.pem"),
            trust_env=False,
        ) as caller:
            named = caller.post("/wallets", json=WALLET, headers={"Host": "localhost"})
            other = caller.post("/wallets", json=WALLET)

    assert (named.status_code, other.status_code) == (200, 421)


def test_each_listener_has_its_own_certificate(authority: Authority, tmp_path: Path) -> None:
    authority.issue("second", "second.example.com")
    (tmp_path / "second.key").chmod(0o600)
    two = TLS.replace(
        'listen = ["localhost:0?tls=gateway"]',
        'listen = ["localhost:0?tls=gateway", "localhost:0?tls=second"]',
    )
    second = '[gateway.tls.second]\ncertificate = "second.pem"\nkey = { file = "second.key" }\n'
    with running_gateway(tmp_path, two + second + PAYMENTS) as gateway:
        names = [name_shown(url, tmp_path) for url in gateway.urls]

    assert names == ["localhost", "second.example.com"]


def name_shown(url: str, folder: Path) -> str:
    context = trusting(folder)
    context.check_hostname = False
    with context.wrap_socket(connection_to(url)) as connection:
        certificate = connection.getpeercert()
    assert certificate is not None
    return str(dict(certificate["subjectAltName"])["DNS"])  # type: ignore[arg-type]
