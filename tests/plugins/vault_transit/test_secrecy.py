"""Tokens and secret ids are in no record, repr, error or traceback of this package."""

from __future__ import annotations

import logging
import traceback

import pytest

from dfns_signers.errors import KeyAccessError
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.operator import Operator


def test_no_token_and_no_secret_id_gets_out_while_all_goes_well_and_while_it_does_not(
    operator: Operator, open_key: OpenKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    name = operator.key()
    approle = operator.approle(operator.signing_policy(name), token_ttl="1h")
    key = open_key(name, auth=approle.auth, batch={})
    first = str(key._vault._client.token)
    key.sign(b"message")
    operator.revoke(first)
    key.sign(b"message")
    second = str(key._vault._client.token)
    operator.delete(name)
    operator.client.auth.approle.delete_role("signer", mount_point=approle.path)
    operator.revoke(second)
    with pytest.raises(KeyAccessError) as refused:
        key.sign(b"message")

    shown = "\n".join(
        [
            caplog.text,
            repr(key),
            repr(key._vault._tokens),
            repr(refused.value),
            *traceback.format_exception(refused.value),
        ]
    )
    secrets = (first, second, approle.secret_id, approle.role_id)
    assert first != second
    assert [secret for secret in secrets if secret in shown] == []
