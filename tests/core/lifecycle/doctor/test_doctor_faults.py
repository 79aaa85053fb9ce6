"""Every fault of a profile is shown to ``examine``, and named by it with what to do."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dfns_signers.lifecycle import Severity
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import private_key, private_pem, public_key, public_pem, stranger
from tests.core.lifecycle.doctor.doctor_scene import ALL_CHECKS, Scene, scene
from tests.secrecy import CANARY
from tests.support.certificates import Authority

__all__ = ["scene"]

SECRET = re.compile(f"{CANARY}|eyJ|PRIVATE KEY")
FAILURE, WARNING = Severity.FAILURE, Severity.WARNING
STORE = """
    import threading
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from dfns_signers.errors import KeyAccessError
    from dfns_signers.plugin import Backend, BackendOptions, KeyResponse, SigningKey, hookimpl

    may_open = threading.Event()

    class Key(SigningKey):
        def _sign(self, message):
            raise KeyAccessError("cannot sign with key-1: denied; grant the permission to sign")

    class Store(Backend):
        options = BackendOptions

        def open(self, options):
            may_open.wait()
            public_key = ed25519.Ed25519PrivateKey.generate().public_key()
            return Key(public_key, reference="key-1")

    @hookimpl
    def dfns_backend():
        return Store()
"""
GUARD = """
    from dfns_signers import hookimpl
    from dfns_signers.errors import SigningRefusedError

    @hookimpl
    def before_sign(request):
        raise SigningRefusedError("only transfers are signed here")
