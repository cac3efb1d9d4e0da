"""Prometheus asks every pod and every member of a database, and has the alerts of the repository; Grafana has its dashboards."""

import json

import yaml

from chart import DEPLOY, SERVICES, deployments, of_kind, ports, profile, service_of


def test_prometheus_asks_every_pod_that_serves():
    objects = profile("city")
    monitor = of_kind(objects, "PodMonitor")["campus"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("telemetry", "/metrics")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    for one in deployments(objects).values():
        assert wanted <= one["spec"]["template"]["metadata"]["labels"].items()
        assert "telemetry" in ports(one["spec"]["template"])


def test_prometheus_asks_every_member_of_a_database_and_tells_databases_apart_as_alerts_do():
    objects = profile("city", "--set", "monitoring.podMonitor.labels.release=prometheus")
    monitors = {name: one for name, one in of_kind(objects, "PodMonitor").items() if name != "campus"}
    assert set(monitors) == set(of_kind(objects, "Cluster")) and len(monitors) == 4
    for name, one in monitors.items():
        assert one["metadata"]["labels"]["release"] == "prometheus"
        assert one["spec"]["selector"] == {"matchLabels": {"cnpg.io/cluster": name}}
        (endpoint,) = one["spec"]["podMetricsEndpoints"]
        assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")
        # The exporter itself tells most of its metrics without the name of the cluster.
        label = {"sourceLabels": ["__meta_kubernetes_pod_label_cnpg_io_cluster"], "targetLabel": "cluster"}
        assert endpoint["relabelings"] == [label]
    for file in (DEPLOY / "telemetry" / "operators").glob("*.yaml"):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                assert "by (namespace, cluster)" in rule["expr"] or "kubelet_" in rule["expr"]


def test_only_databases_of_the_operator_are_asked():
    external = "database.kind=external,database.cidrs={192.0.2.64/30}"
    assert set(of_kind(profile("city", "--set", external), "PodMonitor")) == {"campus"}
    assert not of_kind(profile("district"), "PodMonitor")


def test_where_prometheus_is_told_of_services_only_each_has_one_for_its_page():
    monitored = "monitoring.podMonitor.enabled=false,monitoring.serviceMonitor.enabled=true"
    objects = profile("city", "--set", monitored)
    assert not of_kind(objects, "PodMonitor")
    (monitor,) = of_kind(objects, "ServiceMonitor").values()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"], endpoint["honorLabels"]) == ("telemetry", "/metrics", True)
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = of_kind(objects, "Service").values()
    found = {service_of(one): one for one in services if wanted <= one["metadata"]["labels"].items()}
    assert set(found) == set(SERVICES)
    for service, one in found.items():
        spec, pod = one["spec"], deployments(objects)[service]["spec"]["template"]
        assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)
        assert spec["selector"].items() <= pod["metadata"]["labels"].items()
        assert [(port["name"], port["targetPort"]) for port in spec["ports"]] == [("telemetry", "telemetry")]
    assert len(of_kind(objects, "Service")) == 2 * len(SERVICES)


def test_alerts_and_dashboards_are_those_of_the_repository():
    objects = profile("city", "--set", "monitoring.rules.cloudnativepg=false")
    (rules,) = of_kind(objects, "PrometheusRule").values()
    groups = []
    for file in sorted((DEPLOY / "telemetry" / "rules").glob("*.yaml")):
        groups += yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    told = [(group["name"], len(group["rules"])) for group in rules["spec"]["groups"]]
    assert told == [(group["name"], len(group["rules"])) for group in groups]
    for group in rules["spec"]["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                link = rule["annotations"]["runbook_url"]
                assert link.startswith("https://git.city.example/campus/deploy/README.md#")
    (more,) = of_kind(profile("city"), "PrometheusRule").values()
    *others, backups = more["spec"]["groups"]
    assert others == rules["spec"]["groups"] and backups["name"] == "campus.backups", "beside all others"
    boards = {
        name: text
        for one in of_kind(objects, "ConfigMap").values()
        for name, text in one["data"].items()
        if name.endswith(".json")
    }
    folder = DEPLOY / "telemetry" / "dashboards"
    assert {name: json.loads(text) for name, text in boards.items()} == {
        file.name: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")
    }
