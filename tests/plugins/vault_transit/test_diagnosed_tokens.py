"""What is wrong with a token or its permissions is named, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.plugin import Severity
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.core.client.scripted import Reply, ScriptedApi
from tests.plugins.vault_transit.diagnoses import (
    FAILURE,
    HEALTHY,
    OK,
    WARNING,
    diagnose,
    options_for,
    rules_for,
    summary,
    the_one,
    with_rules,
)
from tests.plugins.vault_transit.operator import Operator
from tests.secrecy import CANARY


def test_token_that_was_revoked_is_the_last_finding(operator: Operator) -> None:
    name = operator.key()
    token = operator.token(operator.signing_policy(name))
    operator.revoke(token)

    findings = diagnose(operator, name, auth={"method": "token", "token": token})

    assert summary(findings) == [("key store", OK), ("key store", FAILURE)]
    assert "the token is not valid" in findings[-1].message
    assert "renew it in a literal string" in findings[-1].remedy
    assert token not in findings[-1].message


def test_token_whose_file_is_gone_is_the_last_finding(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(operator.server.token)
    options = options_for(
        operator, operator.key(), auth={"method": "token", "token": {"file": str(file)}}
    )
    file.unlink()

    findings = list(VaultTransitBackend().diagnose(options))

    assert summary(findings) == [("key store", OK), ("key store", FAILURE)]
    assert str(file) in findings[-1].message


def test_login_that_is_refused_is_the_last_finding(operator: Operator) -> None:
    name = operator.key()
    approle = operator.approle(operator.signing_policy(name))

    findings = diagnose(operator, name, auth={**approle.auth, "secret_id": "of another role"})

    assert summary(findings) == [("key store", OK), ("key store", FAILURE)]
    assert f"log in by approle at auth/{approle.path}" in findings[-1].message
    assert "check 'role_id'" in findings[-1].remedy


@pytest.mark.parametrize(
    ("ttl", "renewable", "severity"),
    [
        ("23h", False, WARNING),
        ("25h", False, OK),
        ("59m", True, WARNING),
        ("2h", True, OK),
    ],
)
def test_token_that_ends_soon_is_a_warning(
    ttl: str, renewable: bool, severity: Severity, operator: Operator
) -> None:
    name = operator.key()
    token = operator.token(operator.signing_policy(name), ttl=ttl, renewable=renewable)

    caller = diagnose(operator, name, auth={"method": "token", "token": token})[1]

    assert caller.severity is severity
    assert ("vault token renew" in caller.remedy) == (severity is WARNING)


def test_token_that_may_not_look_at_itself_is_a_warning_where_it_may_do_the_rest(
    operator: Operator,
) -> None:
    name = operator.key()
    rules = rules_for(operator, name)
    auth = with_rules(operator, *[rule for rule in rules if "lookup-self" not in rule])

    findings = diagnose(operator, name, auth=auth)

    assert summary(findings) == [
        ("key store", OK),
        ("key state", OK),
        ("key store", WARNING),
        ("permissions", OK),
    ]
    assert 'path "auth/token/lookup-self"' in the_one(findings, WARNING).remedy


def test_token_that_the_server_repeats_is_in_no_finding(
    fake: ScriptedApi, operator: Operator
) -> None:
    token = f"{CANARY}-repeated"
    fake.on("/v1/sys/health", always=Reply(body=HEALTHY))
    named = {"ttl": 60, "display_name": token, "policies": [token]}
    fake.on("/v1/auth/token/lookup-self", always=Reply(body={"data": named}))

    findings = diagnose(operator, "k", address=fake.url, auth={"method": "token", "token": token})

    assert "takes the caller for" in findings[1].message
    assert token not in str(findings)


@pytest.mark.parametrize("denied", ["keys", "sign"])
def test_rule_that_is_missing_is_named_and_makes_it_good(denied: str, operator: Operator) -> None:
    name = operator.key()
    rules = rules_for(operator, name)
    (missing,) = [rule for rule in rules if f"/{denied}/" in rule]
    allowed = [rule for rule in rules if rule != missing]

    findings = diagnose(operator, name, auth=with_rules(operator, *allowed))

    failures = [one for one in findings if one.severity is FAILURE]
    assert [one.check for one in failures] == {
        "keys": ["key state", "permissions"],
        "sign": ["permissions"],
    }[denied]
    for one in failures:
        assert missing in one.message
        assert one.remedy.endswith(f": {missing}")
    given = failures[0].remedy.partition(": ")[2]
    repaired = diagnose(operator, name, auth=with_rules(operator, *allowed, given))
    assert {one.severity for one in repaired} == {OK}


def test_token_that_may_not_ask_for_its_permissions_is_a_warning(operator: Operator) -> None:
    name = operator.key()
    rules = rules_for(operator, name)
    auth = with_rules(operator, *[rule for rule in rules if "capabilities-self" not in rule])

    found = the_one(diagnose(operator, name, auth=auth), WARNING)

    assert found.check == "permissions"
    assert 'path "sys/capabilities-self"' in found.remedy


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": None}], ids=str)
def test_answer_about_permissions_of_another_shape_is_a_failure(
    body: object, fake: ScriptedApi, operator: Operator
) -> None:
    described = operator.described(operator.key())
    fake.on("/v1/sys/health", always=Reply(body=HEALTHY))
    fake.on("/v1/transit/keys/k", always=Reply(body={"data": described}))
    fake.on("/v1/sys/capabilities-self", always=Reply(body=body))

    found = the_one(diagnose(operator, "k", address=fake.url, mount="transit"), FAILURE)

    assert found.check == "permissions"
    assert "not what Vault's API documents" in found.message
