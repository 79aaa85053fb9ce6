"""Placeholders of a path and their parameters have to match."""

from __future__ import annotations

from enum import Enum, IntEnum

import pytest

from dfns_signers.errors import RequestError
from dfns_signers.user_action.paths import expand


def test_each_placeholder_gets_its_parameter() -> None:
    path = expand("/keys/{keyId}/signatures/{signatureId}", {"signatureId": "s:1", "keyId": "k 1"})

    assert path == "/keys/k%201/signatures/s%3A1"


@pytest.mark.parametrize("character", "!$&'()*+,:=@")
def test_character_that_may_be_written_in_two_ways_is_written_in_one(character: str) -> None:
    encoded = f"/keys/a%{ord(character):02X}b"

    assert expand("/keys/{keyId}", {"keyId": f"a{character}b"}) == encoded
    assert expand(encoded) == encoded
    with pytest.raises(RequestError, match="'path_params' encodes identifiers"):
        expand(f"/keys/a{character}b")


def test_member_of_an_enumeration_stands_for_its_value() -> None:
    class Network(str, Enum):
        BITCOIN = "Bitcoin"

    class Page(IntEnum):
        FIRST = 1

    assert expand("/n/{n}/{p}", {"n": Network.BITCOIN, "p": Page.FIRST}) == "/n/Bitcoin/1"


def test_parameter_is_not_expanded_again() -> None:
    assert expand("/a/{x}/{y}", {"x": "{y}", "y": "1"}) == "/a/%7By%7D/1"


@pytest.mark.parametrize("parameters", [None, {}, {"key_id": "k"}])
def test_missing_parameter_is_refused(parameters: dict[str, object] | None) -> None:
    with pytest.raises(RequestError, match="'keyId'"):
        expand("/keys/{keyId}", parameters)


def test_parameter_without_a_place_is_refused() -> None:
    with pytest.raises(RequestError, match="no place for a, b"):
        expand("/keys/{keyId}", {"keyId": "k", "b": "1", "a": "2"})


@pytest.mark.parametrize("template", ["/keys/{}", "/keys/{key-id}", "/keys/{keyId", "/keys/{1}"])
def test_placeholder_that_is_none_is_refused(template: str) -> None:
    with pytest.raises(RequestError):
        expand(template)


@pytest.mark.parametrize(
    ("template", "parameter"), [("/keys/{x}.", "."), ("/keys/.{x}", "."), ("/keys/{x}{y}", ".")]
)
def test_dots_that_meet_in_a_segment_do_not_lead_elsewhere(template: str, parameter: str) -> None:
    with pytest.raises(RequestError):
        expand(template, {"x": parameter, **({"y": "."} if "{y}" in template else {})})
