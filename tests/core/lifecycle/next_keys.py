"""A backend that makes next keys: key files ``key.pem``, ``key-next.pem`` and so on."""

from __future__ import annotations

from pathlib import Path

from tests.core.config.support import write_distribution

_BACKEND = """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from dfns_signers import PemKey
    from dfns_signers.plugin import (
        Algorithm, Backend, BackendOptions, ConfigPath, KeyDescription, ManagementOptions,
        ManagesKeys, hookimpl,
    )


    class Options(BackendOptions):
        path: ConfigPath
        retries: int = 1


    class Keys(Backend[Options], ManagesKeys[ManagementOptions, ManagementOptions]):
        options = Options
        create_options = list_options = ManagementOptions

        def open(self, options):
            return PemKey.from_file(options.path)

        def create(self, algorithm, options):
            raise NotImplementedError

        def list_keys(self, options):
            raise NotImplementedError

        def create_next(self, options):
            new = options.path.with_name(f"{options.path.stem}-next.pem")
            if not new.exists():
                new.touch(0o600)
                key = ec.generate_private_key(ec.SECP256R1())
                new.write_bytes(
                    key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                )
            return KeyDescription(
                str(new), Algorithm.ES256, "file", "Enabled",
                signer={"backend": "next-keys", "path": str(new)},
            )


    @hookimpl
    def dfns_backend():
        return Keys()
"""


def install_backend(site: Path) -> None:
    """Install the backend ``next-keys`` into a folder of ``sys.path``."""
    write_distribution(site, "next-keys", {"next-keys": _BACKEND})
