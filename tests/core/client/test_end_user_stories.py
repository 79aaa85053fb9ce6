"""End users of an emulator: registered, logged in and recovered by typed calls alone."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.encodings import base64url_encode
from dfns_signers.errors import ApiError
from dfns_signers.registration import attest
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.emulator.passkeys import Authenticator

ADA = "ada@example.com"
INVITATION = {"email": ADA, "kind": "CustomerEmployee"}


@dataclass
class World:
    """An emulator, the service account of an application, and clients with other tokens."""

    emulator: Emulator
    connect: Connector
    operator: Driven

    def acting_with(self, token: str) -> Driven:
        return self.connect.delegated(token, base_url=self.emulator.url)

    def newcomer(self, challenge: Any) -> Driven:
        return self.acting_with(challenge["temporaryAuthenticationToken"])

    def register(self, browser: Authenticator, **others: Any) -> Any:
        """Register an end user by the service account."""
        challenge = self.operator.call(lambda client: client.auth.end_users.register(email=ADA))
        return self.complete(challenge, browser, **others)

    def complete(self, challenge: Any, browser: Authenticator, **others: Any) -> Any:
        return self.newcomer(challenge).call(
            lambda client: client.auth.end_users.complete_registration(
                first_factor_credential=passkey(browser, challenge), **others
            )
        )

    def logged_in(self) -> Driven:
        login = self.operator.call(lambda client: client.auth.end_users.login(ADA))
        return self.acting_with(login["token"])


@dataclass(frozen=True)
class RecoveryKey:
    """A key that a user has written down."""

    key: PemKey
    credential_id: str

    @classmethod
    def new(cls, credential_id: str = "cr-recovery") -> RecoveryKey:
        return cls(PemKey(Ed25519PrivateKey.generate(), reference="recovery key"), credential_id)

    def credential(self, challenge: Any) -> Any:
        info = attest(self.key, challenge, self.credential_id)
        return {"credentialKind": "RecoveryKey", "credentialInfo": info}

    def assertion(self, new_credentials: Any) -> Any:
        """What vouches for new credentials."""
        signed = base64url_encode(json.dumps(new_credentials).encode())
        client_data = json.dumps({"type": "key.get", "challenge": signed}).encode()
        assertion = {
            "credId": self.credential_id,
            "clientData": base64url_encode(client_data),
            "signature": base64url_encode(self.key.sign(client_data)),
        }
        return {"kind": "RecoveryKey", "credentialAssertion": assertion}


@pytest.fixture
def world(connect: Connector, emulator: Emulator) -> World:
    key = PemKey.from_pem(private_pem(private_key("ES256")))
    robot = emulator.add_identity(
        "robot", service_account=True, credentials={"cr-robot": public_pem(public_key("ES256"))}
    )
    operator = connect(robot.token, KeySigner(key, "cr-robot"), base_url=emulator.url)
    return World(emulator, connect, operator)


def passkey(browser: Authenticator, challenge: Any) -> Any:
    return {"credentialKind": "Fido2", "credentialInfo": browser.create(challenge)}


def signed(user: Driven, browser: Authenticator, pending: Any, **second_factor: Any) -> Any:
    """Complete what the passkey of a browser signs."""
    factor = browser.get(pending.challenge)
    return user.call(lambda client: client.complete(pending, factor, **second_factor))


def create_wallet(user: Driven, browser: Authenticator) -> Any:
    pending = user.call(lambda client: client.wallets.create(network="Solana"))
    return signed(user, browser, pending)


def test_end_user_registers_with_a_wallet_and_signs_with_a_second_passkey(world: World) -> None:
    browser, phone = Authenticator(), Authenticator()
    user = world.register(browser, wallets=[{"network": "Bitcoin"}])
    ada = world.acting_with(user["authentication"]["token"])
    asked = ada.call(lambda client: client.auth.credentials.challenge(kind="Fido2"))
    pending = ada.call(
        lambda client: client.auth.credentials.create(
            name="phone", challenge=asked, credential_info=phone.create(asked)
        )
    )
    signed(ada, browser, pending)

    create_wallet(ada, phone)

    listed = ada.walk(lambda client: client.wallets.list())
    assert [wallet["network"] for wallet in listed] == ["Bitcoin", "Solana"]
    assert listed[0]["id"] == user["wallets"][0]["id"]


def test_deleted_passkey_signs_no_more(world: World) -> None:
    browser, phone = Authenticator(), Authenticator()
    world.register(browser)
    ada = world.logged_in()
    asked = ada.call(lambda client: client.auth.credentials.challenge(kind="Fido2"))
    created = ada.call(
        lambda client: client.auth.credentials.create(
            name="phone", challenge=asked, credential_info=phone.create(asked)
        )
    )
    uuid = signed(ada, browser, created)["credentialUuid"]

    pending = ada.call(lambda client: client.auth.credentials.delete(uuid))
    signed(ada, browser, pending)

    listed = ada.walk(lambda client: client.auth.credentials.list())
    assert uuid not in [credential["credentialUuid"] for credential in listed]


def test_one_time_password_is_a_second_factor(world: World) -> None:
    browser = Authenticator()
    world.register(browser)
    ada = world.logged_in()
    asked = ada.call(lambda client: client.auth.credentials.challenge(kind="Totp"))
    created = ada.call(
        lambda client: client.auth.credentials.create(
            name="app", challenge=asked, credential_info={"otpCode": one_time_password(asked)}
        )
    )
    signed(ada, browser, created)
    second = {"kind": "Totp", "otpCode": one_time_password(asked)}

    pending = ada.call(lambda client: client.wallets.create(network="Solana"))

    assert signed(ada, browser, pending, second_factor=second)["network"] == "Solana"


def one_time_password(challenge: Any) -> str:
    """The code that an authenticator app shows for an ``otpauth:`` URL."""
    query = parse_qs(urlsplit(challenge["otpUrl"]).query)
    secret = base64.b32decode(query["secret"][0])
    return TOTP(secret, 6, SHA1(), 30).generate(time.time()).decode()


def test_invited_user_registers_logs_in_and_recovers_with_codes_by_mail(world: World) -> None:
    mail, server = world.emulator.mail, world.operator
    organisation = {"org_id": world.emulator.org_id}
    server.call(lambda client: client.post("/auth/users", json=INVITATION))
    lost, recovery = Authenticator(), RecoveryKey.new()

    server.call(lambda c: c.auth.end_users.send_registration_code(ADA, **organisation))
    code = mail.code("registration", ADA)
    challenge = server.call(
        lambda c: c.auth.end_users.registration_challenge(ADA, code=code, **organisation)
    )
    world.complete(challenge, lost, recovery_credential=recovery.credential(challenge))

    server.call(lambda c: c.auth.end_users.send_login_code(ADA, **organisation))
    login_code = mail.code("login", ADA)
    asked = server.call(
        lambda c: c.auth.end_users.login_challenge(ADA, code=login_code, **organisation)
    )
    factor = lost.get(asked)
    login = server.call(
        lambda c: c.auth.end_users.complete_login(challenge=asked, first_factor=factor)
    )
    assert world.acting_with(login["token"]).walk(lambda c: c.auth.credentials.list())

    server.call(lambda c: c.auth.end_users.send_recovery_code(ADA, **organisation))
    recovery_code = mail.code("recovery", ADA)
    began = server.call(
        lambda c: c.auth.end_users.recovery_challenge(
            ADA, code=recovery_code, credential_id=recovery.credential_id, **organisation
        )
    )
    recover(world, began, recovery, Authenticator())

    with pytest.raises(ApiError):
        server.call(lambda c: c.auth.end_users.complete_login(challenge=asked, first_factor=factor))


def recover(world: World, challenge: Any, old: RecoveryKey, browser: Authenticator) -> Any:
    new = {
        "firstFactorCredential": passkey(browser, challenge),
        "recoveryCredential": RecoveryKey.new("cr-recovery-2").credential(challenge),
    }
    assertion = old.assertion(new)
    return world.newcomer(challenge).call(
        lambda c: c.auth.end_users.complete_recovery(recovery=assertion, new_credentials=new)
    )


def test_recovery_by_the_service_account_replaces_the_passkey(world: World) -> None:
    lost, found, recovery = Authenticator(), Authenticator(), RecoveryKey.new()
    challenge = world.operator.call(lambda client: client.auth.end_users.register(email=ADA))
    world.complete(challenge, lost, recovery_credential=recovery.credential(challenge))

    began = world.operator.call(
        lambda c: c.auth.end_users.recover(username=ADA, credential_id=recovery.credential_id)
    )
    recover(world, began, recovery, found)

    ada = world.logged_in()
    assert create_wallet(ada, found)["network"] == "Solana"
    pending = ada.call(lambda client: client.wallets.create(network="Solana"))
    old = next(iter(lost.passkeys))
    listed = {"webauthn": [{"type": "public-key", "id": old}]}
    factor = lost.get({**pending.challenge, "allowCredentials": listed})
    with pytest.raises(ApiError, match=old):
        ada.call(lambda client: client.complete(pending, factor))
