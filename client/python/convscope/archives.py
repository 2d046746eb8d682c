"""Read the zip file in which `POST /v1/jobs.zip` answers a job and its artifacts."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from convscope.errors import NetworkError
from convscope.save_result import artifact_suffix, file_name


def read_archive(content: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the job, and the contents of the artifacts that the file has by their names.

    Raises:
        NetworkError: this is no such zip file, for example because something between the service and the client has changed the answer.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            job: dict[str, Any] = json.loads(archive.read("job.json"))
            there = set(archive.namelist())
            names = {each["name"]: file_name(each["name"], artifact_suffix(each)) for each in job["artifacts"]}
            return job, {name: archive.read(entry) for name, entry in names.items() if entry in there}
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise NetworkError(f"The service's answer cannot be read as a zip file of a job: {error}") from error
