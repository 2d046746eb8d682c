"""The section about errors of `docs/http.md`: `python -m cli.errors_section` writes it from `schemas/error_causes`."""

from __future__ import annotations

from pathlib import Path

from service.problem_kinds import PROBLEM_KINDS, retry_words, status_words

PAGE = Path(__file__).parents[1] / "docs" / "http.md"
_BEGIN = "<!-- The section from here is written by `make settings`, and a test compares it with the code. -->\n"
_END = "<!-- The written section ends here. -->\n"


def markdown() -> str:
    """Return the section in Markdown: a table of all codes, and the codes of failed jobs."""
    rows = ["| code | status | again? | why it happens | what to do |", "|---|---|---|---|---|"]
    rows += [
        f"| `{code}` | {status_words(kind)} | {retry_words(kind)} | {_cell(kind.cause)} | {_cell(kind.remedy)} |"
        for code, kind in PROBLEM_KINDS.items()
    ]
    failing = ", ".join(f"`{code}`" for code, kind in PROBLEM_KINDS.items() if kind.fails_jobs)
    return "\n".join([*rows, "", f"A failed job's `error.code` is one of {failing}.", ""])


def written(page: str) -> str:
    """Return a page with its written section replaced by the present one.

    Raises:
        ValueError: the page has no such section.
    """
    before, _, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"The page has no section between {_BEGIN!r} and {_END!r}.")
    return f"{before}{_BEGIN}\n{markdown()}\n{_END}{after}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
