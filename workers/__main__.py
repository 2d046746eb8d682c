"""Run the workers of this machine: `python -m workers`, which is also what `convscope worker` does."""

from __future__ import annotations

import sys

from pydantic import ValidationError

from jobstore.settings import setting_problems
from processes.redis_address import running_redis_url
from telemetry.logs import configure_logs
from workers.settings import WorkerSettings
from workers.supervision.launch import CustomObjectsUnusable, run_workers


def main() -> None:
    """Run until SIGTERM or SIGINT. Exit with status 1 and a message on stderr if a setting is wrong or there is no Redis."""
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        sys.exit("\n  ".join(["These settings are wrong:", *setting_problems(error)]))
    url = settings.redis_url or running_redis_url(settings.data_dir)
    if url is None:
        sys.exit(
            "The workers found no Redis. Set CONVSCOPE_REDIS_URL, or start `convscope serve` first with the same CONVSCOPE_DATA_DIR "
            f"({settings.data_dir}): it starts a Redis."
        )
    configure_logs(settings.log_level, settings.log_format)
    try:
        run_workers(settings.model_copy(update={"redis_url": url}))
    except CustomObjectsUnusable as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
