"""Write what comes of each photo: its files, its row of the manifest, and the progress."""

from __future__ import annotations

import errno
from pathlib import Path

from convscope.cli.manifest import Manifest, Row
from convscope.cli.planning import RunItem, RunRequest
from convscope.cli.progress import RunProgress
from convscope.cli.quick_files import QuickFiles
from convscope.cli.save_choice import SaveChoice, write_files
from convscope.errors import (
    AccessError,
    ConvscopeError,
    ImageError,
    InvalidRequestError,
    ModelError,
    NetworkError,
    ProblemError,
    UnknownNameError,
)
from convscope.result import AsyncResult

Outcome = AsyncResult | ConvscopeError | LookupError | OSError
_FIRST_REFUSALS = 3
_CORRECT = "Correct the command, and run it again."
_OF_ONE_PHOTO = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EILSEQ)


class RunStopped(Exception):
    """The run cannot go on, for a reason that is not a photo's. The message says in full sentences why, and what to do."""

    def __init__(self, why: object, what_to_do: str = "The same command again goes on where it stopped.") -> None:
        super().__init__(f"{why}\n{what_to_do}")


class RunRecorder:
    """Takes what each photo has come to.

    Args:
        folder: the folder of the results.
        manifest: its manifest.
        request: what was asked for every photo.
        save: what is written of each result.
        progress: is told of each photo.
    """

    def __init__(self, folder: Path, manifest: Manifest, request: RunRequest, save: SaveChoice, progress: RunProgress) -> None:
        self._folder, self._manifest, self._request, self.save, self._progress = folder, manifest, request, save, progress
        self._files = QuickFiles()
        self._succeeded = False
        # Until something succeeds, the call itself may be the reason of a refusal, and the user then changes it. Such rows wait.
        self._refused: list[Row] = []

    async def ended(self, item: RunItem, outcome: Outcome) -> None:
        """Write the files and the row of a photo.

        Raises:
            RunStopped: the failure is not the photo's, so that the others would fail in the same way.
        """
        row: Row = {"photo": item.photo, "output": item.output, "stamp": item.stamp, **self._request.fields}
        if isinstance(outcome, AsyncResult):
            try:
                files = await self.save.fetch(outcome, item.output)
                await self._write(files)
            except (ConvscopeError, LookupError, OSError) as error:
                outcome = error
            else:
                # The primary picture comes first among the files.
                picture = next(iter(files), None) if outcome.primary in self.save.names(outcome) else None
                row |= {"state": "succeeded", "job_id": outcome.id, "files": [*files], "picture": picture, "save": sorted(self.save.words)}
                self._succeed(row | {"facts": outcome.facts, "warnings": outcome.warnings, "error": None})
                return
        self._stop_for(outcome)
        detail = outcome.detail if isinstance(outcome, ProblemError) else str(outcome) or type(outcome).__name__
        code = (outcome.code if isinstance(outcome, ConvscopeError) else "") or _code(outcome)
        failed: Row = row | {"state": "failed", "files": [], "error": {"code": code, "detail": detail}}
        if self._succeeded or not _is_refusal(outcome):
            self._fail(failed)
            return
        self._refused.append(failed)
        if len(self._refused) == _FIRST_REFUSALS:
            raise RunStopped(f"The first photos were refused, and the reason lies in the call. {outcome}", _CORRECT) from outcome

    def finish(self) -> None:
        """Write what is left after the last photo.

        Raises:
            RunStopped: the manifest cannot be written.
        """
        refused, self._refused = self._refused, []
        for row in refused:
            self._fail(row)

    def _succeed(self, row: Row) -> None:
        self._add(row)
        self._succeeded = True
        self._progress.advance()
        self.finish()

    def _fail(self, row: Row) -> None:
        self._add(row)
        self._progress.failed(row["output"], f"{row['error']['code']}: {row['error']['detail']}")

    def _stop_for(self, error: Exception) -> None:
        if isinstance(error, NetworkError):
            raise RunStopped(error) from error
        if isinstance(error, ProblemError) and error.status is not None:  # the answer to a request, not the end of a job
            if isinstance(error, (AccessError, UnknownNameError)):
                raise RunStopped(f"The service refuses the call. {error}", _CORRECT) from error
            if error.retryable:
                raise RunStopped(f"The service cannot take more photos at the moment. {error}") from error

    async def _write(self, files: dict[str, bytes]) -> None:
        try:
            await self._files.call(write_files, self._folder, files)
        except OSError as error:
            if error.errno in _OF_ONE_PHOTO:
                raise
            raise RunStopped(f"The results cannot be written: {error}") from error

    def _add(self, row: Row) -> None:
        try:
            self._manifest.add(row)
        except OSError as error:
            raise RunStopped(f"The manifest cannot be written: {error}") from error


def _is_refusal(error: Exception) -> bool:
    """Return true if the call may be the reason, and not the photo."""
    return isinstance(error, (InvalidRequestError, ModelError, LookupError)) and not isinstance(error, ImageError)


def _code(error: Exception) -> str:
    return "unreadable_photo" if isinstance(error, OSError) else "no_result"
