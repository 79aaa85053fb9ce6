"""Whatever is sent, a rule allows only what an independent reading of it allows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from dfns_signers.operations import match_operation
from tests.core.policy.spelled_transfers import READERS, TEXTS
from tests.core.policy.support import DESTINATION, PAYOUTS, TRANSFER, call, policy

RULES = policy(PAYOUTS)
MAX = 1000

ASCII_DIGITS = "0123456789"
FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # JSON has neither
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
AMOUNTS = (
    st.integers(-5, 2000).map(str)
    | st.text("0123456789+-.eE _\u0661\uff11 \n", max_size=6)
    | st.integers(0, 2000)
    | st.floats(0, 2000)
)
DESTINATIONS = (
    st.sampled_from([DESTINATION, DESTINATION[:-1], DESTINATION[2:], f"{DESTINATION} "])
    | st.lists(st.booleans(), min_size=42, max_size=42).map(
        lambda upper: "".join(
            one.upper() if up else one for one, up in zip(DESTINATION, upper, strict=True)
        )
    )
    | st.text(max_size=5)
)
NAMES = st.sampled_from([*TRANSFER, "memo", "Amount", "to.", "travelRule"]) | st.text(max_size=4)
BODIES = st.builds(
    lambda base, known, extra: {**base, **known, **extra},
    st.sampled_from([{}, TRANSFER]),
    st.fixed_dictionaries(
        {},
        optional={
            "kind": st.sampled_from(["Native", "native", "Erc20"]) | JSON,
            "to": DESTINATIONS | JSON,
            "amount": AMOUNTS | JSON,
            "externalId": st.text(max_size=3) | JSON,
        },
    ),
    st.just({}) | st.dictionaries(NAMES, JSON, max_size=2),
)


def plainly_allowed(body: Any) -> bool:
    """The rule as a person reads it, written without the engine."""
    try:
        kind, to, amount, external_id = (
            body[name] for name in ("kind", "to", "amount", "externalId")
        )
    except (KeyError, TypeError):
        return False
    if not isinstance(amount, str) or any(one not in ASCII_DIGITS for one in amount):
        return False
    return (
        len(body) == 4
        and kind == "Native"
        and isinstance(to, str)
        and to.startswith("0x")
        and to.isascii()
        and to.casefold() == DESTINATION
        and amount != ""
        and amount == str(int(amount))
        and int(amount) <= MAX
        and external_id is not None
        and not (isinstance(external_id, str) and external_id.isspace())
        and external_id != ""
    )


@given(body=BODIES | JSON)
def test_body_is_allowed_exactly_if_a_plain_reading_of_the_rule_allows_it(body: Any) -> None:
    judged = call("POST", "/wallets/wa-1/transfers", json.dumps(body))

    assert (RULES.judge(judged).rule is not None) == plainly_allowed(body)


@settings(max_examples=500)
@given(text=TEXTS)
def test_body_that_is_allowed_is_so_for_every_reader(text: str) -> None:
    allowed = RULES.judge(call("POST", "/wallets/wa-1/transfers", text)).rule is not None

    event("allowed" if allowed else "refused")
    if allowed:
        assert [name for name, read in READERS.items() if not plainly_allowed(read(text))] == []


@given(amount=st.integers(0, 10**80))
def test_amount_is_allowed_exactly_up_to_the_max(amount: int) -> None:
    body = {**TRANSFER, "amount": str(amount)}

    assert (RULES.judge(call("POST", "/wallets/wa-1/transfers", body)).rule is None) == (
        amount > MAX
    )


@given(text=st.text(max_size=12) | st.text("0123456789eE+-._ ", max_size=12))
def test_amount_that_is_not_its_own_number_is_never_allowed(text: str) -> None:
    assume(not (text.isascii() and text.isdigit() and text == str(int(text))))

    body = {**TRANSFER, "amount": text}

    assert RULES.judge(call("POST", "/wallets/wa-1/transfers", body)).rule is None


@given(name=st.text(max_size=6), value=JSON)
def test_further_member_is_never_allowed(name: str, value: Any) -> None:
    assume(name not in TRANSFER)

    judged = call("POST", "/wallets/wa-1/transfers", json.dumps({**TRANSFER, name: value}))

    assert RULES.judge(judged).rule is None


@given(name=st.sampled_from(sorted(TRANSFER)), value=JSON, comes_last=st.booleans())
def test_member_given_twice_is_never_allowed(name: str, value: Any, comes_last: bool) -> None:
    twice, rest = f"{json.dumps(name)}: {json.dumps(value)}", json.dumps(TRANSFER)[1:-1]
    text = f"{{{rest}, {twice}}}" if comes_last else f"{{{twice}, {rest}}}"

    assert RULES.judge(call("POST", "/wallets/wa-1/transfers", text)).rule is None


@given(data=st.data())
def test_other_spelling_of_the_path_is_never_allowed(data: st.DataObject) -> None:
    path = "/wallets/wa-1/transfers"
    at = data.draw(st.integers(0, len(path)))
    put_in = data.draw(
        st.sampled_from(["/", "./", "../", "%2F", "%2e", ";", "\\", "?", "#", " ", "x"])
    )
    other = path[:at] + put_in + path[at:]

    assert RULES.judge(call("POST", other, dict(TRANSFER))).rule is None


@given(upper=st.lists(st.booleans(), min_size=23, max_size=23).filter(any))
def test_other_case_of_the_path_is_never_allowed(upper: list[bool]) -> None:
    path = "/wallets/wa-1/transfers"
    other = "".join(one.upper() if up else one for one, up in zip(path, upper, strict=True))
    assume(other != path)

    assert RULES.judge(call("POST", other, dict(TRANSFER))).rule is None


@given(data=st.data())
def test_escaped_spelling_of_the_path_is_never_allowed(data: st.DataObject) -> None:
    path = "/wallets/wa-1/transfers"
    at = data.draw(st.integers(0, len(path) - 1))
    escaped = "".join(f"%{byte:02X}" for byte in path[at].encode())
    other = path[:at] + data.draw(st.sampled_from([escaped, escaped.lower(), quote(escaped)]))

    assert RULES.judge(call("POST", other + path[at + 1 :], dict(TRANSFER))).rule is None


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.lists(
        st.sampled_from(["wallets", "wa-1", "wa-2", "transfers", "keys", "import", "a~b", "auth"]),
        min_size=1,
        max_size=4,
    ).map(lambda segments: "/" + "/".join(segments)),
)
def test_only_the_operation_of_the_rule_is_allowed(method: str, path: str) -> None:
    allowed = RULES.judge(call(method, path, dict(TRANSFER))).rule is not None

    assert allowed == ((method, path) == ("POST", "/wallets/wa-1/transfers"))
    operation = match_operation(method, path)
    assert not allowed or (operation is not None and operation.name == "wallets.transfer_asset")
