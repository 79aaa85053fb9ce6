"""Keys that cannot sign for Dfns, refused by real servers' answers when they are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dfns_signers.errors import (
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    UnsupportedKeyError,
)
from tests.plugins.aws_kms.kms_double import KmsDouble, answer, refuse
from tests.plugins.aws_kms.stores import Store

WHAT_WORKS = "SIGN_VERIFY and one of the key specs ECC_NIST_EDWARDS25519, ECC_NIST_P256"


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("ECC_NIST_P384", "SIGN_VERIFY"),
        ("ECC_NIST_P521", "SIGN_VERIFY"),
        ("ECC_NIST_P256", "KEY_AGREEMENT"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
    ],
)
def test_key_of_another_spec_or_usage_is_refused_with_both_and_what_works(
    store: Store, spec: str, usage: str
) -> None:
    arn = store.create(spec, usage)

    with pytest.raises(UnsupportedKeyError) as caught, store.opened(arn):
        pass

    message = str(caught.value)
    assert f"the key {arn} has the key spec {spec} and the key usage {usage}" in message
    assert WHAT_WORKS in message
    assert "dfns-signers keys create" in message


@pytest.mark.parametrize(
    ("spec", "usage"),
    [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC")],
)
def test_key_without_a_public_half_is_refused_with_what_works(
    store: Store, spec: str, usage: str
) -> None:
    arn = store.create(spec, usage)

    with pytest.raises(UnsupportedKeyError) as caught, store.opened(arn):
        pass

    assert arn in str(caught.value)
    assert WHAT_WORKS in str(caught.value)


def test_disabled_key_is_refused_when_opened_with_the_command_that_enables_it(
    store: Store,
) -> None:
    arn = store.create("ECC_NIST_P256")
    store.client.disable_key(KeyId=arn)

    with pytest.raises(KeyStateError) as caught, store.opened(arn):
        pass

    assert f"the key {arn} is in the state Disabled" in str(caught.value)
    assert f"aws kms enable-key --key-id {arn}" in str(caught.value)


def test_key_pending_deletion_is_refused_when_opened_with_the_command_that_keeps_it(
    store: Store,
) -> None:
    arn = store.create("ECC_NIST_P256")
    store.client.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)

    with pytest.raises(KeyStateError) as caught, store.opened(arn):
        pass

    assert arn in str(caught.value)
    assert "pending deletion" in str(caught.value).lower().replace(
        "pendingdeletion", "pending deletion"
    )
    assert "aws kms cancel-key-deletion" in str(caught.value)


def test_key_disabled_while_open_fails_to_sign_with_the_command_that_enables_it(
    store: Store,
) -> None:
    arn = store.create("ECC_NIST_P256")

    with store.opened(arn) as key:
        store.client.disable_key(KeyId=arn)
        with pytest.raises(KeyStateError) as caught:
            key.sign(b"message")

    assert f"cannot sign with the key {arn}: DisabledException" in str(caught.value)
    assert "aws kms enable-key" in str(caught.value)


@pytest.mark.parametrize("name", ["alias/nobody", "00000000-1111-2222-3333-444444444444"])
def test_unknown_key_is_refused_with_how_to_list_those_there_are(store: Store, name: str) -> None:
    with pytest.raises(KeyNotFoundError) as caught, store.opened(name):
        pass

    assert f"cannot open the key {name}: NotFoundException" in str(caught.value)
    assert "dfns-signers keys list" in str(caught.value)


def test_deletion_date_is_reported_where_the_state_may_be_read(
    double: KmsDouble, open_key: Callable[..., Any]
) -> None:
    arn = double.add("ECC_NIST_P256", state="PendingDeletion")

    with pytest.raises(KeyStateError, match=r"PendingDeletion \(to be deleted on 2027-01-01\)"):
        open_key(arn)


@pytest.mark.parametrize(
    ("state", "said"), [("Disabled", "is disabled"), ("PendingDeletion", "is pending deletion")]
)
def test_unusable_key_is_refused_when_opened_also_without_permission_to_describe_it(
    double: KmsDouble, open_key: Callable[..., Any], state: str, said: str
) -> None:
    arn = double.add("ECC_NIST_P256", state=state)
    double.fail("DescribeKey", refuse("AccessDeniedException", "not authorized"))

    with pytest.raises(KeyStateError, match=f"{arn} {said}"):
        open_key(arn)


@pytest.mark.parametrize("state", ["Creating", "Unavailable", "PendingImport", "Updating"])
def test_key_that_is_not_enabled_yet_is_refused_with_its_state(
    double: KmsDouble, open_key: Callable[..., Any], state: str
) -> None:
    arn = double.add("ECC_NIST_P256", state=state)

    with pytest.raises(KeyStateError, match=f"in the state {state}.*wait until it is Enabled"):
        open_key(arn)


def test_state_that_cannot_be_read_for_another_reason_than_a_denial_is_an_error(
    double: KmsDouble, open_key: Callable[..., Any]
) -> None:
    arn = double.add("ECC_NIST_P256", state="Disabled")
    double.fail("DescribeKey", refuse("ThrottlingException", "Rate exceeded"))

    with pytest.raises(KeyStoreThrottledError, match="cannot read the state of the key"):
        open_key(arn)


def test_two_permissions_are_enough_to_open_and_sign(
    double: KmsDouble, open_key: Callable[..., Any]
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))

    key.sign(b"message")
    assert [operation for operation, _ in double.calls] == ["GetPublicKey", "Sign", "Sign"]


def test_key_is_refused_by_its_state_where_a_server_signs_in_a_dry_run(
    double: KmsDouble, open_key: Callable[..., Any]
) -> None:
    arn = double.add("ECC_NIST_P256", state="Unavailable")
    double.fail("Sign", answer(b'{"Signature": "AAAA"}'))

    with pytest.raises(KeyStateError, match=f"the key {arn} is in the state Unavailable"):
        open_key(arn)


def test_key_that_is_enabled_again_meanwhile_is_refused_as_the_dry_run_was(
    double: KmsDouble, open_key: Callable[..., Any]
) -> None:
    arn = double.add("ECC_NIST_P256")
    double.fail("Sign", refuse("DisabledException", f"{arn} is disabled."))

    with pytest.raises(KeyStateError, match="DisabledException"):
        open_key(arn)


def test_permission_to_sign_is_asked_for_by_a_dry_run_when_the_key_is_opened(
    double: KmsDouble, open_key: Callable[..., Any]
) -> None:
    arn = double.add("ECC_NIST_P256")
    double.fail("Sign", refuse("AccessDeniedException", "User: arn:aws:iam::1:user/u is not"))

    with pytest.raises(Exception, match="allow kms:Sign to these credentials"):
        open_key(arn)

    assert [members["DryRun"] for members in double.members("Sign")] == [True]