"""


@dataclass(frozen=True)
class Fault:
    """What is broken, and the finding that names it."""

    arrange: Callable[[Scene], object]
    check: str
    severity: Severity
    message: str
    remedy: str


FAULTS: dict[str, Fault] = {}


def fault(
    check: str, severity: Severity, message: str, remedy: str
) -> Callable[[Callable[[Scene], object]], object]:
    def add(arrange: Callable[[Scene], object]) -> object:
        FAULTS[arrange.__name__] = Fault(arrange, check, severity, message, remedy)
        return arrange

    return add


# Configuration


@fault("configuration", FAILURE, "there is no configuration file", "dfns-signers setup")
def configuration_file_is_missing(scene: Scene) -> None:
    scene.patch.setattr(Scene, "write", lambda self: None)


@fault("configuration", FAILURE, "is not valid TOML", "dfns-signers setup")
def configuration_is_not_toml(scene: Scene) -> None:
    scene.text = "[profiles.p\n"


@fault("configuration", FAILURE, "did you mean 'default_profile'", "correct it")
def configuration_has_an_unknown_key(scene: Scene) -> None:
    scene.text = "defualt_profile = 'p'\n"


@fault("configuration", FAILURE, "did you mean 'credential_id'", "correct it")
def profile_has_an_unknown_setting(scene: Scene) -> None:
    scene.settings["credental_id"] = scene.settings.pop("credential_id")


@fault("configuration", FAILURE, "there is no profile 'q'", "correct it")
def profile_is_unknown(scene: Scene) -> None:
    scene.profile = "q"


@fault("configuration", FAILURE, "other users can write", "correct it")
def configuration_is_writable_by_others(scene: Scene) -> None:
    scene.mode = 0o666


@fault("configuration", WARNING, "other users can read the secret", "run: chmod 600")
def secret_in_the_configuration_is_readable_by_others(scene: Scene) -> None:
    scene.settings["auth_token"] = scene.emulator.auth_token
    scene.mode = 0o644


@fault("configuration", WARNING, "DFNS_CREDENTIAL_ID overrides 'credential_id'", "--profile p")
def variable_overrides_the_default_profile(scene: Scene) -> None:
    scene.settings["credential_id"] = "cr-else"
    scene.patch.setenv("DFNS_CREDENTIAL_ID", "Y2kt")


@fault("configuration", WARNING, "DFNS_CREDENTIAL_ID does not count", "unset it")
def variable_does_not_count_for_a_named_profile(scene: Scene) -> None:
    scene.profile = "p"
    scene.patch.setenv("DFNS_CREDENTIAL_ID", "cr-else")


@fault("settings", WARNING, "which the environment variable DFNS_BASE_URL sets", "in one place")
def token_goes_to_the_address_of_a_variable(scene: Scene) -> None:
    scene.patch.setenv("DFNS_BASE_URL", scene.emulator.url)
    scene.settings["base_url"] = "https://api.dfns.io"


@fault("settings", FAILURE, "use https", "'base_url'")
def base_url_is_plain_http_to_another_machine(scene: Scene) -> None:
    scene.settings["base_url"] = "http://api.dfns.io"


# Plugins


@fault("plugin", FAILURE, "there is no [signer] table", "dfns-signers keys create")
def signer_is_missing(scene: Scene) -> None:
    del scene.settings["signer"]


@fault("plugin", FAILURE, "no plugin 'pen' (did you mean 'pem'?)", "dfns-signers backends")
def backend_is_unknown(scene: Scene) -> None:
    scene.signer["backend"] = "pen"


@fault("plugin", FAILURE, "importing acme failed: ImportError", "dfns-signers backends")
def backend_is_broken(scene: Scene) -> None:
    scene.plugin("acme", "raise ImportError('no libhsm')")
    scene.signer["backend"] = "acme"


@fault("plugin", FAILURE, "no plugin 'audit'", "dfns-signers backends")
def guard_is_not_installed(scene: Scene) -> None:
    scene.settings["plugins"] = ["audit"]


@fault("guards", WARNING, "only transfers are signed here", "admit other calls only")
def guard_refuses(scene: Scene) -> None:
    scene.plugin("acme-guard", GUARD)
    scene.settings["plugins"] = ["acme-guard"]


# Key


@fault("signer options", FAILURE, "did you mean 'path'", "config show")
def option_of_the_signer_is_unknown(scene: Scene) -> None:
    scene.signer["pth"] = scene.signer.pop("path")


@fault("signer options", FAILURE, "PASSPHRASE is not set", "[signer]")
def passphrase_cannot_be_read(scene: Scene) -> None:
    scene.signer["passphrase"] = {"env": "PASSPHRASE"}


@fault("key", FAILURE, "away.pem", "dfns-signers keys list")
def key_file_is_missing(scene: Scene) -> None:
    scene.signer["path"] = "away.pem"


@fault("key", WARNING, "other users can read the key file", "run: chmod 600")
def key_file_is_readable_by_others(scene: Scene) -> None:
    (scene.folder / "key.pem").chmod(0o644)


@fault("key", FAILURE, "passphrase", "[signer]")
def passphrase_is_wrong(scene: Scene) -> None:
    write(scene, private_pem(private_key("Ed25519"), b"another"))
    scene.signer["passphrase"] = CANARY


@fault("key", FAILURE, "secp384r1", "[signer]")
def key_is_of_an_unsupported_curve(scene: Scene) -> None:
    write(scene, private_pem(ec.generate_private_key(ec.SECP384R1())))


@fault("key", FAILURE, f"sha256:{'0' * 64}", "[signer]")
def fingerprint_is_pinned_wrongly(scene: Scene) -> None:
    scene.signer["fingerprint"] = "0" * 64


@fault("key", FAILURE, "the time of the call is over", "[signer]")
def key_store_hangs(scene: Scene) -> None:
    scene.plugin("acme", STORE)
    scene.stack.callback(import_module("acme").may_open.set)
    scene.settings["signer"] = {"backend": "acme"}
    scene.settings["call_timeout"] = 0.2


@fault("signature", FAILURE, "cannot sign with key-1: denied", "may sign with the key")
def caller_may_not_sign(scene: Scene) -> None:
    scene.plugin("acme", STORE.replace("may_open.wait()", "may_open.set()"))
    scene.settings["signer"] = {"backend": "acme"}


@fault("signature", FAILURE, "signature", "may sign with the key")
def key_store_signs_wrongly(scene: Scene) -> None:
    wrong = STORE.replace("may_open.wait()", "may_open.set()").replace(
        'raise KeyAccessError("cannot sign with key-1: denied; grant the permission to sign")',
        "return KeyResponse(bytes(64))",
    )
    scene.plugin("acme", wrong.replace('"key-1")', '"key-1", verify_signatures=False)'))
    scene.settings["signer"] = {"backend": "acme"}


# Token


@fault("token", FAILURE, "no 'auth_token'", "register service-account")
def token_is_missing(scene: Scene) -> None:
    del scene.settings["auth_token"]


@fault("token", FAILURE, "NO_TOKEN is not set", "register")
def variable_of_the_token_is_not_set(scene: Scene) -> None:
    scene.settings["auth_token"] = {"env": "NO_TOKEN"}


@fault("token", FAILURE, "token.txt cannot be read", "register")
def file_of_the_token_is_missing(scene: Scene) -> None:
    scene.settings["auth_token"] = {"file": "token.txt"}


@fault("token", WARNING, "other users can read the secret in the file", "run: chmod 600")
def file_of_the_token_is_readable_by_others(scene: Scene) -> None:
    file = scene.folder / "token.txt"
    file.write_text(scene.emulator.auth_token, encoding="utf-8")
    file.chmod(0o644)
    scene.settings["auth_token"] = {"file": "token.txt"}


@fault("token", FAILURE, "malformed", "register")
def token_is_malformed(scene: Scene) -> None:
    scene.patch.setenv("TOKEN", f"Bearer {CANARY}")


@fault("token", WARNING, "is not a JWT", "compare it")
def token_is_not_a_jwt(scene: Scene) -> None:
    pem = public_pem(public_key("Ed25519"))
    scene.emulator.add_identity("other", token=CANARY, credentials={"cr-other": pem})
    scene.patch.setenv("TOKEN", CANARY)
    scene.settings["credential_id"] = "cr-other"


@fault("token", FAILURE, "the token of us-1 expired 2001-09-09 01:46 UTC", "register")
def token_is_expired(scene: Scene) -> None:
    scene.identity_with(exp=1_000_000_000)


@fault("token", WARNING, "the token of us-1 expires ", "before then")
def token_expires_soon(scene: Scene) -> None:
    scene.identity_with(exp=time.time() + 86_400)


@fault("token", WARNING, "its kind is Temp, expected", "register")
def token_is_of_another_kind(scene: Scene) -> None:
    scene.identity_with(metadata={"tokenKind": "Temp"})


# Dfns


@fault("Dfns", FAILURE, "failed: ", "check 'base_url', the network")
def dfns_is_down(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        scene.settings["base_url"] = f"http://127.0.0.1:{closed.getsockname()[1]}"


@fault("Dfns", FAILURE, "CERTIFICATE_VERIFY_FAILED", "CA certificates")
def certificate_is_not_trusted(scene: Scene) -> None:
    port = scene.stack.enter_context(tls_server(scene.folder))
    scene.settings["base_url"] = f"https://localhost:{port}"


@fault("Dfns", FAILURE, "a redirect, which is never followed", "correct 'base_url'")
def base_url_redirects(scene: Scene) -> None:
    api = scene.stack.enter_context(ScriptedApi())
    api.on("/auth/credentials", always=Reply(301, headers={"Location": scene.emulator.url}))
    scene.settings["base_url"] = api.url


@fault("Dfns", FAILURE, "answered with 404: no such path", "with its path prefix")
def base_url_has_a_wrong_path(scene: Scene) -> None:
    scene.settings["base_url"] += "/v1"


@fault("clock", WARNING, "seconds ahead of Dfns", "NTP")
def clock_is_ahead(scene: Scene) -> None:
    with_clock(scene, "Mon, 01 Jan 2024 00:00:00 GMT")


@fault("clock", WARNING, "seconds behind Dfns", "NTP")
def clock_is_behind(scene: Scene) -> None:
    with_clock(scene, "Thu, 01 Jan 2970 00:00:00 GMT")


@fault("clock", WARNING, "no date", "by hand")
def dfns_says_no_time(scene: Scene) -> None:
    with_clock(scene, "soon")


@fault("clock", WARNING, "no date", "by hand")
def dfns_says_a_year_that_no_calendar_has(scene: Scene) -> None:
    with_clock(scene, f"Mon, 01 Jan {'9' * 17} 00:00:00 GMT")


@fault("authentication", FAILURE, "was answered with 401", "revoked")
def token_is_revoked(scene: Scene) -> None:
    scene.emulator.disable_identity(scene.emulator.user_id)


@fault("authentication", WARNING, "may not list its credentials: GET", "permission")
def token_may_not_list_credentials(scene: Scene) -> None:
    scene.emulator.fail_next("GET", "/auth/credentials", status=403, times=2)


@fault("authentication", FAILURE, "was answered with 429", "token")
def rate_limit_is_exceeded(scene: Scene) -> None:
    scene.emulator.fail_next("GET", "/auth/credentials", status=429, times=2)


@fault("authentication", FAILURE, "was answered with 503", "token")
def dfns_fails(scene: Scene) -> None:
    scene.emulator.fail_next("GET", "/auth/credentials", status=503, times=2)


# Credential


@fault("credential", FAILURE, "no 'credential_id'", "is registered as 'Y2kt': set that")
def credential_id_is_missing(scene: Scene) -> None:
    del scene.settings["credential_id"]


@fault("credential", FAILURE, "no 'credential_id'", "register credential")
def key_is_not_registered_yet(scene: Scene) -> None:
    del scene.settings["credential_id"]
    write(scene, private_pem(stranger("Ed25519")))


@fault("credential", FAILURE, "has no credential 'cr-none'; it has 'Y2kt'", "set that")
def credential_is_unknown(scene: Scene) -> None:
    scene.settings["credential_id"] = "cr-none"


@fault("credential", FAILURE, "'Y2kt' is not active", "activate it")
def credential_is_inactive(scene: Scene) -> None:
    scene.emulator.disable_credential("Y2kt")


@fault("credential", FAILURE, "'Y2kt' has the public key sha256:", "is not registered")
def credential_is_of_another_key(scene: Scene) -> None:
    write(scene, private_pem(stranger("Ed25519")))


@fault("credential", FAILURE, "'Y2kt' has the public key sha256:", "is registered as 'cr-2'")
def key_is_registered_under_another_id(scene: Scene) -> None:
    scene.emulator.register(public_pem(stranger("Ed25519").public_key()), "cr-2")
    write(scene, private_pem(stranger("Ed25519")))


@fault("credential", FAILURE, "no credential 'cr-theirs'; it has 'Y2kt'", "set that")
def credential_is_of_another_identity(scene: Scene) -> None:
    pem = public_pem(public_key("Ed25519"))
    scene.emulator.add_identity("other", credentials={"cr-theirs": pem})
    scene.settings["credential_id"] = "cr-theirs"


@fault("credential", FAILURE, "'cr-2' is of the kind Fido2, expected Key", "'Y2kt'")
def credential_is_a_passkey(scene: Scene) -> None:
    scene.emulator.register(public_pem(public_key("ES256")), "cr-2", kind="Fido2")
    scene.settings["credential_id"] = "cr-2"


@fault("credential", WARNING, "it has no public key that is read", "correct")
def credential_shows_no_public_key(scene: Scene) -> None:
    with_listing(scene, {"credentialId": "Y2kt", "isActive": True, "kind": "Key"})


@fault("credential", WARNING, "it has no public key that is read", "correct")
def credential_shows_a_public_key_that_is_no_string(scene: Scene) -> None:
    with_listing(scene, {"credentialId": "Y2kt", "isActive": True, "kind": "Key", "publicKey": 7})


@fault("credential", FAILURE, "has no credential 'Y2kt'; it has none", "not registered")
def list_of_credentials_is_not_what_dfns_documents(scene: Scene) -> None:
    with_listing(scene, None, {}, {"credentialId": 7})


@fault("authentication", FAILURE, "time of the call", "token")
def list_of_credentials_does_not_end(scene: Scene) -> None:
    scene.settings["call_timeout"] = 1
    api = scene.stack.enter_context(ScriptedApi())
    numbers = count()
    api.on(
        "/auth/credentials",
        always=lambda _: Reply(body={"items": [], "nextPageToken": str(next(numbers))}),
    )
    scene.settings["base_url"] = api.url


@fault("user action", FAILURE, "POST /auth/action/init was answered with 403", "token")
def announcement_is_refused(scene: Scene) -> None:
    scene.emulator.fail_next("POST", "/auth/action/init", status=403)


def write(scene: Scene, pem: bytes) -> None:
    (scene.folder / "key.pem").write_bytes(pem)


def with_clock(scene: Scene, date: str) -> None:
    """Have a server of another time."""
    scene.patch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: date)
    pem = public_pem(public_key("Ed25519")).decode()
    with_listing(scene, {"credentialId": "Y2kt", "isActive": True, "kind": "Key", "publicKey": pem})


def with_listing(scene: Scene, *items: object) -> None:
    """Have a server that lists these credentials."""
    api = scene.stack.enter_context(ScriptedApi())
    api.on("/auth/credentials", always=Reply(body={"items": items}))
    scene.settings["base_url"] = api.url


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """A server on localhost whose authority nobody trusts; yields its port."""
    Authority(folder).issue("server", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server = HTTPServer(("localhost", 0), BaseHTTPRequestHandler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client left
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named_with_what_to_do_no_check_dropped_and_no_secret_shown(
    name: str, scene: Scene
) -> None:
    fault = FAULTS[name]
    fault.arrange(scene)

    findings = scene.findings()

    wrong = [one for one in findings if one.severity is not Severity.OK]
    worst = [one for one in wrong if one.severity is max(each.severity for each in wrong)]
    assert any(
        (one.check, one.severity) == (fault.check, fault.severity)
        and fault.message in one.message
        and fault.remedy in one.remedy
        for one in worst
    ), worst
    if fault.severity is FAILURE:
        assert worst[0].check == fault.check
    assert set(ALL_CHECKS) - {one.check for one in findings} == set()
    assert all(one.remedy for one in wrong)
    said = [one.message for one in wrong if not one.message.startswith("not examined: ")]
    assert len(set(said)) == len(said)
    assert not SECRET.search(repr(findings))
    assert "took no effect" not in repr(findings)


def test_there_are_two_dozen_faults_and_more() -> None:
    assert len(FAULTS) > 24
