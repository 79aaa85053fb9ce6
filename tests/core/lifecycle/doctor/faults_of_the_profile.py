"""Faults of configuration, plugins, key and token."""

from __future__ import annotations

import time
from importlib import import_module

from cryptography.hazmat.primitives.asymmetric import ec

from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.core.lifecycle.doctor.doctor_scene import Scene
from tests.core.lifecycle.doctor.faults import FAILURE, WARNING, fault, write_key
from tests.secrecy import CANARY

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


@fault("rules", FAILURE, "key 'allow': rule 'wallets': ", "dfns-signers policy check")
def rule_can_never_match(scene: Scene) -> None:
    scene.settings["allow"] = [{"name": "wallets", "call": "POST /walets"}]


@fault("audit trail", FAILURE, "make its folder", "name another one in 'audit'")
def folder_of_the_audit_trail_is_missing(scene: Scene) -> None:
    scene.settings["audit"] = {"file": "away/audit.jsonl"}


@fault("audit trail", WARNING, "Until then nothing is recorded", "name another one in 'audit'")
def folder_of_an_audit_trail_that_may_fail_is_missing(scene: Scene) -> None:
    scene.settings["audit"] = {"file": "away/audit.jsonl", "on_failure": "sign"}


@fault("audit trail", FAILURE, "run: chmod go-w", "name another one in 'audit'")
def audit_trail_can_be_written_by_others(scene: Scene) -> None:
    (scene.folder / "audit.jsonl").touch()
    (scene.folder / "audit.jsonl").chmod(0o666)
    scene.settings["audit"] = {"file": "audit.jsonl"}


@fault("audit trail", FAILURE, "audit.jsonl.head", "name another one in 'audit'")
def head_of_the_audit_trail_is_a_folder(scene: Scene) -> None:
    (scene.folder / "audit.jsonl.head").mkdir()
    scene.settings["audit"] = {"file": "audit.jsonl"}


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
    write_key(scene, private_pem(private_key("Ed25519"), b"another"))
    scene.signer["passphrase"] = CANARY


@fault("key", FAILURE, "secp384r1", "[signer]")
def key_is_of_an_unsupported_curve(scene: Scene) -> None:
    write_key(scene, private_pem(ec.generate_private_key(ec.SECP384R1())))


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
