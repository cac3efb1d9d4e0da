"""What is off by default does what it says when it is on."""

import json
import tomllib

import pytest
import yaml

import keys
from chart import SERVICES, container, deployments, of_kind, ports, profile, service_of, settings, workloads


def test_a_city_scales_by_cpu_and_by_calls_under_way_unless_a_service_does_not_want_them_asked():
    objects = profile("city", "--set", "services.roster.autoscaling.callsInFlight=0")
    scaled = {service_of(one): one["spec"] for one in of_kind(objects, "HorizontalPodAutoscaler").values()}
    assert set(scaled) == set(SERVICES)
    for service, spec in scaled.items():
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"campus-{service}"}
        cpu, *others = spec["metrics"]
        assert cpu["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
        calls = {"metric": {"name": "campus_calls_in_flight"}, "target": {"type": "AverageValue", "averageValue": "64"}}
        assert [one["pods"] for one in others] == [calls] * (service != "roster")
        assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300


def recorded():
    """What the rules of the chart record."""
    (rules,) = of_kind(profile("city"), "PrometheusRule").values()
    found = [rule for group in rules["spec"]["groups"] for rule in group["rules"]]
    return {rule["record"]: rule["expr"] for rule in found if "record" in rule}


def test_the_metric_of_autoscaling_is_recorded_by_the_rules_and_served_by_the_adapter():
    series = recorded()["campus_calls_in_flight"]
    assert series.startswith("sum by (namespace, pod) (campus_rpc_in_flight")
    adapter = yaml.safe_load((keys.DEPLOY / "telemetry" / "adapter.yaml").read_text(encoding="utf-8"))
    (rule,) = adapter["rules"]["custom"]
    named = rule["seriesQuery"].partition("{")[0]
    assert named == rule["name"]["as"] == "campus_calls_in_flight"
    objects = rule["resources"]["overrides"]
    assert {label: one["resource"] for label, one in objects.items()} == {"namespace": "namespace", "pod": "pod"}
    assert all(f'{label}!=""' in rule["seriesQuery"] for label in objects)
    assert rule["metricsQuery"] == "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)"


def test_keda_scales_as_the_autoscaler_of_kubernetes_does():
    keda = "defaults.autoscaling.kind=keda,keda.prometheus=http://prometheus.monitoring:9090,keda.authentication=who"
    objects = profile("city", "--set", keda)
    assert not of_kind(objects, "HorizontalPodAutoscaler")
    scaled = {service_of(one): one["spec"] for one in of_kind(objects, "ScaledObject").values()}
    assert set(scaled) == set(SERVICES)
    same = {service_of(one): one["spec"] for one in of_kind(profile("city"), "HorizontalPodAutoscaler").values()}
    for service, spec in scaled.items():
        assert spec["scaleTargetRef"] == {"name": f"campus-{service}"}
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (3, 9)
        assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == same[service]["behavior"]
        cpu, calls = spec["triggers"]
        assert (cpu["type"], cpu["metricType"], cpu["metadata"]) == ("cpu", "Utilization", {"value": "70"})
        assert calls["metadata"] == {
            "serverAddress": "http://prometheus.monitoring:9090",
            "query": f'sum(campus_calls_in_flight{{namespace="campus",pod=~"campus-{service}-.+"}})',
            "threshold": "64",
        }
        assert calls["authenticationRef"] == {"name": "who"}
        assert "replicas" not in deployments(objects)[service]["spec"]
    few = ",".join(f"defaults.autoscaling.{value}" for value in ("kind=keda", "enabled=true", "maxReplicas=3"))
    without = profile("district", "--set", few)
    for one in of_kind(without, "ScaledObject").values():
        assert [trigger["type"] for trigger in one["spec"]["triggers"]] == ["cpu"]


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


@pytest.mark.parametrize(("of", "apart"), [("district", "kubernetes.io/hostname"), ("city", "topology.kubernetes.io/zone")])
def test_members_of_a_database_keep_apart_by_nodes_in_a_district_and_by_zones_in_a_city(of, apart):
    for one in of_kind(profile(of), "Cluster").values():
        assert one["spec"]["affinity"] == {"enablePodAntiAffinity": True, "topologyKey": apart}


@pytest.mark.parametrize("of", ["district", "city"])
def test_every_database_is_backed_up_each_night(of):
    objects = profile(of)
    stores, schedules = of_kind(objects, "ObjectStore"), of_kind(objects, "ScheduledBackup")
    for name, cluster in of_kind(objects, "Cluster").items():
        assert stores[name]["spec"]["configuration"]["s3Credentials"]["accessKeyId"]["name"] == "campus-backup"
        (plugin,) = cluster["spec"]["plugins"]
        assert plugin["isWALArchiver"] is True and plugin["parameters"]["barmanObjectName"] in stores
        assert schedules[name]["spec"]["schedule"] == "0 0 2 * * *"
        assert schedules[name]["spec"]["method"] == "plugin"
        assert schedules[name]["spec"]["cluster"] == {"name": name}


def test_a_database_is_backed_up_nowhere_where_somebody_says_so():
    objects = profile("district", "--set", "database.cloudnativepg.backup.kind=none")
    assert not {one["kind"] for one in objects} & {"ObjectStore", "ScheduledBackup"}
    assert all("plugins" not in one["spec"] for one in of_kind(objects, "Cluster").values())
    assert "192.0.2.48/28" not in json.dumps(of_kind(objects, "NetworkPolicy")), "nor does a database reach a store"


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
    stores = of_kind(profile("trial"), "PersistentVolumeClaim")
    assert len(stores) == 4
    for one in stores.values():
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


def test_keys_of_the_gateway_are_a_file_of_the_services_behind_it():
    values = "services.gateway.partnersCaSecret=partners,gatewayKeysConfigMap=vouching"
    objects = profile("district", "--set", values)
    for service, _, found in settings(objects).values():
        file = None if service == "gateway" else "/etc/campus/vouching/gateway-keys"
        assert found["auth"].get("gateway_keys_file") == file
        assert "gateway_keys" not in found["auth"]
    for service, one in deployments(objects).items():
        maps = {volume.get("configMap", {}).get("name") for volume in one["spec"]["template"]["spec"]["volumes"]}
        places = {mount["mountPath"] for mount in container(one["spec"]["template"])["volumeMounts"]}
        assert ("vouching" in maps) == ("/etc/campus/vouching" in places) == (service != "gateway")


def test_a_former_master_key_stands_beside_the_master_key_where_it_is_being_changed():
    objects = profile("district", "--set", "services.roster.formerMasterKey=true")
    expected = {"roster": "/run/secrets/campus/former-master-key", "safety-inspection": None, "notification": None}
    found = {service: one["crypto"].get("former_master_key_file")
             for service, _, one in settings(objects).values() if service in expected}
    assert found == expected


def test_agreements_with_partners_are_a_file_of_the_gateway_alone():
    partners = "services.gateway.partnersCaSecret=partners,services.gateway.partnersConfigMap=agreements,gatewayKeys={AAAA}"
    objects = profile("district", "--set", partners)
    for service, _, found in settings(objects).values():
        file = "/etc/campus/agreements/partners.toml" if service == "gateway" else None
        assert found["auth"].get("partners_file") == file
    for service, one in deployments(objects).items():
        maps = {volume.get("configMap", {}).get("name") for volume in one["spec"]["template"]["spec"]["volumes"]}
        places = {mount["mountPath"] for mount in container(one["spec"]["template"])["volumeMounts"]}
        assert ("agreements" in maps) == ("/etc/campus/agreements" in places) == (service == "gateway")


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
        *("--set", "exposure.backendTLSPolicy.caConfigMap=ca"),
    )
    for kind, host in (("GRPCRoute", "g.example"), ("HTTPRoute", "h.example"), ("TLSRoute", "t.example")):
        (one,) = of_kind(objects, kind).values()
        assert one["spec"]["hostnames"] == [host]
        assert one["spec"]["rules"] == [{"backendRefs": [{"name": "campus-gateway", "port": 7400}]}]
    (ingress,) = of_kind(objects, "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "campus-gateway", "port": {"name": "grpc"}}
    (trust,) = of_kind(objects, "BackendTLSPolicy").values()
    assert trust["spec"]["validation"]["caCertificateRefs"] == [{"group": "", "kind": "ConfigMap", "name": "ca"}]
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


def at(one, path):
    """What stands at a path such as `spec.ingress.0.from`; nothing where nothing does."""
    for key in path.split("."):
        if isinstance(one, list):
            one = one[int(key)]
        elif (one := one.get(key)) is None:
            return None
    return one


def holds(found, wanted):
    """Whether something is there as it was asked for, beside what others put there."""
    return wanted.items() <= (found or {}).items() if isinstance(wanted, dict) else found == wanted


NEAR = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
FETCHES = [{"name": "fetch", "image": "fetch:1"}]
LET_IN = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]


