"""What can never be sent is refused where it is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers import AsyncDfnsClient, DelegatedDfnsClient, DfnsClient
from dfns_signers.errors import ConfigurationError, RequestError
from tests.core.client.driving import Driven
from tests.core.client.scripted import ScriptedApi

HUGE = pytest.param(-(10**5000), id="huge")
KINDS = pytest.mark.parametrize("kind", [DfnsClient, AsyncDfnsClient, DelegatedDfnsClient])


@KINDS
@pytest.mark.parametrize(
    "timeout",
    [
        *(-1, 0, math.nan, math.inf, 1e30, "5", True, []),
        *(httpx.Timeout(-1), httpx.Timeout(5, read=1e9)),
        pytest.param(10**5000, id="huge"),
    ],
)
def test_timeout_that_is_none_is_refused(kind: Any, timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="'timeout' must be a number of seconds above 0"):
        kind("token", timeout=timeout)


@KINDS
@pytest.mark.parametrize("attempts", ["3", 0, -1, True, 2.5, None, math.nan, HUGE])
def test_number_of_attempts_that_is_none_is_refused(kind: Any, attempts: Any) -> None:
    with pytest.raises(ConfigurationError, match="'max_attempts' must be an integer of 1 or more"):
        kind("token", max_attempts=attempts)


@pytest.mark.parametrize(
    ("kind", "wanted", "given"),
    [
        (DfnsClient, "httpx.Client", httpx.AsyncClient()),
        (DfnsClient, "httpx.Client", "client"),
        (DelegatedDfnsClient, "httpx.Client", httpx.AsyncClient()),
        (AsyncDfnsClient, "httpx.AsyncClient", httpx.Client()),
    ],
)
def test_http_client_of_the_wrong_kind_is_refused(kind: Any, wanted: str, given: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=f"must be an {wanted}, not {type(given).__name__}"
    ):
        kind("token", http_client=given)


@pytest.mark.parametrize(
    "method", ["", "PO ST", "POÜST", "PO\u017fT", "TRACE", "GET\r\n", None, 5, HUGE, "G" * 10_000]
)
@pytest.mark.parametrize("signed", [None, True, False])
def test_method_that_is_none_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, method: Any, signed: bool | None
) -> None:
    with pytest.raises(RequestError, match="the HTTP method must be one of DELETE, GET"):
        scripted.call(lambda client: client.request(method, "/wallets", signed=signed))

    assert api.seen == []


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**5000, id="huge"),
        pytest.param([-(10**5000)], id="huge in a list"),
        math.nan,
        math.inf,
        [math.inf],
    ],
)
def test_number_that_is_no_text_in_a_url_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, value: Any
) -> None:
    with pytest.raises(RequestError, match="the query parameter 'limit'"):
        scripted.call(lambda client: client.get("/wallets", params={"limit": value}))

    assert api.seen == []


@pytest.mark.parametrize("path", [None, 5, b"/wallets", ["/wallets"]])
def test_path_that_is_not_a_string_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, path: Any
) -> None:
    with pytest.raises(RequestError, match=f"path must be a string, not {type(path).__name__}"):
        scripted.call(lambda client: client.request("GET", path))
    with pytest.raises(RequestError, match="path must be a string"):
        scripted.walk(lambda client: client.paginate(path))

    assert api.seen == []


@pytest.mark.parametrize("given", [5, "x", b"x", ["x"], [], object(), {5: "x"}, {b"x": "y"}])
@pytest.mark.parametrize("argument", ["params", "path_params"])
def test_parameters_that_are_not_a_mapping_by_name_are_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, argument: str, given: Any
) -> None:
    with pytest.raises(RequestError, match=f"'{argument}' must be"):
        scripted.call(lambda client: client.request("GET", "/wallets", **{argument: given}))

    assert api.seen == []


def test_name_of_a_query_parameter_that_is_no_text_in_a_url_is_refused_before_it_is_announced(
    scripted_delegated: Driven, api: ScriptedApi
) -> None:
    with pytest.raises(RequestError, match="cannot be text in a URL"):
        scripted_delegated.call(
            lambda client: client.init("POST", "/wallets", params={"\ud800": "x"})
        )

    assert api.seen == []


WRONG_MEMBERS: dict[str, Callable[[Any], Any]] = {
    "extra": lambda client: client.wallets.create(network="Bitcoin", extra=5),
    "extra, a string": lambda client: client.keys.create(scheme="DH", curve="x", extra="name"),
    "extra, numbered": lambda client: client.wallets.create(network="Bitcoin", extra={5: "x"}),
    "tags": lambda client: client.wallets.create(network="Bitcoin", tags=5),
    "tags, a string": lambda client: client.wallets.create(network="Bitcoin", tags="cold"),
    "amount": lambda client: client.wallets.transfer("wa-1", to="x", amount=10**5000),
    "challenge": lambda client: client.auth.credentials.create(
        name="n", challenge=5, credential_info={}
    ),
    "challengeIdentifier": lambda client: client.auth.credentials.create(
        name="n", challenge={}, credential_info={}
    ),
    "credential_info": lambda client: client.auth.credentials.create(
        name="n", challenge={"challengeIdentifier": "c"}, credential_info=5
    ),
}


@pytest.mark.parametrize("argument", WRONG_MEMBERS)
def test_argument_of_a_typed_call_of_the_wrong_type_is_named_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, argument: str
) -> None:
    with pytest.raises(RequestError, match=argument.partition(",")[0]):
        scripted.call(WRONG_MEMBERS[argument])

    assert api.seen == []


@pytest.mark.parametrize("pending", [None, 5, "pending", {"kind": "Key"}])
def test_pending_action_that_is_none_is_refused_with_what_to_give(
    scripted_delegated: Driven, api: ScriptedApi, pending: Any
) -> None:
    with pytest.raises(
        RequestError, match=r"pending action that init\(\) returned, found"
    ) as caught:
        scripted_delegated.call(lambda client: client.complete(pending, {"kind": "Key"}))

    assert type(pending).__name__ in str(caught.value)
    assert api.seen == []


def test_proxy_of_the_environment_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://proxy")

    with pytest.raises(ConfigurationError, match="check the proxy that the environment names"):
        DfnsClient("token")


def test_certificates_of_the_environment_that_are_none_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        DfnsClient("token")
