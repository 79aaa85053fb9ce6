"""Signatures made on real servers, checked with cryptography, and the evidence they come with."""

from __future__ import annotations

import logging

import anyio
import pytest

from dfns_signers.signing_key import SigningKey
from tests.core.keys import is_signature
from tests.plugins.aws_kms.kms_keys import ALGORITHMS
from tests.plugins.aws_kms.stores import Store

MESSAGE = b'{"type":"key.get","challenge":"Y2g"}'
LONG = b"x" * 5000
ON_BOTH = [spec for spec in ALGORITHMS if spec != "ECC_NIST_EDWARDS25519"]


def assert_signs(key: SigningKey, message: bytes) -> None:
    assert is_signature(key.public_key, message, key.sign(message))
    assert is_signature(key.public_key, message, anyio.run(key.asign, message))


@pytest.mark.parametrize("spec", ON_BOTH)
def test_key_signs_sync_and_async_messages_of_any_length(store: Store, spec: str) -> None:
    with store.opened(store.arn(spec)) as key:
        assert str(key.algorithm) == ALGORITHMS[spec]
        assert_signs(key, MESSAGE)
        assert_signs(key, LONG)


def test_ed25519_key_signs_sync_and_async_on_ministack(ministack: Store) -> None:
    with ministack.opened(ministack.arn("ECC_NIST_EDWARDS25519")) as key:
        assert str(key.algorithm) == "Ed25519"
        assert_signs(key, MESSAGE)


def test_multi_region_key_signs(store: Store) -> None:
    arn = store.create("ECC_NIST_P256", MultiRegion=True)

    for name in (arn, arn.rpartition("/")[2]):
        with store.opened(name) as key:
            assert "key/mrk-" in key.reference
            assert_signs(key, MESSAGE)


@pytest.mark.parametrize("form", ["key id", "key ARN", "alias name", "alias ARN"])
def test_key_is_found_under_every_name_and_used_by_its_arn(store: Store, form: str) -> None:
    arn = store.arn("ECC_NIST_P256")
    alias = store.alias(arn)
    prefix, _, key_id = arn.rpartition("key/")
    names = {
        "key id": key_id,
        "key ARN": arn,
        "alias name": alias,
        "alias ARN": prefix + alias,
    }

    with store.opened(names[form]) as key:
        signature = key.sign_with_evidence(MESSAGE)

    assert key.reference == arn
    assert arn in repr(key)
    assert signature.evidence.key == arn


def test_arn_says_the_region_when_no_other_is_configured(store: Store) -> None:
    with store.opened(store.arn("ECC_NIST_P256"), region=None) as key:
        assert_signs(key, MESSAGE)


def test_evidence_has_request_id_and_attempts(store: Store) -> None:
    with store.opened(store.arn("ECC_NIST_P256")) as key:
        first = key.sign_with_evidence(MESSAGE).evidence
        second = key.sign_with_evidence(MESSAGE).evidence

    assert first.request_id
    assert second.request_id
    assert first.request_id != second.request_id
    assert first.attempts == 1
    assert first.key_version is None
    assert first.verified


def test_alias_that_moves_under_an_open_key_does_not_exchange_it(store: Store) -> None:
    first, second = store.arn("ECC_NIST_P256"), store.arn("ECC_SECG_P256K1")
    alias = store.alias(first)

    with store.opened(alias) as key:
        store.client.update_alias(AliasName=alias, TargetKeyId=second)
        assert_signs(key, MESSAGE)
        assert key.sign_with_evidence(MESSAGE).evidence.key == first


def test_arn_behind_an_alias_is_shown_when_a_signer_is_opened(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    from dfns_signers import load_signer  # noqa: PLC0415

    arn = store.arn("ECC_NIST_P256")
    table = store.server.signer(store.alias(arn))

    with (
        caplog.at_level(logging.INFO, "dfns_signers"),
        load_signer(credential_id="cr-1", signer=table),
    ):
        pass

    assert any(arn in record.getMessage() for record in caplog.records)
