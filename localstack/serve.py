# ruff: noqa: INP001  # a script, in no package
"""Start LocalStack with seeded keys, print the settings that use them, and stay until Ctrl-C.

Usage: python localstack/serve.py [--port PORT] [--ministack]

Needs dfns-signers-testkit[aws], and the server in .venv-localstack or .venv-ministack: make
localstack builds both and runs this; ARGS=--ministack chooses MiniStack.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from botocore.exceptions import BotoCoreError, ClientError

from dfns_signers_testkit.aws import ENVIRONMENT, LOCALSTACK, MINISTACK, LocalKms
from dfns_signers_testkit.aws_keys import local_client, seed
from dfns_signers_testkit.servers import ServerStartError


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run LocalStack with the keys of dfns-signers.")
    parser.add_argument("--port", type=int, default=4566, help="port of 127.0.0.1 [4566]")
    parser.add_argument("--ministack", action="store_true", help="run MiniStack instead")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with LocalKms(MINISTACK if arguments.ministack else LOCALSTACK, arguments.port) as server:
            sys.stdout.write(settings(server))
            sys.stdout.flush()
            stop.wait()
    except (ServerStartError, BotoCoreError, ClientError) as error:
        sys.exit(str(error))


def settings(server: LocalKms) -> str:
    """The environment and the ``[signer]`` tables to use, in TOML."""
    lines = [f"# {server.product.name} runs on {server.url} until Ctrl-C. Credentials for it:", "#"]
    lines += [f"#   export {name}={value}" for name, value in ENVIRONMENT.items()]
    for algorithm, alias in seed(local_client(server.url)).items():
        lines += ["", f"[profiles.local-{algorithm.lower()}.signer]"]
        lines += [f'{name} = "{value}"' for name, value in server.signer(alias).items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
