"""Tokens and secret ids are in no record, repr, error or traceback of this package."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest
import requests

from dfns_signers.errors import KeyAccessError
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
