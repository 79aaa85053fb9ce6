"""Who a request is of: nothing that is wrong is passed over because something else is right."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.gateway.callers.callers import Caller, Callers, UnknownCaller
from dfns_signers.gateway.requests.messages import Incoming, Peer
from dfns_signers.policy.policy import Policy

POLICY = Policy((), title="a caller", default_deny=True)


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


PAYMENTS = Caller(
    "payments",
    POLICY,
    token_digests=frozenset({digest("old"), digest("new")}),
    uids=frozenset({1001}),
    certificates=frozenset({"spiffe://example.org/payments", "payments.example.org"}),
)
WEB = Caller(
    "web",
    POLICY,
    token_digests=frozenset({digest("web")}),
    uids=frozenset({1002}),
    certificates=frozenset({"spiffe://example.org/web"}),
)
STRICT = Caller(
    "strict",
    POLICY,
    token_digests=frozenset({digest("strict")}),
    uids=frozenset({1003}),
    needs_all=True,
)
CALLERS = Callers([PAYMENTS, WEB, STRICT], {"127.0.0.1:1": "web"})


def request(
    token: str | None = None,
    *,
    uid: int | None = None,
    names: tuple[str, ...] | None = None,
    authorization: str | None = None,
    listener: str = "127.0.0.1:8787",
) -> Incoming:
    if token is not None:
        authorization = f"Bearer {token}"
    headers = {} if authorization is None else {"authorization": authorization}
    peer = Peer(listener, uid=uid, pid=None if uid is None else 77, names=names)
    return Incoming("GET", "/wallets", "", headers, b"", peer)


@pytest.mark.parametrize(
    ("incoming", "name", "by"),
    [
        (request("old"), "payments", ("token",)),
        (request("new"), "payments", ("token",)),
        (request("web"), "web", ("token",)),
        (request(uid=1001), "payments", ("uid",)),
        (request("new", uid=1001), "payments", ("token", "uid")),
        (request("new", uid=4242), "payments", ("token",)),
        (request(names=("spiffe://example.org/payments",)), "payments", ("certificate",)),
        (request(names=("unknown", "payments.example.org")), "payments", ("certificate",)),
        (request("web", names=("spiffe://example.org/web",)), "web", ("certificate", "token")),
        (request("strict", uid=1003), "strict", ("token", "uid")),
        (request("web", listener="127.0.0.1:1"), "web", ("token",)),
    ],
)
def test_caller_is_identified_and_by_what(
    incoming: Incoming, name: str, by: tuple[str, ...]
) -> None:
    found = CALLERS.identify(incoming)

    assert (found.caller.name, found.by) == (name, by)


@pytest.mark.parametrize(
    ("incoming", "reason"),
    [
        (request(), "anonymous"),
        (request(uid=4242), "uid"),
        (request(""), "authorization"),
        (request("unknown"), "token"),
        (request("NEW"), "token"),
        (request("new "), "authorization"),
        (request(digest("new")), "token"),
        (request("unknown", uid=1001), "token"),
        (request(authorization="Basic bmV3"), "authorization"),
        (request(authorization="bearer new"), "authorization"),
        (request(authorization="new"), "authorization"),
        (request(authorization="Basic bmV3", uid=1001), "authorization"),
        (request(authorization="Bearer new, Bearer web"), "authorization"),
        (request(names=("unknown",)), "certificate"),
        (request("new", names=("unknown",)), "certificate"),
        (request("new", names=()), "certificate"),
        (request(names=("SPIFFE://example.org/payments",)), "certificate"),
        (request(names=("evil.payments.example.org",)), "certificate"),
        (request("new", uid=1002), "ambiguous"),
        (request("new", names=("spiffe://example.org/web",)), "ambiguous"),
        (request(names=("spiffe://example.org/web", "payments.example.org")), "ambiguous"),
        (request("strict"), "incomplete"),
        (request(uid=1003), "incomplete"),
        (request("strict", uid=1001), "ambiguous"),
        (request("new", listener="127.0.0.1:1"), "listener"),
    ],
)
def test_request_of_nobody_is_refused_and_only_the_log_says_why(
    incoming: Incoming, reason: str
) -> None:
    with pytest.raises(UnknownCaller) as caught:
        CALLERS.identify(incoming)

    assert caught.value.detail == reason
    answer = caught.value.answer()
    assert answer.status == 401
    assert answer.body == UnknownCaller("anonymous").answer().body


@given(st.text(), st.none() | st.integers(0, 2000), st.lists(st.text(), max_size=3))
def test_no_other_token_uid_or_name_is_a_caller(
    token: str, uid: int | None, names: list[str]
) -> None:
    incoming = request(f"x{token}", uid=uid, names=tuple(f"x{name}" for name in names))

    with pytest.raises(UnknownCaller):
        CALLERS.identify(incoming)


def test_no_token_digest_is_in_the_repr_of_a_caller() -> None:
    assert digest("new") not in repr(PAYMENTS)
