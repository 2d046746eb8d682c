"""Find the service that a command asks, or start one for the command."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import typer

from convscope.cli.failing import CommandError

DEFAULT_URL = "http://127.0.0.1:8000"
_PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class CommandHome:
    """The facts about a program that its commands need.

    Attributes:
        program: the name of the program, `convscope` or `convscope-client`.
        start_service: starts a service for the duration of the block and yields its address; None if the program cannot.
        how_to_start: a sentence that says how a service is started.
    """

    program: str
    start_service: Callable[[], AbstractContextManager[str]] | None
    how_to_start: str


def home_of(context: typer.Context) -> CommandHome:
    """Return what `client_app` or the server's program has set for its commands."""
    home = context.find_object(CommandHome)
    if home is None:
        raise TypeError("The program has set no CommandHome as the object of its context.")
    return home


@contextmanager
def service(home: CommandHome, url: str | None, *, may_start: bool = False) -> Generator[str]:
    """Yield the address of the service at `url`, or at the default address if it is None.

    Args:
        home: the program.
        url: the address that the user named, or None.
        may_start: start a service if no address is named and none answers, and if the program can.

    Raises:
        CommandError: no service answers, or none could be started.
    """
    problem = _problem(url or DEFAULT_URL)
    if problem is None:
        yield (url or DEFAULT_URL).rstrip("/")
    elif url is not None:
        raise CommandError(problem)
    elif may_start and home.start_service is not None:
        typer.echo(f"{problem} One is started for this run.", err=True)
        with home.start_service() as started:
            yield started
    else:
        raise CommandError(f"{problem} {home.how_to_start} Or name another one with --url or CONVSCOPE_URL.")


def _problem(url: str) -> str | None:
    """Return a sentence that says why there is no service at an address, or None if there is one."""
    if not url.startswith(("http://", "https://")):
        return f"The address of the service must begin with http:// or https://; got '{url}'."
    try:
        # httpx would read the certificates of all authorities first, also for http://, which takes longer than the question.
        with urlopen(f"{url.rstrip('/')}/livez", timeout=_PROBE_SECONDS) as answer:  # noqa: S310 - it begins with http
            status, media_type = answer.status, answer.headers.get_content_type()
    except HTTPError as error:
        status, media_type = error.code, ""
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        return f"No service answers at {url} ({reason or type(error).__name__})."
    if status == 200 and media_type == "application/json":
        return None
    return f"What answers at {url} is not convscope: /livez has the status {status}."
