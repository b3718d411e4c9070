"""All settings, read from the environment; docs/configuration.md lists every one.

Knows nothing of what the apps do with them. Importing it reads (and at the first start makes) the
secrets under DATA_DIR, and touches nothing else.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from django.utils.functional import SimpleLazyObject
from environs import Env, validate

from arena.client_addresses import proxies_check
from arena.gold import gold_rate_parse
from arena.moderation.endpoint import moderation_key_env_read, moderation_url_read
from arena.moderation.rules import moderation_rules_read
from arena.pacing import pacing_parse
from arena.pair_weights import pair_weights_parse
from arena.rate_limits import concurrency_limits_parse, rate_limits_parse
from arena.spend_caps import spend_caps_parse
from arena.tagging.own_rules import own_rules_read
from config.secrets import secret_key, secret_key_fallbacks, signing_key, signing_keys_retired
from inference.network_guard import networks_parse

# Lets Django's generic classes be written with their type, as in ModelAdmin[Vote].
django_stubs_ext.monkeypatch()

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent

# --- where things are ----------------------------------------------------------------------------
DATA_DIR: Path = (BASE_DIR / env.path("DATA_DIR", Path("var"))).resolve()
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 8000)
INFERENCE_PORT = env.int("INFERENCE_PORT", 8100)
INFERENCE_URL = f"http://127.0.0.1:{INFERENCE_PORT}/v1"
MODEL_CACHE: Path = env.path(
    "MODEL_CACHE", Path.home() / ".cache" / "preferendum" / "models"
).expanduser()
BENCHMARK_DATA: Path | None = env.path("BENCHMARK_DATA", None)

# --- who may reach it ----------------------------------------------------------------------------
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
PUBLIC_URL = env.str("PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname:
    raise ValueError(f"PUBLIC_URL is {PUBLIC_URL!r}: give an address such as https://arena.example")
PUBLIC_IS_HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = [_public.hostname, *LOOPBACK_HOSTS]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
TRUSTED_PROXIES = proxies_check(env.list("TRUSTED_PROXIES", []))
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# Where models may be asked besides public addresses and the own inference service.
ENDPOINT_NETWORKS = networks_parse(env.str("ENDPOINT_NETWORKS", ""))

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = VOTER_COOKIE_SECURE = PUBLIC_IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "frontend.views.pages.form_expired"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Largest request body in bytes: 64 KB of JSON for programs; a form percent-encodes every byte of an
# 8,000 character prompt, so pages get room for that.
API_BODY_LIMIT = 64 * 1024
PAGE_BODY_LIMIT = 512 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = PAGE_BODY_LIMIT

# --- secrets -------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", "") or secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = secret_key_fallbacks(DATA_DIR)
# Signs the heads of the vote ledger; read, and at the first start made, at the first use.
LEDGER_SIGNING_KEY: Any = SimpleLazyObject(lambda: signing_key(DATA_DIR))
LEDGER_RETIRED_KEYS: Any = SimpleLazyObject(lambda: signing_keys_retired(DATA_DIR))
LEDGER_HEADS_FILE = DATA_DIR / "ledger_heads.jsonl"
DEBUG = env.bool("DEBUG", False)

# --- the arena -----------------------------------------------------------------------------------
ARENA_PAIR_SAMPLER = env.str("ARENA_PAIR_SAMPLER", "arena.matchmaking.uniform")
ARENA_PAIR_WEIGHTS = pair_weights_parse(env.str("ARENA_PAIR_WEIGHTS", ""))
ARENA_PAIR_NEWCOMER_VOTES = env.int("ARENA_PAIR_NEWCOMER_VOTES", 300)
ARENA_PAIR_NEWCOMER_FACTOR = env.float("ARENA_PAIR_NEWCOMER_FACTOR", 5.0)
ARENA_PAIR_TARGETS: list[str] = env.list("ARENA_PAIR_TARGETS", [])
ARENA_PAIR_TARGET_SHARE = env.float("ARENA_PAIR_TARGET_SHARE", 0.5)
ARENA_TAGGER = env.str("ARENA_TAGGER", "arena.tagging.rules.tagger")
ARENA_TAG_RULES = own_rules_read(env.path("ARENA_TAG_RULES", None))
ARENA_VALIDITY_RULES: list[str] = env.list(
    "ARENA_VALIDITY_RULES",
    ["leak", "error", "moderated", "unfinished", "too_fast", "duplicate", "rate_cap"],
    subcast=str.strip,
)
# Counted votes of one voter and day (UTC).
ARENA_VOTES_PER_DAY = env.int("ARENA_VOTES_PER_DAY", 200, validate=validate.Range(min=1))
ARENA_RATE_LIMITS = rate_limits_parse(
    env.str(
        "ARENA_RATE_LIMITS",
        "battles:voter=20/60 battles:network=120/60 turns:voter=20/60 turns:network=120/60"
        " votes:voter=60/60 votes:network=240/60 reports:voter=10/60 reports:network=60/60"
        " streams:voter=120/60 streams:network=1200/60 challenges:network=240/60"
        " tokens:voter=500000/86400 tokens:network=5000000/86400",
    )
)
# Battles whose answers are being made at one time.
ARENA_CONCURRENT_BATTLES = concurrency_limits_parse(
    env.str("ARENA_CONCURRENT_BATTLES", "voter=8 network=80")
)
# US dollars a day by the host of an endpoint.
ARENA_SPEND_CAPS = spend_caps_parse(env.str("ARENA_SPEND_CAPS", ""))
# Keys that a browser tries at most for its proof of work; 0 asks for none.
ARENA_CHALLENGE = env.int("ARENA_CHALLENGE", 0, validate=validate.Range(min=0, max=1_000_000))
ARENA_ORPHAN_SECONDS = env.float("ARENA_ORPHAN_SECONDS", 20.0, validate=validate.Range(min=1))
# How fast answers are shown, and the share of battles in which one is spoilt on purpose.
ARENA_PACING = pacing_parse(env.str("ARENA_PACING", "none"))
ARENA_GOLD_RATE = gold_rate_parse(env.str("ARENA_GOLD_RATE", "0"))
# Who looks at prompts and answers; nobody while neither rules nor an address are given.
ARENA_MODERATION_RULES = moderation_rules_read(env.path("ARENA_MODERATION_RULES", None))
ARENA_MODERATION_URL = moderation_url_read(env.str("ARENA_MODERATION_URL", ""))
ARENA_MODERATION_MODEL = env.str("ARENA_MODERATION_MODEL", "")
ARENA_MODERATION_KEY_ENV = moderation_key_env_read(env.str("ARENA_MODERATION_KEY_ENV", ""))
ARENA_CONSENT_VERSION = "2026-11"

# --- Django --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",  # before staticfiles: `manage.py runserver` serves ASGI for development
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "channels",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "inference",
    "arena",
    "ratings",
    "frontend",
    "config.apps.ConfigConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.ForeignOriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FORMS_URLFIELD_ASSUME_HTTPS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- database, cache, layer, jobs -----------------------------------------------------------------
# `make run` and `manage.py` set DATABASE_URL for the embedded server before Django starts.
DATABASES: dict[str, Any] = {
    "default": env.dj_db_url("DATABASE_URL", "postgresql:///preferendum") | {"CONN_MAX_AGE": 0}
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ValueError("DATABASE_URL must name a PostgreSQL server: postgresql://USER@HOST/NAME")
if "DATABASE_URL" in os.environ:
    # Commands that need no database have none, and a pool would keep trying to reach it.
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", 16),
        "timeout": 10,
    }
# Who web and worker are in the database; the ledger is closed to this role for all but INSERT.
DATABASE_SERVICE_ROLE = env.str("DATABASE_SERVICE_ROLE", "preferendum_service")

REDIS_URL = env.str("REDIS_URL", "")
CHANNEL_LAYERS: dict[str, Any]
CACHES: dict[str, Any]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # Django's default of 300 would forget a voter's count after 300 others.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", 1, validate=validate.Range(min=1))

# --- API -----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.error_response",
    "UNAUTHENTICATED_USER": None,
    # `format` is an ordinary parameter of our own endpoints.
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Preferendum",
    "DESCRIPTION": "Blind battles between language models, and the ratings that follow.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.schema.with_event_stream",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- language, time, static -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

# Prompts, answers, keys and addresses are never logged.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "filters": {
        # A site that is not ready yet answers 503 to whoever asks; that is no error of ours.
        "not_readyz": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: "/readyz" not in record.getMessage(),
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["not_readyz"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"level": "INFO"} for name in ("arena", "ratings", "inference", "config", "frontend")
    },
}
