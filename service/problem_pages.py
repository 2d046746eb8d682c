"""Write the pages about kinds of problems, as HTML that loads nothing else, and as Markdown."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html import escape

from schemas.problem import ProblemKind
from service.problem_kinds import retry_words, status_words

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; margin-bottom: .25rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .25rem 1rem .25rem 0; vertical-align: top; }
pre { padding: 1rem; overflow-x: auto; border: 1px solid #8888; border-radius: .4rem; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=3600",
    "Vary": "Accept",
}
"""The headers of every page. A page runs no scripts, and has no style but its own."""

_RETRY = "The same call may succeed later"
_FAILS_JOBS = "Can be the `error` of a failed job"


def html_page(kind: ProblemKind, root_path: str) -> str:
    """Return the page about a kind of problem. `root_path` is the path under which a proxy shows the service, or empty."""
    rows = [("Code", f"`{kind.code}`"), ("Status", status_words(kind)), (_RETRY, retry_words(kind))]
    rows.append((_FAILS_JOBS, "yes" if kind.fails_jobs else "no"))
    table = "".join(f'<tr><th scope="row">{_html(name)}</th><td>{_html(value)}</td></tr>' for name, value in rows)
    return _document(
        kind.title,
        f"<h1>{escape(kind.title)}</h1><table>{table}</table>"
        f"<h2>Cause</h2><p>{_html(kind.cause)}</p><h2>Remedy</h2><p>{_html(kind.remedy)}</p>"
        f"<h2>Example</h2><pre><code>{escape(_example(kind))}</code></pre>"
        f'<p><a href="{escape(root_path)}/problems">All kinds of problems</a></p>',
    )


def html_index(kinds: Iterable[ProblemKind], root_path: str) -> str:
    """Return the page that lists all kinds of problems."""
    rows = "".join(
        f'<tr><td><a href="{escape(root_path)}{escape(kind.type)}"><code>{escape(kind.code)}</code></a></td>'
        f"<td>{status_words(kind)}</td><td>{escape(kind.title)}</td></tr>"
        for kind in kinds
    )
    head = '<tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Title</th></tr>'
    return _document("Problems", f"<h1>Problems</h1><table><thead>{head}</thead><tbody>{rows}</tbody></table>")


def markdown_page(kind: ProblemKind) -> str:
    """Return the page about a kind of problem in Markdown."""
    return f"""\
# {kind.title}

| | |
|---|---|
| Code | `{kind.code}` |
| Status | {status_words(kind)} |
| {_RETRY} | {retry_words(kind)} |
| {_FAILS_JOBS} | {"yes" if kind.fails_jobs else "no"} |

## Cause

{kind.cause}

## Remedy

{kind.remedy}

## Example

```json
{_example(kind)}
```
"""


def _example(kind: ProblemKind) -> str:
    return kind.example.model_dump_json(indent=2, exclude_none=True)


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} – convscope</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )


def _html(text: str) -> str:
    """Return a text as HTML. What stands between backquotes becomes code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
