"""The profiles of the chart ask for what deploy/size found that they need, and the README tells the same table. The
arithmetic is held against figures that one can follow."""

import json
import re
import subprocess
import sys

import pytest

from chart import CHART, DEPLOY, PROFILES, SERVICES, container, deployments, of_kind, profile, service_of, settings

sys.path[:0] = [str(DEPLOY / "sizing"), str(DEPLOY / "runbooks")]
import table  # noqa: E402

SIZES = CHART / "sizes.json"
UNITS = {"m": 0.001, "": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
# What a process uses in the examples: 100 ms of a processor each second, 50 MiB with 1,000 students, 60 with 2,000.
EXAMPLE = {
    "idle": {"processor": {service: 0.1 for service in SERVICES}},
    "registers": [
        {"students": 1_000, "memory": {service: 50.0 for service in SERVICES}},
        {"students": 2_000, "memory": {service: 60.0 for service in SERVICES}},
    ],
    "register_bytes": {service: 2_000_000 for service in SERVICES},
    "acts": {
        kind: {
            "processor": {service: 2.0 if kind == "gate" else 0.0 for service in SERVICES},
            "bytes": {service: 1_000.0 if kind == "gate" else -5.0 for service in SERVICES},
            "peak": {service: 80.0 for service in SERVICES},
            "connections": {service: 5 for service in SERVICES},
            "database": 1.0,
            "log": 100.0,
        }
        for kind in table.ACTS
    },
}


def quantity(text):
    """A quantity of Kubernetes as a number."""
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()
    return float(number) * UNITS[unit]


def test_processors_are_what_is_used_idle_and_by_the_acts_of_the_densest_second():
    # 683 decisions a second of 2 ms each are 1.366 processors.
    assert table.processors(EXAMPLE, "gateway", 1_500_000) == pytest.approx(0.1 + 1.366)


def test_memory_grows_on_as_it_grew_with_the_register():
    # 10 MiB for each 1,000 students, and 20 MiB at work.
    assert table.memory(EXAMPLE, "roster", 2_000) == (60, 80)
    assert table.memory(EXAMPLE, "roster", 12_000) == pytest.approx((160, 180))
    # The gateway keeps none of it, and what two processes differ by anyway is no growth.
    assert table.memory(EXAMPLE, "gateway", 12_000) == pytest.approx((60, 80))
    small, large = EXAMPLE["registers"]
    alike = EXAMPLE | {"registers": [{**small, "memory": {"roster": 56.0}}, large]}
    assert table.memory(alike, "roster", 12_000) == pytest.approx((60, 80))


def test_a_replica_may_be_lost_in_the_densest_second():
    need = table.need(EXAMPLE, "sampling", 1_500_000, fewest=3)
    assert need["replicas"] == 3 and need["cpu"] == 1_050
    assert (need["replicas"] - 1) * need["cpu"] / 1000 * table.BUSY >= 1.466
    assert table.need(EXAMPLE, "sampling", 6_000_000, fewest=3)["replicas"] == 5
    assert table.need(EXAMPLE, "sampling", 2_000, fewest=1)["replicas"] == 1


def test_a_year_of_the_acts_and_the_register_stand_on_the_disk():
    # 1,000 bytes of the register for each, and as many each of 200 days; what shrinks makes nothing smaller.
    year, day = table.disk(EXAMPLE, "roster", 1_000_000)
    assert (year, day) == pytest.approx((201e9, 1e9))
    assert table.need(EXAMPLE, "roster", 1_000_000, fewest=2)["disk"] == 188
    assert table.need(EXAMPLE, "gateway", 1_000_000, fewest=2)["disk"] == 0


def test_connections_are_counted_for_all_replicas_and_one_that_comes_up():
    need = table.need(EXAMPLE, "roster", 100_000, fewest=2)
    assert (need["connections"], need["connections_of_all"]) == (8, 24)
    assert table.need(EXAMPLE, "roster", 2_000, fewest=1)["connections"] == 0
    assert table.need(EXAMPLE, "gateway", 100_000, fewest=2)["connections"] == 0


def test_the_table_has_a_row_for_each_service_and_a_column_for_each_profile():
    lines = table.render(table.sizes(EXAMPLE)).splitlines()
    assert len(lines) == 2 + len(SERVICES)
    assert {line.count("|") for line in lines} == {len(PROFILES) + 2}
    assert "100,000 students" in lines[0] and lines[2].startswith("| roster | 1 × ")


def test_wrong_usage_says_how_it_is_meant():
    told = subprocess.run([DEPLOY / "size", "--help"], capture_output=True, text=True)
    assert told.returncode == 0 and "deploy/size [--write]" in told.stdout
    for wrong in ([], ["--students", "many", "."], ["/nowhere"]):
        done = subprocess.run([DEPLOY / "size", *wrong], capture_output=True, text=True)
        assert done.returncode == 64, done.stderr


@pytest.fixture(scope="module")
def sizes():
    """What deploy/size wrote."""
    if not SIZES.exists():
        pytest.skip("NO SIZES: `deploy/size --write` was never run")
    return json.loads(SIZES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_asks_for_what_it_was_found_to_need(sizes, name):
    objects = profile(name)
    scaled = {service_of(one): one["spec"] for one in of_kind(objects, "HorizontalPodAutoscaler").values()}
    pools = {
        service: found["database"]["max_connections"]
        for service, _, found in settings(objects).values()
        if "max_connections" in found.get("database", {})
    }
    volumes = {service_of(one): one["spec"]["resources"]["requests"]["storage"] for one in of_kind(objects, "PersistentVolumeClaim").values()}
    clusters = {service_of(one): one["spec"] for one in of_kind(objects, "Cluster").values()}
    for service, one in deployments(objects).items():
        need = sizes["profiles"][name]["services"][service]
        asked = container(one["spec"]["template"])["resources"]
        assert quantity(asked["requests"]["cpu"]) * 1000 >= need["cpu"], service
        assert quantity(asked["requests"]["memory"]) >= need["memory"] << 20, service
        assert quantity(asked["limits"]["memory"]) >= need["memory_limit"] << 20, service
        replicas = scaled[service]["minReplicas"] if service in scaled else one["spec"]["replicas"]
        assert replicas >= need["replicas"], service
        if service in pools:
            assert pools[service] >= need["connections"], service
        # A trial begins anew after a while; the disks of others hold a year.
        if name == "trial" and service in volumes:
            assert quantity(volumes[service]) >= need["disk"] / 4 * (1 << 30), service
        if service in clusters:
            assert quantity(clusters[service]["storage"]["size"]) >= need["disk"] << 30, service
            assert int(clusters[service]["postgresql"]["parameters"]["max_connections"]) >= need["connections_of_all"]


def test_the_readme_tells_the_table(sizes):
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for told in (table.render(sizes["profiles"]), table.costs(sizes["measured"]), table.processes(sizes["measured"])):
        assert told in readme
    # And the arithmetic is that of today.
    assert sizes["profiles"] == table.sizes(sizes["measured"])
