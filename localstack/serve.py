# ruff: noqa: INP001  # a script, in no package
"""Start LocalStack with keys and a Dfns API, print profiles for them, and stay until Ctrl-C.

Usage: python localstack/serve.py [--port PORT] [--ministack]

Needs dfns-signers-testkit[aws] and dfns-signers[cli,emulator], and the server in .venv-localstack
or .venv-ministack: make localstack builds all of it and runs this; ARGS=--ministack chooses
MiniStack.
"""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError
from serving import Served, chosen_port, serve

from dfns_signers_testkit.aws import ENVIRONMENT, LOCALSTACK, MINISTACK, LocalKms
from dfns_signers_testkit.aws_keys import local_client, seed
from dfns_signers_testkit.servers import ServerStartError


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run LocalStack with the keys of dfns-signers.")
    parser.add_argument("--port", type=int, help="port of 127.0.0.1 [4566, or a free one]")
    parser.add_argument("--ministack", action="store_true", help="run MiniStack instead")
    arguments = parser.parse_args()
    product = MINISTACK if arguments.ministack else LOCALSTACK
    try:
        serve(LocalKms(product, chosen_port(arguments.port, 4566)), served)
    except (ServerStartError, BotoCoreError, ClientError) as error:
        sys.exit(str(error))


def served(server: LocalKms) -> Served:
    """A profile for each key, and the credentials that none of its options holds."""
    name = server.product.name
    exports = (f"#   export {variable}={value}\n" for variable, value in ENVIRONMENT.items())
    return Served(
        f"{name.lower()}-{server.url.rpartition(':')[2]}",
        f"# {name} runs on {server.url} until Ctrl-C, in memory; so do its keys.\n"
        "# The profiles are complete but for credentials, which none of their options holds:\n#\n"
        + "".join(exports),
        {
            f"local-{algorithm.lower()}": server.signer(alias)
            for algorithm, alias in seed(local_client(server.url)).items()
        },
        ENVIRONMENT,
    )


if __name__ == "__main__":
    main()
