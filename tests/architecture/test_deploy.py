"""What stands in deploy/ agrees with itself and with the program; no container is built here."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
import typer
import yaml

from assistant.cli import app, serve
from assistant.frontends.monitoring.metrics import Measures
from tests.support import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
HAPROXY = (DEPLOY / "haproxy.cfg").read_text("utf-8")
CHARLEYS = {"charley-1", "charley-2"}


def test_the_services_are_the_ones_that_the_balancer_and_prometheus_know() -> None:
    assert set(COMPOSE["services"]) >= CHARLEYS
    assert set(re.findall(r"^    server \w+ (\S+):10300$", HAPROXY, re.MULTILINE)) == CHARLEYS
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    targets = scraped[0]["static_configs"][0]["targets"]
    assert targets == [f"{name}:9300" for name in sorted(CHARLEYS)]


def test_ports_are_the_programs_own() -> None:
    assert f"EXPOSE {serve.PORT} {serve.HEALTH_PORT}" in DOCKERFILE
    assert f"tcp://0.0.0.0:{serve.HEALTH_PORT}" in DOCKERFILE
    assert f"127.0.0.1:{serve.HEALTH_PORT}/health" in DOCKERFILE
    assert f"bind :{serve.PORT}" in HAPROXY
    assert f"check port {serve.HEALTH_PORT}" in HAPROXY
    assert COMPOSE["services"]["front"]["ports"] == [f"127.0.0.1:{serve.PORT}:{serve.PORT}"]


def test_every_flag_in_the_image_is_one_of_the_command() -> None:
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0])
    assert entry[1] == "serve"
    command = typer.main.get_command(app.app)
    serve = command.commands["serve"]  # type: ignore[attr-defined]
    known = {option for parameter in serve.params for option in parameter.opts}
    assert {word for word in entry if word.startswith("--")} <= known


def test_the_image_gets_all_that_the_package_is_built_from() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    let_in = (DEPLOY.parent / ".dockerignore").read_text("utf-8").splitlines()
    copied = {
        word for line in DOCKERFILE.splitlines() if line.startswith("COPY") for word in line.split()
    }
    for path in (*wheel["only-include"], *wheel["force-include"], "pyproject.toml", "README.md"):
        assert f"!{path}" in let_in, path
        assert {path, path.split("/")[0]} & copied, path


def test_the_image_runs_as_nobody_in_particular() -> None:
    last_stage = DOCKERFILE.split("FROM ")[-1]
    assert re.search(r"^USER 10001$", last_stage, re.MULTILINE)
    assert "HEALTHCHECK" in last_stage


def test_a_mount_names_a_file_that_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).is_file(), source


@pytest.mark.parametrize("name", ["front", "grafana"])
def test_nothing_is_open_to_the_network_unasked(name: str) -> None:
    for port in COMPOSE["services"][name]["ports"]:
        assert port.startswith("127.0.0.1:")


def test_the_dashboard_shows_only_what_is_measured() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    shown = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"charley_[a-z_]+", target["expr"])
    }
    measured = {
        sample.name for family in Measures().registry.collect() for sample in family.samples
    }
    unlabelled = {family.name for family in Measures().registry.collect()}
    known = measured | {f"{name}{end}" for name in unlabelled for end in ("", "_total", "_bucket")}
    assert shown
    assert shown <= known
