"""The schema is brought up to date once, by a Job, and not by each replica."""

import pytest

from chart import SERVICES, container, deployments, of_kind, profile, service_of, settings
from cluster import cluster

STORES = set(SERVICES) - {"gateway"}
EXTERNAL = ("--set", "database.kind=external,database.cidrs={192.0.2.64/30}")
OWNER = "services.sampling.migration.databaseSecret=sampling-owner"


def jobs(objects, hooks):
    """The Jobs by service: those of Helm's hooks, or all others."""
    found = of_kind(objects, "Job").values()
    return {service_of(one): one for one in found if ("helm.sh/hook" in one["metadata"].get("annotations", {})) == hooks}


def url(one):
    """Where a workload has the URL of its database from."""
    env = container(one["spec"]["template"])["env"]
    (found,) = [variable["valueFrom"]["secretKeyRef"] for variable in env if variable["name"].endswith("__DATABASE__URL")]
    return found


@pytest.mark.parametrize("name", ["district", "city"])
def test_each_service_leaves_its_schema_to_a_job_and_waits_for_it_as_long_as_its_probe_lets_it(name):
    objects = profile(name)
    serving, files = deployments(objects), settings(objects)
    plain = jobs(objects, hooks=False)
    assert set(plain) == STORES
    for service, job in plain.items():
        only, pod = container(job["spec"]["template"]), container(serving[service]["spec"]["template"])
        assert only["args"] == [*pod["args"], "migrate", "--within", "600s"]
        assert (only["image"], only["env"]) == (pod["image"], pod["env"])
        database = files[f"campus-{service}"][2]["database"]
        assert (database["migrate"], database["await_schema"]) == ("by-command", "600s")
        assert pod["startupProbe"]["periodSeconds"] * pod["startupProbe"]["failureThreshold"] == 600


def test_a_job_tries_again_until_its_database_is_there_but_not_with_wrong_settings():
    for service, job in jobs(profile("district"), hooks=False).items():
        spec = job["spec"]
        assert spec["backoffLimit"] == 10 and spec["template"]["spec"]["restartPolicy"] == "Never"
        assert "activeDeadlineSeconds" not in spec, "a pod that waits for the Secret of a new database is no failure"
        wrong, evicted = spec["podFailurePolicy"]["rules"]
        assert wrong == {"action": "FailJob", "onExitCodes": {"containerName": service, "operator": "In", "values": [64]}}
        assert evicted["action"] == "Ignore"


def test_a_trial_migrates_when_it_starts():
    objects = profile("trial")
    assert not of_kind(objects, "Job")
    assert all("migrate" not in found.get("database", {}) for _, _, found in settings(objects).values())


def test_whoever_wants_it_migrates_at_the_start():
    objects = profile("district", "--set", "defaults.migration.mode=at-start")
    assert not jobs(objects, hooks=False)
    assert all("migrate" not in container(one["spec"]["template"])["args"] for one in jobs(objects, hooks=True).values())
    assert all("migrate" not in found.get("database", {}) for _, _, found in settings(objects).values())


@pytest.mark.parametrize(
    "change",
    [
        "image.tag=0.2.0",
        "services.sampling.image.tag=0.2.0",
        "services.sampling.image.digest=sha256:" + "0" * 64,
        "services.sampling.settings.telemetry.filter=debug",
        "services.sampling.migration.seconds=60",
        "services.sampling.nodeSelector.zone=a",
    ],
)
def test_nothing_of_a_job_changes_under_its_name(change):
    """Kubernetes refuses to change the pods of a Job that is there."""
    before, after = profile("district"), profile("district", "--set", change)
    renamed = jobs(before, hooks=False)["sampling"], jobs(after, hooks=False)["sampling"]
    assert renamed[0]["metadata"]["name"] != renamed[1]["metadata"]["name"]
    # Helm takes its own away before it makes them again.
    old, new = ({one["metadata"]["name"]: one for one in jobs(objects, hooks=False).values()} for objects in (before, after))
    assert old and all(old[name]["spec"] == new[name]["spec"] for name in old.keys() & new.keys())


