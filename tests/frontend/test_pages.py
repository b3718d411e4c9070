"""Pages over HTTP, as a browser without JavaScript and as htmx see them."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client, override_settings

from arena.models import Battle, Vote
from arena.rate_limits import rate_limits_parse
from inference.models import LanguageModel, Organization
from ratings.models import RatingEntry, RatingSnapshot
from tests.arena.voter import wait_until
from tests.scripted_endpoint import Fault, Gate, ScriptedEndpoint

NAMES = ("alpha", "beta", "Alpha Seven", "Beta Nine", "Acme")
PROMPT = {"prompt": "Why is the sky blue?", "consent": "on"}


def started(client: Client, **changed: str) -> str:
    """Start a battle by the form; the path of its page."""
    response = client.post("/", {**PROMPT, **changed})
    assert response.status_code == 303, response.content.decode()
    return str(response["Location"])


def shown(client: Client, path: str, piece: str) -> str:
    """The page, loaded again until it shows `piece`."""

    def page() -> str | None:
        html = client.get(path).content.decode()
        return html if piece in html else None

    html: str = wait_until(page, f"{path} shows {piece}")
    return html


def ballot_of(html: str, choice: str) -> dict[str, str]:
    found = re.search(r'name="ballot" value="([^"]+)"', html)
    assert found
    return {"ballot": found[1], "turn": "0", "choice": choice}


def test_the_whole_way_by_plain_forms(two_models: ScriptedEndpoint, client: Client) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Hello ", gate, "there."]
    path = started(client)

    generating = client.get(path).content.decode()
    gate.open()
    votable = shown(client, path, 'id="ballot"')
    voted = client.post(f"{path}vote/", ballot_of(votable, "a"))
    revealed = client.get(path).content.decode()

    assert '<noscript><meta http-equiv="refresh"' in generating
    assert 'id="ballot"' not in generating
    assert "http-equiv" not in votable
    assert not any(name in generating + votable for name in NAMES)
    assert (voted.status_code, voted["Location"]) == (303, f"{path}#verdict")
    assert "Alpha Seven" in revealed
    assert "Your vote counts." in revealed
    assert Vote.objects.get().choice == "a"


def test_htmx_gets_the_names_in_place(two_models: ScriptedEndpoint, client: Client) -> None:
    path = started(client)
    votable = shown(client, path, 'id="ballot"')

    response = client.post(f"{path}vote/", ballot_of(votable, "b"), headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert 'id="verdict" hx-swap-oob="innerHTML"' in response.content.decode()
    assert "Alpha Seven" in response.content.decode()
    assert response["Cache-Control"] == "no-store"


def test_a_second_different_vote_is_refused_in_place(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    ballot = ballot_of(shown(client, path, 'id="ballot"'), "a")
    client.post(f"{path}vote/", ballot)

    again = client.post(f"{path}vote/", ballot)
    other = client.post(f"{path}vote/", {**ballot, "choice": "tie"})
    other_htmx = client.post(
        f"{path}vote/", {**ballot, "choice": "tie"}, headers={"HX-Request": "true"}
    )

    assert again.status_code == 303
    assert other.status_code == other_htmx.status_code == 409
    for response in (other, other_htmx):
        assert "You have already voted on this turn" in response.content.decode()
    assert Vote.objects.count() == 1


@pytest.mark.parametrize("turn", ["", "x", "-1", "99999999999999999999", "²"])
def test_a_mangled_vote_form_is_refused_with_a_sentence(
    two_models: ScriptedEndpoint, client: Client, turn: str
) -> None:
    path = started(client)
    ballot = ballot_of(shown(client, path, 'id="ballot"'), "a")

    response = client.post(f"{path}vote/", {**ballot, "turn": turn})

    assert response.status_code in {400, 404}
    assert not Vote.objects.exists()


def test_a_leaked_name_is_said_to_keep_the_vote_from_counting(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    two_models.scripts["alpha-7b"] = ["I am Alpha Seven."]
    path = started(client)
    client.post(f"{path}vote/", ballot_of(shown(client, path, 'id="ballot"'), "a"))

    html = client.get(path).content.decode()

    assert "An assistant named itself, so this vote is kept but not counted." in html
    assert "Your vote counts." not in html


def test_a_broken_answer_takes_no_vote_and_can_be_retried(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    two_models.scripts["beta-9b"] = ["I begin", Fault.CUT]
    path = started(client)
    broken = shown(client, path, "/retry/")
    two_models.scripts["beta-9b"] = ["Now it works."]

    retried = client.post(f"{path}retry/")
    votable = shown(client, path, 'id="ballot"')

    assert "This assistant could not be reached." in broken
    assert 'id="ballot"' not in broken
    assert retried.status_code == 303
    assert "Now it works." in votable


def test_stopping_keeps_the_text_and_lets_it_be_judged(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Enough ", gate, "of this"]
    path = started(client)
    shown(client, path, "Enough")

    stopped = client.post(f"{path}stop/", headers={"HX-Request": "true"})
    html = shown(client, path, 'id="ballot"')
    again = client.post(f"{path}stop/")

    assert stopped.status_code == 204
    assert "Enough" in html
    assert again.status_code == 409
    assert "Both answers have already ended." in again.content.decode()


def test_a_retry_by_htmx_loads_the_page_afresh(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    shown(client, path, 'id="ballot"')

    response = client.post(f"{path}retry/", headers={"HX-Request": "true"})

    assert response["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("", "Please type a prompt first."),
        ("x" * 8001, "at most 8,000 are allowed"),
        ("a\x00b", "control character"),
    ],
)
def test_a_refused_prompt_is_kept_and_the_reason_is_shown(
    two_models: ScriptedEndpoint, client: Client, prompt: str, sentence: str
) -> None:
    response = client.post("/", {**PROMPT, "prompt": prompt})

    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert response.context["prompt"] == prompt
    assert 'name="consent" required checked' in response.content.decode()
    assert not Battle.objects.exists()


def test_consent_is_asked_for_once(two_models: ScriptedEndpoint, client: Client) -> None:
    missing = client.post("/", {"prompt": "Hello?"})
    started(client)
    page = client.get("/").content.decode()
    second = client.post("/", {"prompt": "Hello again?"})

    assert missing.status_code == 400
    assert "Please agree first" in missing.content.decode()
    assert "Hello?" in missing.content.decode()
    assert 'name="consent"' not in page
    assert second.status_code == 303


@pytest.mark.usefixtures("_one_moment")
def test_too_much_at_once_says_when_to_come_back(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    with override_settings(ARENA_RATE_LIMITS=rate_limits_parse("battles:voter=1/60")):
        started(client)
        response = client.post("/", PROMPT)

    assert response.status_code == 429
    assert f"come back in {response['Retry-After']} s" in response.content.decode()
    assert PROMPT["prompt"] in response.content.decode()


@pytest.mark.django_db
def test_without_models_the_page_says_so(client: Client) -> None:
    response = client.post("/", PROMPT)

    assert response.status_code == 503
    assert "Fewer than two models can answer now." in response.content.decode()


def test_a_battle_is_seen_by_its_voter_only_and_never_stored(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    shown(client, path, 'id="ballot"')
    stranger = Client()

    own = client.get(path)

    assert own["Cache-Control"] == "no-store"
    assert stranger.get(path).status_code == 404
    for action in ("vote", "stop", "retry"):
        assert stranger.post(f"{path}{action}/", {}).status_code == 404
    assert client.get(f"/battles/{uuid.uuid4()}/").status_code == 404


def test_forms_need_their_token(two_models: ScriptedEndpoint) -> None:
    strict = Client(enforce_csrf_checks=True)

    response = strict.post("/", PROMPT)

    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
    assert not Battle.objects.exists()


def test_example_prompts_fill_the_form_without_javascript(db: None, client: Client) -> None:
    page = client.get("/", {"prompt": "<b>Why</b>?"}).content.decode()

    assert "&lt;b&gt;Why&lt;/b&gt;?</textarea>" in page


@pytest.fixture
def ranked(db: None) -> RatingSnapshot:
    snapshot = RatingSnapshot.objects.create(
        method="bradley-terry",
        filters={},
        parameters={},
        seed=0,
        versions={},
        ledger_sequence=120,
        ledger_hash="0" * 64,
        funnel={"raw": 120, "counted": 117, "leak": 3, "error": 0},
        cells=[],
        input_digest="0" * 64,
    )
    organization = Organization.objects.create(slug="acme", name="Acme Intelligence")
    entries: list[dict[str, Any]] = [
        {"rating": 1100.4, "lower": 1050.2, "upper": 1150.6, "se": 25.6, "rank": 1},
        {"rating": 899.6, "lower": 849.4, "upper": 949.8, "se": 25.6, "rank": 2},
        {"reason": "has lost every battle so far: no finite rating yet"},
    ]
    models = [
        LanguageModel.objects.create(slug=f"m{i}", name=f"Model {i}", organization=organization)
        for i in range(3)
    ]
    for model, entry in zip(models, entries, strict=True):
        rank = entry.get("rank")
        RatingEntry.objects.create(
            snapshot=snapshot, model=model, rank_low=rank, rank_high=rank, votes=39, **entry
        )
    first, second, _ = (model.pk for model in models)
    snapshot.cells = [[first, second, 30, 10, 4, 2], [second, first, 5, 25, 3, 1]]
    snapshot.save()
    return snapshot


def test_the_leaderboard_shows_ratings_with_intervals_and_the_funnel(
    ranked: RatingSnapshot, client: Client
) -> None:
    html = client.get("/leaderboard/").content.decode()

    assert "1100" in html
    assert "1050\N{EN DASH}1151" in html
    assert "<b>120</b> votes cast" in html
    assert "<b>3</b> an assistant named itself" in html
    assert "broken answer" not in html
    assert "has lost every battle so far" in html
    assert str(ranked.pk) in html
    assert "/api/v1/leaderboard/?format=csv" in html


def test_intervals_stand_on_one_axis(ranked: RatingSnapshot, client: Client) -> None:
    html = client.get("/leaderboard/").content.decode()

    marks = [float(x) for x in re.findall(r'<circle cx="([\d.]+)%" cy="50%"', html)]

    assert len(marks) == 2
    assert marks[0] > marks[1]
    assert "style=" not in html


def test_the_leaderboard_asks_few_questions(
    ranked: RatingSnapshot, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(4):
        client.get("/leaderboard/")


@pytest.mark.django_db
def test_an_empty_leaderboard_says_what_to_do(client: Client) -> None:
    assert "No ratings yet" in client.get("/leaderboard/").content.decode()


def test_a_model_page_tells_its_record_from_its_own_side(
    ranked: RatingSnapshot, client: Client
) -> None:
    first = client.get("/models/m0/").content.decode()
    second = client.get("/models/m1/").content.decode()

    cells = r'<td class="number">(\d+%?)</td>'
    assert re.findall(cells, first)[:4] == ["55", "15", "7", "3"]
    assert re.findall(cells, second)[:4] == ["15", "55", "7", "3"]


def test_a_retired_model_keeps_its_page(ranked: RatingSnapshot, client: Client) -> None:
    LanguageModel.objects.filter(slug="m2").update(
        status="retired", retired_on="2026-01-02", retired_reason="Superseded."
    )

    page = client.get("/models/m2/").content.decode()

    assert "Retired on 2 January 2026: Superseded." in page
    assert "Model 2" in client.get("/models/").content.decode()
    assert client.get("/models/none/").status_code == 404


@pytest.mark.parametrize("path", ["/", "/leaderboard/", "/models/", "/about/"])
@pytest.mark.django_db
def test_every_internal_link_leads_somewhere(client: Client, path: str) -> None:
    html = client.get(path).content.decode()

    links = {link.partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', html)}

    for link in sorted(link for link in links if link and not link.startswith("/static/")):
        assert client.get(link).status_code == 200, link


@pytest.mark.django_db
def test_a_theme_is_remembered_and_leads_back(client: Client) -> None:
    system = client.get("/about/").content.decode()
    response = client.post("/theme/", {"theme": "dark", "next": "/about/"})
    dark = client.get("/about/").content.decode()
    client.post("/theme/", {"theme": "system", "next": "/about/"})

    assert "data-theme" not in system
    assert (response.status_code, response["Location"]) == (303, "/about/")
    assert 'data-theme="dark"' in dark
    assert "data-theme" not in client.get("/about/").content.decode()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:1", ""])
def test_the_theme_form_leads_to_no_other_site(client: Client, target: str) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": target})["Location"] == "/"


def test_an_open_page_whose_token_is_no_longer_good_loads_itself_anew() -> None:
    client = Client(enforce_csrf_checks=True)
    path = f"/battles/{uuid.uuid4()}/vote/"

    plain = client.post(path, {"choice": "a"})
    open_page = client.post(path, {"choice": "a"}, headers={"HX-Request": "true"})

    assert (plain.status_code, open_page.status_code) == (403, 403)
    assert "expired" in plain.text
    assert "HX-Refresh" not in plain.headers
    assert open_page.headers["HX-Refresh"] == "true"
