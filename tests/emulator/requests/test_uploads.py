"""Requests in parts: the text of ``data`` is what is announced, the checksum that of ``file``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.conftest import calling
from tests.emulator.uploads import OUTPUT, data_of, path, send, upload


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


@given(file=st.binary(max_size=200) | st.text("\r\n-b=", max_size=40).map(str.encode))
def test_file_arrives_as_it_was_sent(shared: Caller, file: bytes) -> None:
    assert answered(upload(shared, data_of(file), file)) == {"status": "success"}


def test_exact_payload_is_the_text_of_the_data(emulator: Emulator, caller: Caller) -> None:
    emulator.exact_payloads = True
    data = data_of(b"x")

    answered(upload(caller, data, b"x"))
    spaced = data.replace(b'{"outputJson"', b'{ "outputJson"')
    refused(upload(caller, data, b"x", announced=spaced), 403, "userAction.payload")


def test_checksum_of_another_file_is_refused(shared: Caller) -> None:
    error = refused(upload(shared, data_of(b"other"), b"x"), 400, "body.checksum")

    assert error["details"]["expected"] == hashlib.sha256(b"x").hexdigest()


def test_data_without_a_checksum_is_refused(shared: Caller) -> None:
    data = compact({"outputJson": OUTPUT})

    refused(upload(shared, data, b"x"), 400, "body.checksum", "is missing")


def test_unknown_member_of_the_data_is_refused_by_name(shared: Caller) -> None:
    response = upload(shared, data_of(b"x", note="a"), b"x")

    refused(response, 400, "field.unknown", "note")


def test_upload_without_a_file_is_refused(shared: Caller) -> None:
    refused(send(shared, "{}", {"data": (None, b"{}")}), 400, "body.parts", '"file"')


def test_json_in_place_of_parts_is_refused(shared: Caller) -> None:
    response = shared.call("POST", path(shared), {"outputJson": OUTPUT})

    refused(response, 400, "body.type", "multipart/form-data")


def test_upload_is_refused_without_a_user_action(shared: Caller) -> None:
    refused(shared.send("POST", path(shared)), 403, "userAction.missing")
