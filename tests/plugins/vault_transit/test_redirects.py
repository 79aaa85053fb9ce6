"""The token goes to the configured address, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import hvac  # type: ignore[import-untyped]
import pytest

from dfns_signers.errors import KeyStoreUnavailableError
from dfns_signers_testkit.servers import free_port
from dfns_signers_vault_transit.key import VaultTransitKey
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.fake_paths import FAKE_READ, FAKE_SIGN
from tests.plugins.vault_transit.operator import Operator


@pytest.fixture
def elsewhere() -> Iterator[ScriptedApi]:
    with ScriptedApi() as api:
        yield api


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("path", [FAKE_READ, FAKE_SIGN, "/v1/auth/token/lookup-self"])
def test_redirect_is_an_error_and_is_not_followed(
    path: str, status: int, fake: ScriptedApi, elsewhere: ScriptedApi, open_fake: OpenKey
) -> None:
    redirect = Reply(status=status, headers={"Location": f"{elsewhere.url}{path}"})
    fake.on(path, always=redirect)

    with pytest.raises(KeyStoreUnavailableError, match="redirect, which is not followed"):
        open_fake().sign(b"message")

    assert elsewhere.seen == []


def test_redirect_is_not_followed_for_a_client_that_would(
    fake: ScriptedApi, elsewhere: ScriptedApi
) -> None:
    redirect = Reply(status=307, headers={"Location": elsewhere.url + FAKE_READ})
    fake.on(FAKE_READ, always=redirect)
    client = hvac.Client(url=fake.url, token="token", allow_redirects=True)

    with pytest.raises(KeyStoreUnavailableError, match="redirect"):
        VaultTransitKey(client, "k")

    assert elsewhere.seen == []
    assert client.allow_redirects is True


def test_login_does_not_follow_a_redirect(
    fake: ScriptedApi, elsewhere: ScriptedApi, open_fake: OpenKey
) -> None:
    path = "/v1/auth/approle/login"
    fake.on(path, Reply(status=307, headers={"Location": elsewhere.url + path}))
    auth = {"method": "approle", "role_id": "role", "secret_id": "secret"}

    with pytest.raises(KeyStoreUnavailableError, match="cannot log in by approle"):
        open_fake(auth=auth)

    assert elsewhere.seen == []


def test_server_on_this_machine_is_reached_past_a_proxy(
    operator: Operator, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = operator.key()
    public = operator.public_key(name)
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "VAULT_PROXY_ADDR"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")

    assert is_signature(public, b"message", open_key(name).sign(b"message"))


def test_other_servers_are_reached_through_the_proxy_of_vaults_environment(
    open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.path)
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Proxy) as proxy, ThreadPoolExecutor(1) as threads:
        proxy.timeout = 20
        threads.submit(proxy.handle_request)
        monkeypatch.setenv("VAULT_PROXY_ADDR", f"http://127.0.0.1:{proxy.server_port}")
        with pytest.raises(KeyStoreUnavailableError, match="the proxy cannot be used"):
            open_key("k", address="https://vault.invalid:8200")

    assert asked == ["vault.invalid:8200"]


def test_proxy_that_cannot_be_reached_is_named(
    open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_PROXY_ADDR", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(KeyStoreUnavailableError, match="the proxy cannot be used"):
        open_key("k", address="https://vault.invalid:8200")


def test_password_in_netrc_stays_there(
    fake: ScriptedApi,
    open_fake: OpenKey,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    open_fake()

    assert [one for one in fake.seen if "authorization" in one.headers] == []
    assert fake.seen
