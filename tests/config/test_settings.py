"""Settings follow from the environment as docs/configuration.md says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROBE = """
import json, sys
from config import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def settings(tmp_path, *names, **environment):
    """The named settings in a process of their own with this environment."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *names],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_https_makes_cookies_secure_and_turns_on_hsts(tmp_path):
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "VOTER_COOKIE_SECURE")
    plain = settings(tmp_path, *names, "SECURE_HSTS_SECONDS", PUBLIC_URL="http://arena.example")
    secure = settings(tmp_path, *names, "SECURE_HSTS_SECONDS", PUBLIC_URL="https://arena.example")

    assert set(plain.values()) == {False}
    assert all(secure.values())


def test_hosts_and_origins_follow_from_the_public_url(tmp_path):
    found = settings(
        tmp_path, "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", PUBLIC_URL="https://arena.example:8443/"
    )

    assert found["ALLOWED_HOSTS"][0] == "arena.example"
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://arena.example:8443"]


@pytest.mark.parametrize(
    ("environment", "name", "value"),
    [
        ({"INFERENCE_PORT": "9100"}, "INFERENCE_URL", "http://127.0.0.1:9100/v1"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8,::1"}, "TRUSTED_PROXIES", ["10.0.0.0/8", "::1"]),
        ({"ARENA_PAIR_SAMPLER": "a.b"}, "ARENA_PAIR_SAMPLER", "a.b"),
        ({"ARENA_PAIR_WEIGHTS": "ada=2 bea=0"}, "ARENA_PAIR_WEIGHTS", {"ada": 2.0, "bea": 0.0}),
        ({"ARENA_PAIR_NEWCOMER_VOTES": "50"}, "ARENA_PAIR_NEWCOMER_VOTES", 50),
        ({"ARENA_PAIR_NEWCOMER_FACTOR": "2.5"}, "ARENA_PAIR_NEWCOMER_FACTOR", 2.5),
        ({"ARENA_PAIR_TARGETS": "ada,bea"}, "ARENA_PAIR_TARGETS", ["ada", "bea"]),
        ({"ARENA_PAIR_TARGET_SHARE": "0.9"}, "ARENA_PAIR_TARGET_SHARE", 0.9),
        ({"ARENA_VALIDITY_RULES": "leak, error"}, "ARENA_VALIDITY_RULES", ["leak", "error"]),
        ({"ARENA_VALIDITY_RULES": ""}, "ARENA_VALIDITY_RULES", []),
        ({"ARENA_RATE_LIMITS": ""}, "ARENA_RATE_LIMITS", []),
        ({"ARENA_CONCURRENT_BATTLES": ""}, "ARENA_CONCURRENT_BATTLES", []),
        ({"ARENA_SPEND_CAPS": ""}, "ARENA_SPEND_CAPS", "{}"),
        ({"ARENA_CHALLENGE": "5000"}, "ARENA_CHALLENGE", 5000),
        ({"ARENA_ORPHAN_SECONDS": "7.5"}, "ARENA_ORPHAN_SECONDS", 7.5),
        ({"ARENA_TAGGER": "a.b"}, "ARENA_TAGGER", "a.b"),
        ({"BENCHMARK_DATA": "/data"}, "BENCHMARK_DATA", "/data"),
        ({"MODEL_CACHE": "/cache"}, "MODEL_CACHE", "/cache"),
        ({"HOST": "0.0.0.0", "PORT": "80"}, "PORT", 80),
        ({"SECRET_KEY": "given"}, "SECRET_KEY", "given"),
        ({"METRICS_TOKEN": "t"}, "METRICS_TOKEN", "t"),
        ({"DEBUG": "1"}, "DEBUG", True),
    ],
)
def test_each_setting_is_read(tmp_path, environment, name, value):
    assert settings(tmp_path, name, **environment)[name] == value


def test_redis_turns_on_its_layer_and_cache(tmp_path):
    with_redis = settings(tmp_path, "CHANNEL_LAYERS", "CACHES", REDIS_URL="redis://localhost")
    without = settings(tmp_path, "CHANNEL_LAYERS", "CACHES")

    assert "PubSub" in with_redis["CHANNEL_LAYERS"]["default"]["BACKEND"]
    assert "redis" in with_redis["CACHES"]["default"]["BACKEND"]
    assert "InMemory" in without["CHANNEL_LAYERS"]["default"]["BACKEND"]


def test_the_secret_key_is_made_once_and_kept_private(tmp_path):
    first = settings(tmp_path / "data", "SECRET_KEY")["SECRET_KEY"]
    again = settings(tmp_path / "data", "SECRET_KEY")["SECRET_KEY"]

    assert first == again
    assert len(first) >= 50
    holding = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in holding)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"PUBLIC_URL": "arena.example"}, "PUBLIC_URL"),
        ({"ARENA_RATE_LIMITS": "many"}, "ARENA_RATE_LIMITS"),
        ({"ARENA_CHALLENGE": "-1"}, "ARENA_CHALLENGE"),
        ({"ARENA_VOTES_PER_DAY": "0"}, "ARENA_VOTES_PER_DAY"),
        ({"ARENA_ORPHAN_SECONDS": "-1"}, "ARENA_ORPHAN_SECONDS"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY"),
        ({"TRUSTED_PROXIES": "nginx"}, "TRUSTED_PROXIES"),
        ({"PORT": "http"}, "PORT"),
        ({"ARENA_TAG_RULES": "/nowhere/tags.toml"}, "ARENA_TAG_RULES"),
        ({"DATABASE_URL": "sqlite:///db"}, "DATABASE_URL"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(tmp_path, environment, says):
    with pytest.raises(AssertionError, match=says):
        settings(tmp_path, "PORT", **environment)
