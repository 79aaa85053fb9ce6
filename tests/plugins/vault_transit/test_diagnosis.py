"""A key in order, and the faults of a server, as the examination of a key finds them."""

from __future__ import annotations

import re

import pytest

from dfns_signers_testkit.servers import free_port
from dfns_signers_testkit.vault import dev_server, find_program
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import open_with, settings_for, without_choice
from tests.plugins.vault_transit.diagnoses import (
    FAILURE,
    HEALTHY,
    OK,
    WARNING,
    diagnose,
    options_for,
    summary,
    with_rules,
)
from tests.plugins.vault_transit.operator import Operator
from tests.secrecy import CANARY


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa-p256", "rsa-2048"])
def test_policy_alone_is_enough_to_examine_open_and_sign(kind: str, operator: Operator) -> None:
    name, backend = operator.key(kind), VaultTransitBackend()
    policy = backend.policy(options_for(operator, name))
    auth = with_rules(operator, policy.text)

    findings = diagnose(operator, name, auth=auth)

    assert policy.kind == "Vault policy (HCL)"
    assert summary(findings) == [
        ("key store", OK),
        ("key store", OK),
        ("key state", OK),
        ("permissions", OK),
    ]
    assert all(one.seconds is not None and not one.remedy for one in findings)
    with open_with({**settings_for(operator), "key": name, "key_version": 1, "auth": auth}) as key:
        assert is_signature(operator.public_key(name), b"message", key.sign(b"message"))


def test_policy_allows_neither_another_key_nor_anything_else_with_this_one(
    operator: Operator,
) -> None:
    name = operator.key()
    policy = VaultTransitBackend().policy(options_for(operator, name))
    token = with_rules(operator, policy.text)["token"]
    mount = operator.mount
    paths = [f"{mount}/keys/{name}x", f"{mount}/sign/{name}x", f"{mount}/sign/{name}/sha1"]
    paths += [f"{mount}/keys/{name}/rotate", f"{mount}/keys/{name}/config", f"{mount}/keys"]

    allowed = operator.client.sys.get_capabilities(paths, token=token)["data"]

    assert {path: allowed[path] for path in paths} == {path: ["deny"] for path in paths}


def test_findings_say_where_the_server_is_as_whom_and_what_signs(operator: Operator) -> None:
    name = operator.key("ecdsa-p256")
    approle = operator.approle(operator.signing_policy(name), token_ttl="20m")

    server, caller, state, _ = diagnose(operator, name, auth=approle.auth)

    assert f"Vault at {operator.server.address} answers, version " in server.message
    assert "with the policies default, dfns-policy" in caller.message
    assert re.search(r"the token ends in 1,\d{3} s and is renewable", caller.message)
    assert state.message == (
        f"version 1 of the key {operator.mount}/{name}, of type ecdsa-p256, signs"
    )


def test_nothing_is_changed_and_nothing_signed(fake: ScriptedApi, operator: Operator) -> None:
    described = operator.described(operator.key())
    fake.on("/v1/sys/health", always=Reply(body=HEALTHY))
    fake.on("/v1/transit/keys/k", always=Reply(body={"data": described}))

    diagnose(operator, "k", address=fake.url, mount="transit")

    assert {(seen.method, seen.target.partition("?")[0]) for seen in fake.seen} == {
        ("GET", "/v1/sys/health"),
        ("GET", "/v1/auth/token/lookup-self"),
        ("GET", "/v1/transit/keys/k"),
        ("POST", "/v1/sys/capabilities-self"),
    }


def test_key_in_a_namespace_is_examined_there(own_server: Operator) -> None:
    own_server.client.sys.create_namespace("diagnosis")
    inside = Operator(own_server.server, namespace="diagnosis")

    findings = diagnose(inside, inside.key(), namespace="diagnosis")

    assert {one.severity for one in findings} == {OK}


def test_address_where_nobody_listens_is_the_last_finding(operator: Operator) -> None:
    (found,) = diagnose(operator, "k", address=f"http://127.0.0.1:{free_port()}")

    assert (found.check, found.severity) == ("key store", FAILURE)
    assert "the server cannot be reached" in found.message
    assert "vault status" in found.remedy


def test_sealed_server_is_the_last_finding(operator: Operator) -> None:
    with dev_server(find_program(without_choice()), token=f"{CANARY}-sealed") as server:
        sealed = Operator(server)
        sealed.client.sys.seal()

        (found,) = diagnose(sealed, "k")

    assert (found.check, found.severity) == ("key store", FAILURE)
    assert "is sealed" in found.message
    assert "vault operator unseal" in found.remedy


def test_server_that_is_not_initialised_is_the_last_finding(
    fake: ScriptedApi, operator: Operator
) -> None:
    fake.on("/v1/sys/health", always=Reply(body={**HEALTHY, "initialized": False, "sealed": True}))

    (found,) = diagnose(operator, "k", address=fake.url)

    assert found.severity is FAILURE
    assert "vault operator init" in found.remedy


def test_standby_says_so_and_is_in_order(fake: ScriptedApi, operator: Operator) -> None:
    fake.on("/v1/sys/health", always=Reply(body={**HEALTHY, "standby": True}))

    found = diagnose(operator, "k", address=fake.url)[0]

    assert found.severity is OK
    assert "version 1.18.0, as a standby" in found.message


@pytest.mark.parametrize("status", [403, 404])
def test_proxy_that_hides_the_state_of_the_server_is_a_warning_and_the_rest_goes_on(
    status: int, fake: ScriptedApi, operator: Operator
) -> None:
    described = operator.described(operator.key())
    fake.on("/v1/sys/health", always=Reply(status=status))
    fake.on("/v1/transit/keys/k", always=Reply(body={"data": described}))

    findings = diagnose(operator, "k", address=fake.url, mount="transit")

    assert summary(findings)[:3] == [("key store", WARNING), ("key store", OK), ("key state", OK)]
    assert "/v1/sys/health" in findings[0].remedy


@pytest.mark.parametrize("body", ["<html>", {}, {**HEALTHY, "version": f"{CANARY}\n"}], ids=str)
def test_server_that_is_something_else_is_the_last_finding(
    body: object, fake: ScriptedApi, operator: Operator
) -> None:
    fake.on("/v1/sys/health", always=Reply(body=body))

    (found,) = diagnose(operator, "k", address=fake.url)

    assert found.severity is FAILURE
    assert CANARY not in found.message
