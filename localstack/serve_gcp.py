# ruff: noqa: INP001  # a script, in no package
"""Start the Cloud KMS emulator with keys and a Dfns API, print profiles, and stay until Ctrl-C.

Usage: python localstack/serve_gcp.py [--port PORT]

Needs dfns-signers-testkit[gcp] and dfns-signers[cli,emulator]: make gcp-emulator has both, and runs
this.
"""

from __future__ import annotations

import argparse
import sys

from serving import Served, chosen_port, serve

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers_testkit.gcp import seed


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run the Cloud KMS emulator with keys in it.")
    parser.add_argument("--port", type=int, help="port of 127.0.0.1 [8085, or a free one]")
    try:
        port = chosen_port(parser.parse_args().port, 8085)
        serve(CloudKmsEmulator(port=port), served)
    except OSError as error:
        sys.exit(str(error))


def served(emulator: CloudKmsEmulator) -> Served:
    """A profile for each key."""
    return Served(
        f"gcp-{emulator.endpoint.rpartition(':')[2]}",
        f"# The Cloud KMS emulator runs on {emulator.endpoint} until Ctrl-C, with keys in memory.\n"
        "# 'cloud-kms-emulator versions' disables, enables, destroys and restores versions.\n",
        {f"local-gcp-{name.lower()}": key.signer for name, key in seed(emulator).items()},
    )


if __name__ == "__main__":
    main()
