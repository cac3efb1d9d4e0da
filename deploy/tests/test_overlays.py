"""The overlays of Kustomize build, on what the chart makes."""

import os
import subprocess

import pytest
import yaml

from chart import DEPLOY, SERVICES, container, deployments, of_kind

KUSTOMIZE = DEPLOY / "kustomize"


@pytest.fixture(scope="module")
def built():
    subprocess.run([KUSTOMIZE / "render"], check=True)
    return {name: build(name) for name in ("district", "city")}


def build(name):
    kubectl = os.environ.get("KUBECTL", "kubectl")
    done = subprocess.run([kubectl, "kustomize", KUSTOMIZE / name], check=True, capture_output=True, text=True)
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@pytest.mark.parametrize("name", ["district", "city"])
def test_an_overlay_has_every_service_and_a_namespace_that_refuses_what_is_not_restricted(built, name):
    objects = built[name]
    assert set(deployments([one for one in objects if one["kind"] != "Namespace"])) == set(SERVICES)
    (namespace,) = of_kind(objects, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert not of_kind(objects, "Job"), "hooks are Helm's"


def test_the_district_takes_its_images_from_its_own_registry(built):
    for service, one in deployments([one for one in built["district"] if one["kind"] != "Namespace"]).items():
        image = container(one["spec"]["template"])["image"]
        assert image == f"registry.district.example/campus/{service}:0.1.0"
        assert one["spec"]["replicas"] == (3 if service == "gateway" else 2)
    clusters = of_kind(built["district"], "Cluster").values()
    assert {one["spec"]["storage"]["size"] for one in clusters} == {"10Gi"}


def test_the_city_runs_on_nodes_of_its_own_and_scales_the_gateway_further(built):
    objects = [one for one in built["city"] if one["kind"] != "Namespace"]
    for one in deployments(objects).values():
        assert one["spec"]["template"]["spec"]["nodeSelector"] == {"campus.example/pool": "services"}
    most = {name: one["spec"]["maxReplicas"] for name, one in of_kind(objects, "HorizontalPodAutoscaler").items()}
    assert most.pop("campus-gateway") == 18 and set(most.values()) == {9}