def test_a_job_is_named_by_service_and_version_and_fits_a_label():
    for service, job in jobs(profile("district", "--set", "image.tag=0.2.0_a"), hooks=False).items():
        begin, _, total = job["metadata"]["name"].rpartition("-")
        assert begin == f"campus-{service}-migrate-0-2-0-a" and len(total) == 8
    longest = "a" * 30
    for service, job in jobs(profile("district", *EXTERNAL, "--set", f"prefix={longest}"), hooks=False).items():
        told = job["metadata"]["name"]
        assert told.startswith(f"{longest}-{service}-") and len(told) <= 63


def test_before_an_upgrade_each_service_of_a_city_checks_its_new_settings_and_migrates_its_database():
    objects = profile("city")
    hooks, files = jobs(objects, hooks=True), settings(objects)
    assert set(hooks) == set(SERVICES)
    for service, job in hooks.items():
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade,pre-rollback,test"
        migrates = [] if service == "gateway" else ["migrate", "--within", "600s"]
        assert job["spec"]["activeDeadlineSeconds"] == (720 if migrates else 120)
        only, serving = container(job["spec"]["template"]), container(deployments(objects)[service]["spec"]["template"])
        assert only["args"] == serving["args"] + (migrates or ["check-config"])
        assert only["image"] == serving["image"] and only["env"] == serving["env"]
        assert files[f"campus-{service}-upgrade"][2] == files[f"campus-{service}"][2]


def test_a_hook_checks_settings_where_it_does_not_migrate():
    checked = jobs(profile("district"), hooks=True)
    assert set(checked) == set(SERVICES)
    for job in checked.values():
        assert container(job["spec"]["template"])["args"][2:] == ["check-config"]
        assert job["spec"]["activeDeadlineSeconds"] == 120
    hook = "defaults.upgradeJob.enabled=false,defaults.migration.mode=hook,defaults.migration.seconds=30"
    migrating = profile("district", "--set", hook)
    assert set(jobs(migrating, hooks=True)) == STORES
    for job in jobs(migrating, hooks=True).values():
        assert container(job["spec"]["template"])["args"][2:] == ["migrate", "--within", "30s"]
        assert job["spec"]["activeDeadlineSeconds"] == 150


@pytest.mark.parametrize("name", ["district", "city"])
def test_a_service_that_an_upgrade_brings_has_no_hook_and_migrates_as_at_a_first_installation(name):
    """Its ServiceAccount and its Secrets come with the release, after the hooks."""
    first, later = profile(name), profile(name, "--is-upgrade")
    hooked = [one for one in first if "helm.sh/hook" in one["metadata"].get("annotations", {})]
    assert {one["kind"] for one in hooked} == {"ConfigMap", "Job"} and not jobs(later, hooks=True)
    assert later == [one for one in first if one not in hooked]
    assert set(jobs(later, hooks=False)) == STORES


def test_a_service_whose_deployment_is_in_the_cluster_has_its_hook():
    first = profile("city")
    there = [deployments(first)[service] for service in ("roster", "gateway")]
    with cluster(first, there) as address:
        upgrade = ("--is-upgrade", "--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", address)
        objects = profile("city", *upgrade)
    hooks = jobs(objects, hooks=True)
    assert set(hooks) == {"roster", "gateway"}
    assert hooks == {service: jobs(first, hooks=True)[service] for service in hooks}
    assert {f"campus-{service}-upgrade" for service in hooks} == {name for name in of_kind(objects, "ConfigMap") if name.endswith("-upgrade")}


def test_jobs_may_have_a_role_of_their_own_that_owns_the_tables():
    objects = profile("district", *EXTERNAL, "--set", OWNER, "--set", "defaults.migration.mode=hook")
    for hooks in (False, True):
        found = jobs(objects, hooks)
        assert url(found["sampling"]) == {"name": "sampling-owner", "key": "url"}
        assert url(found["notification"]) == {"name": "campus-notification-database", "key": "url"}
    assert url(deployments(objects)["sampling"]) == {"name": "campus-sampling-database", "key": "url"}


def test_the_secret_of_that_role_may_be_one_of_an_external_store():
    store = "externalSecrets.enabled=true,externalSecrets.store.name=s"
    objects = profile("district", *EXTERNAL, "--set", OWNER, "--set", store)
    made = of_kind(objects, "ExternalSecret")["sampling-owner"]["spec"]
    assert made["dataFrom"] == [{"extract": {"key": "campus/sampling/owner"}}]
