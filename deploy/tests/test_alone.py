"""Each service is a release of its own, or is changed alone in a common one."""

import pytest

from chart import PROFILES, SERVICES, container, deployments, profile, render, service_of


def identity(one):
    return one["apiVersion"], one["kind"], one["metadata"]["name"]


def alone(name, service):
    return profile(name, "-f", f"only/{service}.yaml")


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("service", SERVICES)
def test_a_release_of_one_service_has_what_the_whole_has_for_it(name, service):
    whole = {identity(one): one for one in profile(name)}
    part = alone(name, service)
    assert list(deployments(part)) == [service]
    assert all(whole[identity(one)] == one for one in part)


@pytest.mark.parametrize("name", PROFILES)
def test_releases_of_one_service_share_no_object_and_make_the_whole(name):
    parts = [identity(one) for service in SERVICES for one in alone(name, service)]
    assert len(parts) == len(set(parts)), "two releases would fight for it"
    assert set(parts) == {identity(one) for one in profile(name)}


@pytest.mark.parametrize("service", SERVICES)
def test_a_new_image_of_one_service_changes_its_deployment_and_its_jobs_and_nothing_else(service):
    before = {identity(one): one for one in profile("district")}
    after = {identity(one): one for one in profile("district", "--set", f"services.{service}.image.tag=9.9.9")}
    changed = [key for key in before if key in after and before[key] != after[key]]
    assert changed == [("apps/v1", "Deployment", f"campus-{service}"), ("batch/v1", "Job", f"campus-{service}-upgrade")]
    others = before.keys() ^ after.keys()
    jobs = set() if service == "gateway" else {("batch/v1", "Job", service)}
    assert {(*key[:2], service_of({**before, **after}[key])) for key in others} == jobs, "its Job has another name"
    image = container(after[changed[0]]["spec"]["template"])["image"]
    assert image == f"campus/{service}:9.9.9"


def test_a_digest_wins_over_a_tag():
    digest = "sha256:" + "0" * 64
    one = deployments(profile("trial", "--set", f"services.roster.image.digest={digest}", "--set", "image.registry=r.example"))
    assert container(one["roster"]["spec"]["template"])["image"] == f"r.example/campus/roster@{digest}"


def test_a_neighbour_outside_is_called_there_and_not_installed():
    objects = profile("district", "--set", "services.roster.address=https://roster.example:7401")
    assert set(deployments(objects)) == set(SERVICES) - {"roster"}
    texts = {service_of(one): str(one["data"]) for one in objects if one["kind"] == "ConfigMap"}
    assert all("https://roster.example:7401" in text for text in texts.values())


def test_a_service_may_differ_from_the_others_in_anything():
    objects = profile(
        "district",
        "--set", "services.gateway.replicas=4",
        "--set", "services.gateway.podDisruptionBudget.enabled=false",
        "--set", "services.gateway.resources.limits.memory=3Gi",
        "--set", "services.gateway.extraEnv[0].name=EXTRA,services.gateway.extraEnv[0].value=yes",
        "--set", "services.gateway.extraVolumes[0].name=more",
        "--set", "services.gateway.extraVolumeMounts[0].name=more,services.gateway.extraVolumeMounts[0].mountPath=/more",
        "--set", "services.gateway.nodeSelector.zone=a",
    )
    spec = deployments(objects)["gateway"]["spec"]
    only = container(spec["template"])
    assert spec["replicas"] == 4
    assert only["resources"]["limits"]["memory"] == "3Gi"
    assert only["resources"]["requests"] == {"cpu": "250m", "memory": "256Mi"}
    assert {"name": "EXTRA", "value": "yes"} in only["env"]
    assert {"name": "more", "mountPath": "/more"} in only["volumeMounts"]
    assert spec["template"]["spec"]["nodeSelector"] == {"zone": "a"}
    budgets = {service_of(one) for one in objects if one["kind"] == "PodDisruptionBudget"}
    assert budgets == set(SERVICES) - {"gateway"}
    assert deployments(objects)["roster"]["spec"]["replicas"] == 2


def test_objects_of_ones_own_are_rendered():
    objects = render(
        "-f", "profiles/trial.yaml",
        "--set", "extraObjects[0].apiVersion=v1,extraObjects[0].kind=ConfigMap",
        "--set-string", r"extraObjects[0].metadata.name=\{\{ .Values.prefix \}\}-own",
    )
    assert ("v1", "ConfigMap", "campus-own") in [identity(one) for one in objects]
