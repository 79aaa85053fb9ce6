"""The opening of a key, interrupted: by closing, another thread, a fork, or the end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from functools import partial

import pytest

from dfns_signers import lazy_key
from dfns_signers.errors import SigningKeyError
from dfns_signers.signer import KeySigner
from tests.core.keys import AnsweringKey
from tests.support.forking import in_forked_child
from tests.support.interruption import Act, at_each_line


class Opener:
    """Opens a key, and counts how often."""

    def __init__(self) -> None:
        self.key = AnsweringKey("ES256")
        self.calls = 0

    def __call__(self) -> AnsweringKey:
        self.calls += 1
        return self.key


def use(signer: KeySigner) -> None:
    with suppress(SigningKeyError):
        _ = signer.key


@pytest.mark.parametrize("elsewhere", [False, True])
def test_signer_closed_at_any_point_of_an_opening_leaves_no_key_open(elsewhere: bool) -> None:
    openers: list[Opener] = []

    def prepared() -> tuple[Act, Act]:
        openers.append(Opener())
        signer = KeySigner(openers[-1], "Y2kt")
        return partial(use, signer), signer.close

    for _ in at_each_line(lazy_key, prepared, elsewhere=elsewhere):
        assert openers[-1].key.releases == openers[-1].calls

    assert len(openers) > 10


def test_key_opened_at_any_point_of_closing_its_signer_is_not_left_open() -> None:
    openers: list[Opener] = []

    def prepared() -> tuple[Act, Act]:
        openers.append(Opener())
        signer = KeySigner(openers[-1], "Y2kt")
        return signer.close, partial(use, signer)

    for _ in at_each_line(lazy_key, prepared, elsewhere=True):
        assert openers[-1].key.releases == openers[-1].calls

    assert len(openers) > 2


def test_thread_that_needs_the_key_at_any_point_of_an_opening_shares_it() -> None:
    openers: list[Opener] = []

    def prepared() -> tuple[Act, Act]:
        openers.append(Opener())
        signer = KeySigner(openers[-1], "Y2kt")
        return partial(use, signer), partial(use, signer)

    for _ in at_each_line(lazy_key, prepared, elsewhere=True):
        assert openers[-1].calls == 1

    assert len(openers) > 10


def test_child_that_is_forked_at_any_point_of_an_opening_opens_a_key_of_its_own() -> None:
    statuses = in_forked_child(
        """
        from dfns_signers import KeySigner, lazy_key
        from tests.core.keys import AnsweringKey
        from tests.support.interruption import at_each_line
        statuses = []

        def fork():
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                os._exit(outcome(sign) != "signed")
            statuses.append(os.waitpid(child, 0)[1])

        def prepared():
            global signer
            signer = KeySigner(lambda: AnsweringKey("Ed25519"), "cr-1")
            return sign, fork

        for elsewhere in (False, True):
            for _ in at_each_line(lazy_key, prepared, elsewhere=elsewhere):
                pass
        """,
        "statuses",
    )

    assert len(statuses) > 20
    assert set(statuses) == {0}


def test_process_that_ends_opens_its_key_and_signs_all_the_same() -> None:
    program = """
import atexit
from dfns_signers import KeySigner, deadlines
from tests.core.keys import AnsweringKey

def late():
    for _ in range(2):
        with deadlines.within(20):
            print(signer.sign({"challenge": "Y2g"})["kind"])

signer = KeySigner(lambda: AnsweringKey("Ed25519"), "cr-1")
atexit.register(late)
"""

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout == "Key\nKey\n"


def test_key_of_the_parent_is_not_collected_in_a_child() -> None:
    is_kept = in_forked_child(
        """
        import gc, weakref
        from dfns_signers import KeySigner
        from tests.core.keys import AnsweringKey
        signer = KeySigner(lambda: AnsweringKey("Ed25519"), "cr-1")
        parents = weakref.ref(signer.key)
        """,
        "[outcome(sign), gc.collect(), parents() is not None][::2]",
    )

    assert is_kept == ["signed", True]
