"""A key that was opened before a fork: reopened or refused in the child, and left to its parent."""

from __future__ import annotations

from functools import partial

import pytest

from dfns_signers import signing_key
from dfns_signers.errors import SigningKeyError
from dfns_signers.signing_key import KeyResponse
from tests.core.keys import AnsweringKey
from tests.core.signing_ways import WAYS, Way, sign
from tests.support.forking import in_forked_child
from tests.support.interruption import Act, at_each_line


def test_key_opened_before_a_fork_refuses_in_the_child_and_says_what_to_do() -> None:
    found = in_forked_child(
        """
        from tests.core.keys import AnsweringKey
        key = AnsweringKey("Ed25519", reference="store/key-1")
        key.sign(b"before")
        """,
        "[outcome(lambda: key.sign(b'm')), outcome(lambda: anyio.run(key.asign, b'm'))]",
        after='key.sign(b"after")',
    )

    refusal = (
        "the key store/key-1 was opened before this process was forked, and its connections belong "
        "to the parent: open the key in the child process"
    )
    assert found == [refusal, refusal]


def test_key_whose_backend_can_is_reopened_in_the_child_once() -> None:
    found = in_forked_child(
        """
        from tests.core.keys import AnsweringKey

        class Reopened(AnsweringKey):
            reopened = 0

            def _reopen(self):
                self.reopened += 1

        key = Reopened("Ed25519")
        """,
        "[outcome(lambda: key.sign(b'm')), outcome(lambda: anyio.run(key.asign, b'm')),"
        " key.reopened]",
    )

    assert found == ["signed", "signed", 1]


def test_child_forked_while_another_thread_signs_can_close_the_key_at_once() -> None:
    found = in_forked_child(
        """
        import threading
        from tests.core.keys import AnsweringKey
        AnsweringKey.close_wait = 1000.0
        asked, may_answer = threading.Event(), threading.Event()

        def answer(message):
            asked.set()
            may_answer.wait(10)

        key = AnsweringKey("Ed25519", answer)
        thread = threading.Thread(target=outcome, args=(lambda: key.sign(b"m"),))
        thread.start()
        asked.wait(10)
        """,
        "[key.close(), outcome(lambda: key.sign(b'm'))]",
        after="may_answer.set(); thread.join()",
    )

    assert found == [None, "the key store/key-1 is closed; open it again to sign"]


def test_child_forked_while_another_thread_reopens_the_key_reopens_it_too() -> None:
    found = in_forked_child(
        """
        import threading
        from tests.core.keys import AnsweringKey
        reopening, may_go_on, parent = threading.Event(), threading.Event(), os.getpid()

        class Reopened(AnsweringKey):
            def _reopen(self):
                if os.getpid() == parent:
                    reopening.set()
                    may_go_on.wait(10)

        key = Reopened("Ed25519")
        key.after_fork()  # as if the parent were a child itself
        thread = threading.Thread(target=lambda: key.sign(b"m"))
        thread.start()
        reopening.wait(10)
        """,
        "outcome(lambda: key.sign(b'm'))",
        after="may_go_on.set(); thread.join()",
    )

    assert found == "signed"


def test_child_forked_at_any_point_of_a_signature_signs_and_closes() -> None:
    statuses = in_forked_child(
        """
        from dfns_signers import closing
        from tests.core.keys import AnsweringKey
        from tests.support.interruption import at_each_line
        statuses = []

        class Reopened(AnsweringKey):
            def _reopen(self):
                pass

        def fork():
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                done = outcome(lambda: key.sign(b"m"))
                key.close()
                os._exit(done != "signed")
            statuses.append(os.waitpid(child, 0)[1])

        def prepared():
            global key
            key = Reopened("Ed25519")
            return lambda: key.sign(b"m"), fork

        for _ in at_each_line(closing, prepared, elsewhere=True):
            pass
        """,
        "statuses",
    )

    assert len(statuses) > 5
    assert set(statuses) == {0}


class Reopened(AnsweringKey):
    """Is reopened in a child; remembers what was done in order."""

    def __init__(self) -> None:
        super().__init__("Ed25519")
        self.events: list[str] = []

    def _reopen(self) -> None:
        self.events.append("reopened")

    def _sign(self, message: bytes) -> KeyResponse:
        self.events.append("signed")
        return super()._sign(message)


