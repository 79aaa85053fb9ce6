"""What to set so that clients trust ``emulator --tls``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path


def trust_commands(ca_file: Path) -> Iterator[str]:
    """Lines for people, with commands to paste; each client is the only program that trusts it."""
    quoted = shlex.quote(str(ca_file))
    yield f"TLS: clients must trust {ca_file}, which is removed when the emulator ends."
    yield f"  Go, Python        SSL_CERT_FILE={quoted} (Go on macOS: RootCAs of tls.Config)"
    yield f"  requests          REQUESTS_CA_BUNDLE={quoted}"
    yield f"  curl              --cacert {quoted}"
    yield f"  Node              NODE_EXTRA_CA_CERTS={quoted}"
    yield (
        f"  Java              keytool -importcert -noprompt -alias dfns-emulator -file {quoted} "
        "-keystore dfns-emulator.p12 -storepass changeit"
    )
    yield (
        "                    java -Djavax.net.ssl.trustStore=dfns-emulator.p12 "
        "-Djavax.net.ssl.trustStorePassword=changeit"
    )
