"""The arrows of the house are open, and nothing else is."""

import itertools

import pytest

import keys
from chart import PROFILES, SERVICES, deployments, of_kind, ports, profile, service_of, workloads
from policies import Place, open_between

pytestmark = pytest.mark.parametrize("name", PROFILES)

STRANGER = Place({"app": "stranger"})
ELSEWHERE = Place({"app": "stranger"}, namespace="elsewhere")
INTERNET = Place(address="203.0.113.9")


def pods(objects):
    """A pod of each service, and the port where it listens."""
    found = {}
    for service, one in deployments(objects).items():
        template = one["spec"]["template"]
        found[service] = (Place(template["metadata"]["labels"]), ports(template)["grpc"])
    return found


def pages(objects):
    """A pod of each service, and the port where it answers operators."""
    found = {}
    for service, one in deployments(objects).items():
        template = one["spec"]["template"]
        found[service] = (Place(template["metadata"]["labels"]), ports(template)["telemetry"])
    return found


def databases(objects):
    """A member of the database of each service, where the operator runs them."""
    return {
        one["metadata"]["labels"]["app.kubernetes.io/name"]: Place({"cnpg.io/cluster": one["metadata"]["name"]})
        for one in objects
        if one["kind"] == "Cluster"
    }


def test_services_reach_whom_they_call_and_nobody_else(name):
    objects = profile(name)
    found = pods(objects)
    opened = {
        (one, other)
        for one, other in itertools.permutations(SERVICES, 2)
        if open_between(objects, found[one][0], *found[other])
    }
    assert opened == keys.arrows()


def test_the_world_reaches_the_gateway_and_nothing_behind_it(name):
    objects = profile(name)
    for service, (place, port) in pods(objects).items():
        for outsider in (STRANGER, ELSEWHERE, INTERNET):
            assert open_between(objects, outsider, place, port) == (service == "gateway")


def test_only_those_who_watch_reach_the_page_of_a_service(name):
    objects = profile(name)
    prometheus = Place({"app": "prometheus"}, namespace="monitoring")
    found = pages(objects)
    for place, port in found.values():
        assert open_between(objects, prometheus, place, port)
        for other in (STRANGER, ELSEWHERE, INTERNET, *(one for one, _ in found.values() if one is not place)):
            assert not open_between(objects, other, place, port)
    for one in of_kind(objects, "Service").values():
        assert [port["name"] for port in one["spec"]["ports"]] == ["grpc"], "the gateway's may be open to the world"


def test_no_other_port_is_open(name):
    objects = profile(name)
    found = pods(objects)
    for one, other in itertools.permutations(SERVICES, 2):
        for port in (22, 80, 443, 5432, 8080, 9090):
            assert not open_between(objects, found[one][0], found[other][0], port)
        assert not open_between(objects, found[one][0], *found[other], protocol="UDP")


def test_each_database_is_reached_by_its_service_alone(name):
    objects = profile(name)
    found, stores = pods(objects), databases(objects)
    assert set(stores) == (set() if name == "trial" else set(SERVICES) - {"gateway"})
    opened = {
        (service, owner)
        for service, owner in itertools.product(SERVICES, stores)
        if open_between(objects, found[service][0], stores[owner], 5432)
    }
    assert opened == {(owner, owner) for owner in stores}
    assert not any(open_between(objects, found[owner][0], stores[owner], 5432, "UDP") for owner in stores)
    for store in stores.values():
        assert not open_between(objects, STRANGER, store, 5432)
        assert open_between(objects, store, store, 5432), "members follow one another"
        assert open_between(objects, store, store, 8000), "and ask one another while the API server is away"
        for port in (5432, 8000):
            assert open_between(objects, Place({"app": "operator"}, namespace="cnpg-system"), store, port)
        assert not any(open_between(objects, other, store, 8000) for other in (STRANGER, ELSEWHERE, INTERNET))


def test_only_those_who_watch_are_told_the_metrics_of_a_database(name):
    objects = profile(name)
    prometheus = Place({"app": "prometheus"}, namespace="monitoring")
    stores = databases(objects)
    services = [place for place, _ in pods(objects).values()]
    for store in stores.values():
        assert open_between(objects, prometheus, store, 9187) and not open_between(objects, prometheus, store, 5432)
        for other in (STRANGER, ELSEWHERE, INTERNET, *services, *stores.values()):
            assert not open_between(objects, other, store, 9187)


def test_a_database_reaches_its_members_names_the_api_server_and_the_store_of_its_backups_alone(name):
    objects = profile(name)
    stores = databases(objects)
    api, backups = Place(address="192.0.2.20"), Place(address="192.0.2.50")
    dns = Place({"k8s-app": "kube-dns"}, namespace="kube-system")
    for one, store in stores.items():
        assert open_between(objects, store, dns, 53, "UDP") and open_between(objects, store, dns, 53, "TCP")
        assert open_between(objects, store, api, 443) and open_between(objects, store, api, 6443)
        assert open_between(objects, store, backups, 443) and not open_between(objects, store, backups, 6443)
        for outside in (INTERNET, STRANGER, ELSEWHERE, Place(address="192.0.2.10")):
            assert not any(open_between(objects, store, outside, port) for port in (80, 443, 5432, 6443))
        for place, port in pods(objects).values():
            assert not open_between(objects, store, place, port)
        for other in stores.keys() - {one}:
            assert not any(open_between(objects, store, stores[other], port) for port in (5432, 8000))
    for place, _ in pods(objects).values():
        assert not any(open_between(objects, place, outside, port) for outside in (api, backups) for port in (443, 6443))


def test_names_can_be_looked_up(name):
    objects = profile(name)
    dns = Place({"k8s-app": "kube-dns"}, namespace="kube-system")
    for place, _ in pods(objects).values():
        assert open_between(objects, place, dns, 53, "UDP") and open_between(objects, place, dns, 53, "TCP")
        assert not open_between(objects, place, dns, 853)


def test_only_what_a_profile_names_is_reached_outside(name):
    objects = profile(name)
    channels, issuer = Place(address="192.0.2.33"), Place(address="192.0.2.10")
    for service, (place, _) in pods(objects).items():
        assert not open_between(objects, place, INTERNET, 443)
        assert not open_between(objects, place, STRANGER, 8080)
        assert open_between(objects, place, issuer, 443) == (name != "trial")
        assert open_between(objects, place, channels, 443) == (name == "city" and service == "notification")


def test_telemetry_leaves_where_it_is_asked_for(name):
    objects = profile(name)
    collector = Place({"app": "collector"}, namespace="monitoring")
    for place, _ in pods(objects).values():
        assert open_between(objects, place, collector, 4317) == (name == "city")


def test_jobs_are_bound_by_the_policies_of_their_service_and_reach_its_database(name):
    objects = profile(name)
    stores = databases(objects)
    for one, template in workloads(objects):
        if one["kind"] == "Job":
            place = Place(template["metadata"]["labels"])
            assert not open_between(objects, place, INTERNET, 443)
            reached = {owner for owner in stores if open_between(objects, place, stores[owner], 5432)}
            assert reached == {service_of(one)} - {"gateway"}
