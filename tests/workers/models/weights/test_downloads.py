"""Only one process of the machine downloads weights at a time."""

from __future__ import annotations

import threading

from workers.models.weights import downloads


def test_one_process_downloads_at_a_time() -> None:
    entered, order = threading.Event(), []

    def second() -> None:
        entered.wait(10)
        with downloads.one_at_a_time("test"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with downloads.one_at_a_time("test"):
        entered.set()
        thread.join(0.2)  # the thread cannot end while the lock is held
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
