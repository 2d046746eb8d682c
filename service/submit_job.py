"""Turn a well-formed request into a job in the store: check it against its model, complete its parameters, submit it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import anyio.to_thread
import structlog
from pydantic import JsonValue

from jobstore.batch_item_place import BatchItemPlace
from jobstore.records import Submission, Submitted
from schemas.methods.base import MethodParams
from schemas.methods.forward_only import check_forward_only
from schemas.methods.other_image import other_image_of
from schemas.methods.several_images import ImagesParams
from schemas.methods.targets import mask_image
from schemas.models import PublishedModel
from service.dependencies import Caller, Services
from service.fetched_photos import with_fetched_photos
from service.further_models import further_models, resolved_for_further
from service.image_check import ImageHeader, check_image
from service.job_images import check_image_files, check_image_given, keep_images, keep_named_image
from service.job_inputs import JobInputs, check_inputs, explained_input, with_shown_bands
from service.kept_uploads import with_images_of_sets
from service.mask_size import check_mask_size
from service.parse_request import ParsedRequest
from service.photo_fit import with_fit
from service.request_pointers import pointers_of
from service.request_preferences import RequestPreferences
from service.version import service_version
from service.webhooks.registration import check_webhook
from telemetry.traces import queue_attributes, span

_log = structlog.get_logger(__name__)


async def submit(
    services: Services,
    caller: Caller,
    parsed: ParsedRequest,
    preferences: RequestPreferences,
    wait: float,
    *,
    short_lived: bool = False,
    place: BatchItemPlace | None = None,
) -> Submitted:
    """Submit the job and return it; the job is another's if an idempotency key or an identical execution answers it.

    If the model has never been described and no worker is alive to do so, this waits up to `wait` seconds for one. The results of a
    `short_lived` job live for `one_line_ttl` instead of `result_ttl`. `place` is that of an item of a batch.

    Raises:
        VisualizationError: the request does not suit the model or a limit, or the store cannot take it now.
    """
    attributes = {"convscope.request_id": caller.request_id, "convscope.method": parsed.method, "convscope.model": parsed.model}
    with services.traces.span("submit", attributes):
        with span("check"):
            submission = await _checked(services, caller, parsed, preferences, wait, short_lived=short_lived, place=place)
        return await _noted(services, parsed, await _sent(services, submission), caller)


async def _sent(services: Services, submission: Submission) -> Submitted:
    """Put the job into the store. The trace goes on in the worker from here."""
    with services.traces.span(f"send {submission.lane}", queue_attributes("send", submission.lane), kind="producer") as sending:
        submitted = await services.store.jobs.submit(replace(submission, traceparent=sending.traceparent))
        job = submitted.job
        sending.note({"convscope.job.id": job.id, "messaging.message.id": job.execution_id, "convscope.job.cached": job.cached})
        if job.traceparent is not None and job.traceparent != sending.traceparent:
            sending.link(job.traceparent)  # an earlier submission began the execution
        return submitted


async def _checked(
    services: Services,
    caller: Caller,
    parsed: ParsedRequest,
    preferences: RequestPreferences,
    wait: float,
    *,
    short_lived: bool,
    place: BatchItemPlace | None,
) -> Submission:
    """Check the request against its model and return what is to be submitted."""
    card = parsed.params.card
    if parsed.webhook is not None:
        await check_webhook(services, caller.owner, parsed.webhook)
    check_image_given(parsed)
    entry = await services.models.entry(parsed.model) if card.needs_model else None
    if parsed.image is not None:
        await anyio.to_thread.run_sync(check_image, parsed.image, services.settings.image_limits, parsed.image_pointer)
    headers = await anyio.to_thread.run_sync(check_image_files, parsed, services.settings) if parsed.files else {}
    published = None if entry is None else await services.models.published(entry, wait)
    asked, parsed = parsed, await with_images_of_sets(services, caller, parsed)
    further = await further_models(services, parsed, wait)
    resolved = resolved_for_further(services, parsed, _resolved(services, parsed, published), further)
    parsed, resolved = await with_fetched_photos(services, caller, parsed, resolved)
    resolved, inputs = await _with_inputs(services, caller, parsed, resolved, published)
    image_ids = await _kept_images(
        services, caller, resolved, parsed, headers=headers, models=[each for each in (published, *further) if each]
    )
    return Submission(
        owner=caller.owner,
        caller=caller.limited_as,
        method=card.name,
        model=parsed.model,
        lane=card.lane,
        priority=parsed.priority,
        params=_canonical(resolved),
        fingerprint=_fingerprint(published, further),
        model_digest="" if published is None else published.digest,
        image=inputs.image,
        image_id=inputs.image_id,
        image_ids=image_ids,
        inputs=inputs.inputs,
        input_files=inputs.files,
        further_models={each.description.name: each.digest for each in further},
        short_lived=short_lived,
        place=place,
        request_id=caller.request_id,
        fresh=preferences.fresh,
        idempotency_key=preferences.idempotency_key,
        body_digest=await anyio.to_thread.run_sync(_request_digest, asked) if preferences.idempotency_key else "",
    )


async def _noted(services: Services, parsed: ParsedRequest, submitted: Submitted, caller: Caller) -> Submitted:
    """Register the webhook of a job that was submitted, count the job and log it."""
    job = submitted.job
    if parsed.webhook is not None:
        await services.store.webhooks.register(caller.owner, "job", job.id, parsed.webhook)
    if submitted.created:
        services.metrics.count_job(job.method, parsed.model, cached=job.cached)
    _log.info("job_submitted", job_id=job.id, method=job.method, model=parsed.model, state=job.state.value, created=submitted.created)
    return submitted


async def _kept_images(
    services: Services,
    caller: Caller,
    resolved: MethodParams,
    parsed: ParsedRequest,
    *,
    headers: Mapping[str, ImageHeader],
    models: Sequence[PublishedModel],
) -> tuple[str, ...]:
    """Keep the images that the parameters name as long as the job, and return their ids."""
    if isinstance(resolved, ImagesParams):
        await check_mask_size(services, caller, resolved, parsed)
        await keep_images(services, caller, resolved.image_places(), parsed, headers=headers, models=models)
        return tuple(resolved.image_places())
    other = other_image_of(resolved)
    named = {"region": mask_image(getattr(resolved, "region", None)), **({} if other is None else {other.name: other.image_id})}
    kept = {name: image_id for name, image_id in named.items() if image_id is not None}
    for name, image_id in kept.items():
        await keep_named_image(services, caller, image_id, parsed, name)
    if kept:
        await check_mask_size(services, caller, resolved, parsed)
    return tuple(dict.fromkeys(kept.values()))


async def _with_inputs(
    services: Services, caller: Caller, parsed: ParsedRequest, resolved: MethodParams, published: PublishedModel | None
) -> tuple[MethodParams, JobInputs]:
    """Return the parameters with what depends on the image filled in, and the checked files that the job gives to its model."""
    inputs = await check_inputs(services, caller, parsed, published)
    if published is None:
        return resolved, inputs
    with pointers_of(parsed):
        shown = with_shown_bands(resolved, inputs, published.description)
        return with_fit(shown, published.description, is_array=inputs.array_channels is not None), inputs


def _resolved(services: Services, parsed: ParsedRequest, published: PublishedModel | None) -> MethodParams:
    """Return the parameters with every default filled in."""
    limits, params = services.settings.method_limits, parsed.params
    if published is None:
        return params.resolve_alone(limits)
    with pointers_of(parsed):
        check_forward_only(params, published.description)
        return params.resolve(published.seen_from(explained_input(params, published.description)), limits)


def _fingerprint(published: PublishedModel | None, further: Sequence[PublishedModel]) -> str:
    """Return what makes results differ besides the request: the service's version, each model, its preprocessing and its labels."""
    models = [] if published is None else [published, *further]
    return ":".join([service_version(), *(part for each in models for part in (each.description.fingerprint, each.digest))])


def _canonical(params: MethodParams) -> str:
    return json.dumps(params.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _request_digest(parsed: ParsedRequest) -> str:
    """Return a digest of what was asked for. The body's bytes will not do: a multipart body has another boundary each time."""
    digest = hashlib.sha256(parsed.image or b"")
    asked: list[JsonValue] = [parsed.method, parsed.model, parsed.priority, parsed.image_id, parsed.image_url]
    asked.append(None if parsed.webhook is None else parsed.webhook.model_dump(mode="json"))
    asked.append(parsed.params.model_dump(mode="json", exclude_unset=True))
    for name, value in sorted(parsed.inputs.items()):
        content = None if value.content is None else hashlib.sha256(value.content).hexdigest()
        asked.append([name, content, value.file_id, value.url, value.numbers])
    digest.update(json.dumps(asked, sort_keys=True).encode())
    return digest.hexdigest()
