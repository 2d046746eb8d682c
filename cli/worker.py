"""`convscope worker`."""

from __future__ import annotations

from processes.child import end_with_parent


def worker(parent: int | None) -> None:
    """Runs the workers' supervisor in this process until SIGTERM or SIGINT."""
    from workers.__main__ import main

    if parent is not None:
        end_with_parent(parent)
    main()
