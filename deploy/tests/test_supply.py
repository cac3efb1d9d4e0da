"""What the services are made of is allowed by .deny.toml, and the bill of materials names all of it."""

import collections
import importlib.machinery
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from chart import DEPLOY, SERVICES

ROOT = DEPLOY.parent
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def script(name):
    """A script without an ending as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(DEPLOY / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = written
    return module


SBOM = script("sbom")
ADVISORIES = script("advisories")


def packages():
    return SBOM.metadata()["packages"]


def rules():
    return tomllib.loads((ROOT / ".deny.toml").read_text(encoding="utf-8"))


def satisfied(expression, allowed):
    """Whether a licence expression of SPDX can be met with what is allowed."""
    words = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either():
        met = both()
        while words and words[0] == "OR":
            words.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while words and words[0] == "AND":
            words.pop(0)
            met = one() and met
        return met

    def one():
        word = words.pop(0)
        if word == "(":
            met = either()
            assert words.pop(0) == ")"
            return met
        if words and words[0] == "WITH":
            word = f"{word} WITH {words[1]}"
            del words[:2]
        return word in allowed

    met = either()
    assert not words, expression
    return met


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("MIT", True),
        ("GPL-2.0-only", False),
        ("Apache-2.0 OR GPL-2.0-only", True),
        ("MIT/GPL-2.0-only", True),
        ("MIT AND GPL-2.0-only", False),
        ("(MIT OR GPL-2.0-only) AND Apache-2.0", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0 OR ISC", False),
    ],
)
def test_expressions_are_read_as_spdx_means_them(expression, met):
    assert satisfied(expression, {"MIT", "Apache-2.0"}) is met


def test_every_licence_is_allowed():
    allowed = set(rules()["licenses"]["allow"])
    refused = {
        f"{one['name']} {one['version']}: {one['license']}"
        for one in packages()
        if not one["license"] or not satisfied(one["license"], allowed)
    }
    assert refused == set()


def test_no_licence_is_allowed_that_nothing_needs():
    allowed = set(rules()["licenses"]["allow"])
    for licence in allowed:
        left = allowed - {licence}
        assert not all(satisfied(one["license"], left) for one in packages()), licence


def test_every_crate_is_from_the_registry_and_has_a_checksum():
    sums = SBOM.checksums()
    for one in packages():
        if one["source"] is None:
            assert one["manifest_path"].startswith(str(ROOT))
        else:
            assert one["source"] == REGISTRY
            assert sums[one["name"], one["version"]]


def fits(version, wanted):
    """Whether a version is one that `2` or `0.10` stands for."""
    return (version + ".").startswith(wanted + ".")


def test_no_banned_crate_is_there():
    for ban in rules()["bans"]["deny"]:
        name, _, below = ban["crate"].partition(":<")
        for one in packages():
            if one["name"] == name:
                assert below, f"{name}: {ban['reason']}"
                number = [int(part) for part in re.findall(r"\d+", one["version"])[:3]]
                assert number >= [int(part) for part in below.split(".")], ban["reason"]


def test_no_banned_feature_is_on():
    bans = rules()["bans"]["features"]
    assert {one["crate"] for one in bans} >= {"prost"}
    names = {one["id"]: one["name"] for one in packages()}
    features = collections.defaultdict(set)
    for node in SBOM.metadata()["resolve"]["nodes"]:
        features[names[node["id"]]].update(node["features"])
    for ban in bans:
        assert ban["crate"] in features and not features[ban["crate"]] & set(ban["deny"])


def test_the_list_of_old_versions_is_what_is_there_and_no_more():
    versions = collections.defaultdict(set)
    for one in packages():
        versions[one["name"]].add(one["version"])
    skipped = [one["crate"].split("@") for one in rules()["bans"]["skip"]]
    for name, found in versions.items():
        left = {
            version
            for version in found
            if not any(name == other and fits(version, wanted) for other, wanted in skipped)
        }
        assert len(left) == 1, f"{name}: {sorted(found)}"
    for name, wanted in skipped:
        found = versions.get(name, set())
        assert len(found) > 1 and any(fits(version, wanted) for version in found), f"{name}@{wanted} is not needed"
    assert all(one["reason"] for one in rules()["bans"]["skip"])


@pytest.mark.parametrize("binary", [*SERVICES, "campus"])
def test_a_bill_of_materials_names_every_crate_once_with_licence_and_checksum(binary):
    bill = SBOM.bill(binary)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    names = [one["bom-ref"] for one in bill["components"]]
    assert len(names) == len(set(names)) and names == sorted(names)
    found = {one["name"]: one for one in bill["components"]}
    assert {"kit", "tonic", "ring"} <= set(found) and not {"proptest", "rcgen"} & set(found)
    for one in bill["components"]:
        assert one["licenses"][0]["expression"]
        assert "hashes" in one or one["purl"].startswith("pkg:generic/campus/")
    told = {one["ref"] for one in bill["dependencies"]}
    assert told == {*names, bill["metadata"]["component"]["bom-ref"]}
    assert json.dumps(SBOM.bill(binary)) == json.dumps(bill)


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no machine of Debian")
def test_the_libraries_beside_a_binary_are_told_with_the_packages_that_they_are_from(tmp_path):
    loader = sorted(Path("/lib64").glob("ld-linux*")) + sorted(Path("/lib").glob("ld-linux*"))
    own = tmp_path / "libown.so"
    own.write_bytes(b"nobody packed this")
    (package,) = SBOM.beside([loader[0]])
    assert package["name"] == "libc6" and package["licenses"] == [{"expression": "LGPL-2.1-or-later"}]
    assert re.fullmatch(r"pkg:deb/[a-z]+/libc6@[^?+@]+\?arch=[a-z0-9]+&distro=[^&+@]+&upstream=glibc%40[^&+@]+", package["purl"])
    (file,) = package["components"]
    assert (file["name"], file["hashes"][0]["content"]) == (str(loader[0]), sha256(loader[0].read_bytes()).hexdigest())
    (unknown,) = SBOM.beside([own])
    assert (unknown["type"], unknown["name"]) == ("file", str(own))
    # The binary depends on them, and a bill without them is another one.
    bill, bare = SBOM.bill("gateway", [loader[0], own]), SBOM.bill("gateway")
    root = bill["metadata"]["component"]["bom-ref"]
    (told,) = [one["dependsOn"] for one in bill["dependencies"] if one["ref"] == root]
    assert {package["bom-ref"], unknown["bom-ref"]} <= set(told)
    assert bill["serialNumber"] != bare["serialNumber"]


def test_an_unknown_binary_has_no_bill():
    done = subprocess.run([DEPLOY / "sbom", "rooster"], capture_output=True, text=True)
    assert done.returncode == 1 and "rooster" in done.stderr


@pytest.mark.parametrize(
    ("version", "wanted", "met"),
    [
        ("1.2.3", ">= 1.2.3", True),
        ("1.2.2", ">=1.2.3", False),
        ("1.9.0", "^1.2", True),
        ("2.0.0", "1.2", False),
        ("0.4.15", ">= 0.4.16", False),
        ("0.4.20", "^0.4.16", True),
        ("0.5.0", "^0.4.16", False),
        ("0.0.3", "^0.0.2", False),
        ("1.3.0", "~1.2", False),
        ("1.5.0", ">= 1.4, < 2", True),
        ("2.0.0-rc.1", ">= 2.0.0", False),
        ("2.0.0-rc.10", "> 2.0.0-rc.9", True),
        ("1.2.3", "= 1.2.3", True),
    ],
)
def test_requirements_of_advisories_are_read_as_cargo_means_them(version, wanted, met):
    assert ADVISORIES.meets(version, wanted) is met


def advisory(folder, crate, number, patched, more=""):
    """An advisory as the database has it."""
    home = folder / "crates" / crate
    home.mkdir(parents=True, exist_ok=True)
    (home / f"RUSTSEC-{number}.md").write_text(
        f'```toml\n[advisory]\nid = "RUSTSEC-{number}"\npackage = "{crate}"\n{more}\n'
        f"[versions]\npatched = [{patched}]\n```\n\n# Something is wrong\n",
        encoding="utf-8",
    )


def test_what_is_known_of_a_crate_is_told_and_what_is_over_is_not(tmp_path):
    crates = ADVISORIES.locked()
    (version,) = crates["tokio"]
    advisory(tmp_path, "tokio", "2099-0001", "")
    advisory(tmp_path, "tokio", "2099-0002", f'">= {version}"')
    advisory(tmp_path, "tokio", "2099-0003", "", 'withdrawn = "2099-01-01"')
    advisory(tmp_path, "tokio", "2099-0004", "")
    advisory(tmp_path, "no-crate-of-ours", "2099-0005", "")
    found, count = ADVISORIES.known(tmp_path, crates, {"RUSTSEC-2099-0004"})
    assert found == [f"tokio {version}: RUSTSEC-2099-0001 (vulnerability) Something is wrong"]
    assert count == 5
    done = subprocess.run([DEPLOY / "advisories", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1 and "RUSTSEC-2099-0001" in done.stdout


def test_a_folder_without_advisories_is_no_database(tmp_path):
    (tmp_path / "crates").mkdir()
    done = subprocess.run([DEPLOY / "advisories", tmp_path], capture_output=True, text=True)
    assert done.returncode == 64
