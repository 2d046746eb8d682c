"""The address in the `type` of a problem answers with a page about it, which loads nothing from anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx

from schemas.errors import VisualizationError
from schemas.problem import Problem, ProblemKind
from service.problem_kinds import PROBLEM_KINDS
from service.problems import status_of
from tests.service.fake_worker import FakeWorker
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam

_CODES = sorted({error.code for error in VisualizationError.__subclasses__()})


class _Page(HTMLParser):
    """Collects the tags, the addresses and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_type_of_a_problem_leads_to_its_page(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    problem = problem_of(await client.post("/v1/jobs", json=cam(params={"layer": "block5_conv9"})), 422, "unknown_layer")
    answer = await client.get(problem.type, headers={"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = _Page(answer.text)
    kind = PROBLEM_KINDS["unknown_layer"]
    for text in (kind.title, kind.code, "422", "GET /v1/models/{model}/layers", "Model 'vgg16' has no layer 'block5_conv9'"):
        assert text in page.text
    assert "script" not in page.tags
    assert page.addresses == ["/problems"]


async def test_a_page_may_load_nothing(client: httpx.AsyncClient) -> None:
    for path in ("/problems", "/problems/timeout"):
        answer = await client.get(path, headers={"Accept": "text/html"})
        policy = dict(rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy["style-src"])
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_code_has_its_page(client: httpx.AsyncClient) -> None:
    for code in _CODES:
        kind = ProblemKind.model_validate_json((await client.get(f"/problems/{code}")).content)
        assert (kind.code, kind.type, kind.example.code, kind.example.type) == (code, f"/problems/{code}", code, f"/problems/{code}")
        assert kind.example.status in [answer.status for answer in kind.answers]
        markdown = (await client.get(f"/problems/{code}", headers={"Accept": "text/markdown"})).text
        page = _Page((await client.get(f"/problems/{code}", headers={"Accept": "text/html"})).text)
        for text in (kind.cause, kind.remedy, kind.title):
            assert text in markdown
            assert text.replace("`", "") in page.text
        (example,) = re.findall(r"```json\n(.*?)\n```", markdown, re.DOTALL)
        assert Problem.model_validate_json(example) == kind.example
        assert example in page.text


async def test_the_statuses_of_a_code_are_those_with_which_it_is_answered() -> None:
    answers = {code: [(answer.status, answer.retryable) for answer in kind.answers] for code, kind in PROBLEM_KINDS.items()}
    assert answers["unknown_model"] == [(422, False), (404, False)]
    assert answers["model_load_failed"] == [(422, False), (503, True)]
    assert answers["storage_full"] == [(503, True)]
    for error in VisualizationError.__subclasses__():
        assert (status_of(error("")), error.retryable) in answers[error.code]


async def test_the_list_has_every_code_once(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/problems")).json()
    assert sorted(kind["code"] for kind in listed) == _CODES
    page = _Page((await client.get("/problems", headers={"Accept": "text/html"})).text)
    assert sorted(page.addresses) == [f"/problems/{code}" for code in _CODES]


async def test_a_code_that_does_not_exist_has_no_page(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/problems/unknwn_layer"), 404, "not_found")
    assert (problem.nearest or ("",))[0] == "unknown_layer"
    problem_of(await client.get("/problems/%3Cscript%3E"), 404, "not_found")
    assert problem_of(await client.get("/problems/timeout", headers={"Accept": "image/png"}), 406, "not_acceptable").got == "image/png"
