"""A webhook is accepted only if its signature, its time and its body are right."""

from __future__ import annotations

import pytest

from convscope.webhooks import WebhookVerificationError, verify

# The example of the specification's reference libraries.
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_BODY = '{"test": 2432232314}'
_NOW = 1614265330.0
_HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_example_of_the_specification_is_accepted() -> None:
    assert verify(_BODY, _HEADERS, _SECRET, now=_NOW) == {"test": 2432232314}
    assert verify(_BODY.encode(), _HEADERS, _SECRET.removeprefix("whsec_"), now=_NOW + 300) == {"test": 2432232314}


def test_one_of_several_signatures_is_enough() -> None:
    several = f"v1,bm9uZQ== v1a,x v1,?? {_HEADERS['Webhook-Signature']}"
    assert verify(_BODY, _HEADERS | {"Webhook-Signature": several}, _SECRET, now=_NOW)


@pytest.mark.parametrize(
    ("body", "headers", "now", "message"),
    [
        (_BODY + " ", {}, _NOW, "No signature"),
        (_BODY, {"Webhook-Id": "msg_another"}, _NOW, "No signature"),
        (_BODY, {"Webhook-Signature": _HEADERS["Webhook-Signature"].replace("v1,", "v2,")}, _NOW, "No signature"),
        (_BODY, {"Webhook-Signature": ""}, _NOW, "no header webhook-signature"),
        (_BODY, {"Webhook-Timestamp": "yesterday"}, _NOW, "must be seconds since 1970"),
        (_BODY, {}, _NOW + 301, "more than 300 s"),
        (_BODY, {}, _NOW - 301, "more than 300 s"),
    ],
)
def test_anything_else_is_refused(body: str, headers: dict[str, str], now: float, message: str) -> None:
    with pytest.raises(WebhookVerificationError, match=message):
        verify(body, _HEADERS | headers, _SECRET, now=now)


def test_a_secret_that_is_no_base64_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="base64"):
        verify(_BODY, _HEADERS, "whsec_!", now=_NOW)
