"""Start a service for the commands of the Python client, which `convscope` has too."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from cli.failure import CommandFailed
from convscope.cli.failing import CommandError


@contextmanager
def service_for_a_run() -> Generator[str]:
    """Run all of convscope inside the block, and yield its address.

    Raises:
        CommandError: it is not ready in time, or a signal interrupted the wait.
    """
    from cli.temporary_stack import temporary_stack

    try:
        with temporary_stack("run") as stack:
            yield stack.url
    except CommandFailed as failure:
        raise CommandError(str(failure)) from failure
