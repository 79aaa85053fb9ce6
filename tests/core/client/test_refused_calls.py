"""Answers from 400 up: one class for each status, whatever is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
)
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.client.values import OVER_HTTP, hostile_leaves, json_trees

CLASSES: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: ApiError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: RequestTimeoutError,
    409: ConflictError,
    418: ApiError,
    429: RateLimitedError,
    500: ServerError,
    502: ServerError,
    503: ServerError,
    599: ServerError,
}
bodies = (
    json_trees(
        hostile_leaves, st.sampled_from(["error", "message", "details", "id", "status"])
    ).map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
    | st.just(b"[" * 50_000)
)


@pytest.fixture
def impatient(connect: Connector, api: ScriptedApi) -> Driven:
    """A client that tries once."""
    return connect("token", base_url=api.url, max_attempts=1)


@pytest.mark.parametrize("status", CLASSES)
def test_status_decides_the_class_and_the_envelope_is_kept(
    impatient: Driven, api: ScriptedApi, status: int
) -> None:
    error = {"id": "err-1", "status": status, "message": "No, thanks.", "details": {"a": [1]}}
    api.on("/wallets", Reply(status, {"error": error}, {"X-Request-ID": "req-1"}))

    with pytest.raises(ApiError, match=f"GET /wallets was answered with {status}: No, thanks") as e:
        impatient.call(lambda client: client.get("/wallets"))

    assert type(e.value) is CLASSES[status]
    assert e.value.status == status
    assert e.value.error_id == "err-1"
    assert e.value.details == {"a": [1]}
    assert e.value.headers["x-request-id"] == "req-1"
    assert json.loads(e.value.body) == {"error": error}


@OVER_HTTP
@given(status=st.sampled_from(sorted(CLASSES)) | st.integers(400, 599), body=bodies)
def test_any_body_and_status_give_an_api_error_and_nothing_else(
    impatient: Driven, api: ScriptedApi, status: int, body: bytes
) -> None:
    api.on("/wallets", Reply(status, body))

    with pytest.raises(ApiError) as caught:
        impatient.call(lambda client: client.get("/wallets"))

    usual = ServerError if status >= 500 else ApiError
    assert type(caught.value) is CLASSES.get(status, usual)
    assert caught.value.status == status
    assert caught.value.error_id is None or isinstance(caught.value.error_id, str)
    assert len(caught.value.body) <= 2000
    assert str(status) in str(caught.value)


@pytest.mark.parametrize("step", ["/auth/action/init", "/auth/action"])
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_refused_step_is_the_same_error_and_the_call_is_not_sent(
    connect: Connector, emulator: Emulator, signer: Any, step: str, status: int
) -> None:
    dfns = connect(emulator.auth_token, signer, base_url=emulator.url, max_attempts=1)
    emulator.fail_next("POST", step, status=status)

    with pytest.raises(CLASSES[status], match=f"POST {step} was answered") as caught:
        dfns.call(lambda client: client.post("/wallets", json={"network": "Bitcoin"}))

    assert not caught.value.may_have_taken_effect
    assert [request.raw_path for request in emulator.requests][-1] == step


def test_missing_permission_and_unknown_token_say_what_to_check(
    connect: Connector, emulator: Emulator
) -> None:
    dfns = connect("no-such-token", base_url=emulator.url)

    with pytest.raises(AuthenticationError, match="region of the base URL") as caught:
        dfns.call(lambda client: client.get("/wallets"))

    assert "no-such-token" not in str(caught.value)
