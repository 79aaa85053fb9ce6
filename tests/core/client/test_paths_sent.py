"""A path parameter is one segment, and the path signed is the path requested."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ApiError, NotFoundError, RequestError
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import announced, calls
from tests.core.client.scripted import ScriptedApi
from tests.core.client.values import OVER_HTTP

# Printable, and without what ends a segment for one server or another.
identifiers = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="./\\?#%;"),
    min_size=1,
).filter(lambda text: text == text.strip())


@OVER_HTTP
@given(identifier=identifiers)
@example(identifier="a b é")
@example(identifier="v1.2")
@example(identifier="{id}")
@example(identifier="...")
@example(identifier="@:&=+$,!*'()~")
def test_any_path_parameter_is_signed_and_requested_as_the_same_one_segment(
    dfns: Driven, emulator: Emulator, identifier: str
) -> None:
    with pytest.raises(NotFoundError) as caught:
        dfns.call(
            lambda client: client.put(
                "/keys/{id}", path_params={"id": identifier}, json={"name": "n"}
            )
        )

    requested = calls(emulator)[-1]
    assert requested.method == "PUT"
    assert requested.raw_path == announced(emulator)[-1]["userActionHttpPath"]
    assert requested.query == ""
    before, segment = requested.raw_path.rsplit("/", 1)
    assert (before, unquote(segment)) == ("/keys", identifier)
    assert caught.value.details["check"] == "entity"


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        ".",
        "..",
        "../wallets/wa-1",
        "wa-1/..",
        "..;/keys",
        "..\\keys",
        "a/b",
        "a?b",
        "a#b",
        "a%b",
        "a;b",
        "a\\b",
        " a",
        "a\u00a0",
        "a\x7fb",
        "%2e%2e",
        "%252e%252e",
        "%2e%2e%2fkeys",
        "wa-1\x00",
        "\r\nHost: evil",
        "%0d%0aHost: evil",
        None,
        True,
        1.5,
        b"wa-1",
        ["wa-1"],
        pytest.param("\ud800", id="surrogate"),
        pytest.param(10**5000, id="huge number"),
        pytest.param("a" * 70_000, id="long text"),
    ],
)
def test_path_parameter_that_names_nothing_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, identifier: Any
) -> None:
    with pytest.raises(RequestError):
        scripted.call(lambda client: client.get("/wallets/{id}", path_params={"id": identifier}))
    with pytest.raises(RequestError):
        scripted.call(lambda client: client.delete("/keys/{id}", path_params={"id": identifier}))

    assert api.seen == []


def test_whole_number_is_a_path_parameter(dfns: Driven, emulator: Emulator) -> None:
    with pytest.raises(NotFoundError):
        dfns.call(lambda client: client.get("/wallets/{id}", path_params={"id": 7}))

    assert calls(emulator)[-1].raw_path == "/wallets/7"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "wallets",
        "//evil.test/wallets",
        "/wallets//wa-1",
        "/wallets/",
        "/keys/../wallets/wa-1",
        "/keys/%2e%2e/wallets/wa-1",
        "/keys/%2E%2E/wallets",
        "/keys/.%2e/wallets",
        "/wallets/./wa-1",
        "/wallets?force=true",
        "/wallets#top",
        "/wallets/wa 1",
        "/wallets\\wa-1",
        "/wallets/é",
        "/wallets/\x00",
        "/wallets/wa-1\n",
        "/wallets/%zz",
        "/wallets/wa-1/%74ransfers",
        "/wallets/wa-1/transfer%73",
        "/wallets/wa-1/%25%37%34ransfers",
        "/wallets/wa-1/%2574ransfers",
        "/wallets/wa-1/transfers%2F",
        "/wallets/wa-1/transfers%2f",
        "/wallets/wa-1/transfers%5C",
        "/wallets/wa-1/transfers%3Fa=b",
        "/wallets/wa-1/transfers%23",
        "/wallets/wa-1/transfers%20",
        "/wallets/wa-1/%09transfers",
        "/wallets/wa-1/transfers;x=1",
        "/wallets/wa-1/transfers%3Bx=1",
        "/wallets/wa-1%2Ftransfers",
        "/wallets/%c3%a9",
        "/wallets/%FF",
        "/wallets/%C2%85x",
        "/wallets/%7E",
        "/wallets/%",
        "/wallets/{id}",
        *(f"/wallets/wa{character}1" for character in "!$&'()*+,:=@"),
        "https://evil.test/wallets",
        "@evil.test/wallets",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_path_that_could_lead_elsewhere_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, method: str, path: str
) -> None:
    with pytest.raises(RequestError):
        scripted.call(lambda client: client.request(method, path, json={}))

    assert api.seen == []


@OVER_HTTP
@given(path=st.text(st.characters(codec="ascii")).map(lambda text: "/keys/" + text))
@example(path="/keys/~-._%21%24%26%27%28%29%2A%2B%2C%3A%3D%40")
@example(path="/keys/%C3%A9%2F%00")
@example(path="/keys/%C3%A9%20x")
@example(path="/keys/\\wallets")
@example(path='/keys/a|b^`"<>')
@example(path="/keys/%7euser")
def test_any_path_text_is_refused_or_requested_as_announced(
    dfns: Driven, emulator: Emulator, path: str
) -> None:
    before = len(emulator.requests)
    try:
        with contextlib.suppress(ApiError):
            dfns.call(lambda client: client.put(path, json={}))
    except RequestError:
        assert len(emulator.requests) == before
        return

    assert announced(emulator)[-1]["userActionHttpPath"] == path
    assert calls(emulator)[-1].raw_path == path


@pytest.mark.parametrize("prefix", ["/gw", "/gw/", "/a/b%20c"])
def test_prefix_of_the_base_url_is_requested_and_never_signed(
    connect: Connector, api: ScriptedApi, signer: KeySigner, prefix: str
) -> None:
    dfns = connect("token", signer, base_url=api.url + prefix)

    dfns.call(
        lambda client: client.post("/keys/{id}/signatures", path_params={"id": "a b"}, json={})
    )

    behind = prefix.rstrip("/")
    assert [seen.target for seen in api.seen] == [
        f"{behind}/auth/action/init",
        f"{behind}/auth/action",
        f"{behind}/keys/a%20b/signatures",
    ]
    assert json.loads(api.seen[0].body)["userActionHttpPath"] == "/keys/a%20b/signatures"
