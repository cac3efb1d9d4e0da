"""The settings that the chart writes are settings that the services know, and no secrets."""

import re

import pytest

import keys
from chart import PROFILES, SERVICES, container, deployments, ports, profile, settings, workloads

pytestmark = pytest.mark.parametrize("name", PROFILES)

# What is no setting of a service: the runtime, the driver of PostgreSQL and OpenTelemetry read these.
OTHERS = {"POD_NAME", "TOKIO_WORKER_THREADS", "OTEL_RESOURCE_ATTRIBUTES", "PGSSLMODE", "PGSSLROOTCERT"}


def test_every_key_is_one_of_the_service_and_has_its_type(name):
    for service, file, found in settings(profile(name)).values():
        assert file == f"{service}.toml"
        known = keys.known(service)
        for path, value in keys.paths(found):
            assert path in known, f"{service}: {path}"
            assert type(value) is type(known[path]), f"{service}: {path}"


def test_every_required_key_is_there(name):
    objects = profile(name)
    variables = {
        service: {variable["name"] for variable in container(one["spec"]["template"])["env"]}
        for service, one in deployments(objects).items()
    }
    for service, _, found in settings(objects).values():
        prefix = f"CAMPUS_{service.upper().replace('-', '_')}__"
        given = {path for path, _ in keys.paths(found)}
        given |= {
            variable.removeprefix(prefix).lower().replace("__", ".")
            for variable in variables[service]
            if variable.startswith(prefix)
        }
        wanted = keys.required(service)
        if service == "gateway":
            wanted = {path for path in keys.known(service) if path.startswith("upstreams.")}
        assert wanted and wanted <= given, service


def test_every_variable_is_a_key_or_read_by_a_library(name):
    for one, template in workloads(profile(name)):
        service = one["metadata"]["labels"]["app.kubernetes.io/name"]
        prefix = f"CAMPUS_{service.upper().replace('-', '_')}__"
        for variable in container(template)["env"]:
            if variable["name"].startswith("CAMPUS_"):
                path = variable["name"].removeprefix(prefix).lower().replace("__", ".")
                assert path in keys.known(service), variable["name"]
            else:
                assert variable["name"] in OTHERS


def test_services_listen_at_the_port_that_others_call(name):
    found_at = {}
    for service, one in deployments(profile(name)).items():
        found_at[service] = ports(one["spec"]["template"])["grpc"]
    for service, _, found in settings(profile(name)).values():
        assert found["server"]["listen"] == f"0.0.0.0:{found_at[service]}"
        calls = found.get("upstreams", found)
        scheme = "https" if name == "district" else "http"
        for other in SERVICES:
            if address := calls.get(other.replace("-", "_")):
                host = f"campus-{other}.campus.svc.cluster.local"
                assert address == f"{scheme}://{host}:{found_at[other]}"


def test_no_secret_stands_in_the_clear(name):
    objects = profile(name)
    assert not [one for one in objects if one["kind"] == "Secret"]
    for service, _, found in settings(objects).values():
        for path, value in keys.paths(found):
            last = path.rpartition(".")[2]
            assert not re.search("password|secret(?!_)|_token$|^token", last), f"{service}: {path}"
            assert not re.search(r"://[^/]*@|BEGIN [A-Z ]*PRIVATE", str(value)), f"{service}: {path}"
    for _, template in workloads(objects):
        for variable in container(template)["env"]:
            if variable["name"].endswith("__DATABASE__URL"):
                assert set(variable["valueFrom"]) == {"secretKeyRef"}


def test_every_file_that_settings_name_is_mounted(name):
    objects = profile(name)
    for owner, template in workloads(objects):
        only = container(template)
        places = {mount["mountPath"]: mount["name"] for mount in only["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        assert set(places.values()) == set(volumes), owner["metadata"]["name"]
        source = volumes["settings"]["configMap"]["name"]
        service, file, found = settings(objects)[source]
        assert only["args"][:2] == ["--config", f"/etc/campus/settings/{file}"]
        for path, value in keys.paths(found):
            if isinstance(value, str) and value.startswith("/"):
                kind = "secret"
                folder = value.rpartition("/")[0]
                if value.startswith("/var/lib/"):
                    kind, folder = "persistentVolumeClaim", value if path.endswith("_folder") else folder
                    if owner["kind"] == "Job":
                        assert folder not in places, "what only those who serve need"
                        continue
                assert kind in volumes[places[folder]], f"{service}: {path}"


def test_production_keeps_everything_for_trials_out(name):
    for service, _, found in settings(profile(name)).values():
        auth = found["auth"]
        if name == "trial":
            assert auth["development"] is True and auth["trial"] is True and auth["production"] is False
            continue
        assert auth["production"] is True and "development" not in auth and "trial" not in auth
        assert found["server"]["reflection"] is False
        assert ("tls" in found["server"]) == (service == "gateway" or name == "district")
        assert auth.get("plaintext_inside", False) is (name == "city")


def test_callers_find_replicas_that_came_later(name):
    for service, _, found in settings(profile(name)).values():
        age = found["server"].get("max_connection_age")
        assert age == {"trial": None, "district": "1h", "city": "30m"}[name], service


def test_a_change_of_settings_restarts_that_service_and_no_other(name):
    changed = profile(name, "--set", "services.sampling.settings.telemetry.filter=debug")

    def sums(objects):
        return {
            service: one["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
            for service, one in deployments(objects).items()
        }

    before, after = sums(profile(name)), sums(changed)
    assert {service for service in before if before[service] != after[service]} == {"sampling"}
