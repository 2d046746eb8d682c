"""The entry point of `convscope-client`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the program, or say that the extra `cli` is missing."""
    try:
        from convscope.cli.app import client_app  # an optional extra
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(f"convscope-client needs {error.name}: pip install 'convscope-client[cli]'.")
    client_app()()


if __name__ == "__main__":
    main()
