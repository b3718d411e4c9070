"""What an endpoint's address and the name of its key may be; one rule for model files and registry.

Knows no Django and no TOML. Each function says what is wrong, to follow the field's name.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,90}_(KEY|TOKEN)\Z")
_OWN_SECRETS = frozenset({"SECRET_KEY", "METRICS_TOKEN"})


def address_problem(value: str) -> str:
    """What is wrong with the address of a server or page; "" for none, and for an empty one."""
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        host, user = parts.hostname, parts.username or parts.password
        _ = parts.port  # a number above 65535 is found only here
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not host:
        return "names no host"
    return "must hold no user name or password" if user else ""


def key_name_problem(value: str) -> str:
    """What is wrong with the name of the variable that holds a key; "" for none.

    The value is not repeated: whoever gets this wrong has usually pasted the key. Only names of
    keys are taken, so that no other secret of the environment can be sent to a server.
    """
    if not value or (_KEY_NAME.match(value) and value not in _OWN_SECRETS):
        return ""
    return "must be the NAME of an environment variable such as OPENAI_API_KEY, not a key"
