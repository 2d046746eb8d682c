"""The command `convscope worker`."""

from __future__ import annotations


def worker() -> None:
    """Run the workers' supervisor in this process until SIGTERM or SIGINT."""
    from workers.__main__ import main

    main()
