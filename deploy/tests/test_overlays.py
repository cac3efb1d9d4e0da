"""The overlays of Kustomize build, on what the chart makes."""

import pytest

from chart import OVERLAYS, SERVICES, container, deployments, of_kind, overlay, service_of


def namespaced(name):
    return [one for one in overlay(name) if one["kind"] != "Namespace"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_has_every_service_and_a_namespace_that_refuses_what_is_not_restricted(name):
    assert set(deployments(namespaced(name))) == set(SERVICES)
    (namespace,) = of_kind(overlay(name), "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for one in namespaced(name):
        assert "helm.sh/hook" not in one["metadata"].get("annotations", {}), "hooks are Helm's"


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_migrates_by_a_job_of_each_service_with_its_image_and_its_place(name):
    serving = deployments(namespaced(name))
    jobs = {service_of(one): one for one in of_kind(overlay(name), "Job").values()}
    assert set(jobs) == set(SERVICES) - {"gateway"}
    for service, one in jobs.items():
        job, pod = one["spec"]["template"], serving[service]["spec"]["template"]
        assert container(job)["args"] == [*container(pod)["args"], "migrate", "--within", "600s"]
        assert container(job)["image"] == container(pod)["image"]
        assert job["spec"].get("nodeSelector") == pod["spec"].get("nodeSelector")


def test_the_district_takes_its_images_from_its_own_registry():
    for service, one in deployments(namespaced("district")).items():
        image = container(one["spec"]["template"])["image"]
        assert image == f"registry.district.example/campus/{service}:0.1.0"
        assert one["spec"]["replicas"] == (3 if service == "gateway" else 2)
    clusters = of_kind(overlay("district"), "Cluster").values()
    assert {one["spec"]["storage"]["size"] for one in clusters} == {"10Gi"}


def test_the_city_runs_on_nodes_of_its_own_and_scales_the_gateway_further():
    for one in deployments(namespaced("city")).values():
        assert one["spec"]["template"]["spec"]["nodeSelector"] == {"campus.example/pool": "services"}
    most = {name: one["spec"]["maxReplicas"] for name, one in of_kind(overlay("city"), "HorizontalPodAutoscaler").items()}
    assert most.pop("campus-gateway") == 18 and set(most.values()) == {9}
