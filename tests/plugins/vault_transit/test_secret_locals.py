"""No error leaves a token, a secret id or a JWT in the local variables of our frames."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

import dfns_signers_vault_transit
from dfns_signers_testkit.servers import free_port
from dfns_signers_vault_transit import VaultTransitKey
from tests.core.client.scripted import CUT, SILENCE, Answer, Reply, ScriptedApi, Seen
from tests.plugins.vault_transit.conftest import open_with, raised, sign_together
from tests.plugins.vault_transit.fake_paths import FAKE_READ, FAKE_SIGN
from tests.secrecy import CANARY
from tests.support import local_variables

TOKEN = f"{CANARY}-token"
LOOKUP = "/v1/auth/token/lookup-self"
AUTHS: dict[str, dict[str, Any]] = {
    "token": {"method": "token", "token": TOKEN},
    "approle": {
        "method": "approle",
        "role_id": f"{CANARY}-role",
        "secret_id": f"{CANARY}-secret-id",
    },
    "jwt": {"method": "jwt", "role": "ci", "jwt": f"{CANARY}.of.jwt"},
    "kubernetes": {"method": "kubernetes", "role": "pod", "jwt": f"{CANARY}.of.pod"},
}
LIFE = {"ttl": 3600, "renewable": True}
ISSUED = {"client_token": TOKEN, "lease_duration": 3600, "renewable": True}

leaks_of = partial(
    local_variables.leaks_of,
    packages=(local_variables.PACKAGE, Path(dfns_signers_vault_transit.__file__).parent),
)


def path_of(method: str) -> str:
    return LOOKUP if method == "token" else f"/v1/auth/{method}/login"


def settings_of(url: str, method: str, **options: Any) -> dict[str, Any]:
    return {
        "key": "k",
        "key_version": 1,
        "address": url,
        "auth": AUTHS[method],
        "max_attempts": 1,
        "read_timeout": 0.2,
        **options,
    }


@pytest.fixture
def vault(fake: ScriptedApi) -> ScriptedApi:
    """Logs in by every method, and shows a key."""
    public = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    versions = {"1": {"public_key": base64.b64encode(public).decode()}}
    described = {"type": "ed25519", "latest_version": 1, "keys": versions}
    fake.on(FAKE_READ, always=Reply(body={"data": described}))
    for method in AUTHS:
        fake.on(path_of(method), always=Reply(body={"auth": ISSUED, "data": {"id": TOKEN, **LIFE}}))
    return fake


def refusal(status: int) -> Callable[[Seen], Reply]:
    """An error that repeats what was sent."""

    def reply(seen: Seen) -> Reply:
        sent = [seen.headers.get("x-vault-token"), *json.loads(seen.body or b"{}").values()]
        return Reply(status, {"errors": [f"no {one}" for one in sent], "x": sent})

    return reply


# What any path may answer; most of it repeats what a server knows.
ODD: dict[str, Answer] = {
    "failed": refusal(500),
    "throttled": refusal(429),
    "refused": refusal(400),
    "forbidden": refusal(403),
    "not JSON": Reply(200, f"<html>{TOKEN}"),
    "not UTF-8": Reply(200, b"\xff" + TOKEN.encode()),
    "not an object": Reply(200, [TOKEN]),
    "cut JSON": Reply(200, f'{{"auth": {{"client_token": "{TOKEN}"'),
    "error that is not JSON": Reply(502, f"<html>{TOKEN}"),
    "error that is too long": Reply(500, TOKEN * 10_000),
    "too long": Reply(200, TOKEN * 200_000),
    "compressed": Reply(200, TOKEN, {"Content-Encoding": "gzip"}),
    "redirect": Reply(307, {"x": TOKEN}, {"Location": f"https://vault.invalid/{TOKEN}"}),
    "nothing": Reply(204),
    "other members": Reply(200, {"auth": None, "data": TOKEN, "x": TOKEN}),
    "a string": Reply(200, {"auth": TOKEN, "data": [TOKEN]}),
    "connection that breaks": CUT,
    "silence": SILENCE,
}


def lease(**changes: Any) -> Reply:
    changed = {**ISSUED, **changes}
    return Reply(body={"auth": changed, "data": {"id": TOKEN, "ttl": changed["lease_duration"]}})


LEASES: dict[str, Answer] = {
    "lease of another type": lease(lease_duration=f"{CANARY} s"),
    "negative lease": lease(lease_duration=-1),
}
# Of a token that may not look itself up the life is not known.
LOOKUPS = {case: answer for case, answer in (ODD | LEASES).items() if case != "forbidden"}
LOGINS: dict[str, Answer] = {
    **ODD,
    **LEASES,
    "token of another type": lease(client_token=[TOKEN]),
    "token that is bytes for nobody": lease(client_token=None, x=TOKEN),
    "token that is malformed": lease(client_token=f"{TOKEN} {TOKEN}"),
    "token that is empty": lease(client_token="", x=TOKEN),
}


@pytest.mark.parametrize("method", AUTHS)
@pytest.mark.parametrize("batch", [None, {}])
def test_server_that_is_down(method: str, batch: dict[str, Any] | None) -> None:
    settings = settings_of(f"http://127.0.0.1:{free_port()}", method, batch=batch)

    assert leaks_of(lambda: open_with(settings)) == []


@pytest.mark.parametrize("case", LOGINS)
@pytest.mark.parametrize("method", ["approle", "jwt"])
def test_login_that_fails(vault: ScriptedApi, method: str, case: str) -> None:
    vault.on(path_of(method), LOGINS[case])

    assert leaks_of(lambda: open_with(settings_of(vault.url, method))) == []


@pytest.mark.parametrize("case", LOOKUPS)
def test_token_whose_lookup_fails(vault: ScriptedApi, case: str) -> None:
    vault.on(LOOKUP, LOOKUPS[case])

    assert leaks_of(lambda: open_with(settings_of(vault.url, "token"))) == []


def test_token_that_may_not_look_itself_up_and_is_forbidden(vault: ScriptedApi) -> None:
    vault.on(LOOKUP, always=refusal(403))
    vault.on(FAKE_READ, always=refusal(403))

    assert leaks_of(lambda: open_with(settings_of(vault.url, "token"))) == []


@pytest.mark.parametrize("method", ["token", "approle"])
@pytest.mark.parametrize("case", ODD)
def test_key_that_cannot_be_read(vault: ScriptedApi, method: str, case: str) -> None:
    vault.on(FAKE_READ, always=ODD[case])

    assert leaks_of(lambda: open_with(settings_of(vault.url, method))) == []


def test_token_given_that_is_malformed(vault: ScriptedApi) -> None:
    auth = {"method": "token", "token": f"{TOKEN} {TOKEN}"}
    settings = settings_of(vault.url, "token") | {"auth": auth}

    assert leaks_of(lambda: open_with(settings)) == []


SIGNED: dict[str, Any] = {
    "nothing": {},
    "a string": TOKEN,
    "a list": [TOKEN],
    "no signature": {"signature": TOKEN, "key_version": 1},
    "signature of another type": {"signature": [TOKEN]},
    "other version": {"signature": "vault:v2:AAAA", "x": TOKEN},
    "version of another type": {"signature": "vault:v1:AAAA", "key_version": [TOKEN]},
    "base64 that is cut": {"signature": "vault:v1:AAAAA", "x": TOKEN},
    "signature that is not one": {"signature": "vault:v1:AAAA", "x": TOKEN},
}


@pytest.mark.parametrize("batch", [None, {}])
@pytest.mark.parametrize("case", ODD)
def test_request_to_sign_that_fails(
    vault: ScriptedApi, batch: dict[str, Any] | None, case: str
) -> None:
    key = open_with(settings_of(vault.url, "token", batch=batch))
    vault.on(FAKE_SIGN, always=ODD[case])

    assert leaks_of(lambda: key.sign(b"message")) == []


@pytest.mark.parametrize("case", SIGNED)
def test_signature_that_is_not_one(vault: ScriptedApi, case: str) -> None:
    key = open_with(settings_of(vault.url, "token"))
    vault.on(FAKE_SIGN, always=Reply(body={"data": SIGNED[case]}))

    assert leaks_of(lambda: key.sign(b"message")) == []


# The signature that is not one is found where it is verified, in a batch or not.
BATCHES: list[Any] = [
    *({"batch_results": [signed] * 2, "x": TOKEN} for signed in list(SIGNED.values())[:-1]),
    *({}, TOKEN, {"batch_results": TOKEN}, {"batch_results": [TOKEN] * 3}),
]


@pytest.mark.parametrize("data", BATCHES)
def test_batch_whose_answer_is_not_one(vault: ScriptedApi, data: Any) -> None:
    vault.on(FAKE_SIGN, always=Reply(body={"data": data}))

    assert leaks_of(lambda: raised(sign_together([b"a", b"b"], at=vault.url, token=TOKEN))) == []


@pytest.mark.parametrize(
    ("method", "case"), [("token", "forbidden"), *(("approle", case) for case in LOGINS)]
)
def test_token_that_dies_and_is_not_replaced(vault: ScriptedApi, method: str, case: str) -> None:
    key = open_with(settings_of(vault.url, method))
    vault.on(FAKE_SIGN, always=refusal(403))
    vault.on(LOOKUP, always=refusal(403))
    vault.on(path_of(method), always=LOGINS[case])

    assert leaks_of(lambda: key.sign(b"message")) == []


@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN} {TOKEN}"])
def test_client_that_was_given(vault: ScriptedApi, token: str) -> None:
    vault.on(FAKE_READ, always=refusal(403))
    client = hvac.Client(url=vault.url, token=token)

    assert leaks_of(lambda: VaultTransitKey(client, "k")) == []
