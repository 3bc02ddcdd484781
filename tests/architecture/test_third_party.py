"""THIRD_PARTY.md names every package of the run time with the licence that its metadata states."""

from __future__ import annotations

import re
import tomllib
from email.message import Message
from importlib import metadata

import pytest

from tests.support import ROOT

PAGE = (ROOT / "THIRD_PARTY.md").read_text("utf-8")
UNSTATED = {"espeakng-loader"}
"""Packages whose metadata says nothing of a licence."""
SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "apache-2.0": "Apache-2.0",
}
"""What packages call their licences, where that is not an SPDX expression."""


def rows(section: str) -> dict[str, str]:
    """Return the licence of each package in the table below a heading."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)
    assert found, f"THIRD_PARTY.md has no section “{section}”"
    return dict(re.findall(r"^\| `([\w.-]+)` \| ([^|]+) \|", found[1], re.M))


def pinned() -> set[str]:
    """Return the packages that are installed with Charley or with `charley serve`."""
    names: set[str] = set()
    for kind in ("", "-wyoming"):
        text = (ROOT / "script" / f"requirements{kind}.txt").read_text("utf-8")
        names |= set(re.findall(r"^([\w.-]+)==", text, re.M))
    return names


def optional() -> set[str]:
    """Return the packages that the extras for users name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [line for name, lines in extras.items() if name != "dev" for line in lines]
    return {re.split(r"[^\w.-]", line)[0].lower() for line in lines}


def stated(package: Message) -> str:
    """Return a package's licence as an SPDX expression, from its metadata."""
    expression = package.get("License-Expression") or package.get("License") or ""
    if expression in ("", "UNKNOWN"):
        kinds = [str(kind) for kind in package.get_all("Classifier", [])]
        expression = next(
            (kind.rpartition(" :: ")[2] for kind in kinds if kind.startswith("License ")), ""
        )
    return SPDX.get(expression, expression)


def test_every_package_has_a_row_and_every_row_a_package() -> None:
    assert rows("Every package").keys() == pinned() | optional()


@pytest.mark.parametrize("name", sorted(rows("Every package")))
def test_a_row_names_the_licence_that_the_package_states(name: str) -> None:
    try:
        package = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        pytest.skip("not for this system")
    said = stated(package)  # type: ignore[arg-type]
    if name in UNSTATED:
        assert said == "", "it states a licence now: take it out of UNSTATED"
    else:
        assert said == rows("Every package")[name]


def test_every_copyleft_licence_is_explained() -> None:
    copyleft = {name: kind for name, kind in rows("Every package").items() if "PL-" in kind}
    assert rows("Copyleft") == copyleft