@pytest.mark.parametrize(
    ("value", "given", "kind", "path", "wanted"),
    [
        ("defaults.podLabels", {"team": "health"}, "Deployment", "spec.template.metadata.labels", None),
        ("defaults.podAnnotations", {"team": "health"}, "Deployment", "spec.template.metadata.annotations", None),
        ("defaults.serviceAnnotations", {"team": "health"}, "Service", "metadata.annotations", None),
        ("defaults.serviceAccountAnnotations", {"team": "health"}, "ServiceAccount", "metadata.annotations", None),
        ("defaults.nodeSelector", {"disk": "fast"}, "pods", "nodeSelector", None),
        ("defaults.tolerations", [{"key": "campus", "operator": "Exists"}], "pods", "tolerations", None),
        ("defaults.affinity", NEAR, "pods", "affinity", None),
        ("defaults.priorityClassName", "campus", "pods", "priorityClassName", None),
        ("defaults.hostAliases", [{"ip": "192.0.2.7", "hostnames": ["id.example"]}], "pods", "hostAliases", None),
        ("defaults.dnsConfig", {"options": [{"name": "ndots", "value": "2"}]}, "pods", "dnsConfig", None),
        ("defaults.extraEnvFrom", [{"secretRef": {"name": "more"}}], "pods", "containers.0.envFrom", None),
        ("defaults.extraInitContainers", FETCHES, "pods", "initContainers", None),
        ("image.pullSecrets", ["registry"], "pods", "imagePullSecrets", [{"name": "registry"}]),
        ("exposure.service.externalTrafficPolicy", "Cluster", "door of Service", "spec.externalTrafficPolicy", None),
        ("networkPolicy.gatewayFrom", LET_IN, "door of NetworkPolicy", "spec.ingress.0.from", None),
    ],
)
def test_a_value_stands_where_it_was_meant_for(value, given, kind, path, wanted):
    def found(objects):
        if kind == "pods":
            return [at(template["spec"], path) for _, template in workloads(objects)]
        services = ["gateway"] if kind.startswith("door of ") else SERVICES
        of = of_kind(objects, kind.removeprefix("door of "))
        return [at(of[f"campus-{service}"], path) for service in services]

    wanted = given if wanted is None else wanted
    before, after = found(profile("district")), found(profile("district", "--set-json", f"{value}={json.dumps(given)}"))
    assert after and len(before) == len(after)
    assert all(holds(one, wanted) for one in after) and not any(holds(one, wanted) for one in before)


