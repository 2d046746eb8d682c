"""Keep named sets of uploads. A set holds the files of its images as long as it lives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jobstore.batches.files import BatchFiles, upload_field
from jobstore.connection import Connection
from jobstore.keys import is_job_id, key, new_job_id, owner_key
from jobstore.snapshot import moment
from schemas.errors import LimitExceeded, NotFound

PREFIX = "set_"
_MAKING = 600.0  # seconds for which the files of a set that is being made are held
_KEPT_LONGER = 60.0  # seconds that the files are held after the set has expired
_TOGETHER = 16  # uploads that are held at the same time


@dataclass(frozen=True)
class ImageSetRecord:
    """A set of uploads: its id, its name, the ids of its images in order, and when it was made and expires."""

    id: str
    name: str
    images: tuple[str, ...]
    created_at: datetime
    expires_at: datetime


class ImageSets:
    """Holds the sets of each owner. An owner never sees another owner's set, because the owner is part of a set's key.

    All sets of an owner are in one shard. Every method raises `BrokerUnavailable` if Redis does not answer.
    """

    def __init__(self, connection: Connection, files: BatchFiles) -> None:
        self._connection = connection
        self._files = files

    async def make(self, owner: str, name: str, images: Sequence[str]) -> ImageSetRecord:
        """Make a set of uploads and hold their files.

        Raises:
            NotFound: The owner has not uploaded one of the images. The error's pointer is its place, `/images/3`.
            LimitExceeded: The owner has as many sets as one owner may have.
        """
        settings, shard = self._connection.settings, self._shard_of(owner)
        plain = new_job_id(shard, len(self._connection.shards))
        turns = asyncio.Semaphore(_TOGETHER)

        async def hold(number: int, image_id: str) -> None:
            async with turns:
                try:
                    await self._files.hold_upload(plain, upload_field(image_id), image_id, owner, _MAKING)
                except NotFound as error:
                    error.pointer = f"/images/{number}"
                    raise

        failures = await asyncio.gather(*(hold(number, each) for number, each in enumerate(images)), return_exceptions=True)
        failure = next((each for each in failures if each is not None), None)
        made = None
        if failure is None:
            record = json.dumps({"name": name, "images": list(images), "created_at": round(datetime.now(UTC).timestamp() * 1000)})
            life = settings.set_ttl * 1000
            most = settings.max_sets_per_caller
            count = await self._connection.script(
                "make_set", shard, set_id=plain, owner_key=owner_key(owner), record=record, life=life, most=most
            )
            if count > 0:
                await self._files.keep(plain, settings.set_ttl + _KEPT_LONGER)
                made = await self.read(owner, PREFIX + plain)
            else:
                detail = f"You have {most} sets, and at most {most} may be kept. Delete one, or wait until one has expired."
                failure = LimitExceeded(detail, allowed=f"at most {most}", got=f"{most + 1}")
        if made is None:
            await self._files.release(plain)
            raise failure or NotFound("The set has been deleted.")
        return made

    async def read(self, owner: str, set_id: str) -> ImageSetRecord | None:
        """Return a set of this owner, or None if there is none."""
        plain = set_id.removeprefix(PREFIX)
        if not set_id.startswith(PREFIX) or not is_job_id(plain):
            return None
        shard = self._shard_of(owner)
        name = key(shard, "set", f"{owner_key(owner)}:{plain}")
        value, life = await asyncio.gather(self._connection.command("GET", name), self._connection.command("PTTL", name))
        if value is None or life <= 0:
            return None
        fields = json.loads(value)
        expires_at = datetime.now(UTC) + timedelta(milliseconds=life)
        return ImageSetRecord(set_id, fields["name"], tuple(fields["images"]), moment(fields["created_at"]), expires_at)

    async def use(self, owner: str, set_id: str) -> ImageSetRecord | None:
        """Return a set and let it live for `set_ttl` seconds from now, or None if there is none."""
        found = await self.read(owner, set_id)
        if found is None:
            return None
        plain, life = set_id.removeprefix(PREFIX), self._connection.settings.set_ttl
        # The files are kept first: a set whose files are gone must not stay.
        await self._files.keep(plain, life + _KEPT_LONGER)
        kept = await self._connection.script("keep_set", self._shard_of(owner), set_id=plain, owner_key=owner_key(owner), life=life * 1000)
        return found if kept else None

    async def page(self, owner: str, cursor: str | None, limit: int) -> tuple[list[ImageSetRecord], str | None]:
        """Return one page of the owner's sets, newest first, and the cursor of the next page (None after the last page)."""
        names = await self._connection.command("ZRANGE", key(self._shard_of(owner), "sets", owner_key(owner)), 0, -1)
        ids = sorted((PREFIX + name.decode() for name in names), reverse=True)
        found = await asyncio.gather(*(self.read(owner, each) for each in ids if cursor is None or each < cursor))
        records = [each for each in found if each is not None]
        return records[:limit], records[limit - 1].id if len(records) > limit else None

    async def delete(self, owner: str, set_id: str) -> bool:
        """Forget a set and let go of its files. The uploads themselves stay. Return False if there is no such set."""
        if await self.read(owner, set_id) is None:
            return False
        shard, plain = self._shard_of(owner), set_id.removeprefix(PREFIX)
        await self._connection.command("DEL", key(shard, "set", f"{owner_key(owner)}:{plain}"))
        await self._connection.command("ZREM", key(shard, "sets", owner_key(owner)), plain)
        await self._files.release(plain)
        return True

    def _shard_of(self, owner: str) -> int:
        return self._connection.shard_of(owner_key(owner))
