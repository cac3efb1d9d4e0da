"""A database that is brought back to a time is a new one, and nobody serves it before its feeds are in a new epoch."""

from chart import SERVICES, container, deployments, of_kind, profile, service_of

STORES = set(SERVICES) - {"gateway"}
BEFORE = "2026-11-27T08:00:00+08:00"
WHOLE = ("--set", "database.cloudnativepg.name=db-2,database.cloudnativepg.recovery.from=db")
BACK = (*WHOLE, "--set", f"database.cloudnativepg.recovery.targetTime={BEFORE}")
SERVED = (*BACK, "--set", "database.cloudnativepg.recovery.serve=true")


def jobs(objects, what):
    """The Jobs that are for something, by service."""
    found = of_kind(objects, "Job").values()
    return {service_of(one): one for one in found if one["metadata"]["labels"].get("app.kubernetes.io/component") == what}


def test_each_cluster_is_recovered_to_that_time_from_the_archive_of_the_old_one():
    old = of_kind(profile("city"), "Cluster")
    objects = profile("city", *BACK)
    stores = of_kind(objects, "ObjectStore")
    clusters = of_kind(objects, "Cluster")
    assert set(clusters) == {f"campus-{service}-db-2" for service in STORES} and not clusters.keys() & old.keys()
    for name, one in clusters.items():
        before, spec, service = f"campus-{service_of(one)}-db", one["spec"], service_of(one).replace("-", "_")
        assert spec["bootstrap"] == {
            "recovery": {
                "source": before, "database": service, "owner": service, "recoveryTarget": {"targetTime": BEFORE},
            },
        }
        (source,) = spec["externalClusters"]
        assert source["name"] == before and before in old
        assert source["plugin"]["parameters"] == {"barmanObjectName": name, "serverName": before}
        assert stores[name]["spec"]["configuration"]["destinationPath"] == "s3://campus-backup/"
        (archiver,) = spec["plugins"]
        assert "serverName" not in archiver["parameters"], "it archives under its own name"


def test_without_a_time_it_is_recovered_to_the_end_of_the_archive():
    for one in of_kind(profile("city", *WHOLE), "Cluster").values():
        assert set(one["spec"]["bootstrap"]["recovery"]) == {"source", "database", "owner"}


def test_nobody_serves_while_the_schema_is_brought_up_to_date_and_a_new_epoch_begins():
    objects = profile("city", *BACK)
    for service, one in deployments(objects).items():
        assert one["spec"].get("replicas") == (0 if service in STORES else None)
    assert {service_of(one) for one in of_kind(objects, "HorizontalPodAutoscaler").values()} == {"gateway"}
    for what, command in (("recovery", ["new-epoch"]), ("migration", ["migrate", "--within", "600s"])):
        found = jobs(objects, what)
        assert set(found) == STORES
        for service, one in found.items():
            only = container(one["spec"]["template"])
            assert only["args"] == ["--config", f"/etc/campus/settings/{service}.toml", *command]
            urls = [each["valueFrom"] for each in only["env"] if each["name"].endswith("__URL")]
            assert urls == [{"secretKeyRef": {"name": f"campus-{service}-db-2-app", "key": "uri"}}]
    assert set(jobs(objects, "upgrade")) <= {"gateway"}, "a hook would wait for a database that is not there yet"
    hooks = [service_of(one) for one in of_kind(objects, "Job").values() if "annotations" in one["metadata"]]
    assert hooks == ["gateway"]


def test_then_they_serve_the_same_clusters_and_no_epoch_begins_again():
    held, served = profile("city", *BACK), profile("city", *SERVED)
    assert of_kind(held, "Cluster") == of_kind(served, "Cluster")
    assert not jobs(served, "recovery") and set(jobs(served, "migration")) == STORES
    assert all("replicas" not in one["spec"] for one in deployments(served).values())
    assert set(of_kind(served, "HorizontalPodAutoscaler")) == {f"campus-{service}" for service in SERVICES}


def test_what_is_left_of_the_old_cluster_keeps_its_store_and_its_policy():
    objects = profile("city")
    for name in of_kind(objects, "Cluster"):
        for kind in ("Cluster", "ObjectStore", "NetworkPolicy"):
            kept = of_kind(objects, kind)[name]["metadata"]["annotations"]
            assert kept == {"helm.sh/resource-policy": "keep"}


def test_one_service_is_recovered_alone():
    objects = profile("city", "-f", "only/sampling.yaml", *BACK)
    assert {service_of(one) for one in of_kind(objects, "Cluster").values()} == {"sampling"}
    assert set(jobs(objects, "recovery")) == {"sampling"}
    assert deployments(objects)["sampling"]["spec"]["replicas"] == 0
