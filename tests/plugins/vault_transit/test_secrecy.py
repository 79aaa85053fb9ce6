"""Tokens and secret ids are in no record, repr, error or traceback of this package."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import hvac  # type: ignore[import-untyped]
import pytest
import requests

from dfns_signers.errors import KeyAccessError, KeyStoreUnavailableError, SigningKeyError
from dfns_signers_testkit.servers import free_port
from dfns_signers_vault_transit import VaultTransitKey
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.operator import Operator


@pytest.fixture
def sent_tokens(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every token that leaves this process."""
    seen: set[str] = set()
    send = requests.Session.send

    def record(session: requests.Session, request: requests.PreparedRequest, **rest: Any) -> Any:
        seen.update(filter(None, [request.headers.get("X-Vault-Token")]))
        return send(session, request, **rest)

    monkeypatch.setattr(requests.Session, "send", record)
    return seen


def test_no_token_and_no_secret_id_gets_out_while_all_goes_well_and_while_it_does_not(
    operator: Operator,
    open_key: OpenKey,
    sent_tokens: set[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    name = operator.key()
    approle = operator.approle(operator.signing_policy(name), token_ttl="1h")
    key = open_key(name, auth=approle.auth, batch={})
    key.sign(b"message")
    operator.revoke_tokens_of(approle)
    key.sign(b"message")
    operator.delete(name)
    operator.client.auth.approle.delete_role("signer", mount_point=approle.path)
    operator.revoke_tokens_of(approle)
    with pytest.raises(KeyAccessError) as refused:
        key.sign(b"message")

    shown = "\n".join(
        [
            caplog.text,
            repr(vars(key)),
            repr(refused.value),
            *traceback.format_exception(refused.value),
        ]
    )
    secrets = {*sent_tokens, approle.secret_id, approle.role_id}
    assert len(secrets) >= 5  # the operator's token and two of the role
    assert [secret for secret in secrets if secret in shown] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://user:PASSWORD-4711@127.0.0.1:{port}",
        "http://user:PASSWORD@PASSWORD-4711@127.0.0.1:{port}",
        "http://user:PASSWORD#4711@127.0.0.1:{port}",
        "htp://user:PASSWORD-4711@127.0.0.1:{port}",
        "user:PASSWORD-4711@127.0.0.1:{port}",
    ],
)
def test_password_in_the_address_of_a_client_is_not_repeated(url: str) -> None:
    client = hvac.Client(url=url.format(port=free_port()), token="token")

    with pytest.raises(SigningKeyError) as refused:
        VaultTransitKey(client, "k")

    assert "PASSWORD" not in "".join(traceback.format_exception(refused.value))
    assert "127.0.0.1:" in str(refused.value)


def test_password_in_the_address_of_a_client_is_not_shown_by_its_key(
    operator: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = operator.server.address.replace("://", "://user:PASSWORD-4711@")
    client = hvac.Client(url=address, token=operator.server.token)

    with VaultTransitKey(client, operator.key(), mount=operator.mount) as key:
        evidence = key.sign_with_evidence(b"message").evidence

    assert "PASSWORD" not in f"{caplog.text}{key!r}{vars(key)}{evidence}"
    assert key.reference.endswith(f" at {operator.server.address}")


@pytest.mark.parametrize("variable", ["VAULT_PROXY_ADDR", "HTTPS_PROXY"])
def test_password_in_the_address_of_a_proxy_is_not_repeated(
    variable: str, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://user:PASSWORD#4711@proxy.invalid:3128")

    with pytest.raises(KeyStoreUnavailableError, match=variable) as refused:
        open_key("k", address="https://vault.invalid:8200")

    shown = "".join(traceback.format_exception(refused.value))
    assert "PASSWORD" not in shown
