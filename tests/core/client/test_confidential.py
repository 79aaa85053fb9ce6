"""Token and user action are in no repr, no log and no error, whatever the server does."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from dfns_signers.client.call import Call
from dfns_signers.client.pending import PendingAction
from dfns_signers.errors import CallError, DfnsSignersError
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import CUT, Answer, Reply, ScriptedApi, Seen

TOKEN = "canary-token-4711"
USER_ACTION = "canary-user-action-4711"


def echo_as_text(seen: Seen) -> Reply:
    """The debug page of a gateway."""
    return Reply(500, f"<pre>{dict(seen.headers)}</pre>")


def echo_as_envelope(seen: Seen) -> Reply:
    headers = dict(seen.headers)
    return Reply(
        400,
        {"error": {"id": headers["authorization"], "message": str(headers), "details": headers}},
    )


def echo_as_headers(seen: Seen) -> Reply:
    return Reply(403, headers={"X-Seen": f"{seen.headers['authorization']} {seen.user_action}"})


def echo_as_escapes(seen: Seen) -> Reply:
    """JSON may write any character as an escape."""
    secrets = f"{seen.headers['authorization']} {seen.user_action}"
    escaped = "".join(f"\\u{ord(character):04x}" for character in secrets)
    text = f'{{"error": {{"id": "{escaped}", "message": "{escaped}", "details": ["{escaped}"]}}}}'
    return Reply(400, text)


def echo_as_content_type(seen: Seen) -> Reply:
    return Reply(200, "no json", {"Content-Type": f"{seen.headers['authorization']}"})


def echo_as_redirect(seen: Seen) -> Reply:
    return Reply(302, headers={"Location": f"https://{seen.user_action}.example/"})


ECHOES = [
    echo_as_text,
    echo_as_envelope,
    echo_as_headers,
    echo_as_escapes,
    echo_as_content_type,
    echo_as_redirect,
]


@pytest.fixture
def dfns(connect: Connector, api: ScriptedApi, signer: KeySigner) -> Driven:
    api.on("/auth/action", always=Reply(body={"userAction": USER_ACTION}))
    return connect(TOKEN, signer, base_url=api.url, max_attempts=1)


def everything_of(error: BaseException) -> str:
    attributes = {**vars(error), "args": error.args}
    return "".join([repr(error), str(error), repr(attributes), *traceback.format_exception(error)])


@pytest.mark.parametrize("echo", ECHOES)
def test_answer_that_echoes_the_request_shows_no_secret_in_the_error(
    dfns: Driven, api: ScriptedApi, echo: Callable[[Seen], Reply]
) -> None:
    api.on("/wallets", echo)

    with pytest.raises(CallError) as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert api.sent("/wallets")[0].user_action == USER_ACTION
    for text in (everything_of(caught.value), str(pickle.dumps(caught.value))):
        assert TOKEN not in text
        assert USER_ACTION not in text


@pytest.mark.parametrize("step", ["/auth/action/init", "/auth/action"])
@pytest.mark.parametrize("echo", ECHOES)
def test_step_that_echoes_the_request_shows_no_secret_in_the_error(
    dfns: Driven, api: ScriptedApi, echo: Callable[[Seen], Reply], step: str
) -> None:
    api.on(step, echo)

    with pytest.raises(CallError) as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert TOKEN not in everything_of(caught.value)


@pytest.mark.parametrize(
    "failure", [CUT, Reply(302, headers={"Location": "/x"}), Reply(200, "<html>"), echo_as_text]
)
def test_log_at_debug_level_shows_no_secret(
    dfns: Driven, api: ScriptedApi, caplog: pytest.LogCaptureFixture, failure: Answer
) -> None:
    for name in ("", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    api.on("/wallets", Reply(body={"items": []}), failure)
    dfns.call(lambda client: client.get("/wallets"))

    with pytest.raises(DfnsSignersError) as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert {"httpx", "httpcore.http11"} <= {record.name for record in caplog.records}
    for text in (caplog.text, everything_of(caught.value)):
        assert TOKEN not in text
        assert USER_ACTION not in text


def test_repr_of_a_client_shows_where_and_who_and_no_secret(dfns: Driven, api: ScriptedApi) -> None:
    shown = f"{dfns.client!r} {dfns.client!s} {dfns.client._auth!r} {dfns.client._auth._token!r}"

    assert api.url in shown
    assert "cr-first" in shown
    assert TOKEN not in shown


def test_pending_action_holds_no_token_and_its_repr_neither_body_nor_challenge(
    connect: Connector, api: ScriptedApi
) -> None:
    dfns = connect.delegated(TOKEN, base_url=api.url)

    pending: PendingAction = dfns.call(
        lambda client: client.init("POST", "/wallets", json={"memo": "private"})
    )

    assert TOKEN not in pending.to_json()
    assert "private" not in repr(pending)
    assert "challengeIdentifier" not in repr(pending)
    assert "/wallets" in repr(pending)


def test_repr_of_a_call_shows_no_body() -> None:
    call: Call[Any] = Call.of("POST", "/wallets", json={"memo": "private"})

    assert "/wallets" in repr(call)
    assert "private" not in repr(call)


@pytest.mark.parametrize("status", [200, 202])
def test_body_of_a_call_is_in_no_log(
    dfns: Driven, api: ScriptedApi, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    body: dict[str, Any] = {"memo": "private"}
    api.on("/wallets", Reply(status, body))

    dfns.call(lambda client: client.post("/wallets", json=body))

    assert json.loads(api.sent("/wallets")[0].body) == body
    assert "private" not in caplog.text