def test_one_service_has_labels_that_others_have_not():
    objects = profile("district", "--set-json", 'services.sampling.podLabels={"team":"health"}')
    labelled = [service for service, one in deployments(objects).items() if "team" in at(one, "spec.template.metadata.labels")]
    assert labelled == ["sampling"]


def test_one_service_has_a_container_beside_it_and_its_jobs_have_none_or_they_would_not_end():
    beside = {"name": "beside", "image": "beside:1"}
    objects = profile("city", "--set-json", f"services.sampling.extraContainers={json.dumps([beside])}")
    for one, template in workloads(objects):
        first, *others = template["spec"]["containers"]
        assert first["name"] == service_of(one)
        assert others == [beside] * ((one["kind"], service_of(one)) == ("Deployment", "sampling"))


def test_one_service_has_extras_of_its_own_in_place_of_those_of_all():
    everywhere = '[{"name":"fetch","image":"fetch:1"}]'
    own = '[{"name":"other","image":"other:1"}]'
    values = (f"defaults.extraInitContainers={everywhere}", f"services.roster.extraInitContainers={own}")
    objects = profile("district", *(word for value in values for word in ("--set-json", value)))
    for one, template in workloads(objects):
        (found,) = template["spec"]["initContainers"]
        assert found["name"] == ("other" if service_of(one) == "roster" else "fetch")


def test_names_end_in_the_domain_of_the_cluster():
    objects = profile("district", "--set", "clusterDomain=inside.example")
    assert "cluster.local" not in json.dumps(objects)
    for service, one in of_kind(objects, "Certificate").items():
        assert f"{service}.campus.svc.inside.example" in one["spec"]["dnsNames"]
    (text,) = of_kind(objects, "ConfigMap")["campus-gateway"]["data"].values()
    for port, service in zip((7401, 7402, 7403, 7404), SERVICES):
        assert f"https://campus-{service}.campus.svc.inside.example:{port}" in text


def test_pods_listen_at_addresses_of_ipv6_where_they_have_no_others():
    objects = profile("district", "--set-json", 'listenAddress="[::]"')
    for service, _, found in settings(objects).values():
        template = deployments(objects)[service]["spec"]["template"]
        assert found["server"]["listen"] == f"[::]:{ports(template)['grpc']}"
        assert found["telemetry"]["listen"] == f"[::]:{ports(template)['telemetry']}"


def test_whoever_calls_trusts_the_authority_that_is_named_in_place_of_their_own():
    def trusted(objects):
        found = {}
        for service, one in deployments(objects).items():
            for volume in one["spec"]["template"]["spec"]["volumes"]:
                if volume["name"] == "authority":
                    found[service] = volume["secret"]["secretName"]
        return found

    own, named = trusted(profile("district")), trusted(profile("district", "--set", "insideCaSecret=inside-ca"))
    assert own and own == {service: f"campus-{service}-tls" for service in own}
    assert named == dict.fromkeys(own, "inside-ca")
