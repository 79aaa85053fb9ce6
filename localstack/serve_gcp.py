# ruff: noqa: INP001  # a script, in no package
"""Start the Cloud KMS emulator with keys, print profiles that use them, and stay until Ctrl-C.

Usage: python localstack/serve_gcp.py [--port PORT]

Needs dfns-signers-testkit[gcp] and dfns-signers[cli]: make gcp-emulator has both, and runs this.
"""

from __future__ import annotations

import argparse
import sys

from serving import serve

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.config.writing import profile_toml
from dfns_signers_testkit.gcp import seed


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run the Cloud KMS emulator with keys in it.")
    parser.add_argument("--port", type=int, default=8085, help="port of 127.0.0.1 [8085]")
    try:
        serve(CloudKmsEmulator(port=parser.parse_args().port), profiles)
    except OSError as error:
        sys.exit(str(error))


def profiles(emulator: CloudKmsEmulator) -> str:
    """A profile for each key, in TOML, as it can be put into a configuration file."""
    heading = (
        f"# The Cloud KMS emulator runs on {emulator.endpoint} until Ctrl-C, with keys in memory.\n"
        "# 'cloud-kms-emulator versions' disables, enables, destroys and restores their versions.\n"
    )
    tables = (
        profile_toml(f"local-gcp-{algorithm.lower()}", {"signer": key.signer})
        for algorithm, key in seed(emulator).items()
    )
    return "\n".join([heading, *tables])


if __name__ == "__main__":
    main()
