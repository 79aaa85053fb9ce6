"""The site that passkeys belong to, at registrations and assertions alike."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.end_users import Application
from tests.emulator.flows import Json
from tests.emulator.keys import pem, private_key
from tests.emulator.passkeys import Authenticator

WALLET = {"network": "Base"}


SITE: dict[str, tuple[Json, int, str]] = {
    "rp-id": ({"rp_id": "example.com"}, 401, "authenticatorData.rpId"),
    "origin": ({"origin": "http://example.com"}, 400, "clientData.origin"),
    "like-the-origin": ({"origin": "http://notlocalhost"}, 400, "clientData.origin"),
    "other-scheme": ({"origin": "ftp://localhost"}, 400, "clientData.origin"),
    "path": ({"origin": "http://localhost/x"}, 400, "clientData.origin"),
    "no-port": ({"origin": "http://localhost:x"}, 400, "clientData.origin"),
    "user-absent": ({"flags": 0x04}, 401, "authenticatorData.userPresent"),
    "user-unverified": ({"flags": 0x01}, 401, "authenticatorData.userVerified"),
    "backed-up-but-not-eligible": ({"flags": 0x15}, 401, "authenticatorData.backup"),
}
CLIENT_DATA: dict[str, tuple[Json, int, str]] = {
    "cross-origin": ({"crossOrigin": True}, 400, "clientData.crossOrigin"),
    "no-origin": ({"origin": None}, 400, "clientData.origin"),
    "challenge": ({"challenge": "Y2gtMQ"}, 400, "clientData.challenge"),
    "type": ({"type": "key.get"}, 400, "clientData.type"),
}


@pytest.mark.parametrize(("settings", "status", "check"), SITE.values(), ids=SITE)
def test_new_passkey_of_another_site_or_user_is_refused(
    application: Application, settings: Json, status: int, check: str
) -> None:
    refused(application.try_passkey(Authenticator(**settings)), status, check)


@pytest.mark.parametrize(("settings", "status", "check"), SITE.values(), ids=SITE)
def test_assertion_for_another_site_or_of_another_user_is_refused(
    application: Application, settings: Json, status: int, check: str
) -> None:
    application.register()
    passkeys = application.authenticator.passkeys
    application.authenticator = Authenticator(**settings, passkeys=passkeys)

    response = application.user_action(application.log_in(), "POST", "/wallets", WALLET)

    refused(response, status, check)


@pytest.mark.parametrize(("members", "status", "check"), CLIENT_DATA.values(), ids=CLIENT_DATA)
def test_client_data_that_is_wrong_is_refused(
    application: Application, members: Json, status: int, check: str
) -> None:
    def spoil(content: Json) -> None:
        content.update(members)

    refused(application.try_passkey(Authenticator(), client_data=spoil), status, check)
    application.register()
    refused(application.try_assertion(client_data=spoil), status, check)


@pytest.mark.parametrize(
    "members", [{"other_keys_can_be_added_here": "x"}, {"crossOrigin": False}], ids=str
)
def test_members_that_browsers_add_to_client_data_are_accepted(
    application: Application, members: Json
) -> None:
    def add(content: Json) -> None:
        content.pop("crossOrigin", None)
        content.update(members)

    answered(application.try_passkey(application.authenticator, client_data=add))
    answered(application.try_assertion(client_data=add))


@pytest.mark.parametrize(
    "origin", ["http://localhost", "https://localhost:1", "https://a.localhost"]
)
def test_any_port_of_the_site_and_of_domains_below_it_is_accepted(
    application: Application, origin: str
) -> None:
    application.authenticator = Authenticator(origin=origin)
    application.register()

    answered(application.user_action(application.log_in(), "POST", "/wallets", WALLET))


# The relying party of an emulator


def test_passkeys_of_the_configured_site_are_accepted() -> None:
    key = private_key("ed25519", 98)
    site: Any = {"rp_id": "example.com", "origins": ["https://app.example.com"]}
    with Emulator(**site) as emulator:
        identity = emulator.add_identity(
            "application", service_account=True, credentials={"cr-application": pem(key)}
        )
        with Caller(emulator.url, identity.token, "cr-application", key) as account:
            authenticator = Authenticator(rp_id="example.com", origin="https://app.example.com")
            application = Application(emulator, account, authenticator)
            assert application.begin("bob@example.com")["rp"]["id"] == "example.com"
            application.register()

            authenticator.origin = "https://example.com"
            response = application.try_assertion()

    refused(response, 400, "clientData.origin", "https://app.example.com")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rp_id": "https://example.com"}, "rp_id must be a domain"),
        ({"rp_id": "localhost:8000"}, "rp_id must be a domain"),
        ({"rp_id": ""}, "rp_id must be a domain"),
        ({"origins": ["http://localhost/"]}, "expected scheme, host and perhaps a port"),
        ({"origins": ["http://LOCALHOST"]}, "expected scheme, host and perhaps a port"),
        ({"origins": ["localhost"]}, "expected scheme, host and perhaps a port"),
    ],
)
def test_site_that_is_not_valid_is_refused(options: Json, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Emulator(**options)
