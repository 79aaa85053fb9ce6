"""Every way to get a token, on a real server."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dfns_signers.errors import ConfigurationError, KeyAccessError
from dfns_signers_vault_transit import VaultTransitKey
from dfns_signers_vault_transit.options import VaultTransitOptions
from dfns_signers_vault_transit.vault import connect
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, settings_for
from tests.plugins.vault_transit.fake_paths import FAKE_READ, FAKE_SIGN
from tests.plugins.vault_transit.operator import AppRole, Operator


def wait_until(condition: Callable[[], bool]) -> None:
    """The server's own clock decides when a token has ended."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen within 20 s"
        time.sleep(0.1)


@pytest.fixture
def key(operator: Operator) -> str:
    return operator.key()


@pytest.fixture
def approle(operator: Operator, key: str) -> AppRole:
    return operator.approle(operator.signing_policy(key), token_ttl="1h")


@pytest.mark.parametrize("source", ["literal", "environment", "file"])
def test_approle_with_a_secret_id_from_anywhere_signs(
    source: str,
    key: str,
    approle: AppRole,
    operator: Operator,
    open_key: OpenKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "secret-id"
    file.write_text(approle.secret_id + "\n")
    monkeypatch.setenv("SECRET_ID", approle.secret_id)
    secret_id: Any = {
        "literal": approle.secret_id,
        "environment": {"env": "SECRET_ID"},
        "file": {"file": str(file)},
    }[source]

    signature = open_key(key, auth={**approle.auth, "secret_id": secret_id}).sign(b"message")

    assert is_signature(operator.public_key(key), b"message", signature)


def test_wrong_secret_id_is_refused_without_repeating_it(
    key: str, approle: AppRole, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_ID", "wrong-4711")

    with pytest.raises(KeyAccessError) as refused:
        open_key(key, auth={**approle.auth, "secret_id": {"env": "SECRET_ID"}})

    message = str(refused.value)
    assert "log in by approle" in message
    assert "environment variable SECRET_ID" in message
    assert "wrong-4711" not in message
    assert approle.role_id not in message


def test_auth_method_that_is_not_mounted_is_named(
    key: str, approle: AppRole, open_key: OpenKey
) -> None:
    with pytest.raises(KeyAccessError, match="is mounted at 'auth/nowhere'"):
        open_key(key, auth={**approle.auth, "path": "nowhere"})


def test_token_that_expired_costs_one_login_and_no_error(key: str, operator: Operator) -> None:
    approle = operator.approle(operator.signing_policy(key), token_ttl="1s")
    options = VaultTransitOptions.model_validate(
        {**settings_for(operator), "key": key, "auth": approle.auth}
    )
    # Only the server knows that the token ended: by this clock its lease never does.
    with VaultTransitKey(connect(options, clock=lambda: 0.0), key, mount=operator.mount) as opened:
        wait_until(lambda: operator.tokens_of(approle) == [])

        evidence = opened.sign_with_evidence(b"message").evidence

    assert evidence.attempts == 2
    assert len(operator.tokens_of(approle)) == 1


def test_token_that_was_revoked_costs_all_threads_one_login(
    key: str, approle: AppRole, operator: Operator, open_key: OpenKey
) -> None:
    opened = open_key(key, auth=approle.auth)
    operator.revoke_tokens_of(approle)

    with ThreadPoolExecutor(8) as threads:
        signatures = list(threads.map(opened.sign, [b"message"] * 40))

    assert all(is_signature(operator.public_key(key), b"message", one) for one in signatures)
    assert len(operator.tokens_of(approle)) == 1


def test_denial_by_policy_costs_no_login_and_is_an_error(
    operator: Operator, open_key: OpenKey, key: str
) -> None:
    rules = f'path "{operator.mount}/keys/{key}" {{ capabilities = ["read"] }}'
    approle = operator.approle(operator.policy(rules), token_ttl="1h")
    opened = open_key(key, auth=approle.auth)

    for _ in range(2):
        with pytest.raises(KeyAccessError, match="permission denied"):
            opened.sign(b"message")

    assert len(operator.tokens_of(approle)) == 1


def test_dead_token_whose_login_fails_is_the_denial_and_the_failure(
    operator: Operator, open_key: OpenKey, key: str
) -> None:
    approle = operator.approle(operator.signing_policy(key), token_ttl="1h", secret_id_num_uses=1)
    opened = open_key(key, auth=approle.auth)
    operator.revoke_tokens_of(approle)

    with pytest.raises(KeyAccessError, match=r"cannot sign .* nor is there .*: cannot log in"):
        opened.sign(b"message")


def test_denial_stays_one_whatever_the_login_for_another_token_says(
    fake: ScriptedApi, open_fake: OpenKey
) -> None:
    login = "/v1/auth/approle/login"
    lease = {"client_token": "token", "lease_duration": 0, "renewable": False}
    fake.on(login, Reply(body={"auth": lease}))
    fake.on(login, Reply(status=404, body={"errors": ["no handler for route"]}))
    fake.on("/v1/auth/token/lookup-self", always=Reply(status=403))
    key = open_fake(auth={"method": "approle", "role_id": "role"})
    fake.on(FAKE_SIGN, Reply(status=403, body={"errors": ["permission denied"]}))

    with pytest.raises(KeyAccessError, match="permission denied; nor is there another token"):
        key.sign(b"message")


def test_token_is_renewed_before_it_ends(key: str, operator: Operator, open_key: OpenKey) -> None:
    approle = operator.approle(operator.signing_policy(key), token_ttl="2s", token_max_ttl="1h")
    opened = open_key(key, auth=approle.auth)
    (first,) = operator.tokens_of(approle)
    born = first["creation_time"]

    wait_until(lambda: bool(opened.sign(b"message")) and time.time() > born + 3)

    (token,) = operator.tokens_of(approle)
    assert token["accessor"] == first["accessor"]
    assert token["last_renewal_time"] > born


def test_token_at_its_max_ttl_is_replaced_without_an_error(
    key: str, operator: Operator, open_key: OpenKey
) -> None:
    approle = operator.approle(operator.signing_policy(key), token_ttl="2s", token_max_ttl="3s")
    opened = open_key(key, auth=approle.auth)
    (first,) = operator.tokens_of(approle)
    attempts = set()

    def is_replaced() -> bool:
        attempts.add(opened.sign_with_evidence(b"message").evidence.attempts)
        return {one["accessor"] for one in operator.tokens_of(approle)} - {
            first["accessor"]
        } != set()

    wait_until(is_replaced)

    assert attempts == {1}


def test_token_in_a_file_that_an_agent_replaces_is_read_again(
    key: str, operator: Operator, open_key: OpenKey, tmp_path: Path
) -> None:
    policy, sink = operator.signing_policy(key), tmp_path / "sink"
    old, new = operator.token(policy), operator.token(policy)
    sink.write_text(old)
    opened = open_key(key, auth={"method": "token", "token": {"file": str(sink)}})
    operator.revoke(old)
    sink.write_text(new + "\n")

    evidence = opened.sign_with_evidence(b"message").evidence

    assert evidence.attempts == 2


def test_every_request_of_a_signature_is_counted(
    key: str, operator: Operator, fake: ScriptedApi, open_key: OpenKey, tmp_path: Path
) -> None:
    """A token that is refused, and then a server that fails once."""
    sink = tmp_path / "sink"
    sink.write_text("old")
    fake.on(FAKE_READ, always=Reply(body={"data": operator.described(key)}))
    signature = operator.client.secrets.transit.sign_data(
        key, hash_input="bWVzc2FnZQ==", mount_point=operator.mount
    )
    fake.on(FAKE_SIGN, Reply(status=403), Reply(status=500), Reply(body=signature))
    auth = {"method": "token", "token": {"file": str(sink)}}
    opened = open_key("k", address=fake.url, mount="transit", auth=auth, max_attempts=2)
    sink.write_text("new")

    evidence = opened.sign_with_evidence(b"message").evidence

    assert evidence.attempts == len(fake.sent(FAKE_SIGN)) == 3


def test_dead_token_that_nobody_replaces_is_an_error_after_one_request(
    key: str, operator: Operator, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = operator.token(operator.signing_policy(key))
    monkeypatch.setenv("VAULT_TOKEN", token)
    opened = open_key(key, auth={"method": "token"})
    operator.revoke(token)

    with pytest.raises(KeyAccessError, match="token is not valid") as refused:
        opened.sign(b"message")

    assert token not in str(refused.value)


def test_token_that_ends_and_cannot_be_renewed_warns_at_opening(
    key: str, operator: Operator, open_key: OpenKey, caplog: pytest.LogCaptureFixture
) -> None:
    token = operator.token(operator.signing_policy(key), ttl="1h", renewable=False)

    open_key(key, auth={"method": "token", "token": token}, key_version=1)

    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "cannot be renewed" in warning
    assert token not in warning


def test_token_comes_from_the_file_that_vault_login_writes(
    key: str, operator: Operator, open_key: OpenKey, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".vault-token").write_text(operator.token(operator.signing_policy(key)))

    signature = open_key(key, auth={"method": "token"}).sign(b"message")

    assert is_signature(operator.public_key(key), b"message", signature)


def test_no_token_anywhere_is_refused_with_what_to_set(key: str, open_key: OpenKey) -> None:
    with pytest.raises(ValidationError, match="VAULT_TOKEN, or run 'vault login'"):
        open_key(key, auth={"method": "token"})


@pytest.mark.parametrize("token", ["two\nlines-4711", "gap 4711", "caf\u00e9-4711"])
def test_token_that_does_not_fit_a_header_is_refused_without_repeating_it(
    token: str, key: str, open_key: OpenKey
) -> None:
    with pytest.raises(ConfigurationError, match="not allowed in a token") as refused:
        open_key(key, auth={"method": "token", "token": token})

    assert "4711" not in "".join(traceback.format_exception(refused.value))
