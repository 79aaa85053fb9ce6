"""Who gets permits: in the order of coming, all of a call together, and none is lost."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import anyio
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

from dfns_signers import deadlines
from dfns_signers.errors import NoPermitError, RateLimitedError
from dfns_signers.rate_limits import window as window_module
from dfns_signers.rate_limits.limiter import RateLimiter, limiter_of
from dfns_signers.rate_limits.rate_limit import RateLimit
from dfns_signers.rate_limits.window import Window
from tests.support.forking import in_forked_child

pytestmark = pytest.mark.timeout(30)  # half of a window: nothing here waits for one

SECONDS = 0.05  # of a window, where a test waits for it
SOON = 0.3  # seconds of a call that has to give up


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_module, "WINDOW", SECONDS)


def limiter(limit: int) -> RateLimiter:
    return RateLimiter(Window(limit))


def is_free(limited: RateLimiter, permits: int) -> bool:
    """Whether permits can be had without waiting; they are used up then."""
    with deadlines.within(SOON), suppress(NoPermitError), limited.lent(permits, "GET /"):
        return True
    return False


def use(limited: RateLimiter, permits: int) -> None:
    assert is_free(limited, permits)


async def call(limited: RateLimiter, permits: int, note: Callable[[], None]) -> None:
    async with limited.alent(permits, "GET /"):
        note()


@pytest.mark.anyio
@pytest.mark.usefixtures("_quick")
async def test_permits_are_given_in_the_order_of_coming_however_many_are_asked_for() -> None:
    limited, order = limiter(4), list[int]()
    async with anyio.create_task_group() as tasks, limited.alent(3, "POST /"):
        # One permit is free, which some could have; and no two can be admitted together.
        for number, permits in enumerate([3, 2, 4, 3, 2]):
            tasks.start_soon(call, limited, permits, partial(order.append, number))
            await wait_all_tasks_blocked()
        tasks.start_soon(call, limited, 1, partial(order.append, 5))
        await wait_all_tasks_blocked()
        assert order == []

    assert order[:4] == [0, 1, 2, 3]
    assert sorted(order[4:]) == [4, 5]  # admitted together


@pytest.mark.usefixtures("_quick")
def test_threads_and_tasks_wait_in_one_line() -> None:
    limited, order = limiter(3), list[str]()

    def blocking() -> None:
        with limited.lent(3, "GET /"):
            order.append("thread")

    async def tasks() -> None:
        async with anyio.create_task_group() as group, limited.alent(3, "POST /"):
            group.start_soon(call, limited, 3, lambda: order.append("task"))
            await wait_all_tasks_blocked()
            thread.start()

    thread = threading.Thread(target=blocking)
    anyio.run(tasks)
    thread.join()

    assert order == ["task", "thread"]


class AskedWindow(Window):
    """Says when it is asked by the limiter's thread, and answers when it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def take_at_once(self, permits: int) -> bool:
        return False

    def take(self, permits: int) -> float:
        self.is_asked.set()
        assert self.may_answer.wait(20)
        return super().take(permits)


