"""The secrets of emergencies and the checkpoints of audits lie on volumes of their own."""

import pytest

from chart import SERVICES, claims, deployments, of_kind, profile, service_of, settings, workloads

STORES = set(SERVICES) - {"gateway"}
SEALERS = {"notification", "safety-inspection"}
SECRETS, CHECKPOINTS = "/var/lib/campus-emergencies", "/var/lib/campus-checkpoints"
OWN = (
    "--set", "emergencies.volume.kind=claim,emergencies.volume.claim=secrets",
    "--set", "audit.checkpoints.kind=claim,audit.checkpoints.claim=far",
)
NONE = ("--set", "emergencies.volume.kind=none,audit.checkpoints.kind=none")


def mounted(objects):
    return {service: claims(one["spec"]["template"]) for service, one in deployments(objects).items()}


@pytest.mark.parametrize("name", ["district", "city"])
def test_a_profile_of_production_makes_claims_that_all_replicas_share_and_that_outlive_it(name):
    objects = profile(name)
    made = of_kind(objects, "PersistentVolumeClaim")
    assert set(made) == {f"campus-{one}-emergencies" for one in SEALERS} | {f"campus-{one}-checkpoints" for one in STORES}
    for one in made.values():
        assert one["spec"]["accessModes"] == ["ReadWriteMany"]
        assert one["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    for one in SEALERS:
        labels = made[f"campus-{one}-emergencies"]["metadata"]["labels"]
        assert labels["velero.io/exclude-from-backup"] == "true"
    for service, places in mounted(objects).items():
        wanted = {CHECKPOINTS: f"campus-{service}-checkpoints"} if service in STORES else {}
        if service in SEALERS:
            wanted[SECRETS] = f"campus-{service}-emergencies"
        assert places == wanted


@pytest.mark.parametrize("name", ["district", "city"])
def test_services_are_told_where(name):
    for service, _, found in settings(profile(name)).values():
        told = f"{CHECKPOINTS}/{service}.checkpoints" if service in STORES else None
        assert found.get("audit", {}).get("checkpoint_file") == told
        told = SECRETS if service in SEALERS else None
        assert found.get("emergencies", {}).get("secret_folder") == told


def test_claims_of_ones_own_are_mounted_with_a_folder_for_each_log():
    objects = profile("district", *OWN)
    assert not of_kind(objects, "PersistentVolumeClaim")
    places = mounted(objects)
    for service in SEALERS:
        assert places[service] == {SECRETS: "secrets", CHECKPOINTS: "far"}
    for service, one in deployments(objects).items():
        mounts = one["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
        folders = {mount["mountPath"]: mount.get("subPath") for mount in mounts}
        if service in STORES:
            assert folders[CHECKPOINTS] == service


def test_whoever_says_none_has_none():
    objects = profile("district", *NONE)
    assert not of_kind(objects, "PersistentVolumeClaim") and not any(mounted(objects).values())
    for _, _, found in settings(objects).values():
        assert "emergencies" not in found and "checkpoint_file" not in found.get("audit", {})


def test_a_trial_needs_none_and_may_have_them():
    own = "emergencies.volume.kind=new,audit.checkpoints.kind=new,emergencies.volume.accessMode=ReadWriteOnce"
    assert not {one for one in of_kind(profile("trial"), "PersistentVolumeClaim") if not one.endswith("-data")}
    objects = profile("trial", "--set", own)
    secrets = of_kind(objects, "PersistentVolumeClaim")["campus-safety-inspection-emergencies"]["spec"]
    assert secrets["accessModes"] == ["ReadWriteOnce"]
    assert mounted(objects)["safety-inspection"][SECRETS] == "campus-safety-inspection-emergencies"


def test_jobs_see_neither():
    for one, template in workloads(profile("city")):
        if one["kind"] == "Job":
            assert not claims(template), service_of(one)
