"""The registry: a model file brings it up to date, and endpoints are known to be up or down."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from inference.models import Endpoint, LanguageModel
from inference.selectors import endpoint_addresses, language_models_live
from inference.services import endpoints_probe

pytestmark = pytest.mark.django_db

FILE = """
[[organizations]]
slug = "acme"
name = "Acme"

[[models]]
slug = "acme-1b"
name = "Acme 1B"
organization = "acme"
licence = "Apache-2.0"
category = "chat"
price_in = 0.15
aliases = ["Acmelia"]

[[models.endpoints]]
base_url = "http://127.0.0.1:9/v1"
name = "acme"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(FILE)
    return path


def test_a_file_is_loaded_and_says_what_it_changed(file, capsys):
    call_command("load_models", str(file))

    model = LanguageModel.objects.get()
    assert (model.slug, model.organization.name, model.aliases) == ("acme-1b", "Acme", ["Acmelia"])
    assert model.endpoints.get().name == "acme"
    assert "language model acme-1b: added" in capsys.readouterr().out


def test_a_host_without_a_dot_is_a_host(file):
    file.write_text(FILE.replace("127.0.0.1:9", "vllm:8000"))

    call_command("load_models", str(file))

    assert Endpoint.objects.get().base_url == "http://vllm:8000/v1"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "sk-abc123", "METRICS_TOKEN"])
def test_no_other_secret_can_be_sent_to_a_server(name, file):
    call_command("load_models", str(file))
    endpoint = Endpoint.objects.get()
    endpoint.api_key_env = name

    with pytest.raises(ValidationError, match="NAME of an environment variable"):
        endpoint.full_clean()


def test_loading_again_changes_nothing(file, capsys):
    file.write_text(FILE.replace("[[models.e", 'sampling = { stop = ["END"] }\n[[models.e'))
    call_command("load_models", str(file))
    call_command("load_models", str(file))

    assert capsys.readouterr().out.endswith("no changes\n")
    assert LanguageModel.objects.count() == Endpoint.objects.count() == 1


def test_a_changed_file_changes_only_that(file, capsys):
    call_command("load_models", str(file))
    file.write_text(FILE.replace("Acme 1B", "Acme One").replace("127.0.0.1:9", "127.0.0.1:10"))
    call_command("load_models", str(file))

    out = capsys.readouterr().out
    assert "language model acme-1b: changed name" in out
    assert Endpoint.objects.get().base_url == "http://127.0.0.1:10/v1"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('organization = "acme"', 'organization = "nobody"'),
        ('name = "Acme 1B"', 'nmae = "Acme 1B"'),
        ('slug = "acme-1b"', "slug = 5"),
        ("[[models]]", "[[models"),
    ],
)
def test_a_wrong_file_is_one_line_and_changes_nothing(file, wrong, says):
    file.write_text(FILE.replace(wrong, says))

    with pytest.raises(CommandError) as refused:
        call_command("load_models", str(file))
    assert "\n" not in str(refused.value)
    assert file.name in str(refused.value)
    assert not LanguageModel.objects.exists()


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(CommandError, match=r"missing\.toml"):
        call_command("load_models", str(tmp_path / "missing.toml"))


def test_a_retired_model_needs_a_date_and_a_reason(file):
    call_command("load_models", str(file))
    model = LanguageModel.objects.get()
    model.status = "retired"

    with pytest.raises(ValidationError, match="date and a reason"):
        model.full_clean()


@pytest.mark.django_db(transaction=True)
def test_a_probe_finds_what_is_up_and_what_is_down(two_models):
    Endpoint.objects.update(is_up=False, checked_at=None)
    Endpoint.objects.filter(name="beta-9b").update(name="gamma")

    assert endpoints_probe() == 2

    assert [model.slug for model in language_models_live()] == ["alpha-7b"]
    assert "does not serve gamma" in Endpoint.objects.get(name="gamma").problem


@pytest.mark.django_db(transaction=True)
def test_a_probe_knows_a_model_by_its_name_without_the_tag(two_models):
    two_models.scripts["gamma:latest"] = ["Hello"]
    Endpoint.objects.filter(name="beta-9b").update(name="gamma", is_up=False)

    endpoints_probe()

    assert Endpoint.objects.get(name="gamma").is_up


@pytest.mark.django_db(transaction=True)
def test_a_probe_of_a_server_that_is_gone_is_no_crash(two_models):
    Endpoint.objects.update(base_url="http://127.0.0.1:1/v1")

    endpoints_probe()

    assert not language_models_live().exists()
    assert endpoints_probe(older_than=timedelta(hours=1)) == 0


@pytest.mark.django_db(transaction=True)
def test_the_client_is_told_of_every_endpoint_and_which_are_up(two_models, settings):
    model = LanguageModel.objects.get(slug="alpha-7b")
    own = Endpoint.objects.create(language_model=model, name="x", concurrency=3)

    addresses = {address.id: address for address in endpoint_addresses(language_model=model)}

    assert len(addresses) == 2
    assert sorted(address.is_up for address in addresses.values()) == [False, True]
    assert addresses[own.pk].base_url == settings.INFERENCE_URL
    assert addresses[own.pk].concurrency == 3


@pytest.mark.django_db(transaction=True)
def test_a_probe_obeys_the_setting_for_private_addresses(two_models, settings):
    settings.ENDPOINT_NETWORKS = ()

    endpoints_probe()

    problem = Endpoint.objects.get(name="alpha-7b").problem
    assert not language_models_live().exists()
    assert "127.0.0.1" in problem
    assert "ENDPOINT_NETWORKS" in problem


@pytest.mark.django_db(transaction=True)
def test_loading_a_file_warns_of_addresses_that_will_be_refused(two_models, settings, tmp_path):
    settings.ENDPOINT_NETWORKS = ()
    settings.INFERENCE_URL = "http://127.0.0.1:8100/v1"
    file = tmp_path / "models.toml"
    file.write_text(
        '[[organizations]]\nslug = "o"\nname = "O"\n'
        '[[models]]\nslug = "own"\nname = "Own"\norganization = "o"\ncategory = "chat"\n'
        '[[models.endpoints]]\nbase_url = "http://localhost:9/v1"\n'
        '[[models.endpoints]]\nbase_url = "http://127.0.0.1:8100/v1"\n'
        '[[models.endpoints]]\nbase_url = "https://api.example.com/v1"\n'
    )
    said = io.StringIO()

    call_command("load_models", str(file), stdout=io.StringIO(), stderr=said)

    assert "http://localhost:9/v1 will not be asked" in said.getvalue()
    assert "example.com" not in said.getvalue()
    assert "8100" not in said.getvalue()
