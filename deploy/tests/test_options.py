"""What is off by default does what it says when it is on."""

import json
import tomllib

import pytest
import yaml

import keys
from chart import SERVICES, container, deployments, of_kind, ports, profile, service_of, settings


def test_autoscaling_asks_for_cpu_and_where_wanted_for_calls_under_way():
    objects = profile("city", "--set", "services.gateway.autoscaling.callsInFlight=64")
    scaled = {service_of(one): one["spec"] for one in of_kind(objects, "HorizontalPodAutoscaler").values()}
    assert set(scaled) == set(SERVICES)
    for service, spec in scaled.items():
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"campus-{service}"}
        cpu, *others = spec["metrics"]
        assert cpu["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
        assert [one["pods"]["metric"]["name"] for one in others] == ["campus_calls_in_flight"] * (service == "gateway")
        assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


def test_the_metric_of_autoscaling_is_recorded_by_the_rules():
    (rules,) = of_kind(profile("city"), "PrometheusRule").values()
    recorded = {
        rule["record"]: rule["expr"] for group in rules["spec"]["groups"] for rule in group["rules"] if "record" in rule
    }
    assert recorded["campus_calls_in_flight"].startswith("sum by (namespace, pod) (campus_rpc_in_flight")


def test_prometheus_asks_every_pod_that_serves():
    objects = profile("city")
    (monitor,) = of_kind(objects, "PodMonitor").values()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("telemetry", "/metrics")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    for one in deployments(objects).values():
        assert wanted <= one["spec"]["template"]["metadata"]["labels"].items()
        assert "telemetry" in ports(one["spec"]["template"])


def test_alerts_and_dashboards_are_those_of_the_repository():
    objects = profile("city")
    (rules,) = of_kind(objects, "PrometheusRule").values()
    groups = []
    for file in sorted((keys.DEPLOY / "telemetry" / "rules").glob("*.yaml")):
        groups += yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    told = [(group["name"], len(group["rules"])) for group in rules["spec"]["groups"]]
    assert told == [(group["name"], len(group["rules"])) for group in groups]
    for group in rules["spec"]["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                link = rule["annotations"]["runbook_url"]
                assert link.startswith("https://git.city.example/campus/deploy/README.md#")
    boards = {
        name: text
        for one in of_kind(objects, "ConfigMap").values()
        for name, text in one["data"].items()
        if name.endswith(".json")
    }
    folder = keys.DEPLOY / "telemetry" / "dashboards"
    assert {name: json.loads(text) for name, text in boards.items()} == {
        file.name: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")
    }


def test_before_an_upgrade_each_service_checks_its_new_settings_and_migrates_its_database():
    objects = profile("city")
    jobs = {service_of(one): one for one in of_kind(objects, "Job").values()}
    assert set(jobs) == set(SERVICES)
    files = settings(objects)
    for service, job in jobs.items():
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade,pre-rollback,test"
        migrates = [] if service == "gateway" else ["migrate", "--within", "600s"]
        assert job["spec"]["activeDeadlineSeconds"] == (720 if migrates else 120)
        only, serving = container(job["spec"]["template"]), container(deployments(objects)[service]["spec"]["template"])
        assert only["args"] == serving["args"] + (migrates or ["check-config"])
        assert only["image"] == serving["image"] and only["env"] == serving["env"]
        assert files[f"campus-{service}-upgrade"][2] == files[f"campus-{service}"][2]


def test_whoever_migrates_otherwise_has_new_settings_checked():
    for more in ("defaults.upgradeJob.migrate=false", "defaults.upgradeJob.migrateSeconds=30"):
        for job in of_kind(profile("city", "--set", more), "Job").values():
            args, deadline = container(job["spec"]["template"])["args"][2:], job["spec"]["activeDeadlineSeconds"]
            if service_of(job) == "gateway" or more.endswith("false"):
                assert (args, deadline) == (["check-config"], 120)
            else:
                assert (args, deadline) == (["migrate", "--within", "30s"], 150)


def test_each_service_has_its_own_database_in_production():
    objects = profile("city")
    clusters = {service_of(one): one["spec"] for one in of_kind(objects, "Cluster").values()}
    assert set(clusters) == set(SERVICES) - {"gateway"}
    for service, spec in clusters.items():
        assert spec["bootstrap"]["initdb"]["owner"] == service.replace("-", "_")
        assert spec["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}
        assert spec["instances"] == 3 and spec["enableSuperuserAccess"] is False
        env = {one["name"]: one for one in container(deployments(objects)[service]["spec"]["template"])["env"]}
        url = env[f"CAMPUS_{service.upper().replace('-', '_')}__DATABASE__URL"]["valueFrom"]["secretKeyRef"]
        assert url == {"name": f"campus-{service}-db-app", "key": "uri"}
        assert env["PGSSLMODE"]["value"] == "verify-full"


def test_every_database_is_backed_up_each_night():
    objects = profile("city")
    stores, schedules = of_kind(objects, "ObjectStore"), of_kind(objects, "ScheduledBackup")
    for name, cluster in of_kind(objects, "Cluster").items():
        (plugin,) = cluster["spec"]["plugins"]
        assert plugin["isWALArchiver"] is True and plugin["parameters"]["barmanObjectName"] in stores
        assert schedules[name]["spec"]["schedule"] == "0 0 2 * * *"
        assert schedules[name]["spec"]["method"] == "plugin"
        assert schedules[name]["spec"]["cluster"] == {"name": name}


def test_an_external_database_is_a_secret_and_a_place_in_the_network():
    objects = profile(
        "district", "--set", "database.kind=external,database.cidrs={192.0.2.64/30},database.caSecret=pg-ca",
    )
    assert not of_kind(objects, "Cluster")
    for service, one in deployments(objects).items():
        spec = one["spec"]["template"]["spec"]
        secrets = {volume.get("secret", {}).get("secretName") for volume in spec["volumes"]}
        assert ("pg-ca" in secrets) == (service != "gateway")
        urls = [one["valueFrom"]["secretKeyRef"] for one in spec["containers"][0]["env"] if one["name"].endswith("__URL")]
        assert urls == ([] if service == "gateway" else [{"name": f"campus-{service}-database", "key": "url"}])


def test_the_stores_of_a_trial_outlive_their_release():
    claims = of_kind(profile("trial"), "PersistentVolumeClaim")
    assert len(claims) == 4
    for one in claims.values():
        assert one["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    for one in of_kind(profile("city"), "Cluster").values():
        assert one["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize("name", ["district", "city"])
def test_certificates_cover_the_names_that_are_called(name):
    objects = profile(name)
    certificates = {service_of(one): one["spec"] for one in of_kind(objects, "Certificate").values()}
    assert set(certificates) == (set(SERVICES) if name == "district" else {"gateway"})
    for service, spec in certificates.items():
        assert spec["secretName"] == f"campus-{service}-tls"
        assert f"campus-{service}.campus.svc.cluster.local" in spec["dnsNames"]
    assert f"campus.{name}.example" in certificates["gateway"]["dnsNames"]


def test_secrets_of_an_external_store_are_those_that_pods_mount():
    objects = profile("city")
    made = set(of_kind(objects, "ExternalSecret"))
    mounted = set()
    for one in deployments(objects).values():
        for volume in one["spec"]["template"]["spec"]["volumes"]:
            if name := volume.get("secret", {}).get("secretName"):
                mounted.add(name)
    others = {"campus-gateway-tls"} | {f"campus-{one}-db-ca" for one in SERVICES}
    assert made == mounted - others


def test_partners_with_certificates_are_let_in_by_the_gateway_and_vouched_for():
    objects = profile("district", "--set", "services.gateway.partnersCaSecret=partners,gatewayKeys={AAAA}")
    for service, _, found in settings(objects).values():
        if service == "gateway":
            assert found["server"]["tls"]["client_ca"] == "/etc/campus/partners/ca.crt"
            assert found["internal_token_key_file"] == "/run/secrets/campus/gateway.pem"
        else:
            assert found["auth"]["gateway_keys"] == ["AAAA"]


def test_policies_and_the_list_of_what_was_called_back_are_mounted_for_all():
    objects = profile("district", "--set", "policies.configMap=cedar,revoked.secret=revoked")
    for one in deployments(objects).values():
        places = {mount["mountPath"] for mount in container(one["spec"]["template"])["volumeMounts"]}
        assert {"/etc/campus/policies", "/etc/campus/revoked"} <= places
    for _, _, found in settings(objects).values():
        assert found["auth"]["policies"] == "/etc/campus/policies"
        assert found["auth"]["revoked_file"] == "/etc/campus/revoked/revoked"


def test_the_gateway_is_reached_by_routes_of_every_kind():
    route = "parentRefs[0].name=door"
    objects = profile(
        "city",
        *("--set", f"exposure.grpcRoute.enabled=true,exposure.grpcRoute.{route},exposure.grpcRoute.hostnames={{g.example}}"),
        *("--set", f"exposure.httpRoute.enabled=true,exposure.httpRoute.{route},exposure.httpRoute.hostnames={{h.example}}"),
        *("--set", f"exposure.tlsRoute.enabled=true,exposure.tlsRoute.{route},exposure.tlsRoute.hostnames={{t.example}}"),
        *("--set", "exposure.ingress.enabled=true,exposure.ingress.host=i.example,exposure.ingress.tlsSecret=i"),
        *("--set", "exposure.backendTLSPolicy.enabled=true,exposure.backendTLSPolicy.hostname=g.example"),
    )
    for kind, host in (("GRPCRoute", "g.example"), ("HTTPRoute", "h.example"), ("TLSRoute", "t.example")):
        (one,) = of_kind(objects, kind).values()
        assert one["spec"]["hostnames"] == [host]
        assert one["spec"]["rules"] == [{"backendRefs": [{"name": "campus-gateway", "port": 7400}]}]
    (ingress,) = of_kind(objects, "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "campus-gateway", "port": {"name": "grpc"}}
    (trust,) = of_kind(objects, "BackendTLSPolicy").values()
    assert trust["spec"]["targetRefs"] == [{"group": "", "kind": "Service", "name": "campus-gateway"}]


def test_settings_of_every_shape_come_out_as_they_went_in(tmp_path):
    own = keys.DEPLOY / "tests" / "shapes.yaml"
    objects = profile("trial", "-f", str(own))
    (text,) = of_kind(objects, "ConfigMap")["campus-notification"]["data"].values()
    found = tomllib.loads(text)
    assert found["deliveries"]["chunk"] == 100000
    assert found["warnings"]["sender"] == "a \"quoted\" <name> & 校安\n"
    (channel,) = found["channels"]
    assert channel["request"]["headers"] == [["authorization", "Bearer {secret}"]]
    assert channel["request"]["sign"] == {"text": "{millis}", "encoding": "base64"}
    assert channel["budget_per_minute"] == 3000 and channel["exercise"] is False
    (text,) = of_kind(objects, "ConfigMap")["campus-gateway"]["data"].values()
    assert tomllib.loads(text)["limits"]["roles"] == {"guard": {"rate": 20.5, "burst": 200}}
