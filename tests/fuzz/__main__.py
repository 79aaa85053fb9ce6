"""``make fuzz``: coverage-guided fuzzing of every target, for the given time in all.

It begins with the inputs in tests/fuzz/corpus and keeps those that reach new code in .fuzz. An
input that breaks a property is put into tests/fuzz/corpus, where ``make test`` repeats it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module

from tests.fuzz.kept_inputs import CORPUS, NAMES
from tests.support import ROOT

_INPUT_SECONDS = 10  # an input that takes longer is reported


def main() -> int:
    """Fuzz one target after the other, each in a process of its own, or the one that is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=NAMES, help="this one alone")
    parser.add_argument("--within", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.within:
        fuzz(chosen.within, chosen.minutes * 60, chosen.seed)
    names = [chosen.target] if chosen.target else NAMES
    failed = [name for name in names if not _ends_well(name, chosen.minutes / len(names), chosen)]
    for name in failed:
        sys.stdout.write(f"{name}: a property is broken; the input is in {CORPUS / name}\n")
    return 1 if failed else 0


def _ends_well(name: str, minutes: float, chosen: argparse.Namespace) -> bool:
    sys.stdout.write(f"{name}: {minutes * 60:.0f} seconds\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "tests.fuzz", "--within", name, "--minutes", str(minutes)]
    done = subprocess.run([*command, "--seed", str(chosen.seed)], cwd=ROOT, check=False)
    return done.returncode == 0


def fuzz(name: str, seconds: float, seed: int) -> None:
    """Fuzz a target in this process, which ends with it."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["dfns_signers"]):
        target = import_module("tests.fuzz.targets").TARGETS[name]
    kept = ROOT / ".fuzz" / name
    kept.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-timeout={_INPUT_SECONDS}",
        f"-artifact_prefix={CORPUS / name}/",
        f"-seed={seed}",
        "-max_len=4096",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(kept), str(CORPUS / name)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
