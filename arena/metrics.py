"""Counters and times of this process for operators, as Prometheus series.

None is by model: whoever reads counters by model around a battle's start can tell who is fighting.
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

battles_started = Counter("arena_battles_started", "Battles begun")
answers_ended = Counter("arena_answers_ended", "Answers by how they ended", ["state", "error"])
votes_cast = Counter("arena_votes_cast", "Votes by whether they count", ["exclusion"])
first_token_seconds = Histogram(
    "arena_first_token_seconds",
    "From asking an endpoint to its first token",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
)
readers_lagged = Counter("arena_readers_lagged", "Readers closed for being too slow")
moderation_failures = Counter(
    "arena_moderation_failures",
    "Texts that a moderator failed on, and that passed unjudged",
    ["subject", "kind"],
)
moderation_findings = Counter(
    "arena_moderation_findings", "Findings by what followed", ["subject", "action"]
)
