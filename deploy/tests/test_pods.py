"""What every pod must be, in every profile."""

import pytest

from chart import PROFILES, SERVICES, container, deployments, of_kind, ports, profile, seconds, service_of, settings, workloads

pytestmark = pytest.mark.parametrize("name", PROFILES)


def test_pods_meet_the_restricted_standard(name):
    for one, template in workloads(profile(name)):
        spec, only = template["spec"], container(template)
        assert spec["securityContext"]["runAsNonRoot"] is True, one["metadata"]["name"]
        assert spec["securityContext"]["runAsUser"] == 65532
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        for key in ("hostNetwork", "hostPID", "hostIPC", "initContainers"):
            assert key not in spec
        assert all("hostPort" not in port for port in only.get("ports", []))
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}


def test_no_pod_has_a_token_or_the_names_of_services(name):
    objects = profile(name)
    accounts = of_kind(objects, "ServiceAccount")
    for _, template in workloads(objects):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert accounts[spec["serviceAccountName"]]["automountServiceAccountToken"] is False
    assert len(accounts) == len(SERVICES)


def test_memory_is_limited_and_what_is_needed_is_asked_for(name):
    for _, template in workloads(profile(name)):
        resources = container(template)["resources"]
        assert set(resources["requests"]) >= {"cpu", "memory"}
        assert "memory" in resources["limits"]
        assert "cpu" not in resources["limits"], "a limit of CPU stalls a process that has work to do"


def test_each_service_is_asked_how_it_is_where_it_answers_operators(name):
    by_http = {"liveness": "/livez", "readiness": "/readyz"}
    for kind in ("grpc", "http"):
        # gRPC is what is asked for unless somebody says otherwise.
        objects = profile(name, *(() if kind == "grpc" else ("--set", f"defaults.probes.kind={kind}")))
        listens = {service: file["telemetry"]["listen"] for service, _, file in settings(objects).values()}
        for service, one in deployments(objects).items():
            only, port = container(one["spec"]["template"]), ports(one["spec"]["template"])["telemetry"]
            for probe, asked in {"startup": "liveness", "readiness": "readiness", "liveness": "liveness"}.items():
                how = {key: only[f"{probe}Probe"][key] for key in ("grpc", "httpGet") if key in only[f"{probe}Probe"]}
                if kind == "grpc":
                    assert how == {"grpc": {"port": port, "service": asked}}
                else:
                    assert how == {"httpGet": {"port": "telemetry", "path": by_http[asked]}}
            assert listens[service] == f"0.0.0.0:{port}"


def test_a_service_has_ten_minutes_for_its_schema_before_a_start_counts_as_failed(name):
    for one in deployments(profile(name)).values():
        probe = container(one["spec"]["template"])["startupProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 600
        assert one["spec"]["progressDeadlineSeconds"] > 600


def test_the_grace_period_covers_the_sleep_and_both_parts_of_the_drain(name):
    objects = profile(name)
    drains = {service: seconds(file["server"]["drain"]) for service, _, file in settings(objects).values()}
    for service, one in deployments(objects).items():
        spec = one["spec"]["template"]["spec"]
        sleep = container(one["spec"]["template"])["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert sleep >= 5, "time for every node to hear that the pod goes"
        assert spec["terminationGracePeriodSeconds"] > sleep + 2 * drains[service]


def test_a_rollout_never_takes_a_replica_away_before_its_successor_is_there(name):
    for service, one in deployments(profile(name)).items():
        strategy = one["spec"]["strategy"]
        if name == "trial" and service != "gateway":
            assert strategy == {"type": "Recreate"}, "one process at a time has the file"
        else:
            assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        assert one["spec"]["minReadySeconds"] >= 10


def test_replicas_spread_and_each_service_has_a_budget(name):
    objects = profile(name)
    budgets = {service_of(one): one["spec"] for one in of_kind(objects, "PodDisruptionBudget").values()}
    assert set(budgets) == set(SERVICES)
    for service, one in deployments(objects).items():
        selector = one["spec"]["selector"]
        assert budgets[service]["maxUnavailable"] == 1
        assert budgets[service]["selector"] == selector
        assert budgets[service]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        spread = one["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert [rule["topologyKey"] for rule in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        assert all(rule["labelSelector"] == selector for rule in spread)
        assert all(rule["matchLabelKeys"] == ["pod-template-hash"] for rule in spread)


def test_production_has_at_least_two_replicas(name):
    objects = profile(name)
    scaled = of_kind(objects, "HorizontalPodAutoscaler")
    for one in deployments(objects).values():
        if one["metadata"]["name"] in scaled:
            assert "replicas" not in one["spec"], "an upgrade would undo what the autoscaler chose"
            assert scaled[one["metadata"]["name"]]["spec"]["minReplicas"] >= 2
        else:
            assert one["spec"]["replicas"] == (1 if name == "trial" else 2)


def test_selectors_find_the_pods_that_serve_and_no_others(name):
    objects = profile(name)
    for one in of_kind(objects, "Service").values():
        found = [
            (owner["kind"], service_of(owner))
            for owner, template in workloads(objects)
            if one["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        ]
        assert found == [("Deployment", service_of(one))]
    for one in deployments(objects).values():
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_pods_do_not_change_with_the_version_of_the_chart(name):
    for one in deployments(profile(name)).values():
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(labels)


def test_every_object_is_labelled_and_in_the_namespace(name):
    for one in profile(name):
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "campus"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/instance"] == "campus"
        assert one["metadata"]["namespace"] == "campus"


def test_services_behind_the_gateway_have_every_replica_in_their_name(name):
    for one in of_kind(profile(name), "Service").values():
        assert (one["spec"].get("clusterIP") == "None") == (service_of(one) != "gateway")
