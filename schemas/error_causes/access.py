"""Explain the errors of callers who have no key or one that does not allow a request, ask too often, send too slowly, or send no HTTP."""

from __future__ import annotations

from schemas import access_errors
from schemas.error_causes.cause import ErrorCause

ACCESS = (
    ErrorCause(
        access_errors.Unauthenticated("This request needs an API key. Send it as 'Authorization: Bearer cs_…' or as 'X-API-Key: cs_…'."),
        "The service asks for an API key, and the request has none; or the key or the signature of the address is wrong, has expired, or "
        "was revoked.",
        "Send a valid key with the request. The operator makes one with `convscope keys add`.",
    ),
    ErrorCause(
        access_errors.ScopeMissing("This needs the scope 'submit'; the key k7f3m2q9x4tb has read.", allowed="submit", got="read"),
        "The key is valid, but it does not have the scope that this request needs. `allowed` names that scope.",
        "Use a key with the scope. The operator makes one with `convscope keys add OWNER --scopes read,submit`.",
    ),
    ErrorCause(
        access_errors.RateLimited(
            "A caller may send 60 submissions in 60 s. The next one is allowed in 1 s.", allowed="60 in 60 s", retry_after=1
        ),
        "You have sent more requests within a minute than one caller may. `RateLimit` in every answer says how many are left.",
        "Wait as long as `Retry-After` says, and send the request again. The operator can set `CONVSCOPE_MAX_SUBMISSIONS_PER_MINUTE` and "
        "`CONVSCOPE_MAX_READS_PER_MINUTE`.",
    ),
    ErrorCause(
        access_errors.RequestTimeout("The body of the request did not come in time: 10,000 bytes in 21 s."),
        "The body of the request stopped coming, or came very slowly.",
        "Send the request again, over a faster connection or with a smaller image. The operator can set `CONVSCOPE_BODY_TIMEOUT`.",
    ),
    ErrorCause(
        access_errors.HostNotAllowed(
            "This service is not the host photos.example. The operator can allow it with CONVSCOPE_ALLOWED_HOSTS.", got="photos.example"
        ),
        "The service needs no key and listens on this machine only, and the request names another host. A page of another site may have "
        "sent it (DNS rebinding), or a proxy stands before the service.",
        "Use the address `localhost` or `127.0.0.1`. For a proxy, the operator lists its names in `CONVSCOPE_ALLOWED_HOSTS`.",
    ),
    ErrorCause(
        access_errors.MalformedRequest("This is not an HTTP/1.1 request: illegal request line."),
        "What came over the connection is not an HTTP/1.1 request: its first line or a header is wrong or longer than 16 KiB, `Host` is "
        "missing, or the pieces of a body do not have the lengths that they state. TLS at an address that speaks plain HTTP looks like "
        "this, too.",
        "Use an HTTP client, and `https` only if a proxy before the service speaks it. The connection is closed, because nobody knows "
        "where the next request begins.",
    ),
)
