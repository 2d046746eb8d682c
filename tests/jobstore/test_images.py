"""Images that callers upload or send with a job."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from jobstore.store import JobStore
from schemas.errors import Expired, NotFound
from tests.jobstore.samples import PHOTO, claim_one, submission


class TestImages:
    async def test_an_upload_serves_many_jobs(self, store: JobStore):
        image = await store.images.put("ann", PHOTO, "PNG", 16, 80)
        assert (image.format, image.width, image.height, image.size) == ("PNG", 16, 80, len(PHOTO))
        assert await store.images.record("ann", image.id) == image
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
        assert await store.images.record("bob", image.id) is None
        with pytest.raises(NotFound, match="upload it"):
            await store.jobs.submit(submission(1, owner="bob", image=None, image_id=image.id))
        await store.images.put("bob", PHOTO, "PNG", 16, 80)
        await store.jobs.submit(submission(1, owner="bob", image=None, image_id=image.id))

    async def test_keeping_images_extends_their_life(self, store: JobStore, redis_url: str):
        uploads = [await store.images.put("ann", PHOTO + bytes([number]), "PNG", 16, 80 + number) for number in range(5)]
        others = await store.images.put("bob", PHOTO, "PNG", 16, 80)
        with Redis.from_url(redis_url) as redis:
            names = [name for name in redis.scan_iter("*") if b":upload:" in name or b":image:" in name]
            for name in names:
                redis.pexpire(name, 5000)
            asked = [uploads[4].id, others.id, uploads[0].id, "img_" + "0" * 64, uploads[2].id]
            found = await store.images.keep("ann", asked)
            lives = {name.decode().split(":", 2)[2]: redis.pttl(name) for name in names}
        assert [image and (image.id, image.height) for image in found] == [
            (uploads[4].id, 84), None, (uploads[0].id, 80), None, (uploads[2].id, 82),
        ]  # fmt: skip
        kept = {name for name, life in lives.items() if life > 5000}
        digests = [uploads[number].id.removeprefix("img_") for number in (0, 2, 4)]
        assert kept == {f"image:{digest}" for digest in digests} | {f"upload:{digest}:ann" for digest in digests}
        assert min(life for name, life in lives.items() if name in kept) > 86_000_000
        assert await store.images.record("ann", uploads[0].id) is not None
        for number, image in enumerate(uploads):
            assert await store.images.file(image.id) == PHOTO + bytes([number])
        with pytest.raises(Expired):
            await store.images.file("img_" + "0" * 64)

    async def test_keeping_a_large_image_extends_the_life_of_its_file(self, make_store: Callable[..., JobStore], redis_url: str):
        store = make_store(file_threshold=1000)
        image = await store.images.put("ann", PHOTO, "PNG", 16, 80)
        with Redis.from_url(redis_url) as redis:
            (index,) = redis.scan_iter("*index:files")
            before = redis.zrange(index, 0, -1, withscores=True)
            redis.zadd(index, {name: 1 for name, _ in before})
            await store.images.keep("ann", [image.id])
            ((_, life),) = redis.zrange(index, 0, -1, withscores=True)
        assert life >= before[0][1]
        assert await store.sweep() == 0
        assert await store.images.file(image.id) == PHOTO

    async def test_submitting_inline_uploads_nothing(self, store: JobStore):
        await store.jobs.submit(submission(1))
        execution = await claim_one(store)
        assert execution.image_id is not None
        assert await store.images.record("ann", execution.image_id) is None

    async def test_a_method_without_image_has_none(self, store: JobStore):
        await store.jobs.submit(submission(1, image=None))
        execution = await claim_one(store)
        assert execution.image_id is None
        with pytest.raises(NotFound):
            await store.images.file_of(execution)
