"""Put the parts of the store together. Service and workers reach Redis through `JobStore` only."""

from __future__ import annotations

from jobstore.account import FileAccount
from jobstore.api_keys import ApiKeyStore
from jobstore.artifacts import ArtifactStore
from jobstore.batches.batches import Batches
from jobstore.batches.feeding import BatchFeeding
from jobstore.batches.files import BatchFiles
from jobstore.connection import Connection
from jobstore.files import FileStore
from jobstore.image_sets import ImageSets
from jobstore.images import ImageStore
from jobstore.job_reader import JobReader
from jobstore.jobs import Jobs
from jobstore.listener import JobListener
from jobstore.models import ModelStore
from jobstore.pieces import PieceStore
from jobstore.queue import JobQueue
from jobstore.quotas import Quotas
from jobstore.settings import StoreSettings
from jobstore.signing_secrets import SigningSecrets
from jobstore.webhooks import Webhooks
from jobstore.workers import WorkerRegistry


class JobStore:
    """Holds one part for each purpose over one connection.

    `jobs` is for callers and `queue` for workers. `listener` wakes callers who wait. `images`, `artifacts` and `pieces` hold content,
    `models` and `workers` hold what workers publish about themselves, and `api_keys`, `signing_secrets` and `quotas` say who may
    call. `batches`, `sets` and `webhooks` are for callers, `batch_feeding` and `batch_files` are for the services that turn batches into
    jobs. For example: `submitted = await store.jobs.submit(submission)`.

    Each change of state is one atomic Lua script, and a worker's scripts check that the execution is still its own. So an execution
    runs at least once and exactly one result is seen. Every key in Redis expires. Those that a
    shard has once get a new life at each sweep, and about once per second while files are written.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.listener = JobListener(connection)
        self._account = FileAccount(connection, FileStore(connection.settings))
        reader = JobReader(connection, self._account)
        self.images = ImageStore(connection, self._account)
        self.jobs = Jobs(connection, self._account, self.images, reader, self.listener)
        self.queue = JobQueue(connection, self._account)
        self.artifacts = ArtifactStore(connection, self._account, reader)
        self.pieces = PieceStore(connection, self._account)
        self.workers = WorkerRegistry(connection)
        self.batches = Batches(connection, self.listener)
        self.batch_files = BatchFiles(connection, self._account)
        self.sets = ImageSets(connection, self.batch_files)
        self.batch_feeding = BatchFeeding(connection)
        self.models = ModelStore(connection, self.jobs, self.workers)
        self.api_keys = ApiKeyStore(connection)
        self.signing_secrets = SigningSecrets(connection)
        self.webhooks = Webhooks(connection)
        self.quotas = Quotas(connection)

    @classmethod
    def connect(cls, url: str, settings: StoreSettings) -> JobStore:
        """Return a store on the Redis at `url`, for example `redis://localhost:6379/0`. It connects when it is first used.

        Raises:
            ValueError: The address is wrong.
        """
        return cls(Connection.open(url, settings))

    async def close(self) -> None:
        """Stop the listener and close the connections."""
        await self.listener.close()
        await self.queue.close()
        await self._account.close()
        await self._connection.close()

    async def ping(self) -> None:
        """Raise `BrokerUnavailable` if Redis, or any shard's node of a Redis Cluster, does not answer."""
        await self._connection.check()

    async def evictions(self) -> dict[tuple[str, str], int]:
        """Return how often results, uploads, pieces and records have given way, by kind and reason. See `FileAccount.evictions`.

        Raises:
            BrokerUnavailable: Redis does not answer.
        """
        return await self._account.evictions()

    async def sweep(self) -> int:
        """Delete stored files whose life is over and return how many. Remove the queue consumers of workers that are gone.

        Raises:
            BrokerUnavailable: Redis does not answer.
            StorageFull: The disk refuses to delete a file.
        """
        await self.workers.remove_stale_consumers()
        return await self._account.sweep()
