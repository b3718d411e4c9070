"""Proofs of work: what is given out, what is taken for it, and only once."""

from __future__ import annotations

import base64
import json
import threading
from datetime import timedelta

import altcha
import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from arena.challenge import LIFETIME, challenge_new, challenge_verify
from arena.errors import ChallengeFailedError, ChallengeRequiredError
from arena.models import Battle, SpentChallenge
from arena.rate_limits import rate_limits_parse
from arena.services.challenges import KEPT_AFTER_EXPIRY, challenge_spend, challenges_purge
from tests.arena.voter import wait_until

DIFFICULTY = 20
START = {"mode": "battle", "prompt": "Why is the sky blue?", "consent": True}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children),
    max_leaves=6,
)


@pytest.fixture
def asked(settings):
    settings.ARENA_CHALLENGE = DIFFICULTY


def given_out(*, minutes_ago=0):
    return challenge_new(difficulty=DIFFICULTY, now=timezone.now() - timedelta(minutes=minutes_ago))


def solved(challenge=None):
    """What a client sends, by the altcha package's own solver."""
    puzzle = altcha.Challenge.from_dict(challenge or given_out())
    solution = altcha.solve_challenge(puzzle)
    assert solution is not None
    return altcha.Payload(puzzle, solution).to_base64()


def opened(payload):
    return json.loads(base64.b64decode(payload))


def closed(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("asked")
def test_a_proof_is_taken_once():
    payload = solved()
    challenge_spend(payload=payload)

    with pytest.raises(ChallengeFailedError, match="used already"):
        challenge_spend(payload=payload)
    challenge_spend(payload=solved())


@pytest.mark.django_db
@pytest.mark.usefixtures("asked")
def test_a_proof_written_in_another_way_is_the_same_proof():
    payload = solved()
    challenge_spend(payload=payload)
    parts = opened(payload)
    reordered = {"solution": {**parts["solution"], "time": 3}, "more": 1, **parts}
    reordered["challenge"]["parameters"] = dict(reversed(parts["challenge"]["parameters"].items()))

    with pytest.raises(ChallengeFailedError, match="used already"):
        challenge_spend(payload=closed(reordered))


@pytest.mark.django_db
@pytest.mark.usefixtures("asked")
def test_a_proof_is_still_good_when_what_it_was_for_is_rolled_back():
    payload = solved()
    with transaction.atomic():
        challenge_spend(payload=payload)
        transaction.set_rollback(True)

    challenge_spend(payload=payload)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("asked")
def test_two_requests_at_one_moment_spend_a_proof_once():
    payload = solved()
    spent = []
    first_holds, may_commit = threading.Event(), threading.Event()

    def first():
        with transaction.atomic():
            challenge_spend(payload=payload)
            first_holds.set()
            may_commit.wait(20)
        spent.append("first")
        connection.close()

    def second():
        try:
            challenge_spend(payload=payload)
            spent.append("second")
        except ChallengeFailedError:
            spent.append("refused")
        connection.close()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert first_holds.wait(20)
    threads[1].start()
    wait_until(_somebody_waits, "the second request waits for the first")
    may_commit.set()
    for thread in threads:
        thread.join()

    assert sorted(spent) == ["first", "refused"]


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


@pytest.mark.django_db
@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("payload", [None, ""])
def test_no_proof_at_all_is_asked_for(payload):
    with pytest.raises(ChallengeRequiredError):
        challenge_spend(payload=payload)


@pytest.mark.django_db
def test_where_none_is_asked_for_none_is_looked_at():
    challenge_spend(payload=None)
    challenge_spend(payload={"any": "thing"})


def test_an_expired_proof_is_refused():
    minutes = LIFETIME.total_seconds() / 60
    assert challenge_verify(payload=solved(given_out(minutes_ago=minutes - 1)))

    with pytest.raises(ChallengeFailedError, match="expired"):
        challenge_verify(payload=solved(given_out(minutes_ago=minutes + 1)))


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("parameters", "expiresAt", 99_999_999_999),
        ("parameters", "cost", 1),
        ("parameters", "keyPrefix", "00"),
        ("parameters", "keySignature", None),
        ("parameters", "nonce", "00" * 16),
        ("solution", "derivedKey", "00" * 32),
        ("solution", "derivedKey", None),
    ],
)
def test_a_proof_that_was_changed_is_refused(part, name, value):
    parts = opened(solved())
    (parts["challenge"] if part == "parameters" else parts)[part][name] = value

    with pytest.raises(ChallengeFailedError):
        challenge_verify(payload=closed(parts))


