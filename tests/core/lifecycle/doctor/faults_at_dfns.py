"""Faults of the way to Dfns, and of the credential there."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path

from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import private_pem, public_key, public_pem, stranger
from tests.core.lifecycle.doctor.doctor_scene import Scene
from tests.core.lifecycle.doctor.faults import FAILURE, WARNING, fault, write_key
from tests.support.certificates import Authority


@fault("Dfns", FAILURE, "failed: ", "check 'base_url', the network")
def dfns_is_down(scene: Scene) -> None:
    bound = scene.stack.enter_context(socket.socket())  # where it does not listen
    bound.bind(("127.0.0.1", 0))
    scene.settings["base_url"] = f"http://127.0.0.1:{bound.getsockname()[1]}"


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
    write_key(scene, private_pem(stranger("Ed25519")))


@fault("credential", FAILURE, "has no credential 'cr-none'; it has 'Y2kt'", "set that")
def credential_is_unknown(scene: Scene) -> None:
    scene.settings["credential_id"] = "cr-none"


@fault("credential", FAILURE, "'Y2kt' is not active", "activate it")
def credential_is_inactive(scene: Scene) -> None:
    scene.emulator.disable_credential("Y2kt")


@fault("credential", FAILURE, "'Y2kt' has the public key sha256:", "is not registered")
def credential_is_of_another_key(scene: Scene) -> None:
    write_key(scene, private_pem(stranger("Ed25519")))


@fault("credential", FAILURE, "'Y2kt' has the public key sha256:", "is registered as 'cr-2'")
def key_is_registered_under_another_id(scene: Scene) -> None:
    scene.emulator.register(public_pem(stranger("Ed25519").public_key()), "cr-2")
    write_key(scene, private_pem(stranger("Ed25519")))


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
