"""What is shipped beside the package: schema, compose file, container, build files."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import virtual_digiware
from virtual_digiware.simulator.site_file import load_site, shipped_sites
from virtual_digiware.simulator.site_models import json_schema

TOP = Path(virtual_digiware.__file__).parents[1]
COMPOSE = YAML(typ="safe", pure=True).load(TOP / "docker-compose.yml")
DATA = Path(__file__).parent / "data"


def test_the_published_schema_is_the_one_of_the_models():
    published = json.loads((TOP / "docs" / "site.schema.json").read_text())
    assert published == json_schema(), "run `make schema`"


def test_the_schema_is_a_schema():
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("name", sorted(shipped_sites()))
def test_the_schema_accepts_the_shipped_sites(name):
    jsonschema.validate(load_site(name).text.data, json_schema())


@pytest.mark.parametrize(
    ("key", "value"),
    [("sead", 1), ("seed", "one"), ("gateways", []), ("listen", "all"), ("events", [{"kind": "dip"}])],
)
def test_the_schema_refuses_what_the_models_refuse(key, value):
    site = {**load_site("demo").text.data, key: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(site, json_schema())


def test_the_compose_file_follows_the_compose_specification():
    jsonschema.Draft7Validator(json.loads((DATA / "compose_spec.json").read_text())).validate(COMPOSE)


def test_the_schema_of_compose_is_not_blind():
    wrong = {"services": {"site": {"image": "x", "prots": []}}}
    with pytest.raises(jsonschema.ValidationError, match="prots"):
        jsonschema.Draft7Validator(json.loads((DATA / "compose_spec.json").read_text())).validate(wrong)


def test_the_container_is_reached_on_loopback_only():
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_container_runs_as_an_ordinary_user_with_a_health_check():
    lines = (TOP / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in ("root", "0")
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_the_site_of_the_container_is_the_demo_and_listens_beyond_loopback():
    file = load_site(str(TOP / "docker" / "container.yaml"))
    assert file.site.listen == "any"
    assert file.fingerprint == load_site("demo").fingerprint


def test_the_ports_of_the_container_are_those_that_compose_publishes():
    dockerfile = (TOP / "Dockerfile").read_text()
    exposed = dockerfile.split("EXPOSE ")[1].splitlines()[0].split()
    published = [port.rpartition(":")[2] for port in COMPOSE["services"]["site"]["ports"]]
    assert exposed == published
    assert f'"--port-base", "{exposed[0]}"' in dockerfile


def test_the_project_says_what_it_needs():
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert project["name"] == "virtual-digiware"
    assert project["scripts"] == {"vdigiware": "virtual_digiware.__main__:main"}
    assert "pymodbus>=3.16.1,<3.17" in project["dependencies"]
    assert project["license"] == "Apache-2.0"


def test_the_make_file_offers_what_the_readme_promises():
    targets = {line.split(":")[0] for line in (TOP / "Makefile").read_text().splitlines() if ": " in line}
    assert {"demo", "test", "bench", "lint", "help"} <= targets
    assert "make test" in (TOP / ".ci" / "run").read_text()