def test_threads_that_sign_at_once_in_a_child_reopen_the_key_once_and_sign_after_it() -> None:
    keys: list[Reopened] = []

    def prepared() -> tuple[Act, Act]:
        keys.append(Reopened())
        keys[-1].after_fork()
        return partial(sign, keys[-1]), partial(sign, keys[-1])

    for _ in at_each_line(signing_key, prepared, elsewhere=True):
        assert keys[-1].events == ["reopened", "signed", "signed"]

    assert len(keys) > 10


@WAYS
def test_reopening_that_fails_ends_as_an_error_of_ours_and_is_tried_again(way: Way) -> None:
    failures = [OSError("no route")]

    class Failing(Reopened):
        def _reopen(self) -> None:
            if failures:
                raise failures.pop()
            super()._reopen()

    key = Failing()
    key.after_fork()

    with pytest.raises(SigningKeyError, match="failed with OSError"):
        way(key)

    assert way(key)
    assert key.events == ["reopened", "signed"]


def test_key_that_a_task_reopens_in_the_child_does_not_block_the_event_loop() -> None:
    is_elsewhere = in_forked_child(
        """
        import threading
        from tests.core.keys import AnsweringKey

        class Reopened(AnsweringKey):
            def _reopen(self):
                self.thread = threading.get_ident()

        key = Reopened("Ed25519")
        """,
        "[anyio.run(key.asign, b'm') and None, key.thread != threading.get_ident()][1]",
    )

    assert is_elsewhere


def test_signer_that_opens_its_key_opens_another_in_the_child_and_leaves_the_first_alone() -> None:
    found = in_forked_child(
        """
        from dfns_signers import KeySigner
        from tests.core.keys import AnsweringKey
        opened = []

        def open_key():
            opened.append(AnsweringKey("Ed25519"))
            return opened[-1]

        signer = KeySigner(open_key, "cr-1")
        sign()
        """,
        "[outcome(sign), outcome(sign), signer.close(), [key.releases for key in opened]]",
    )

    assert found == ["signed", "signed", None, [0, 1]]


def test_signer_whose_key_is_another_in_the_child_refuses_it() -> None:
    found = in_forked_child(
        """
        from dfns_signers import KeySigner
        from tests.core.keys import AnsweringKey
        kinds, opened = iter(["Ed25519", "ES256"]), []

        def open_key():
            opened.append(AnsweringKey(next(kinds)))
            return opened[-1]

        signer = KeySigner(open_key, "cr-1")
        sign()
        """,
        "[outcome(sign), [key.releases for key in opened]]",
    )

    assert "it is another key" in found[0]
    assert found[1] == [0, 1]


def test_signer_of_a_key_that_was_opened_for_it_keeps_that_key_in_the_child() -> None:
    found = in_forked_child(
        """
        from dfns_signers import KeySigner, PemKey
        from tests.core.keys import private_key
        signer = KeySigner(PemKey(private_key("Ed25519"), reference="test"), "cr-1")
        sign()
        """,
        "[outcome(sign), outcome(asign)]",
    )

    assert found == ["signed", "signed"]


def test_fork_while_another_thread_opens_the_key_does_not_hang_the_child() -> None:
    found = in_forked_child(
        """
        import threading
        from dfns_signers import KeySigner
        from tests.core.keys import AnsweringKey
        opening, may_open, parent = threading.Event(), threading.Event(), os.getpid()

        def open_key():
            if os.getpid() == parent:
                opening.set()
                may_open.wait(10)
            return AnsweringKey("Ed25519")

        signer = KeySigner(open_key, "cr-1")
        thread = threading.Thread(target=lambda: signer.key)
        thread.start()
        opening.wait(10)
        """,
        "outcome(sign)",
        after="""
        may_open.set()
        thread.join()
        """,
    )

    assert found == "signed"


def test_pem_key_signs_in_a_child() -> None:
    found = in_forked_child(
        """
        from dfns_signers import PemKey
        from tests.core.keys import private_key
        key = PemKey(private_key("Ed25519"), reference="test")
        key.sign(b"before")
        """,
        'outcome(lambda: key.sign(b"m"))',
    )

    assert found == "signed"


def test_key_that_a_child_inherited_is_not_released_by_it() -> None:
    found = in_forked_child(
        """
        from tests.core.keys import AnsweringKey
        key = AnsweringKey("Ed25519")
        key.sign(b"before")
        """,
        "[key.close(), key.releases, outcome(lambda: key.sign(b'm'))]",
    )

    assert found[:2] == [None, 0]
    assert "is closed" in found[2]
