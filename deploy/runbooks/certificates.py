"""Certificates and the authorities behind them, changed while the house works: at the door, between the services, of the
databases and of a laboratory."""

import contextlib
import http.client
import json
import socket
import ssl

import house as houses
import town
from issuer import Authority, bundle, fingerprint, openssl
from postgres import STORES
from stage import Failed, must, until

# The laboratory whose certificate the gateway knows.
PARTNER = "laboratory"
# What is agreed with it.
AGREEMENT = {"certificate": f"cn:{PARTNER}", "subject": "laboratory-1", "role": "laboratory", "scope": town.CITY,
             "laboratory": "fz-lab-1", "methods": ["campus.sampling.v1.HoldService/ListHolds"],
             "expires": "2099-12-31T00:00:00Z"}
# How many connections to its databases the house has.
SESSIONS = "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name = 'campus'"


class Partner:
    """Somebody who shows a certificate in place of a token."""

    def __init__(self, house, name=PARTNER):
        self.house = house
        self.name = name
        self.renew(house.partners)

    def renew(self, authority):
        """Another certificate, by this authority; the one before stays good until it is called back."""
        pair = self.house.keys / f"{self.name}.crt", self.house.keys / f"{self.name}.key"
        self.pair = authority.issue(self.name, *pair, server=False)

    def context(self):
        context = ssl.create_default_context(cafile=str(self.house.trusted))
        context.load_cert_chain(*self.pair)
        return context

    @contextlib.contextmanager
    def get(self, path, token=None, context=None):
        """What comes of asking for a path over a connection of its own, before it is read."""
        port = self.house.ports["gateway"]
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context or self.context(), timeout=30)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            connection.request("GET", path, headers=headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def ask(self, context):
        """Why the service behind refuses what the laboratory may not see; nothing where the door is closed."""
        try:
            with self.get(f"/v1/holds?organization=organizations/{town.CITY}", context=context) as told:
                answer = json.loads(told.read())
        except (OSError, http.client.HTTPException):
            return set()
        return {one.get("reason") for one in answer.get("details", [])}

    def is_known(self, context=None):
        """Whether the service behind believes what the gateway says of the certificate: it judges the place then."""
        return "SCOPE_DENIED" in self.ask(context or self.context())

    def known(self):
        must(self.is_known(), f"the certificate of a partner: {self.ask(self.context())}")


def the_door(stage, house):
    with stage.step("the certificate at the door is replaced: new connections see it, old ones go on, nothing restarts"):
        officer = house.token("city-officer", town.CITY)
        path = f"/v1/organizations/{town.CITY}"
        house.door.call(officer, path)
        kept = house.door.local.connection
        certificate, _ = house.pair("gateway")
        before = fingerprint(certificate)
        house.authority.issue("gateway", *house.pair("gateway"))
        must(fingerprint(certificate) != before, "it is the same certificate")
        until("the new certificate is shown", lambda: shown(house, "gateway") == in_der(certificate))
        house.door.call(officer, path)
        must(house.door.local.connection is kept, "the connection from before is closed")


def between_services(stage, house, school):
    with stage.step("each service gets another certificate: its neighbours see it, and nothing restarts"):
        before = pids(house)
        for service in STORES:
            house.authority.issue(service, *house.pair(service))
        for service in STORES:
            new = in_der(house.pair(service)[0])
            until(f"{service} shows it", lambda service=service, new=new: shown(house, service) == new)
        house.door.call(*school.enter())
        must(pids(house) == before, "a service was restarted")
    with stage.step("another authority takes over: both count, certificates are of the new one, the old one goes"):
        old = house.authority
        house.authority = Authority(house.keys, "authority-2")
        bundle(house.trusted, old, house.authority)
        for service in houses.SERVICES:
            house.authority.issue(service, *house.pair(service))
        for service in houses.SERVICES:
            new = in_der(house.pair(service)[0])
            until(f"{service} shows it", lambda service=service, new=new: shown(house, service) == new)
        bundle(house.trusted, house.authority)
        house.door.trust(house.trusted)
        must(pids(house) == before, "a service was restarted")
    with stage.step("who connects anew takes the new one and no other: safety-inspection is started again"):
        house.restart("safety-inspection")
        town.settled(house, school)
        try:
            with tls(house.ports["roster"], old.certificate):
                raise Failed("the old authority still counts")
        except ssl.SSLError:
            pass


def the_databases(stage, house):
    cluster = house.cluster
    with stage.step("the databases get another certificate: who is connected stays, who comes sees it"):
        sessions = int(cluster.sql(SESSIONS))
        cluster.show(house.database_authority)
        cluster.reload()
        new = in_der(cluster.home / "server.crt")
        until("the server shows it", lambda: database_shows(cluster) == new)
        must(int(cluster.sql(SESSIONS)) >= sessions, "somebody was sent away")
    with stage.step("another authority for databases: both in the file, services one by one, then the server, then one"):
        old = house.database_authority
        house.database_authority = Authority(house.keys, "databases-2")
        bundle(cluster.trusted, old, house.database_authority)
        house.restart(*STORES)
        cluster.show(house.database_authority)
        cluster.reload()
        new = in_der(cluster.home / "server.crt")
        until("the server shows it", lambda: database_shows(cluster) == new)
        bundle(cluster.trusted, house.database_authority)
        house.restart(*STORES)
        must(cluster.sql(f"{SESSIONS} AND NOT ssl") == "0", "somebody is not encrypted")


def laboratories(stage, house, laboratory):
    with stage.step("a laboratory gets another certificate of the same name; the stolen one is called back"):
        stolen, digits = laboratory.context(), fingerprint(laboratory.pair[0])
        laboratory.renew(house.partners)
        laboratory.known()
        must(laboratory.is_known(stolen), "the one before is good until it is called back")
        house.revoked.write_text(house.revoked.read_text(encoding="utf-8") + f"certificate {digits}\n", encoding="utf-8")
        until("it is refused", lambda: not laboratory.is_known(stolen))
        laboratory.known()
    with stage.step("another authority for laboratories: both count, their certificates follow, the old one goes"):
        old, before = house.partners, laboratory.context()
        house.partners = Authority(house.keys, "partners-2")
        bundle(house.partner_trust, old, house.partners)
        laboratory.renew(house.partners)
        until("the new one is known", laboratory.is_known)
        must(laboratory.is_known(before), "the old one ended too early")
        bundle(house.partner_trust, house.partners)
        until("the old one is refused", lambda: not laboratory.is_known(before))
        laboratory.known()


def pids(house):
    return {name: process.child.pid for name, process in house.processes.items()}


def in_der(certificate):
    return openssl("x509", "-in", certificate, "-outform", "DER")


def tls(port, authority):
    """A connection to somebody of this machine whom an authority vouches for."""
    context = ssl.create_default_context(cafile=str(authority))
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10), server_hostname="127.0.0.1")


def shown(house, service):
    """The certificate that a service shows to whoever connects now, in DER."""
    with tls(house.ports[service], house.trusted) as connection:
        return connection.getpeercert(binary_form=True)


def database_shows(cluster):
    """The certificate that PostgreSQL shows now, in DER: it speaks of encryption first."""
    context = ssl.create_default_context(cafile=str(cluster.trusted))
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=10) as plain:
        plain.sendall(bytes.fromhex("0000000804d2162f"))
        must(plain.recv(1) == b"S", "PostgreSQL does not encrypt")
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            return connection.getpeercert(binary_form=True)
