"""What is wrong with a key or its version is named, with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.vault_transit.diagnoses import (
    FAILURE,
    OK,
    WARNING,
    diagnose,
    summary,
    the_one,
)
from tests.plugins.vault_transit.operator import Operator


@pytest.mark.parametrize(
    ("options", "said"),
    [({"mount": "nowhere"}, "nothing is mounted at 'nowhere'"), ({}, "there is no such key")],
    ids=["mount", "key"],
)
def test_wrong_mount_or_key_is_the_last_finding(
    options: dict[str, str], said: str, operator: Operator
) -> None:
    findings = diagnose(operator, "no-such-key", **options)

    assert summary(findings) == [("key store", OK), ("key store", OK), ("key state", FAILURE)]
    assert said in findings[-1].message
    assert f"vault list {options.get('mount', operator.mount)}/keys" in findings[-1].remedy


def configured(operator: Operator, **settings: Any) -> str:
    name = operator.key(versions=3)
    operator.configure(name, **settings)
    return name


def trimmed(operator: Operator) -> str:
    name = configured(operator, min_decryption_version=3)
    operator.configure(name, min_encryption_version=3)
    operator.client.secrets.transit.trim_key(name, min_version=3, mount_point=operator.mount)
    return name


def deleted(operator: Operator) -> str:
    name = operator.key()
    path = f"/v1/{operator.mount}/keys/{name}/soft-delete"
    operator.client.adapter.delete(path)
    return name


@pytest.mark.parametrize(
    ("make", "version", "said", "remedy"),
    [
        (
            lambda operator: configured(operator, min_decryption_version=3),
            2,
            "is archived",
            "/config min_decryption_version=2'",
        ),
        (
            lambda operator: configured(operator, min_encryption_version=3),
            2,
            "min_encryption_version, 3",
            "/config min_encryption_version=2'",
        ),
        (trimmed, 2, "is archived", "the version was trimmed, and is gone"),
        (lambda operator: operator.key(), 2, "no version 2", "the latest is 1"),
        (lambda operator: operator.key("ecdsa-p384"), 1, "'ecdsa-p384'", "keys create Ed25519"),
        (lambda operator: operator.key("aes256-gcm96"), 1, "'aes256-gcm96'", "keys create Ed25519"),
        (lambda operator: operator.key(derived=True), 1, "is derived", "keys create Ed25519"),
        (deleted, 1, "is deleted", "/soft-delete-restore'"),
    ],
    ids=["archived", "below", "trimmed", "unknown", "type", "symmetric", "derived", "deleted"],
)
def test_version_that_does_not_sign_is_a_failure_with_what_to_do(
    make: Any, version: int, said: str, remedy: str, operator: Operator
) -> None:
    findings = diagnose(operator, make(operator), key_version=version)

    found = the_one(findings, FAILURE)
    assert found.check == "key state"
    assert said in found.message
    assert remedy in found.remedy


@pytest.mark.parametrize("minimum", ["min_decryption_version", "min_encryption_version"])
def test_remedy_of_a_minimum_lets_the_version_sign_again(minimum: str, operator: Operator) -> None:
    name = configured(operator, **{minimum: 3})
    remedy = the_one(diagnose(operator, name, key_version=2), FAILURE).remedy

    run(operator, remedy)

    assert {one.severity for one in diagnose(operator, name, key_version=2)} == {OK}


def test_remedy_of_a_deleted_key_restores_it(operator: Operator) -> None:
    name = deleted(operator)
    remedy = the_one(diagnose(operator, name), FAILURE).remedy

    run(operator, remedy)

    assert {one.severity for one in diagnose(operator, name)} == {OK}


def run(operator: Operator, remedy: str) -> None:
    """What the ``vault write`` in a remedy does."""
    command = remedy.partition("'vault write ")[2].partition("'")[0].replace("-f ", "")
    path, _, setting = command.partition(" ")
    body = dict([setting.split("=")]) if setting else {}
    operator.client.adapter.post(f"/v1/{path}", json=body)


@pytest.mark.parametrize(
    ("settings", "said", "remedy"),
    [
        ({"auto_rotate_period": "24h"}, "rotates the key", "auto_rotate_period=0"),
        ({"exportable": True}, "can be exported", "create another key"),
        ({"allow_plaintext_backup": True}, "read in a backup", "create another key"),
        ({"deletion_allowed": True}, "can be deleted", "deletion_allowed=false"),
    ],
    ids=["rotated", "exportable", "backup", "deletion"],
)
def test_unsafe_key_is_a_warning(
    settings: dict[str, Any], said: str, remedy: str, operator: Operator
) -> None:
    name = operator.key()
    operator.configure(name, **settings)

    found = the_one(diagnose(operator, name), WARNING)

    assert found.check == "key state"
    assert f"{operator.mount}/{name}" in found.message
    assert said in found.message
    assert remedy in found.remedy


def test_newer_version_than_the_configured_one_is_noted(operator: Operator) -> None:
    findings = diagnose(operator, operator.key(versions=3), key_version=2)

    assert {one.severity for one in findings} == {OK}
    (note,) = [one for one in findings if "newer versions than 2, up to 3" in one.message]
    assert "dfns-signers rotate" in note.message


def test_version_that_is_not_configured_is_a_warning_unless_the_fingerprint_is(
    operator: Operator,
) -> None:
    name = operator.key(versions=3)

    found = the_one(diagnose(operator, name, key_version=None), WARNING)
    pinned = diagnose(operator, name, key_version=None, fingerprint=f"sha256:{'0' * 64}")

    assert "key_version = 3" in found.remedy
    assert {one.severity for one in pinned} == {OK}
