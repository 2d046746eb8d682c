"""Explain every error code once: its cause, its remedy and an example. The pages at `/problems/{code}` and `docs/http.md` show these texts.

Texts between backquotes are code. A test fails if an error has no entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from schemas.error_causes.access import ACCESS
from schemas.error_causes.bad_requests import BAD_REQUESTS
from schemas.error_causes.cause import ErrorCause
from schemas.error_causes.failed_jobs import FAILED_JOBS
from schemas.error_causes.model_uploads import MODEL_UPLOADS
from schemas.error_causes.not_now import NOT_NOW
from schemas.error_causes.unknown_names import UNKNOWN_NAMES
from schemas.error_causes.urls import URLS

ERROR_CAUSES: Mapping[str, ErrorCause] = MappingProxyType(
    {each.example.code: each for each in (*BAD_REQUESTS, *UNKNOWN_NAMES, *URLS, *MODEL_UPLOADS, *ACCESS, *NOT_NOW, *FAILED_JOBS)}
)
"""The explanation of every error, by its code, in the order in which they are shown."""
