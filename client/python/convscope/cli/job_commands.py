"""The commands `jobs` and `cancel`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, Literal

import typer

from convscope.cli.asking import asking
from convscope.cli.completions import complete_method, complete_model
from convscope.cli.service_options import AsJson, Key, Url
from convscope.client import Client
from convscope.errors import ConvscopeError

State = Literal["queued", "running", "succeeded", "failed", "canceled", "expired"]


def jobs(
    context: typer.Context,
    *,
    state: Annotated[State | None, typer.Option(help="Only jobs in this state.", show_default=False)] = None,
    method: Annotated[
        str | None, typer.Option(help="Only jobs of this method.", show_default=False, autocompletion=complete_method)
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only jobs of this model.", show_default=False, autocompletion=complete_model)] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many jobs.")] = 20,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List your jobs, the newest first."""
    from convscope.cli.listing import show

    filters = {name: value for name, value in {"state": state, "method": method, "model": model}.items() if value is not None}
    with asking(context, url, key) as client:
        found = list(islice(_all_jobs(client, filters), limit))
    show(found, ("id", "state", "method", "model", "created", "error"), _job_cells, as_json=as_json)


def cancel(
    context: typer.Context,
    job: Annotated[list[str], typer.Argument(metavar="ID...", help="The ids of the jobs, as `jobs` shows them.")],
    url: Url = None,
    key: Key = None,
) -> None:
    """Cancel jobs."""
    failed = False
    with asking(context, url, key) as client:
        for job_id in job:
            try:
                canceled = client.job(job_id).cancel()
            except ConvscopeError as error:
                failed = True
                typer.echo(f"{job_id}: {error}", err=True)
            else:
                typer.echo(f"{job_id}: {'canceled' if canceled.state == 'canceled' else 'is canceled soon'}")
    raise typer.Exit(int(failed))


def _all_jobs(client: Client, filters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = client.jobs(cursor, **filters)
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _job_cells(job: Mapping[str, Any]) -> tuple[object, ...]:
    error = job["error"]
    return job["id"], job["state"], job["method"], job["model"], job["created_at"][:16].replace("T", " "), error and error["code"]
