"""Images that callers upload or send with a job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from jobstore.store import JobStore
from schemas.errors import Expired, NotFound
from tests.jobstore.samples import PHOTO, claim_one, submission
from tests.redis_servers import open_redis


class TestImages:
    async def test_an_upload_serves_many_jobs(self, store: JobStore):
        image = await store.images.put("ann", PHOTO, "PNG", 16, 80)
        assert (image.format, image.width, image.height, image.size) == ("PNG", 16, 80, len(PHOTO))
        [found] = await store.images.keep("ann", [image.id])
        assert found is not None
        assert (found.id, found.format, found.width, found.height, found.size) == (image.id, "PNG", 16, 80, len(PHOTO))
        assert found.expires_at >= image.expires_at
        for number in range(2):
            await store.jobs.submit(submission(number, image=None, image_id=image.id))
        for execution in await store.queue.claim("w1", "fast", 5, 0):
            assert execution.image_id == image.id
            assert await store.images.file_of(execution) == PHOTO

    async def test_an_upload_and_the_same_bytes_inline_are_equal_work(self, store: JobStore):
        image = await store.images.put("ann", PHOTO, "PNG", 16, 80)
        await store.jobs.submit(submission(1, image=None, image_id=image.id))
        await store.jobs.submit(submission(1))
        assert len(await store.queue.claim("w1", "fast", 5, 0)) == 1

    async def test_the_upload_of_another_owner_is_not_found(self, store: JobStore):
        image = await store.images.put("ann", PHOTO, "PNG", 16, 80)
        assert await store.images.keep("bob", [image.id]) == [None]
        with pytest.raises(NotFound, match="upload it"):
            await store.jobs.submit(submission(1, owner="bob", image=None, image_id=image.id))
        await store.images.put("bob", PHOTO, "PNG", 16, 80)
        await store.jobs.submit(submission(1, owner="bob", image=None, image_id=image.id))

    async def test_keeping_images_extends_their_life(self, store: JobStore, redis_url: str):
        uploads = [await store.images.put("ann", PHOTO + bytes([number]), "PNG", 16, 80 + number) for number in range(5)]
        others = await store.images.put("bob", PHOTO, "PNG", 16, 80)
        soon = time.time() * 1000 + 5000
        with open_redis(redis_url) as redis:
            for name in redis.scan_iter("*:stored:all"):
                redis.zadd(name, dict.fromkeys(redis.zrange(name, 0, -1), soon))
            asked = [uploads[4].id, others.id, uploads[0].id, "img_" + "0" * 64, uploads[2].id]
            found = await store.images.keep("ann", asked)
            ends = {
                member.decode(): end
                for name in redis.scan_iter("*:stored:all")
                for member, end in redis.zrange(name, 0, -1, withscores=True)
            }
        assert [image and (image.id, image.height) for image in found] == [
            (uploads[4].id, 84), None, (uploads[0].id, 80), None, (uploads[2].id, 82),
        ]  # fmt: skip
        digests = [uploads[number].id.removeprefix("img_") for number in (0, 2, 4)]
        assert {member for member, end in ends.items() if end > soon + 86_000_000} == {f"upload:{digest}:ann" for digest in digests}
        assert len(ends) == 6
        for number, image in enumerate(uploads):
            assert await store.images.file(image.id) == PHOTO + bytes([number])
        with pytest.raises(Expired):
            await store.images.file("img_" + "0" * 64)

    async def test_an_upload_ends_even_if_nobody_sweeps(self, make_store: Callable[..., JobStore]):
        store = make_store(result_ttl=1)
        image = await store.images.put("ann", PHOTO, "PNG", 16, 80)

        async def gone() -> bool:
            try:
                await store.jobs.submit(submission(1, image=None, image_id=image.id, fresh=True))
            except NotFound:
                return True
            await store.jobs.cancel((await store.jobs.page("ann"))[0][0].id, "ann")
            return False

        assert not await gone(), "the upload lives a second longer from here"
        await asyncio.sleep(1.1)
        assert await gone()
        assert await store.images.keep("ann", [image.id]) == [None]

    async def test_submitting_inline_uploads_nothing(self, store: JobStore):
        await store.jobs.submit(submission(1))
        execution = await claim_one(store)
        assert execution.image_id is not None
        assert await store.images.keep("ann", [execution.image_id]) == [None]

    async def test_a_method_without_image_has_none(self, store: JobStore):
        await store.jobs.submit(submission(1, image=None))
        execution = await claim_one(store)
        assert execution.image_id is None
        with pytest.raises(NotFound):
            await store.images.file_of(execution)
