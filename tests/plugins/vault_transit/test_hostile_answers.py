"""Answers that no Vault would give: each is an error of ours, fit to be shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfns_signers.errors import DfnsSignersError, SigningKeyError
from dfns_signers_vault_transit.key import VaultTransitKey
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.core.client.scripted import Reply, ScriptedApi
from tests.plugins.vault_transit.conftest import open_with, raised, sign_together
from tests.plugins.vault_transit.fake_paths import FAKE_READ, FAKE_SIGN
from tests.plugins.vault_transit.operator import Operator
from tests.secrecy import CANARY

TOKEN: Final = f"{CANARY}-hostile-token"
SECRET: Final = f"{CANARY}-hostile-secret-id"
LOGIN: Final = "/v1/auth/approle/login"
LOOKUP: Final = "/v1/auth/token/lookup-self"
RENEW: Final = "/v1/auth/token/renew-self"
NAMES: Final = "/v1/transit/keys"
BATCH: Final = "a batch"

LOGGING_IN: Final = {
    "token": {"method": "token", "token": TOKEN},
    "approle": {"method": "approle", "role_id": SECRET, "secret_id": SECRET},
}

ODD: Final[list[Any]] = [
    None,
    True,
    -1,
    0.5,
    10**400,
    -(10**4000),
    1e308,
    "",
    "\ud800",
    "\x1b[31m\r\n\u202e",
    "9" * 5000,
    "a" * 100_000,
    TOKEN,
    SECRET,
    [],
    {},
    [{}],
    {"": {}},
]

MEMBERS: Final = [
    "data", "auth", "errors", "client_token", "lease_duration", "ttl", "renewable", "keys", "1",
    "public_key", "type", "latest_version", "min_encryption_version", "supports_signing", "derived",
    "soft_deleted", "signature", "key_version", "batch_results", "error", "request_id", "name",
]  # fmt: skip

values = st.recursive(
    st.one_of(st.sampled_from(ODD), st.text(max_size=20), st.integers(), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    ),
    max_leaves=12,
)


MISSING: Final = object()


def changed(usual: Any, path: list[Any], value: Any) -> Any:
    """A usual answer in which one value, at any depth, is another one or missing."""
    if not path:
        return None if value is MISSING else value
    answer = json.loads(json.dumps(usual))
    holder = answer
    for step in path[:-1]:
        holder = holder[step]
    if value is MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return answer


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[list[Any]]:
    yield list(path)
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, child in value.items() if isinstance(value, dict) else ():
        yield from _paths(child, (*path, key))


headers = st.dictionaries(
    st.sampled_from(["Location", "Retry-After", "Set-Cookie", "Content-Type", "X-Odd"]),
    st.one_of(
        st.sampled_from(["javascript:@", "http://xn--a/", ":abchttp://%\u00ff[", "//[", "9" * 500]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")),
    ),
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 206, 301, 307, 400, 403, 404, 429, 500, 503])
nested = st.integers(1, 1500).map(lambda depth: '{"data":' + "[" * depth + "]" * depth + "}")


def replies(usual: Any) -> st.SearchStrategy[Reply]:
    change = st.builds(changed, st.just(usual), st.sampled_from(list(_paths(usual))), values)
    bodies = st.one_of(change, values, nested, st.binary(max_size=50))
    return st.builds(Reply, statuses, bodies, headers)


class Usual:
    """What a healthy server answers, and where."""

    def __init__(self, operator: Operator) -> None:
        name = operator.key()
        described = operator.described(name)
        signed = operator.client.secrets.transit.sign_data(
            name, hash_input="bQ==", mount_point=operator.mount
        )
        self.signature = signed["data"]["signature"]
        lease = {"client_token": TOKEN, "lease_duration": 3600, "renewable": True}
        self.answers: dict[str, Any] = {
            LOGIN: {"auth": lease},
            RENEW: {"auth": lease},
            LOOKUP: {"data": {"ttl": 3600, "renewable": True}},
            NAMES: {"data": {"keys": ["k"]}},
            FAKE_READ: {"data": described},
            FAKE_SIGN: {"request_id": "r-1", "data": {"signature": self.signature}},
            BATCH: {"data": {"batch_results": [{"signature": self.signature}] * 2}},
        }

    def on(self, fake: ScriptedApi, odd: str, reply: Reply) -> None:
        """Answer as usual but for one path."""
        for path, answer in self.answers.items():
            fake.on(path, always=reply if path == odd else Reply(body=answer))
        if odd == BATCH:
            fake.on(FAKE_SIGN, always=reply)


@pytest.fixture
def usual(operator: Operator) -> Usual:
    return Usual(operator)


@contextmanager
def shown_safely() -> Iterator[None]:
    """Lets errors of ours pass whose message is one printable line of bounded length."""
    error: DfnsSignersError | None = None
    try:
        yield
    except DfnsSignersError as raised:
        error = raised
    said = str(error or "")
    assert isinstance(error, (SigningKeyError, type(None))) or "not allowed in a token" in said
    assert said.isprintable()
    assert len(said) < 3000
    assert CANARY not in said


anything = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("path", [LOGIN, LOOKUP, FAKE_READ, FAKE_SIGN, BATCH])
def test_each_odd_value_at_each_place_of_an_answer_is_an_error_of_ours_or_does_no_harm(
    path: str, fake: ScriptedApi, usual: Usual
) -> None:
    answer = usual.answers[path]
    for place, odd in product(_paths(answer), [*ODD, MISSING]):
        usual.on(fake, path, Reply(body=changed(answer, place, odd)))

        with shown_safely():
            sign_by(path, fake)


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20] if odd != 10**400 else "huge")
def test_odd_explanation_is_made_harmless(
    odd: object, status: int, fake: ScriptedApi, usual: Usual
) -> None:
    path = LOGIN if odd == SECRET else FAKE_SIGN
    for body in ({"errors": odd}, {"errors": [odd] * 100}, {"errors": [f"the token {odd!r}"]}):
        usual.on(fake, path, Reply(status=status, body=body))
        with shown_safely(), opened(fake, path) as key:
            key.sign(b"m")


def test_evidence_has_an_odd_request_id_made_harmless(fake: ScriptedApi, usual: Usual) -> None:
    for said, kept in (("r\x1b[31m\n1", "r [31m 1"), (5, None), (["r"], None)):
        signed = {**usual.answers[FAKE_SIGN], "request_id": said}
        usual.on(fake, FAKE_SIGN, Reply(body=signed))

        with opened(fake, FAKE_SIGN) as key:
            assert key.sign_with_evidence(b"m").evidence.request_id == kept


@pytest.mark.parametrize("names", [["k", "../../sys/seal", 5, None, {}, "a/b"], ["k"] * 2])
def test_names_in_a_list_that_would_lead_elsewhere_are_left_out(
    names: list[object], fake: ScriptedApi, usual: Usual
) -> None:
    usual.on(fake, NAMES, Reply(body={"data": {"keys": names}}))
    backend = VaultTransitBackend()
    place = {"address": fake.url, "auth": LOGGING_IN["token"]}

    listed = list(backend.list_keys(backend.list_options.model_validate(place)))

    assert {key.signer["key"] for key in listed} == {"k"}
    assert {seen.target.partition("?")[0] for seen in fake.seen} == {LOOKUP, NAMES, FAKE_READ}


@pytest.mark.parametrize("path", [LOGIN, LOOKUP, FAKE_READ, FAKE_SIGN, BATCH])
@anything
@given(data=st.data())
def test_any_answer_leads_to_a_signature_or_to_an_error_of_ours(
    path: str, data: st.DataObject, fake: ScriptedApi, usual: Usual
) -> None:
    usual.on(fake, path, data.draw(replies(usual.answers[path])))

    with shown_safely():
        sign_by(path, fake)


def sign_by(path: str, fake: ScriptedApi) -> None:
    """Sign, so that a path is asked."""
    if path == BATCH:
        raised(sign_together([b"m", b"m"], at=fake.url))
        return
    with opened(fake, path) as key:
        key.sign(b"m")


def opened(fake: ScriptedApi, path: str) -> VaultTransitKey:
    """A key that is opened and signs by way of a path."""
    place = {"address": fake.url, "key": "k", "mount": "transit", "key_version": 1}
    auth = LOGGING_IN["approle" if path == LOGIN else "token"]
    return open_with({**place, "max_attempts": 1, "auth": auth})
