"""What can be set, called or asked for is documented, and what is documented exists."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from arena.models import Answer

ROOT = Path(__file__).resolve().parents[2]
DOCS = "\n".join(path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
OURS = {"inference", "arena", "ratings", "automatic_evals", "frontend", "config"}


def settings_read() -> set[str]:
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config/settings.py").read_text()))
    return names | set(
        re.findall(r'environ\.get\("([A-Z_]+)"', (ROOT / "config/plan.py").read_text())
    )


def settings_documented() -> set[str]:
    return set(
        re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/configuration.md").read_text(), re.M)
    )


def test_every_setting_is_documented_and_every_documented_one_is_read():
    assert settings_documented() == settings_read()


@pytest.mark.parametrize(
    "command", sorted(name for name, app in get_commands().items() if app.split(".")[0] in OURS)
)
def test_every_command_is_documented(command):
    assert f"manage.py {command}" in DOCS


def api_paths(patterns, prefix=""):
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from api_paths(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("api/v1/"):
            yield re.sub(r"<(\w+:)?(\w+)>", r"<\2>", path.removeprefix("api/v1"))


@pytest.mark.parametrize("path", sorted(api_paths(get_resolver().url_patterns)))
def test_every_api_path_is_documented(path):
    assert f"`{path}`" in (ROOT / "docs/api.md").read_text() or re.search(
        rf"(GET|POST) {re.escape(path)}", (ROOT / "docs/api.md").read_text()
    )


def test_every_api_path_is_in_the_schema(client):
    accept = {"Accept": "application/vnd.oai.openapi+json"}
    described = set(json.loads(client.get("/api/schema/", headers=accept).content)["paths"])

    served = {
        "/api/v1" + re.sub(r"<(\w+)>", r"{\1}", path)
        for path in api_paths(get_resolver().url_patterns)
    }
    assert described == served


def test_every_error_code_is_documented():
    codes = set(re.findall(r'code = "(\w+)"', (ROOT / "arena/errors.py").read_text()))
    codes |= set(re.findall(r'error_body\(\s*"(\w+)"', (ROOT / "config/api.py").read_text()))
    codes |= set(Answer.Error.values)
    text = (ROOT / "docs/api.md").read_text()

    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []


def test_nothing_of_third_parties_is_committed():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")

    assert [
        name for name in tracked if re.search(r"\.min\.(js|css)$|\.woff2?$|vendor/", name)
    ] == []


def test_no_template_asks_another_site_for_anything():
    for template in ROOT.glob("frontend/templates/**/*.html"):
        assert not re.search(
            r'(src|href)="(https?:)?//[^"]*\.(js|css|woff2?)', template.read_text()
        )


@pytest.mark.parametrize("page", ["ledger", "methods", "ratings", "simulator"])
def test_the_examples_of_the_library_run(page):
    examples = re.findall(
        r"^```python\n(.*?)^```", (ROOT / f"docs/{page}.md").read_text(), re.M | re.S
    )

    assert examples
    for example in examples:
        exec(compile(example, f"docs/{page}.md", "exec"), {})  # noqa: S102
