"""Run the examples of a document with a real shell and curl, and compare the answers with the lines that the document shows."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_EXAMPLES = re.compile(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NEXT_EXAMPLE = "=== the next example ==="


async def check_examples(text: str, url: str, folder: Path, at_least: int) -> None:
    """Run all examples of a document in `folder` against the service at `url`. There must be `at_least` so many.

    `…` in a shown line stands for any text. Lines of status and of events come in the order shown, and others in any order.
    """
    examples: list[tuple[str, str]] = _EXAMPLES.findall(text)
    assert len(examples) == text.count("```sh") >= at_least
    (folder / "samples").symlink_to(_ROOT / "samples")
    script = f"echo; echo '{_NEXT_EXAMPLE}'\n".join(commands for commands, _ in examples).replace("localhost:8000", url)
    run = await asyncio.to_thread(
        subprocess.run, ["bash", "-euc", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    for (commands, shown), output in zip(examples, run.stdout.split(_NEXT_EXAMPLE), strict=True):
        lines, position = [line.rstrip() for line in output.splitlines()], 0
        for line in shown.splitlines():
            pattern = re.compile(".*".join(map(re.escape, line.split("…"))), re.IGNORECASE)
            found = [at for at in range(position, len(lines)) if pattern.fullmatch(lines[at])]
            assert found, f"{commands}\ndoes not answer {line!r} after line {position} of\n{output}"
            if line.startswith(("HTTP/", "event:", "data:")):  # these come in the order shown; headers may come in any
                position = found[0] + 1
