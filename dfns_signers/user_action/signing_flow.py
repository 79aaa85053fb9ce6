"""The user action exchange as a flow without I/O: which requests to send, and what to sign.

Source: Dfns documentation on user action signing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.arguments import shown
from dfns_signers.assertions import Assertion, read_challenge
from dfns_signers.errors import (
    ChallengeError,
    RequestError,
    SigningError,
    UnexpectedResponseError,
)
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.bodies import to_json_bytes

INIT_PATH: Final = "/auth/action/init"
COMPLETE_PATH: Final = "/auth/action"
USER_ACTION_HEADER: Final = "X-DFNS-USERACTION"

_SIGNABLE_METHODS: Final = frozenset({"POST", "PUT", "DELETE", "GET"})
_FIRST_FACTORS: Final = frozenset({"Key", "PasswordProtectedKey", "Fido2", "Password"})
_SECOND_FACTORS: Final = frozenset({"Key", "PasswordProtectedKey", "Fido2", "Totp"})
_HEADER_VALUE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send ``body`` as JSON to ``path`` and return the JSON object that answers.

    Attributes:
        path: percent-encoded path.
        body: a JSON object.
        signer: whose signature it asks for or has, for errors to name; None if none is known.
    """

    path: str
    body: Mapping[str, Any]
    signer: object = None


@dataclass(frozen=True, slots=True)
class SignChallenge:
    """Have ``signer`` sign the challenge and return the assertion."""

    challenge: Mapping[str, Any]
    signer: Any


Step: TypeAlias = Exchange | SignChallenge


def announcement(call: AnnouncedCall, signer: object = None) -> Exchange:
    """The request that announces a call; the API refuses any further member of its body."""
    if call.method not in _SIGNABLE_METHODS:
        raise RequestError(
            f"Dfns signs no user action for {call.method} {call.path}: the method must be one of "
            f"{', '.join(sorted(_SIGNABLE_METHODS))}"
        )
    body = {
        "userActionPayload": call.payload,
        "userActionHttpMethod": call.method,
        "userActionHttpPath": call.path,
        "userActionServerKind": "Api",
    }
    return Exchange(INIT_PATH, body, signer)


def check_challenge(challenge: Any) -> Mapping[str, Any]:
    """Refuse an answer to an announcement that is not a challenge; returns it."""
    read_challenge(challenge)
    identifier = challenge.get("challengeIdentifier")
    if not isinstance(identifier, str) or not identifier:
        raise ChallengeError(
            f"the answer of {INIT_PATH} has no 'challengeIdentifier' string: it is not a challenge"
        )
    return challenge  # type: ignore[no-any-return]  # read_challenge saw that it is an object


def complete(
    challenge: Mapping[str, Any],
    first_factor: Mapping[str, Any],
    second_factor: Mapping[str, Any] | None = None,
    *,
    signer: object = None,
) -> Generator[Exchange, Mapping[str, Any], str]:
    """Exchange the assertion for a user action token, which is good for one use."""
    body = {
        "challengeIdentifier": challenge["challengeIdentifier"],
        "firstFactor": _factor(first_factor, _FIRST_FACTORS, "first"),
    }
    if second_factor is not None:
        body["secondFactor"] = _factor(second_factor, _SECOND_FACTORS, "second")
    elif _requires_second_factor(challenge, first_factor["kind"]):
        raise RequestError(
            f"the challenge requires a second factor besides the {first_factor['kind']} credential:"
            " use a delegated client and give 'second_factor' to complete()"
        )
    exchange = Exchange(COMPLETE_PATH, body, signer)
    token: Sealed[Any] = Sealed((yield exchange).get("userAction"))
    if not isinstance(token.open(), str) or not _HEADER_VALUE.fullmatch(token.open()):
        raise UnexpectedResponseError(f"the answer of {COMPLETE_PATH} has no 'userAction' string")
    return token.open()  # type: ignore[no-any-return]  # a string, as was checked


def sign(call: AnnouncedCall, signer: Any) -> Generator[Step, Any, str]:
    """The whole exchange for one call; returns the user action token."""
    challenge = check_challenge((yield announcement(call, signer)))
    assertion: Assertion = yield SignChallenge(challenge, signer)
    _check_assertion(assertion, signer)
    return (yield from complete(challenge, assertion, signer=signer))


def described(signer: object) -> str:
    """A signer as errors show it: of one that is not ours, the class alone."""
    return repr(signer) if isinstance(signer, KeySigner) else f"the signer {type(signer).__name__}"


def advice(signer: object) -> str:
    """Which signer the API may have refused, and what finds out why; follows the word "signer"."""
    if not isinstance(signer, KeySigner):
        return f"{type(signer).__name__}: check that its key is that of its credential"
    profile = "" if signer.profile is None else f" --profile {shlex.quote(signer.profile)}"
    return f"{signer!r}; run: dfns-signers doctor{profile}"


def _check_assertion(assertion: object, signer: object) -> None:
    try:
        _factor(assertion, _FIRST_FACTORS, "first")
        to_json_bytes(assertion)
    except RequestError as error:
        raise SigningError(
            f"{described(signer)} returned what is not an assertion: {error}"
        ) from error


def _factor(factor: object, kinds: frozenset[str], which: str) -> Mapping[str, Any]:
    kind = factor.get("kind") if isinstance(factor, Mapping) else None
    if not isinstance(factor, Mapping) or not isinstance(kind, str) or kind not in kinds:
        raise RequestError(
            f"the {which} factor is not an assertion: expected an object whose 'kind' is one of "
            f"{', '.join(sorted(kinds))}, found {shown(kind)}"
        )
    return factor


def _requires_second_factor(challenge: Mapping[str, Any], kind: str) -> bool:
    kinds = challenge.get("supportedCredentialKinds")
    return isinstance(kinds, Sequence) and any(
        isinstance(entry, Mapping)
        and entry.get("kind") == kind
        and entry.get("requiresSecondFactor") is True
        for entry in kinds
    )
