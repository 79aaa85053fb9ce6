# ruff: noqa: INP001  # a script, in no package
"""Create the keys and aliases of dfns-signers on a running LocalStack or MiniStack.

Usage: python localstack/seed.py [--endpoint-url URL]

Needs dfns-signers-testkit[aws]. What is there already stays as it is.
"""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from dfns_signers_testkit.aws_keys import local_client, seed


def main() -> None:
    """Seed one server and print what it has."""
    parser = argparse.ArgumentParser(description="Create keys and aliases on a local KMS.")
    parser.add_argument("--endpoint-url", default="http://127.0.0.1:4566", metavar="URL")
    url = parser.parse_args().endpoint_url
    try:
        seeded = seed(local_client(url))
    except (BotoCoreError, ClientError, ValueError) as error:
        sys.exit(f"cannot seed {url}: {error}")
    for algorithm, alias in seeded.items():
        sys.stdout.write(f"{algorithm}\t{alias}\n")


if __name__ == "__main__":
    main()
