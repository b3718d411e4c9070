"""Whatever people do in whatever order, a ballot counts once, no name is told before its vote, and
the ledger verifies."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from arena import errors
from arena.blinding import BattleView
from arena.ledger_verification import ledger_verify
from arena.models import LedgerEntry, Vote
from arena.services.battles import battle_regenerate, battle_stop, turn_add
from arena.services.exclusions import vote_withdraw, votes_exclude, votes_reinstate
from inference.models import Endpoint
from tests.arena.voter import TestVoter, wait_until
from tests.at_once import at_once
from tests.scripted_endpoint import Gate, ScriptedEndpoint

ADDRESS = "192.0.2.1"
# What matters most comes after whole answers.
RARELY = st.sampled_from([False, False, False, True])
WAITS = st.sampled_from([False, False, True])
CHOICES = st.sampled_from(["a", "b", "tie", "both_bad"])


@dataclass
class Fought:
    """A battle of the machine, the gate that its newest answers wait at, and ballots seen."""

    voter: TestVoter
    id: UUID
    gate: Gate
    ballots: list[str] = field(default_factory=list)
    cast: dict[int, str] = field(default_factory=dict)  # turn to the choice that was confirmed

    def view(self) -> BattleView:
        view = self.voter.view(self.id)
        for turn in view.turns:
            if turn.ballot and turn.ballot not in self.ballots:
                self.ballots.append(turn.ballot)
        return view


class BattleMachine(RuleBasedStateMachine):
    endpoint: ScriptedEndpoint
    battles = Bundle("battles")

    def __init__(self) -> None:
        super().__init__()
        self.fought: list[Fought] = []

    def script(self, *, fails: bool = False) -> Gate:
        """What the models will say next: words, a wait and more, or alpha-7b nothing at all."""
        gate = Gate()
        self.endpoint.scripts["alpha-7b"] = [] if fails else ["I ", gate, "think."]
        self.endpoint.scripts["beta-9b"] = ["Or ", gate, "so."]
        return gate

    # Two at the most, so that much happens to each.
    @precondition(lambda self: len(self.fought) < 2)
    @rule(target=battles, fails=RARELY, waits=WAITS, prompt=st.sampled_from(["Why?", "How?"]))
    def start(self, fails: bool, waits: bool, prompt: str) -> Fought:
        gate = self.script(fails=fails)
        voter = TestVoter()
        battle = Fought(voter, voter.start(prompt), gate)
        self.begun(battle, waits=waits)
        self.fought.append(battle)
        return battle

    def begun(self, battle: Fought, *, waits: bool) -> None:
        """Both models have been asked, so that the next script is another battle's; they wait at
        the gate, or come to their ends."""
        wait_until(lambda: self.asked(battle), "both models are asked")
        if not waits:
            self.let_finish(battle)

    def asked(self, battle: Fought) -> bool:
        view = battle.view()
        answers = view.turns[-1].answers.values()
        return all(answer.text or answer.state != "pending" for answer in answers)

    def let_finish(self, battle: Fought) -> None:
        battle.gate.open()
        battle.voter.ended(battle.id)

    @rule(battle=battles)
    def finish(self, battle: Fought) -> None:
        self.let_finish(battle)

    @rule(battle=battles)
    def reload(self, battle: Fought) -> None:
        battle.view()

    @rule(battle=battles)
    def stop(self, battle: Fought) -> None:
        try:
            battle_stop(voter_id=battle.voter.id, battle_id=battle.id)
        except errors.NotGeneratingError:
            assert battle.view().state != "generating"
        battle.voter.ended(battle.id)

    @rule(battle=battles, fails=RARELY, waits=WAITS)
    def retry(self, battle: Fought, fails: bool, waits: bool) -> None:
        before = battle.view()
        gate = self.script(fails=fails)
        try:
            battle_regenerate(voter_id=battle.voter.id, address=ADDRESS, battle_id=battle.id)
        except errors.NotRetryableError:
            assert before.state in {"generating", "voted"}
            return
        battle.gate = gate
        assert battle.view().turns[-1].ballot != before.turns[-1].ballot
        self.begun(battle, waits=waits)

    @rule(battle=battles, waits=WAITS)
    def go_on(self, battle: Fought, waits: bool) -> None:
        before = battle.view()
        gate = self.script()
        try:
            turn_add(
                voter_id=battle.voter.id, address=ADDRESS, battle_id=battle.id, prompt="And then?"
            )
        except errors.NotContinuableError:
            assert before.state not in {"votable", "voted"}
            return
        battle.gate = gate
        self.begun(battle, waits=waits)

    @rule(battle=battles, choice=CHOICES, turn=st.integers(0, 2), data=st.data())
    def vote(self, battle: Fought, choice: str, turn: int, data: st.DataObject) -> None:
        battle.view()
        ballot = data.draw(st.sampled_from(battle.ballots))
        self.cast(battle, choice, turn, ballot)

    @rule(battle=battles, choice=CHOICES)
    def vote_on_the_last_turn(self, battle: Fought, choice: str) -> None:
        turn = battle.view().turns[-1]
        self.cast(battle, choice, turn.index, turn.ballot or "")

    def cast(self, battle: Fought, choice: str, turn: int, ballot: str) -> None:
        try:
            vote = battle.voter.vote(battle.id, choice, turn_index=turn, ballot=ballot)
        except (errors.BallotUnknownError, errors.BattleNotFoundError, errors.NotVotableError):
            return
        except errors.BallotSpentError:
            assert battle.cast[turn] != choice
            return
        assert vote.choice == choice == battle.cast.setdefault(turn, choice)

    @rule(battle=battles)
    def vote_both_ways_at_one_moment(self, battle: Fought) -> None:
        turn = battle.view().turns[-1]
        outcomes = at_once(
            [
                partial(
                    battle.voter.vote, battle.id, choice, turn_index=turn.index, ballot=turn.ballot
                )
                for choice in "ab"
            ]
        )
        confirmed = [outcome.choice for outcome in outcomes if isinstance(outcome, Vote)]
        refusals = (errors.BallotSpentError, errors.NotVotableError)
        assert all(isinstance(outcome, (Vote, *refusals)) for outcome in outcomes)
        assert len(confirmed) <= 1
        for choice in confirmed:
            assert battle.cast.setdefault(turn.index, choice) == choice

    @rule(battle=battles, turn=st.integers(0, 2))
    def withdraw(self, battle: Fought, turn: int) -> None:
        try:
            vote_withdraw(voter_id=battle.voter.id, battle_id=battle.id, turn_index=turn)
        except errors.NotVotableError:
            assert turn not in battle.cast

    @rule(battle=battles)
    def exclude(self, battle: Fought) -> None:
        votes = Vote.objects.filter(turn__battle_id=battle.id).values_list("pk", flat=True)
        votes_exclude(votes=list(votes), reason="moderated", by="moderator")

    @rule(battle=battles)
    def reinstate(self, battle: Fought) -> None:
        votes = Vote.objects.filter(turn__battle_id=battle.id).values_list("pk", flat=True)
        votes_reinstate(votes=list(votes), reason="moderated", by="moderator")

    @invariant()
    def a_conversation_counts_once_and_names_follow_the_vote(self) -> None:
        for battle in self.fought:
            votes = list(Vote.objects.filter(turn__battle_id=battle.id))
            view = battle.view()
            assert sum(not vote.exclusion for vote in votes) <= 1
            assert len({vote.turn_id for vote in votes}) == len(votes) == len(battle.cast)
            assert (view.models is not None) == bool(votes)
            for vote in votes:
                assert battle.cast[vote.turn.index] == vote.choice

    @invariant()
    def the_ledger_verifies(self) -> None:
        kinds = [entry.kind for entry in ledger_verify()]
        assert kinds.count(LedgerEntry.Kind.VOTE) == Vote.objects.count()

    def teardown(self) -> None:
        for battle in self.fought:
            battle.gate.open()
            battle.voter.ended(battle.id)


@pytest.fixture
def machine(two_models: ScriptedEndpoint) -> type[BattleMachine]:
    # Answers wait at their gates for as long as the machine takes.
    Endpoint.objects.update(
        first_token_timeout=3600, between_tokens_timeout=3600, total_timeout=3600
    )
    BattleMachine.endpoint = two_models
    return BattleMachine


@pytest.mark.django_db(transaction=True)
def test_any_order_of_what_people_do(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
