"""Bodies of transfers as text: members twice, in another case or escaped, values of any form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from tests.core.policy.support import DESTINATION, TRANSFER

Member = tuple[str, Any]
Reader = Callable[[str], Any]

_ELSEWHERE: Final = f"0x{'de' * 20}"
_VALUES: Final = st.sampled_from(
    [
        *(DESTINATION.upper().replace("0X", "0x"), _ELSEWHERE, f"{DESTINATION}\0"),
        *("999", "1001", "1e3", "0x1", "01", "-1", "\u0661", "999\0", ""),
        *("Erc20", "native", 1000, 1e3, True, None),
        *([], ["999"], {"amount": "999"}, [{"to": _ELSEWHERE, "amount": "1001"}]),
    ]
)
_ODD_NAMES: Final = st.builds(
    lambda name, odd: str(odd(name)),
    st.sampled_from([*TRANSFER, "memo", "contract", "userOperations"]),
    st.sampled_from(
        [str, str, str, str.upper, str.title, "{}\0".format, "\ufeff{}".format, "{}.".format]
    ),
)
_MEMBERS: Final = st.builds(
    lambda changed, more: [*({**TRANSFER, **changed}).items(), *more],
    st.sampled_from([{}, {"to": _ELSEWHERE}, {"amount": "1001"}, {"feeSponsorId": "fs-1"}])
    | st.dictionaries(st.sampled_from(sorted(TRANSFER)), _VALUES, max_size=1),
    st.lists(st.tuples(_ODD_NAMES, _VALUES), max_size=1),
).flatmap(st.permutations)


def _text(members: list[Member], escaped: str) -> str:
    text = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members)
    return "{" + text.replace(escaped, f"\\u{ord(escaped):04X}") + "}"


TEXTS: Final = st.builds(_text, _MEMBERS, st.sampled_from("kTaNxé"))
"""JSON; one letter of it is escaped wherever it stands."""


def _reader(read: Callable[[list[Member]], dict[str, Any]]) -> Reader:
    return lambda text: json.loads(text, object_pairs_hook=read)


def _first(members: list[Member]) -> dict[str, Any]:
    return dict(reversed(members))


def _without_case(members: list[Member]) -> dict[str, Any]:
    known = {name.lower(): name for name in TRANSFER}
    return {known.get(name.lower(), name): value for name, value in members}


def _to_nul(members: list[Member]) -> dict[str, Any]:
    return {
        name.partition("\0")[0]: value.partition("\0")[0] if isinstance(value, str) else value
        for name, value in members
    }


READERS: Final = {
    "the last of two": _reader(dict),
    "the first of two": _reader(_first),
    "without case, as in Go": _reader(_without_case),
    "up to a NUL, as in C": _reader(_to_nul),
}
"""Readers of JSON as there are, by what they make of odd members."""
