"""Programs that fork, each in a process of its own, which may hang without harm."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from textwrap import dedent, indent
from typing import Any

_PROGRAM = """
import json, os, signal, sys
import anyio
from dfns_signers import load_signer
from dfns_signers.errors import DfnsSignersError

CHALLENGE = {
    "challenge": "Y2g",
    "allowCredentials": {"key": [{"id": "cr-1", "type": "public-key"}], "webauthn": []},
}
argument = json.loads(sys.argv[1])

def outcome(act):
    try:
        act()
    except DfnsSignersError as error:
        return str(error)
    return "signed"

def sign():
    signer.sign(CHALLENGE)

def asign():
    anyio.run(signer.asign, CHALLENGE)

"""


def in_forked_child(
    before: str,
    outcomes: str,
    argument: Any = None,
    *,
    after: str = "",
    python: Sequence[str] = (),
) -> Any:
    """What a program's expression is in a forked child, while the parent waits.

    Args:
        before: what the program does before it forks.
        outcomes: the expression, of what JSON can carry; ``outcome(act)`` gives "signed" or the
            text of an error.
        argument: what the program sees as ``argument``.
        after: what the parent does after the child.
        python: arguments of Python.
    """
    program = f"""
{dedent(before).strip()}
if os.fork() == 0:
    signal.alarm(30)
    try:
{indent(f"print(json.dumps({outcomes}), flush=True)", " " * 8)}
    finally:
        os._exit(0)
os.wait()
{dedent(after).strip()}
"""
    done = subprocess.run(
        [sys.executable, *python, "-c", _PROGRAM + program, json.dumps(argument)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout, f"nothing from the child: {done.stderr}"
    return json.loads(done.stdout)


def signatures_after_a_fork(signer: Mapping[str, Any], *, first: str = "sign()") -> list[str]:
    """How a configured signer that was used before a fork fares in the child: sync, then async."""
    before = f'signer = load_signer(credential_id="cr-1", signer=argument)\n{first}'
    outcomes: list[str] = in_forked_child(before, "[outcome(sign), outcome(asign)]", dict(signer))
    return outcomes