def test_a_challenge_that_somebody_else_signed_is_refused(settings):
    payload = solved()
    settings.SECRET_KEY = "another" * 10

    with pytest.raises(ChallengeFailedError):
        challenge_verify(payload=payload)

    settings.SECRET_KEY_FALLBACKS = ["no", settings.SECRET_KEY]
    with pytest.raises(ChallengeFailedError):
        challenge_verify(payload=payload)


def test_a_challenge_outlives_a_change_of_the_secret_key(settings):
    payload = solved()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10

    assert challenge_verify(payload=payload)


@given(payload=JSON)
@hypothesis_settings(max_examples=40, deadline=None)
def test_whatever_json_is_sent_is_refused_in_words(payload):
    with pytest.raises((ChallengeFailedError, ChallengeRequiredError)):
        challenge_verify(payload=payload)


@given(value=JSON, place=st.sampled_from(["", "challenge", "solution", "parameters", "field"]))
@hypothesis_settings(max_examples=100, deadline=None)
def test_whatever_is_sealed_into_a_proof_is_refused_in_words(value, place):
    parts = opened(SEALED)
    match place:
        case "":
            parts = value
        case "parameters":
            parts["challenge"]["parameters"] = value
        case "field":
            parts["challenge"]["parameters"]["expiresAt"] = value
        case _:
            parts[place] = value

    with pytest.raises(ChallengeFailedError):
        challenge_verify(payload=closed(parts))


# Of a key that is not ours, so that nothing made from it holds.
SEALED = altcha.Payload(
    altcha.create_challenge("SHA-256", 1, hmac_secret="theirs"), altcha.Solution(0, "00")
).to_base64()


@pytest.mark.django_db
@pytest.mark.usefixtures("asked")
def test_long_expired_proofs_are_forgotten_and_others_are_not():
    challenge_spend(payload=solved())
    for name, ago in (("old", 1), ("older", 60)):
        SpentChallenge.objects.create(
            digest=name, expires_at=timezone.now() - KEPT_AFTER_EXPIRY - timedelta(minutes=ago)
        )
    SpentChallenge.objects.create(digest="just now", expires_at=timezone.now())

    assert challenges_purge() == 2
    assert SpentChallenge.objects.count() == 2


def test_the_address_of_challenges_gives_one_that_the_package_solves(client, settings, asked):
    response = client.get("/api/v1/challenge/")

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert challenge_verify(payload=solved(response.json()))
    assert client.get("/api/v1/challenge/").json() != response.json()
    assert "Set-Cookie" not in response


def test_where_no_proof_is_asked_for_there_is_no_challenge(client):
    response = client.get("/api/v1/challenge/")

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def test_challenges_are_limited_by_network(client, settings, asked):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("challenges:network=1/60")
    client.get("/api/v1/challenge/")

    response = client.get("/api/v1/challenge/")

    assert response.status_code == 429
    assert int(response["Retry-After"]) >= 1


def test_a_battle_over_rest_needs_its_proof_and_spends_it(client, two_models, asked):
    def start(**more):
        return client.post("/api/v1/battles/", {**START, **more}, content_type="application/json")

    without = start()
    wrong = start(challenge=[1])
    payload = solved(client.get("/api/v1/challenge/").json())
    with_proof = start(challenge=payload)
    again = start(challenge=payload)

    answers = (without, wrong, with_proof, again)
    assert [response.status_code for response in answers] == [403, 400, 201, 400]
    assert without.json()["error"]["code"] == "challenge_required"
    assert again.json()["error"]["code"] == "challenge_failed"
    assert again.json()["error"]["field"] == "challenge"
    assert Battle.objects.count() == 1
