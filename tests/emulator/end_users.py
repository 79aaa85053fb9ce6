"""End users of an application: their browser answers, the application's service account signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, b64url, compact
from tests.emulator.flows import Change, fingerprint
from tests.emulator.keys import PrivateKey, pem, private_key, sign
from tests.emulator.passkeys import Authenticator, Json

RECOVERY_KEY = private_key("p256", 60)


@dataclass
class Application:
    """The server of an application, and the requests that its pages make.

    Attributes:
        account: the service account.
    """

    emulator: Emulator
    account: Caller
    authenticator: Authenticator = field(default_factory=Authenticator)

    def begin(self, username: str = "alice@example.com") -> Json:
        """The challenge of a delegated registration."""
        body = {"email": username, "kind": "EndUser"}
        return self.account.create("/auth/registration/delegated", body)

    def complete(self, challenge: Json, path: str = "", **credentials: Any) -> httpx.Response:
        """The registration of these credentials, or of a passkey."""
        if "firstFactorCredential" not in credentials:
            credentials["firstFactorCredential"] = self.passkey(challenge)
        return self.post(f"/auth/registration{path}", challenge, credentials)

    def register(self, username: str = "alice@example.com", **credentials: Any) -> Json:
        """The answer to a whole registration with a passkey."""
        return answered(self.complete(self.begin(username), **credentials))

    def log_in(self, username: str = "alice@example.com") -> str:
        """A token of the user."""
        answer = self.account.create("/auth/login/delegated", {"username": username})
        token: str = answer["token"]
        return token

    def try_passkey(self, authenticator: Authenticator, **spoiled: Any) -> httpx.Response:
        """The registration of a new passkey of an authenticator."""
        challenge = self.begin()
        info = authenticator.create(challenge, **spoiled)
        credential = {"credentialKind": "Fido2", "credentialInfo": info}
        return self.complete(challenge, firstFactorCredential=credential)

    def try_assertion(self, change: Change = lambda _: None, **spoiled: Any) -> httpx.Response:
        """What ``POST /auth/action`` answers to an assertion of the user's passkey."""
        browser = Caller(self.account.url, self.log_in(), "", private_key("p256"))
        with browser:
            challenge = browser.challenge()
            factor = self.authenticator.get(challenge, **spoiled)
            change(factor["credentialAssertion"])
            return browser.complete(challenge, factor)

    def user_id(self) -> str:
        """Id of the user whose passkey was made last."""
        return list(self.authenticator.passkeys.values())[-1].handle.decode()

    def passkey(self, challenge: Json) -> Json:
        """A new passkey as a registration sends it."""
        return {"credentialKind": "Fido2", "credentialInfo": self.authenticator.create(challenge)}

    def post(self, path: str, challenge: Json, body: Any) -> httpx.Response:
        """A request with the temporary token of a challenge."""
        headers = {"Authorization": f"Bearer {challenge['temporaryAuthenticationToken']}"}
        return self.account.http.post(path, json=body, headers=headers)

    def open(self, path: str, method: str = "POST", **body: Any) -> httpx.Response:
        """A request without a token, for the organisation of the emulator."""
        return self.account.http.request(method, path, json={"orgId": self.emulator.org_id, **body})

    def user_action(self, token: str, method: str, path: str, body: Json) -> httpx.Response:
        """What ``POST /auth/action`` answers to the passkey of a user."""
        browser = Caller(self.account.url, token, "", private_key("p256"))
        with browser:
            challenge = browser.challenge(method, path, compact(body).decode())
            return browser.complete(challenge, self.authenticator.get(challenge))

    def call(self, token: str, method: str, path: str, body: Json) -> httpx.Response:
        """A call that a user signs with the passkey."""
        action = answered(self.user_action(token, method, path, body))["userAction"]
        headers = {"Authorization": f"Bearer {token}", "X-DFNS-USERACTION": action}
        return self.account.http.request(method, path, json=body, headers=headers)


def key_credential(
    challenge: Json, kind: str, credential_id: str, key: PrivateKey, **more: str
) -> Json:
    """A new key of this kind as a registration sends it."""
    client_data = compact({"type": "key.create", "challenge": challenge["challenge"]})
    signature = sign(key, fingerprint(client_data, pem(key)))
    attestation = compact({"publicKey": pem(key), "signature": signature.hex()})
    info = {
        "credId": credential_id,
        "clientData": b64url(client_data),
        "attestationData": b64url(attestation),
    }
    return {"credentialKind": kind, "credentialInfo": info, **more}


def recovery_credential(challenge: Json, credential_id: str = "cr-recovery") -> Json:
    return key_credential(
        challenge, "RecoveryKey", credential_id, RECOVERY_KEY, encryptedPrivateKey="opaque"
    )


def recovery(
    new_credentials: Json,
    credential_id: str = "cr-recovery",
    *,
    key: PrivateKey = RECOVERY_KEY,
    signed: Json | None = None,
    **client_data_members: Any,
) -> Json:
    """The body of a recovery whose key signs the new credentials, or what else is given."""
    challenge = b64url(compact(new_credentials if signed is None else signed))
    content = {"type": "key.get", "challenge": challenge, **client_data_members}
    client_data = compact(content)
    assertion = {
        "credId": credential_id,
        "clientData": b64url(client_data),
        "signature": b64url(sign(key, client_data)),
    }
    return {
        "recovery": {"kind": "RecoveryKey", "credentialAssertion": assertion},
        "newCredentials": new_credentials,
    }