class HesitatingWindow(Window):
    """Knows its answer to the limiter's thread, and gives it when it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.knows, self.may_answer = threading.Event(), threading.Event()

    def take_at_once(self, permits: int) -> bool:
        return not super().take(permits)

    def take(self, permits: int) -> float:
        pause = super().take(permits)
        self.knows.set()
        assert self.may_answer.wait(20)
        return pause


@pytest.mark.usefixtures("_quick")
def test_call_that_ends_while_the_limiter_looks_is_not_overlooked() -> None:
    window = HesitatingWindow(3)
    limited = RateLimiter(window)

    def wait_for_permits() -> None:
        with deadlines.within(10), limited.lent(3, "GET /"):
            pass

    with ThreadPoolExecutor() as threads:
        with limited.lent(3, "POST /"):
            waiting = threads.submit(wait_for_permits)
            assert window.knows.wait(20)
        window.may_answer.set()

        waiting.result(20)


@pytest.mark.anyio
async def test_permits_that_come_for_a_caller_that_has_gone_are_free() -> None:
    window = AskedWindow(3)
    limited = RateLimiter(window)
    async with anyio.create_task_group() as group:
        group.start_soon(call, limited, 3, lambda: None)
        await anyio.to_thread.run_sync(window.is_asked.wait)
        group.cancel_scope.cancel()

    window.may_answer.set()

    with anyio.fail_after(20):
        await call(limited, 3, lambda: None)


@pytest.mark.anyio
async def test_waiter_that_is_cancelled_takes_no_permits_and_lets_the_next_one_pass() -> None:
    window, order = AskedWindow(3), list[str]()
    window.may_answer.set()
    limited = RateLimiter(window)
    async with (
        limited.alent(2, "POST /"),
        anyio.create_task_group() as group,
        anyio.create_task_group() as cancelled,
    ):
        cancelled.start_soon(call, limited, 3, lambda: order.append("cancelled"))
        await wait_all_tasks_blocked()
        group.start_soon(call, limited, 1, lambda: order.append("next"))
        await wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(window.is_asked.wait)
        assert order == []
        cancelled.cancel_scope.cancel()

    assert order == ["next"]


@pytest.mark.anyio
@pytest.mark.usefixtures("_quick")
async def test_permits_of_callers_that_are_cancelled_at_any_time_are_not_lost() -> None:
    limited = limiter(3)
    for moment in range(40):
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(call, limited, 3, lambda: None)
            with anyio.move_on_after(moment / 1000):
                await anyio.sleep_forever()
            group.cancel_scope.cancel()

    with anyio.fail_after(20):
        await call(limited, 3, lambda: None)


def test_call_that_cannot_get_permits_in_its_time_is_refused_without_waiting() -> None:
    limited = limiter(3)
    use(limited, 3)

    with (
        deadlines.within(50),  # more than a test may take, and less than the window
        pytest.raises(NoPermitError, match=r"GET /wallets was not sent.*'call_timeout'"),
        limited.lent(1, "GET /wallets"),
    ):
        pass


@pytest.mark.anyio
async def test_call_behind_others_that_cannot_get_permits_in_its_time_is_refused_too() -> None:
    limited = limiter(3)
    use(limited, 3)
    async with anyio.create_task_group() as group:
        group.start_soon(call, limited, 1, lambda: None)
        await wait_all_tasks_blocked()

        with deadlines.within(50), pytest.raises(NoPermitError):
            async with limited.alent(1, "GET /wallets"):
                pass

        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_call_that_waits_for_requests_under_way_waits_to_the_end_of_its_time() -> None:
    limited = limiter(3)
    async with limited.alent(3, "POST /"):
        with deadlines.within(SOON), pytest.raises(NoPermitError):
            async with limited.alent(1, "GET /"):
                pass
        with deadlines.within(SOON), pytest.raises(NoPermitError), limited.lent(1, "GET /"):
            pass


@pytest.mark.anyio
@pytest.mark.usefixtures("_quick")
async def test_call_behind_others_waits_for_requests_under_way_if_it_has_the_time() -> None:
    limited, order = limiter(10), list[int]()
    async with anyio.create_task_group() as tasks, limited.alent(10, "POST /"):
        for number in range(10):
            with deadlines.within(20):
                tasks.start_soon(call, limited, 1, partial(order.append, number))
            await anyio.sleep(SECONDS / 10)  # the limiter looks at the first

    assert sorted(order) == [*range(10)]


@pytest.mark.usefixtures("_quick")
def test_call_without_a_bound_waits_its_turn() -> None:
    limited = limiter(3)
    for _ in range(5):
        with limited.lent(3, "POST /"):
            pass


def test_limiter_with_no_caller_left_has_no_thread() -> None:
    limited, before = limiter(3), threading.active_count()
    use(limited, 3)
    assert not is_free(limited, 1)

    for thread in threading.enumerate():
        if thread.name == "dfns-signers":
            thread.join(10)

    assert threading.active_count() <= before


def refused_by_dfns(limited: RateLimiter, retry_after: float | None) -> None:
    with pytest.raises(RateLimitedError), limited.lent(1, "GET /"):
        raise RateLimitedError("429", status=429, retry_after=retry_after)


def test_refusal_of_dfns_uses_up_the_window_for_everybody() -> None:
    limited = limiter(100)

    refused_by_dfns(limited, None)

    assert not is_free(limited, 1)


def test_refusal_of_dfns_that_says_when_to_come_back_has_everybody_wait_so_long() -> None:
    limited = limiter(100)

    refused_by_dfns(limited, 20)

    assert not is_free(limited, 1)


@pytest.mark.anyio
async def test_after_the_pause_that_dfns_asks_for_calls_go_on() -> None:
    limited = limiter(100)

    refused_by_dfns(limited, SECONDS)

    await call(limited, 3, lambda: None)


def test_child_counts_what_was_used_before_the_fork_and_waits_for_itself() -> None:
    before = """
    from contextlib import suppress
    from dfns_signers import deadlines
    from dfns_signers.errors import NoPermitError
    from dfns_signers.rate_limits.limiter import limiter_of
    import threading

    limited = limiter_of(11, "http://127.0.0.1")
    def take(permits):
        with deadlines.within(50), suppress(NoPermitError), limited.lent(permits, "GET /"):
            return True
        return False
    def hold():
        with limited.lent(9, "GET /"):
            held.set()
            threading.Event().wait()
    def wait():
        with limited.lent(10, "GET /"):
            pass
    take(1)
    held = threading.Event()
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    threading.Thread(target=wait, daemon=True).start()
    """

    # Those that are refused are so at once: the child does not live as long as their time.
    assert in_forked_child(before, "[take(3), take(1), take(1)]") == [False, True, False]


def test_clients_with_an_equal_limit_share_a_limiter() -> None:
    one = limiter_of(RateLimit(1000, name="acme"), "https://api.dfns.io")
    same = limiter_of(RateLimit(1000, name="acme"), "https://gateway.example")

    assert one is same


@pytest.mark.parametrize(
    ("limit", "base_url"),
    [
        (RateLimit(999), "https://api.dfns.io"),
        (RateLimit(1000, name="acme"), "https://api.dfns.io"),
        (RateLimit(1000, store="redis://127.0.0.1:1/0"), "https://api.dfns.io"),
        (1000, "https://elsewhere.example"),
    ],
)
def test_clients_with_different_limits_do_not_share(limit: RateLimit | int, base_url: str) -> None:
    one = limiter_of(1000, "https://api.dfns.io")

    assert limiter_of(limit, base_url) is not one


def test_limit_outlives_the_clients_that_have_it() -> None:
    use(limiter_of(3, "https://short-lived.example"), 3)

    gc.collect()

    assert not is_free(limiter_of(3, "https://short-lived.example"), 1)
