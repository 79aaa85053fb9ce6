"""The gateway's own user actions, for official SDKs that do the exchange themselves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.encodings import base64url_encode
from dfns_signers.errors import EncodingError, InvalidSignatureError, PolicyRefusedError
from dfns_signers.gateway.callers.callers import Caller, Credential
from dfns_signers.gateway.requests.failures import refusal_of
from dfns_signers.gateway.requests.messages import Answer, Incoming, Refusal, json_answer
from dfns_signers.gateway.requests.observing import Exchange
from dfns_signers.gateway.user_actions.announced_calls import (
    Announcement,
    Completion,
    call_digest,
    read_body,
)
from dfns_signers.gateway.user_actions.seals import BrokenSealError, Purpose, Seal, Seals
from dfns_signers.gateway.user_actions.single_use import SingleUse
from dfns_signers.public_keys import public_key_der
from dfns_signers.user_action.signing_flow import COMPLETE_PATH, INIT_PATH, USER_ACTION_HEADER
from dfns_signers.verification import verify_assertion

LIFETIME: Final = 300.0
"""Seconds that a challenge can be answered, and a user action token used: people may sign."""

# Longer than a seal opens, for the clocks of replicas differ.
_REMEMBERED: Final = 2 * LIFETIME
_HEADER: Final = USER_ACTION_HEADER.lower()
_NONCE_BYTES: Final = 32


class UserActions:
    """Challenges and user action tokens of the gateway, sealed, bound to caller and call.

    Only which of them were used is stored: no more than a caller may send in their lifetime.

    Args:
        seal_keys: 32 bytes or more each; the first seals, all open. Without any, a random one.
        used: remembers what has been used, for all replicas.
        clock: the time in seconds since 1970.
        signed_as: names for whom calls are signed: the organisation, and the gateway's credential.
            What was sealed for another does not open.
    """

    def __init__(
        self,
        seal_keys: list[bytes],
        used: SingleUse,
        clock: Callable[[], float] = time.time,
        *,
        signed_as: tuple[str, ...],
    ) -> None:
        self._seals = Seals(seal_keys, clock)
        self._used = used
        self._signed_as = signed_as

    async def announce(self, incoming: Incoming, caller: Caller, exchange: Exchange) -> Answer:
        """Answer ``POST /auth/action/init`` with a challenge, if the rules allow the call.

        Args:
            incoming: the announcement.
            caller: who sent it.
            exchange: gets the rule.

        Raises:
            Refusal: 400 or 403.
        """
        credential = _credential(caller)
        announced = read_body(Announcement, incoming.body)
        method, payload = announced.userActionHttpMethod, announced.userActionPayload
        path, query = announced.target()
        digest = call_digest(method, path, query, payload)
        call = AnnouncedCall(method, path, payload, query, caller.name)
        try:
            exchange.rule = caller.require(call) or None
        except PolicyRefusedError as error:
            raise refusal_of(error) from error
        nonce = os.urandom(_NONCE_BYTES)
        identifier = self._seal("challenge", caller, Seal(nonce, digest))
        return json_answer(200, _challenge(_text(nonce), identifier, credential))

    async def complete(self, incoming: Incoming, caller: Caller) -> Answer:
        """Answer ``POST /auth/action``: verify the local signature, and give a user action token.

        Raises:
            Refusal: 400, 401 or 403; 503 where the store of used challenges fails.
        """
        credential = _credential(caller)
        completion = read_body(Completion, incoming.body)
        challenge = self._open("challenge", caller, completion.challengeIdentifier)
        if challenge is None:
            raise Refusal(
                400,
                "challenge",
                f"the challenge is not one of this caller, or older than {LIFETIME:.0f} s: ask for "
                f"one with POST {INIT_PATH}",
            )
        _verify(completion.firstFactor, credential, _text(challenge.nonce))
        if not await self._claim("challenge", challenge):
            raise Refusal(
                400, "challenge-used", f"the challenge has been answered: POST {INIT_PATH} again"
            )
        action = Seal(os.urandom(_NONCE_BYTES), challenge.digest)
        return json_answer(200, {"userAction": self._seal("user action", caller, action)})

    async def redeem(self, incoming: Incoming, caller: Caller) -> None:
        """Use the token in ``X-DFNS-USERACTION``, which must be for this very call.

        A caller without a credential has none, and must not bring one.

        Raises:
            Refusal: 403, it is missing, of another caller or call, used, or too old; 503 where
                the store of used tokens fails.
        """
        token = incoming.headers.get(_HEADER)
        if caller.credential is None:
            _require_none(token, caller)
            return
        action = self._action(token, caller)
        if not _is_for(incoming, action.digest):
            raise Refusal(
                403,
                "user-action-call",
                "the user action is for another call: method, path, query or body differ from what "
                "was signed",
            )
        if not await self._claim("user action", action):
            raise Refusal(403, "user-action-used", "the user action has been used")

    def _action(self, token: str | None, caller: Caller) -> Seal:
        """What is under the seal of a token."""
        if token is None:
            raise Refusal(
                403,
                "user-action-missing",
                f"{caller.name!r} must sign each write with its own key: POST {INIT_PATH}, sign "
                f"the challenge, POST {COMPLETE_PATH}, and send {USER_ACTION_HEADER}, as the "
                "official SDKs do; for plain calls, add a caller without one (gateway caller add "
                "NAME --no-key)",
            )
        action = self._open("user action", caller, token)
        if action is None:
            raise Refusal(
                403,
                "user-action",
                f"the user action is not one of this caller, or older than {LIFETIME:.0f} s",
            )
        return action

    def _seal(self, purpose: Purpose, caller: Caller, sealed: Seal) -> str:
        return self._seals.seal(purpose, self._holder(caller), sealed, LIFETIME)

    def _open(self, purpose: Purpose, caller: Caller, text: str) -> Seal | None:
        try:
            return self._seals.open(purpose, self._holder(caller), text)
        except BrokenSealError:
            return None

    def _holder(self, caller: Caller) -> bytes:
        """Whose seals they are; of another key from a reload on, they are of another holder."""
        credential = _credential(caller)
        names = (*self._signed_as, caller.name, credential.id)
        parts = (*(name.encode() for name in names), public_key_der(credential.public_key))
        return b"".join(sha256(part).digest() for part in parts)

    async def _claim(self, purpose: Purpose, seal: Seal) -> bool:
        return await self._used.claim(f"{purpose} {seal.nonce.hex()}", _REMEMBERED)


def _credential(caller: Caller) -> Credential:
    if caller.credential is None:
        raise Refusal(
            403,
            "no-credential",
            f"{caller.name!r} has no credential at this gateway, which signs for it: send the call "
            "itself; or add a credential to the caller, for an SDK that signs",
        )
    return caller.credential


def _require_none(token: str | None, caller: Caller) -> None:
    if token is not None:
        raise Refusal(
            403,
            "foreign-user-action",
            f"{caller.name!r} has no credential at this gateway, which signs for it: leave "
            f"out {USER_ACTION_HEADER}",
        )


def _text(nonce: bytes) -> str:
    """The challenge of a nonce."""
    return base64url_encode(nonce)


def _is_for(incoming: Incoming, digest: bytes) -> bool:
    """Whether a digest is that of a call, which may have been announced without its query."""
    return any(
        compare_digest(digest, call_digest(incoming.method, incoming.path, query, incoming.body))
        for query in {"", incoming.query}
    )


def _verify(factor: dict[str, Any], credential: Credential, challenge: str) -> None:
    try:
        verify_assertion(factor, credential.public_key, {"challenge": challenge})
    except EncodingError as error:
        raise Refusal(
            400,
            "assertion",
            "firstFactor is not an assertion of the kind Key with a signature in the form of the "
            f"credential {credential.id!r}",
        ) from error
    except InvalidSignatureError as error:
        raise Refusal(
            401,
            "signature",
            f"the challenge is not signed with the key of the credential {credential.id!r}",
        ) from error
    if factor["credentialAssertion"]["credId"] != credential.id:
        raise Refusal(
            401,
            "credential",
            f"the assertion names another credential; the caller has {credential.id!r}",
        )


def _challenge(challenge: str, identifier: str, credential: Credential) -> dict[str, Any]:
    """The answer of Dfns to an announcement.

    Source: Dfns documentation on user action signing.
    """
    return {
        "challenge": challenge,
        "challengeIdentifier": identifier,
        "rp": {"id": "localhost", "name": "dfns-signers gateway"},
        "supportedCredentialKinds": [
            {"kind": "Key", "factor": "first", "requiresSecondFactor": False}
        ],
        "userVerification": "required",
        "attestation": "direct",
        "allowCredentials": {
            "key": [{"type": "public-key", "id": credential.id}],
            "passwordProtectedKey": [],
            "webauthn": [],
        },
        "externalAuthenticationUrl": "",
    }
