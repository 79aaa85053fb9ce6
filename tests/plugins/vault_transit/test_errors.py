"""What each failure of a server looks like to a user."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from dfns_signers.errors import (
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_testkit.servers import free_port
from dfns_signers_testkit.vault import dev_server, find_program
from tests.core.client.scripted import CUT, SILENCE, Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, open_with, settings_for, without_choice
from tests.plugins.vault_transit.fake_paths import FAKE_READ, FAKE_SIGN
from tests.plugins.vault_transit.operator import Operator, unique

# A failure of the server: status, its text, our error, what our message says.
FAILURES = [
    (400, "something else", SigningKeyError, "the server refused"),
    (400, "key type aes256-gcm96 does not support signing", UnsupportedKeyError, "does not sign"),
    (400, "signing key not found", KeyNotFoundError, "no such key"),
    (413, "request body too large", SigningKeyError, "max_request_size"),
    (418, "", SigningKeyError, "for the reason that it gives"),
    (412, "required index state not present", KeyStoreUnavailableError, "not caught up"),
    (429, "rate limit quota exceeded", KeyStoreThrottledError, "rate limit quota"),
    (472, "", KeyStoreUnavailableError, "is a standby"),
    (473, "", KeyStoreUnavailableError, "is a standby"),
    (500, "local node not active but active cluster node not found", KeyStoreUnavailableError,
     "finds no active node"),
    (500, "internal error", KeyStoreUnavailableError, "the server failed"),
    (500, "requested version for signing is higher than the latest key version", KeyNotFoundError,
     "no such version"),
    (500, "requested version for signing is less than the minimum encryption key version",
     KeyStateError, "min_encryption_version"),
    (501, "", KeyStoreUnavailableError, "operator init"),
    (502, "", KeyStoreUnavailableError, "the server failed"),
    (503, "Vault is sealed", KeyStoreUnavailableError, "operator unseal"),
    (504, "", KeyStoreUnavailableError, "the server failed"),
]  # fmt: skip


@pytest.fixture
def sealable() -> Iterator[Operator]:
    """A server that nothing else needs afterwards."""
    with dev_server(find_program(without_choice())) as server:
        yield Operator(server)


@pytest.mark.parametrize(("status", "text", "error", "meaning"), FAILURES)
def test_failure_says_what_was_not_done_why_and_what_to_do(
    status: int,
    text: str,
    error: type[SigningKeyError],
    meaning: str,
    fake: ScriptedApi,
    open_fake: OpenKey,
) -> None:
    fake.on(FAKE_SIGN, Reply(status=status, body={"errors": [text] if text else []}))
    key = open_fake()

    with pytest.raises(SigningKeyError, match=re.escape(meaning)) as raised:
        key.sign(b"message")

    assert type(raised.value) is error
    said = f"HTTP {status}: {text}" if text else f"HTTP {status}"
    assert str(raised.value).startswith(
        f"cannot sign with the key transit/k: Vault at {fake.url} answered {said}; "
    )
    assert raised.value.__cause__ is not None


@pytest.mark.parametrize(
    ("status", "text", "sent"),
    [
        (412, "", 3),
        (429, "", 3),
        (500, "internal error", 3),
        (502, "", 3),
        (503, "Vault is sealed", 3),
        (400, "", 1),
        (404, "", 1),
        (500, "requested version for signing is higher than the latest key version", 1),
        (500, "less than the minimum encryption key version", 1),
        (307, "", 3),
    ],
)
def test_only_what_may_pass_is_sent_again(
    status: int, text: str, sent: int, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    fake.on(FAKE_SIGN, always=Reply(status=status, body={"errors": [text]}))
    key = open_fake(max_attempts=3)

    with pytest.raises(SigningKeyError) as raised:
        key.sign(b"message")

    assert len(fake.sent(FAKE_SIGN)) == sent
    assert raised.value.retriable is (sent > 1)


def test_no_attempt_begins_after_the_timeout(fake: ScriptedApi, open_fake: OpenKey) -> None:
    fake.on(FAKE_SIGN, always=Reply(status=503, headers={"Retry-After": "20"}))
    key = open_fake(max_attempts=3, timeout=10)

    with pytest.raises(KeyStoreUnavailableError, match="attempt 1 of 3"):
        key.sign(b"message")

    assert len(fake.sent(FAKE_SIGN)) == 1


@pytest.mark.parametrize("failure", [Reply(status=412), Reply(status=503), CUT], ids=repr)
def test_failure_that_passes_is_no_error_and_is_counted(
    failure: Reply, fake: ScriptedApi, operator: Operator, open_fake: OpenKey
) -> None:
    name = operator.key()
    fake.on(FAKE_READ, always=Reply(body={"data": operator.described(name)}))
    signature = operator.client.secrets.transit.sign_data(
        name, hash_input="bWVzc2FnZQ==", mount_point=operator.mount
    )
    fake.on(FAKE_SIGN, failure, Reply(body=signature))
    key = open_fake(key_version=1, max_attempts=3)

    evidence = key.sign_with_evidence(b"message").evidence

    assert evidence.attempts == 2
    assert evidence.request_id == signature["request_id"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[" * 200_000, "not a JSON object"),
        ('{"data":{"type":"t","latest_version":Infinity}}', "API"),
    ],
    ids=["nested", "infinite"],
)
def test_description_that_cannot_be_parsed_is_refused(
    body: str, said: str, fake: ScriptedApi, open_key: OpenKey
) -> None:
    fake.on(FAKE_READ, Reply(body=body))

    with pytest.raises(SigningKeyError, match=said):
        open_key("k", address=fake.url, mount="transit")


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "*"])
def test_host_that_cannot_be_is_unavailable(host: str, open_key: OpenKey) -> None:
    with pytest.raises(KeyStoreUnavailableError, match="no such host"):
        open_key("k", address=f"https://{host}:1")


@pytest.mark.parametrize(
    ("status", "text", "error", "said"),
    [
        (404, "no handler for route", KeyNotFoundError, r"mounted at 'auth/approle'.*auth\.path"),
        (
            418,
            "",
            SigningKeyError,
            r"HTTP 418; check 'role_id' \(a literal string\) and 'secret_id'",
        ),
    ],
)
def test_login_that_is_refused_says_what_to_check(
    status: int,
    text: str,
    error: type[SigningKeyError],
    said: str,
    fake: ScriptedApi,
    open_key: OpenKey,
) -> None:
    fake.on("/v1/auth/approle/login", Reply(status=status, body={"errors": [text] if text else []}))
    auth = {"method": "approle", "role_id": "r", "secret_id": "s"}

    with pytest.raises(error, match=said):
        open_key("k", address=fake.url, auth=auth)


def test_login_that_fails_says_how_often_it_was_tried(fake: ScriptedApi, open_key: OpenKey) -> None:
    login = "/v1/auth/approle/login"
    fake.on(login, always=Reply(status=503))
    auth = {"method": "approle", "role_id": "r"}

    with pytest.raises(KeyStoreUnavailableError, match=r"log in by approle .*attempt 2 of 2\)$"):
        open_key("k", address=fake.url, auth=auth, max_attempts=2)

    assert len(fake.sent(login)) == 2


def test_answer_that_does_not_come_is_unavailable(fake: ScriptedApi, open_fake: OpenKey) -> None:
    fake.on(FAKE_SIGN, SILENCE)

    with pytest.raises(KeyStoreUnavailableError, match="no answer in time"):
        open_fake(read_timeout=0.2).sign(b"message")


def test_answer_that_breaks_off_is_unavailable(fake: ScriptedApi, open_fake: OpenKey) -> None:
    fake.on(FAKE_SIGN, Reply(headers={"Transfer-Encoding": "chunked"}, body="none"))

    with pytest.raises(KeyStoreUnavailableError, match="the connection broke"):
        open_fake().sign(b"message")


def test_address_where_nothing_listens_is_unavailable(open_key: OpenKey) -> None:
    with pytest.raises(KeyStoreUnavailableError, match=r"Connection refused.*cannot be reached"):
        open_key("k", address=f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    "body",
    [
        "<html>hello</html>",
        "[]",
        {"data": {}},
        {"data": {"signature": 5}},
        {"data": {"signature": "vault:v2:***"}},
        {"data": {"signature": "vault:v02:AAAA"}},
        {"data": {"signature": f"vault:v{'9' * 5000}:AAAA"}},
        {"data": {"signature": "vault:v2:AAAAA"}},
        {"data": None},
        {},
    ],
    ids=lambda body: str(body)[:40],
)
@pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
def test_answer_without_a_signature_is_refused(
    batch: dict[str, int] | None, body: object, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    fake.on(FAKE_SIGN, always=Reply(body=body))

    with pytest.raises(SigningKeyError, match="'address'") as raised:
        open_fake(batch=batch).sign(b"message")

    assert type(raised.value) is SigningKeyError


@pytest.mark.parametrize("body", [{"data": {}}, {"data": {"type": "ed25519"}}, {"data": []}])
def test_description_of_another_shape_is_refused(
    body: object, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    fake.on(FAKE_READ, Reply(body=body))

    with pytest.raises(SigningKeyError, match="not what Vault's API documents"):
        open_fake()


def test_unknown_key_is_named(operator: Operator, open_key: OpenKey) -> None:
    name = unique("absent")

    with pytest.raises(
        KeyNotFoundError, match=f"read the key {operator.mount}/{name}: .*no such key"
    ):
        open_key(name)


def test_only_a_refused_opening_closes_its_connections(
    operator: Operator, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, closed = operator.key(), []

    def close(session: requests.Session) -> None:
        closed.append(session)

    monkeypatch.setattr(requests.Session, "close", close)

    open_key(name)
    assert closed == []
    with pytest.raises(KeyNotFoundError):
        open_key(unique("absent"))

    assert len(closed) == 1


def test_key_deleted_while_it_is_open_is_named(operator: Operator, open_key: OpenKey) -> None:
    name = operator.key()
    key = open_key(name)
    operator.delete(name)

    with pytest.raises(KeyNotFoundError, match=f"sign with .*{name}: .*no such key"):
        key.sign(b"message")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"mount": "no/where"}, "nothing is mounted at 'no/where'"),
        ({"namespace": "team-9"}, r"\(namespace team-9\).*no such namespace"),
    ],
    ids=["mount", "namespace"],
)
def test_unknown_place_is_named(
    place: dict[str, str], said: str, own_server: Operator, open_key: OpenKey
) -> None:
    with pytest.raises(KeyNotFoundError, match=said):
        open_key("k", at=own_server, **place)


def test_key_in_a_namespace_signs(own_server: Operator, open_key: OpenKey) -> None:
    own_server.client.sys.create_namespace("team-1")
    server = own_server.server
    inside = Operator(server, namespace="team-1")
    name = inside.key()

    key = open_key(name, at=inside, namespace="team-1")

    assert is_signature(inside.public_key(name), b"message", key.sign(b"message"))
    assert "(namespace team-1)" in key.reference
    with pytest.raises(KeyNotFoundError):
        open_key(name, at=inside)


@pytest.mark.parametrize(
    ("key_type", "options", "said"),
    [
        ("ecdsa-p384", {}, "'ecdsa-p384'.*no secp256k1"),
        ("ecdsa-p521", {}, "'ecdsa-p521'.*no secp256k1"),
        ("aes256-gcm96", {}, "'aes256-gcm96'.*no secp256k1"),
        ("ed25519", {"derived": True}, "is derived"),
    ],
)
def test_key_that_dfns_does_not_accept_is_refused_with_what_it_accepts(
    key_type: str, options: dict[str, bool], said: str, operator: Operator, open_key: OpenKey
) -> None:
    with pytest.raises(UnsupportedKeyError, match=said):
        open_key(operator.key(key_type, **options))


def test_deleted_key_that_can_be_restored_is_refused(
    own_server: Operator, open_key: OpenKey
) -> None:
    name = own_server.key()
    key = open_key(name, at=own_server)
    own_server.configure(name, deletion_allowed=True)
    own_server.client.adapter.delete(f"/v1/{own_server.mount}/keys/{name}/soft-delete")

    with pytest.raises(KeyStateError, match="is deleted; restore it"):
        open_key(name, at=own_server)
    with pytest.raises(KeyStateError, match="is deleted: restore it"):
        key.sign(b"message")


def test_public_key_of_another_length_is_refused(fake: ScriptedApi, open_fake: OpenKey) -> None:
    described = {"type": "ed25519", "latest_version": 2, "keys": {"2": {"public_key": "AAAA"}}}
    fake.on(FAKE_READ, Reply(body={"data": described}))

    with pytest.raises(UnsupportedKeyError, match="32 bytes in base64"):
        open_fake()


def test_quota_that_is_used_up_is_throttling(own_server: Operator, open_key: OpenKey) -> None:
    key = open_key(own_server.key(), at=own_server)
    quota = "/v1/sys/quotas/rate-limit/tight"
    own_server.client.adapter.post(quota, json={"path": f"{own_server.mount}/", "rate": 0.001})
    try:
        with pytest.raises(KeyStoreThrottledError, match="rate limit quota"):
            key.sign(b"first" + key.sign(b"second"))
    finally:
        own_server.client.adapter.delete(quota)

    assert key.sign(b"message")


def test_sealed_server_is_unavailable_until_it_is_unsealed(sealable: Operator) -> None:
    name = sealable.key()
    key = open_with({**settings_for(sealable), "key": name})
    sealable.client.sys.seal()

    with key, pytest.raises(KeyStoreUnavailableError, match=r"is sealed.*operator unseal"):
        key.sign(b"message")
    with pytest.raises(KeyStoreUnavailableError, match="is sealed"):
        open_with({**settings_for(sealable), "key": name})
