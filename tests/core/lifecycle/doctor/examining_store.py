"""A backend of tests that examines its keys."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.core.lifecycle.doctor.doctor_scene import Scene

STORE = """
    import threading
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from dfns_signers.plugin import (
        Backend, BackendOptions, DiagnosesKeys, Finding, KeyResponse, Policy, Severity, SigningKey,
        hookimpl,
    )

    may_go_on = threading.Event()
    signed = []
    closed = []

    class Key(SigningKey):
        def __init__(self, key):
            super().__init__(key.public_key(), reference="key-1")
            self._key = key

        def _sign(self, message):
            signed.append(message)
            return KeyResponse(self._key.sign(message))

        def _close(self):
            closed.append(self)

    class Options(BackendOptions):
        name: str = "key-1"

    class Store(Backend[Options], DiagnosesKeys[Options]):
        options = Options

        def open(self, options):
            return Key(ed25519.Ed25519PrivateKey.generate())

        def diagnose(self, options):
            yield Finding("key store", Severity.OK, "reached as me", seconds=0.1)
            DIAGNOSIS

        def policy(self, options):
            return Policy("Acme policy", f"allow sign on {options.name}")

    @hookimpl
    def dfns_backend():
        return Store()
"""


def with_store(scene: Scene, diagnosis: str = "pass") -> Any:
    """Use a backend that examines its keys; returns its module."""
    scene.plugin("acme", STORE.replace("DIAGNOSIS", diagnosis))
    scene.settings["signer"] = {"backend": "acme", "name": "key-7"}
    return import_module("acme")
