"""What settings there are: the keys of deploy/config, with those that stand in comments."""

import re
import tomllib

from chart import DEPLOY, SERVICES

SECTION = re.compile(r"^(?:# )*\[\[?([a-z_.]+)\]\]?$")
KEY = re.compile(r"^(?:# )*([A-Za-z0-9_-]+) = (.+)$")
# Tables whose keys the operator chooses.
OPEN = ("auth.keys", "limits.roles")


def known(service):
    """Every key of a service, as a path with dots, with the example that stands there."""
    found, section = {}, ""
    text = (DEPLOY / "config" / f"{service}.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if named := SECTION.match(line):
            section = named[1]
        elif named := KEY.match(line):
            path = f"{section}.{named[1]}" if section else named[1]
            found[path] = example(named[2])
    return found


def example(text):
    """The value that is written there."""
    return tomllib.loads(f"value = {text}")["value"]


def arrows():
    """Who calls whom: the services that each names in its settings."""
    named = {(one, path.removeprefix("upstreams.").replace("_", "-")) for one in SERVICES for path in known(one)}
    return {(one, other) for one, other in named if other in SERVICES}


def paths(table, before=""):
    """Every key of a table of settings, as a path with dots, with its value."""
    for key, value in table.items():
        path = f"{before}{key}"
        if path in OPEN:
            continue
        if isinstance(value, dict):
            yield from paths(value, f"{path}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for one in value:
                yield from paths(one, f"{path}.")
        else:
            yield path, value


def required(service):
    """The keys whose comment says that they are required."""
    found, section, said = set(), "", ""
    text = (DEPLOY / "config" / f"{service}.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if named := SECTION.match(line):
            section, said = named[1], ""
        elif (named := KEY.match(line)) and not line.startswith("#"):
            if said.rstrip().endswith("Required."):
                found.add(f"{section}.{named[1]}" if section else named[1])
            said = ""
        else:
            said = line if line.startswith("#") else ""
    return found
