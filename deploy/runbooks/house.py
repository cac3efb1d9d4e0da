"""The five services as processes of their own in production's manner: their own databases and roles, keys in files,
tokens of an issuer, TLS at the door."""

import base64
import http.client
import json
import re
import secrets

from calls import Door
from issuer import Authority, Issuer, Key, bundle, secret_file
from postgres import STORES, Cluster
from stage import Process, free_port, must, until

# In the order in which they start: facts flow down it.
SERVICES = (*STORES, "gateway")
# Whom each one calls.
CALLS = {
    "roster": (),
    "sampling": ("roster",),
    "safety-inspection": ("roster", "sampling"),
    "notification": ("roster", "sampling", "safety-inspection"),
}
# What a caller asks the health service: HealthCheckRequest {service: "readiness"} in a frame of gRPC.
READINESS = b"\x00\x00\x00\x00\x0b\x0a\x09readiness"
# HealthCheckResponse {status: SERVING} in its frame.
SERVING = b"\x00\x00\x00\x00\x02\x08\x01"


def toml(table, path=()):
    """A table as TOML."""
    def nested(value):
        return isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict))

    def quoted(key):
        return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)

    text = "".join(
        f"{quoted(key)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items() if not nested(value)
    )
    for key, value in table.items():
        below = (*path, key)
        if isinstance(value, dict):
            text += f"\n[{'.'.join(below)}]\n{toml(value, below)}"
        elif nested(value):
            text += "".join(f"\n[[{'.'.join(below)}]]\n{toml(one, below)}" for one in value)
    return text


def limits(rate, burst):
    """What every caller may ask for, whoever it is and whatever it asks: one token stands for many here."""
    return {"all": {"rate": rate, "burst": burst}, "roles": {}, "methods": []}


