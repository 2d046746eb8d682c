"""`python -m workers`, and what `convscope worker` runs: the workers of this machine."""

from __future__ import annotations

import sys

from pydantic import ValidationError

from processes.redis_address import running_redis_url
from telemetry.logs import configure_logs
from workers.settings import Settings
from workers.supervision.launch import run_workers


def main() -> None:
    """Until SIGTERM or SIGINT. Leaves with exit status 1 and a word on stderr where the settings are wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(f"The settings (CONVSCOPE_* variables) are wrong: {error}")
    url = settings.redis_url or running_redis_url(settings.data_dir)
    if url is None:
        sys.exit(
            "There is no Redis: set CONVSCOPE_REDIS_URL, or start `convscope serve` first, whose server is found by its "
            f"CONVSCOPE_DATA_DIR ({settings.data_dir})."
        )
    configure_logs(settings.log_level, settings.log_format)
    run_workers(settings.model_copy(update={"redis_url": url}))


if __name__ == "__main__":
    main()
