"""Names that would lead out of the secrets engine are refused before anything is sent."""

from __future__ import annotations

import string
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dfns_signers.errors import ConfigurationError
from dfns_signers_vault_transit.key import VaultTransitKey
from dfns_signers_vault_transit.names import (
    check_key_name,
    check_mount,
    check_path,
)
from dfns_signers_vault_transit.options import VaultTransitCreate, VaultTransitOptions
from tests.core.client.scripted import ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.operator import Operator

ESCAPES = ("../../sys/seal", "..", ".", "", "a/b", "/a", "a/../b", "a?b", "a#b", "a%2e", "a b", "é")
PATH_ESCAPES = ("..", "a/../b", "../transit", "/transit", "a//b", "", "/", "a/./b", "a?b", "a\n")
WORD = string.ascii_letters + string.digits + "_"
SEGMENT = st.text(WORD + ".-", max_size=12).map(lambda rest: "k" + rest)
PATH = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize("name", ESCAPES)
def test_key_name_that_is_no_segment_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name of a key"):
        check_key_name(name)


@pytest.mark.parametrize("path", PATH_ESCAPES)
@pytest.mark.parametrize("check", [check_mount, partial(check_path, kind="namespace")])
def test_path_that_leads_elsewhere_is_refused(check: Any, path: str) -> None:
    with pytest.raises(ValueError, match="segments with '/' between them"):
        check(path)


@pytest.mark.parametrize(
    "mount", ["sys", "sys/policies/acl", "auth/token", "identity", "audit/x", "a/sys/b"]
)
def test_mount_that_is_vaults_own_is_refused(mount: str) -> None:
    with pytest.raises(ValueError, match="keeps that path to itself"):
        check_mount(mount)


@settings(deadline=None)
@given(path=PATH)
def test_path_of_plain_segments_is_taken_with_and_without_a_slash_at_its_end(path: str) -> None:
    assert check_mount(path) == check_mount(path + "/") == path


@settings(deadline=None)
@given(name=st.text(max_size=30))
def test_any_text_is_one_plain_segment_or_refused(name: str) -> None:
    try:
        taken = check_key_name(name)
    except ValueError:
        return
    assert taken == name
    assert set(taken) <= set(WORD + ".-")
    assert taken[0] in WORD


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40
)
@given(name=st.sampled_from(ESCAPES), mount=st.sampled_from(PATH_ESCAPES))
def test_escape_in_code_sends_nothing(name: str, mount: str, fake: ScriptedApi) -> None:
    import hvac  # type: ignore[import-untyped]  # noqa: PLC0415

    client = hvac.Client(url=fake.url, token="token")
    for key, path in ((name, "transit"), ("k", mount)):
        with pytest.raises(ConfigurationError):
            VaultTransitKey(client, key, mount=path)

    assert fake.seen == []


@pytest.mark.parametrize("name", ["../../sys/seal", "../keys/other"])
def test_escape_in_options_is_refused_and_the_server_stays_open(
    name: str, operator: Operator
) -> None:
    for model in (VaultTransitOptions, VaultTransitCreate):
        with pytest.raises(ValidationError, match="not a name of a key"):
            model.model_validate({"address": operator.server.address, "key": name})

    assert operator.client.sys.is_sealed() is False


def test_mount_with_slashes_and_key_with_dots_signs(operator: Operator, open_key: OpenKey) -> None:
    assert "/" in operator.mount
    name = operator.key() + ".v1_b-c"
    operator.client.secrets.transit.create_key(name, key_type="ed25519", mount_point=operator.mount)

    signature = open_key(name, mount=operator.mount + "/").sign(b"message")

    assert is_signature(operator.public_key(name), b"message", signature)
