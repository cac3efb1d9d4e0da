"""Every object for an operator is one that it takes, and a misspelt field of any of them would be found."""

import copy

import pytest

from chart import OVERLAYS, PROFILES, overlay, profile
from operators import judge, of_operators

ROUTES = ",".join(
    f"exposure.{route}.enabled=true,exposure.{route}.parentRefs[0].name=door,exposure.{route}.hostnames={{r.example}}"
    for route in ("grpcRoute", "httpRoute", "tlsRoute")
)
TRUST = ",".join(f"exposure.backendTLSPolicy.{value}" for value in ("enabled=true", "hostname=g.example", "caConfigMap=ca"))
RECOVERY = "database.cloudnativepg.name=db-2,database.cloudnativepg.recovery.from=db"
TIME = "database.cloudnativepg.recovery.targetTime=2026-11-27T08:00:00+08:00"
STORAGE = "database.cloudnativepg.storage.storageClass=fast,database.cloudnativepg.imageName=postgresql:17"
SCALING = "defaults.autoscaling.kind=keda,keda.prometheus=http://prometheus.monitoring:9090,keda.authentication=who"
SERVICES = "monitoring.podMonitor.enabled=false,monitoring.serviceMonitor.enabled=true"
OWNER = "database.kind=external,database.cidrs={192.0.2.64/30},services.sampling.migration.databaseSecret=owner"
OPTIONS = {
    "routes": (ROUTES, TRUST),
    "older routes": (ROUTES, "exposure.tlsRoute.version=v1alpha2"),
    "recovery": (RECOVERY, TIME, STORAGE),
    "recovery to the end": (RECOVERY,),
    "keda": (SCALING,),
    "service monitor": (SERVICES,),
    "external": (OWNER,),
}
KINDS = {
    "BackendTLSPolicy",
    "Certificate",
    "Cluster",
    "ExternalSecret",
    "GRPCRoute",
    "HTTPRoute",
    "ObjectStore",
    "PodMonitor",
    "PrometheusRule",
    "ScaledObject",
    "ScheduledBackup",
    "ServiceMonitor",
    "TLSRoute",
}
# Whose keys are names that somebody chose.
OPEN = {"annotations", "labels", "limits", "matchLabels", "metadata", "parameters", "requests"}


def option(name):
    return profile("city", *(word for value in OPTIONS[name] for word in ("--set", value)))


def everything():
    """All that profiles, options and overlays make for operators."""
    sets = [profile(name) for name in PROFILES] + [option(name) for name in OPTIONS] + [overlay(name) for name in OVERLAYS]
    return [one for objects in sets for one in of_operators(objects)]


def fields(value, path=()):
    """Where the fields of a value are; of lists the first entry."""
    if isinstance(value, list) and value:
        yield from fields(value[0], (*path, 0))
    elif isinstance(value, dict):
        for key in value:
            if not (path and path[-1] in OPEN):
                yield (*path, key)
            yield from fields(value[key], (*path, key))


def misspelt(one, path):
    """The object with a field under another name."""
    wrong = copy.deepcopy(one)
    place = wrong
    for key in path[:-1]:
        place = place[key]
    place[f"{path[-1]}s"] = place.pop(path[-1])
    return wrong


def test_each_fits_its_schema_to_the_letter():
    objects = everything()
    assert {one["kind"] for one in objects} == KINDS
    faults = {(one["kind"], one["metadata"]["name"]): told for one, told in zip(objects, judge(objects)) if told}
    assert not faults


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_misspelt_field_is_found_wherever_it_stands(kind):
    seen, wrong = set(), []
    for one in everything():
        if one["kind"] == kind:
            for path in fields({"spec": one["spec"]}):
                if (one["apiVersion"], path) not in seen:
                    seen.add((one["apiVersion"], path))
                    wrong.append((path, misspelt(one, path)))
    assert len(wrong) > 5
    missed = [path for (path, _), told in zip(wrong, judge([one for _, one in wrong])) if not told]
    assert not missed
