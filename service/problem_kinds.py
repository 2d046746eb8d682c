"""Join what is known of each kind of problem: its explanation, its statuses and an example."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from schemas.error_causes import ERROR_CAUSES
from schemas.jobs import ErrorCode
from schemas.problem import ProblemKind
from service.problems import answers_of, problem_of, problem_url

_EXAMPLE_REQUEST = "01K5YQZ7T8Y1W4V9N3M2XQJ6RD"
_JOB_CODES = frozenset(get_args(ErrorCode))


def _kind(code: str) -> ProblemKind:
    explanation = ERROR_CAUSES[code]
    return ProblemKind(
        type=problem_url(code),
        code=code,
        title=explanation.example.title,
        answers=answers_of(code),
        fails_jobs=code in _JOB_CODES,
        cause=explanation.cause,
        remedy=explanation.remedy,
        example=problem_of(explanation.example, _EXAMPLE_REQUEST),
    )


PROBLEM_KINDS: Mapping[str, ProblemKind] = MappingProxyType({code: _kind(code) for code in ERROR_CAUSES})
"""Every kind of problem, by its code, in the order in which they are shown."""


def status_words(kind: ProblemKind) -> str:
    """Return the statuses in words, for example `422` or `422 or 503`."""
    return " or ".join(str(answer.status) for answer in kind.answers)


def retry_words(kind: ProblemKind) -> str:
    """Say whether to try again: `yes`, `no`, or with which status, for example `with 503`."""
    retryable = [answer.retryable for answer in kind.answers]
    if all(retryable):
        return "yes"
    return " or ".join(f"with {answer.status}" for answer in kind.answers if answer.retryable) or "no"
