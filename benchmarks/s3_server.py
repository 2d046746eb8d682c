"""A local server of S3, from the package moto. It keeps its objects in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

import s3fs

from processes.ports import accepts_connections, free_port
from tests.wait import wait_until

BUCKET = "convscope-drill"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill", "AWS_DEFAULT_REGION": "us-east-1"}


class S3Server:
    """A server on a free loopback port. `variables` are the environment variables by which s3fs finds it."""

    def __init__(self) -> None:
        self._port = free_port()
        self.variables = CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}"}
        os.environ.update(self.variables)
        self._process: subprocess.Popen[bytes] | None = None
        # There is one view for the whole run: the thread that s3fs works in can wait for itself for ever when a view is thrown away.
        self._filesystem = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
        self.start()

    def start(self) -> None:
        """Start the server with an empty bucket."""
        with tempfile.TemporaryFile() as log:
            command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        wait_until(lambda: accepts_connections(self._port), 60)
        self.filesystem().mkdir(BUCKET)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def filesystem(self) -> Any:
        """Return a view of the server that remembers no listing."""
        return self._filesystem

    def objects(self, prefix: str) -> dict[str, int]:
        """Return the sizes in bytes of all objects below `prefix`, by their names."""
        found = self.filesystem().find(f"{BUCKET}/{prefix}", detail=True)
        return {path.rsplit("/", 1)[-1]: details["size"] for path, details in found.items()}