class House:
    """Five services that can be stopped, killed and started one by one. With `encryption="tls"` they encrypt by themselves
    what they say to one another, as in a district; with `"mesh"` they leave that to the machine, as in a city. Likewise
    databases, by `database_tls`."""

    def __init__(self, stage, cluster=None, name="house", encryption="mesh", database_tls=False, **database):
        self.stage = stage
        self.folder = stage.folder / name
        self.folder.mkdir()
        self.keys = self.folder / "keys"
        self.keys.mkdir()
        self.settings_folder = self.folder / "etc"
        self.settings_folder.mkdir()
        # Who vouches for databases, for services and for partners, each for nobody else.
        self.database_authority = Authority(self.keys, "databases") if database_tls else None
        self.cluster = cluster or Cluster(stage, authority=self.database_authority).create().start()
        self.database = database
        self.issuer = Issuer(self.keys)
        self.authority = Authority(self.keys)
        self.partners = Authority(self.keys, "partners")
        self.partner_trust = bundle(self.keys / "partner-trust.crt", self.partners)
        # Who counts for whoever calls a service, neighbours and the world alike.
        self.trusted = bundle(self.keys / "trusted.crt", self.authority)
        self.encryption = encryption
        self.encrypted = SERVICES if encryption == "tls" else ("gateway",)
        for service in self.encrypted:
            self.authority.issue(service, *self.pair(service))
        self.internal = [Key(self.keys / "internal-0.pem")]
        self.internal_trust = self.keys / "gateway-keys"
        self.publish_internal_keys()
        self.revoked = self.keys / "revoked"
        self.revoked.write_text("", encoding="utf-8")
        self.passwords = {service: secrets.token_hex(12) for service in STORES}
        # Where each service finds the server: a proxy may stand between.
        self.database_ports = {}
        # Whose databases stand in another cluster.
        self.clusters = {}
        self.ports = {service: free_port() for service in SERVICES}
        # Where operators ask each service.
        self.pages = {service: free_port() for service in SERVICES}
        self.secrets = {}
        self.settings = {service: self.first_settings(service) for service in SERVICES}
        self.processes = {}
        self.door = Door(self.ports["gateway"], self.trusted)

    # What an operator writes.

    def secret(self, service, name):
        """The file of a secret of a service; it is made when it is first asked for."""
        path = self.keys / f"{service}-{name}"
        if path not in self.secrets.values():
            self.secrets[service, name] = secret_file(path)
        return path

    def pair(self, service):
        """Where the certificate and the key of a service are."""
        return self.keys / f"{service}.crt", self.keys / f"{service}.key"

    def address(self, service):
        scheme = "https" if service in self.encrypted else "http"
        return f"{scheme}://127.0.0.1:{self.ports[service]}"

    def publish_internal_keys(self):
        """Tells the services by which keys the gateway vouches: a new file takes the place of the old one."""
        fresh = self.internal_trust.with_suffix(".new")
        fresh.write_text("".join(f"{base64.b64encode(key.public).decode()}\n" for key in self.internal), encoding="utf-8")
        fresh.rename(self.internal_trust)

    def first_settings(self, service):
        auth = {"production": True, "jwks_file": str(self.issuer.key_set), "revoked_file": str(self.revoked)}
        server = {"listen": f"127.0.0.1:{self.ports[service]}", "drain": "2s", "reflection": False}
        telemetry = {"filter": "info,sqlx=warn", "listen": f"127.0.0.1:{self.pages[service]}"}
        common = {"server": server, "auth": auth, "telemetry": telemetry}
        if service in self.encrypted:
            certificate, key = self.pair(service)
            server["tls"] = {"certificate": str(certificate), "key": str(key)}
        if self.encryption == "mesh":
            auth["plaintext_inside"] = True
        elif service == "gateway" or CALLS[service]:
            auth["client_tls"] = {"ca": str(self.trusted)}
        if service == "gateway":
            upstreams = {one.replace("-", "_"): self.address(one) for one in STORES}
            server["tls"]["client_ca"] = str(self.partner_trust)
            own = {"internal_token_key_file": str(self.internal[0].file), "limits": limits(5000, 20000)}
            return {**own, **common, "upstreams": upstreams}
        auth["gateway_keys_file"] = str(self.internal_trust)
        table = {one.replace("-", "_"): self.address(one) for one in CALLS[service]}
        if CALLS[service]:
            auth["service_token_file"] = str(self.keys / f"{service}-token")
        if service == "sampling":
            table["signing_key_file"] = str(self.secret(service, "draw-key"))
        table.update(common)
        table["audit"] = {"signing_key_file": str(self.secret(service, "audit-key"))}
        table["database"] = {"max_connections": 8, **self.database}
        if service != "sampling":
            table["crypto"] = {"master_key_file": str(self.secret(service, "master-key"))}
        if service == "safety-inspection":
            table["gate"] = {"signing_key_file": str(self.secret(service, "gate-key"))}
        return table

    def settings_file(self, service):
        return self.settings_folder / f"{service}.toml"

    def write_settings(self, *services):
        """Writes the files of settings, and fresh tokens for neighbours."""
        for service in services or SERVICES:
            self.settings_file(service).write_text(toml(self.settings[service]), encoding="utf-8")
            # A file of tokens must be there before a service looks.
            if CALLS.get(service):
                self.refresh_token(service)

    def refresh_token(self, service):
        """What the issuer does for each service, again and again."""
        token = self.issuer.token("service", scope="", subject=f"campus-{service}")
        (self.keys / f"{service}-token").write_text(token, encoding="utf-8")

    def environment(self, service):
        """What stands in no file: how the database is reached."""
        if service not in STORES:
            return {}
        port = self.database_ports.get(service)
        key = f"CAMPUS_{service.upper().replace('-', '_')}__DATABASE__URL"
        cluster = self.clusters.get(service, self.cluster)
        return {key: cluster.url(service, self.passwords[service], port)}

    def whole_environment(self):
        found = {}
        for service in STORES:
            found.update(self.environment(service))
        return found

    # What an operator does.

    def prepare_databases(self):
        for service in STORES:
            self.cluster.prepare(service, self.passwords[service])

    def start(self, *services, binaries=None):
        """Starts services, in the order of the arrows, and waits until each is ready."""
        for service in services or SERVICES:
            binary = (binaries or self.stage.binary)(service)
            command = [binary, "--config", self.settings_file(service)]
            if service in self.processes:
                self.processes[service].kill()
            if CALLS.get(service):
                self.refresh_token(service)
            process = Process(self.stage, service, command, self.environment(service)).start()
            self.processes[service] = process
            self.wait_ready(service)

    def wait_ready(self, service):
        process = self.processes[service]

        def answered():
            must(process.runs(), f"{service} ended: {process.said()}")
            return self.ready(service)

        until(f"{service} is ready", answered)

    def ready(self, service):
        """Whether a service says that it is ready, as Kubernetes asks it."""
        if service == "gateway":
            return self.door.ready()
        return self.grpc(self.address(service), "grpc.health.v1.Health/Check", READINESS) == SERVING

    def grpc(self, address, method, message, token=None):
        """What a service says to one message in its frame, not through the gateway: no bytes where it refuses, and nothing
        where nobody answers."""
        question, answer = self.folder / "question", self.folder / "answer"
        question.write_bytes(message)
        answer.unlink(missing_ok=True)
        known = ["--http2", "--cacert", self.trusted] if address.startswith("https") else ["--http2-prior-knowledge"]
        command = ["curl", "--silent", *known, "--max-time", "5", "--output", answer]
        command += ["--header", "content-type: application/grpc", "--header", "te: trailers"]
        command += ["--header", f"authorization: Bearer {token}"] if token else []
        command += ["--data-binary", f"@{question}", f"{address}/{method}"]
        done = self.stage.run(*command, check=False, timeout=30)
        if done.returncode:
            return None
        return answer.read_bytes() if answer.exists() else b""

    def page(self, service, path):
        """The status and the text of a page for operators; 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.pages[service], timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as err:
            return 0, str(err)
        finally:
            connection.close()

    def stop(self, *services):
        """Stops services in order, the gateway first."""
        for service in reversed(services or SERVICES):
            if service in self.processes:
                self.processes[service].stop()

    def restart(self, *services):
        """One after the other, as a rolling upgrade does."""
        for service in services or SERVICES:
            self.stop(service)
            self.start(service)

    def open(self):
        """Everything from nothing: databases, settings, services."""
        self.prepare_databases()
        self.write_settings()
        self.start()
        return self

    def token(self, role, scope="fz", **more):
        return self.issuer.token(role, scope, **more)
