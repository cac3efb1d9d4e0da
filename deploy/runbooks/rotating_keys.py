"""Rotating keys and certificates while the house works: at the door, of the issuer, between gateway and services, of
the audit, of the lists for gates, and the passwords of the databases."""

import http.client
import json
import secrets
import ssl

import house as houses
import town
from issuer import Key, fingerprint, openssl, public_of_secret
from postgres import STORES, database
from stage import must, until

# The laboratory whose certificate the gateway knows.
PARTNER = "laboratory"


def rehearse(stage):
    with stage.step("a house runs that knows a laboratory by its certificate, and a school has had its morning"):
        house = houses.House(stage)
        partner = {"certificate": f"cn:{PARTNER}", "subject": "laboratory-1", "role": "laboratory",
                   "scope": town.CITY, "laboratory": "fz-lab-1", "expires": "2099-12-31T00:00:00Z"}
        house.settings["gateway"]["auth"]["partners"] = [partner]
        house.open()
        town.settle(house)
        (school,) = town.schools(house, town.FIRST[0])
        town.settled(house, school)
        names = town.morning(house, school)
        laboratory = Partner(house)
        laboratory.known()
    the_door(stage, house)
    the_issuer(stage, house)
    stolen_tokens(stage, house)
    between_gateway_and_services(stage, house, laboratory)
    the_audit(stage, house)
    the_databases(stage, house)
    with stage.step("everything that was acknowledged is there, and the next morning comes"):
        town.remembered(house, names + [house.door.call(*school.enter())["name"]], school)


class Partner:
    """Somebody who shows a certificate in place of a token."""

    def __init__(self, house):
        self.house = house
        self.pair = house.authority.issue(PARTNER, house.keys / "partner.crt", house.keys / "partner.key", server=False)

    def known(self):
        """The service behind believes what the gateway says of the certificate: it judges the place, not the caller."""
        context = ssl.create_default_context(cafile=str(self.house.authority.certificate))
        context.load_cert_chain(*self.pair)
        connection = http.client.HTTPSConnection("127.0.0.1", self.house.ports["gateway"], context=context, timeout=30)
        connection.request("GET", f"/v1/holds?organization=organizations/{town.CITY}")
        answer = connection.getresponse().read()
        connection.close()
        reasons = [one.get("reason") for one in json.loads(answer).get("details", [])]
        must("SCOPE_DENIED" in reasons, f"the certificate of a partner: {answer}")


def the_door(stage, house):
    with stage.step("the certificate at the door is replaced: new connections see it, old ones go on, nothing restarts"):
        officer = house.token("city-officer", town.CITY)
        path = f"/v1/organizations/{town.CITY}"
        house.door.call(officer, path)
        kept = house.door.local.connection
        before = fingerprint(house.certificate)
        house.authority.issue("gateway", house.certificate, house.key)
        must(fingerprint(house.certificate) != before, "it is the same certificate")
        shown = openssl("x509", "-in", house.certificate, "-outform", "DER")

        def seen():
            house.door.local.connection = None
            return house.door.certificate() == shown

        until("the new certificate is shown", seen)
        house.door.local.connection = kept
        house.door.call(officer, path)
        must(house.door.local.connection is kept, "the connection from before is closed")


def the_issuer(stage, house):
    path = f"/v1/organizations/{town.CITY}"
    with stage.step("the issuer signs with a new key while its old one counts, and the old one ends when it is dropped"):
        old = house.token("city-officer", town.CITY)
        house.issuer.add_key()
        fresh = house.token("city-officer", town.CITY)
        until("the new key counts", lambda: house.door.ask(fresh, path)[0] == 200)
        house.door.call(old, path)
        for service in houses.CALLS:
            if houses.CALLS[service]:
                house.refresh_token(service)
        house.issuer.drop_key()
        until("the old key ends", lambda: house.door.ask(old, path)[0] == 401)
        house.door.call(fresh, path)


def stolen_tokens(stage, house):
    path = f"/v1/organizations/{town.CITY}"
    with stage.step("what was stolen is called back everywhere within seconds"):
        token = house.token("city-officer", town.CITY, subject="stolen")
        house.door.call(token, path)
        house.revoked.write_text("sub stolen\n", encoding="utf-8")
        until("it is refused", lambda: house.door.ask(token, path)[0] == 401)
        house.door.call(house.token("city-officer", town.CITY), path)


def between_gateway_and_services(stage, house, laboratory):
    with stage.step("the key with which the gateway vouches for certificates: both count, it changes, the old one goes"):
        fresh = Key(house.keys / "internal-1.pem")
        house.internal.append(fresh)
        trust_internal_keys(house)
        # The gateway reads the file again when it changes.
        file = house.internal[0].file
        file.with_suffix(".new").write_bytes(fresh.file.read_bytes())
        file.with_suffix(".new").rename(file)
        laboratory.known()
        house.internal.pop(0)
        trust_internal_keys(house)
        until("the laboratory is known by the new key", lambda: laboratory.known() is None)


def trust_internal_keys(house):
    for service in STORES:
        house.settings[service]["auth"]["gateway_keys"] = house.public_internal_keys()
    house.write_settings(*STORES)
    house.restart(*STORES)


def the_audit(stage, house):
    auditor = house.token("audit-admin", "")
    with stage.step("each service signs its audit with a new key, and trusts what the old one signed"):
        for service in STORES:
            old = house.secret(service, "audit-key")
            former = public_of_secret(old)
            fresh = old.with_suffix(".new")
            fresh.write_text(secrets.token_hex(32), encoding="utf-8")
            fresh.chmod(0o600)
            fresh.rename(old)
            house.settings[service]["audit"]["former_keys"] = [former]
        gate = house.secret("safety-inspection", "gate-key")
        gate.write_text(secrets.token_hex(32), encoding="utf-8")
        house.write_settings(*STORES)
        house.restart(*STORES)
        house.door.call(house.token("city-officer", town.CITY), f"/v1/organizations/{town.CITY}")
        answer = house.door.call(auditor, "/v1/audit:verify")
        must(not answer.get("faults"), f"{answer}")


def the_databases(stage, house):
    with stage.step("each database gets a new password: who is connected stays, who comes needs it"):
        for service in STORES:
            fresh = secrets.token_hex(12)
            house.cluster.sql(f"ALTER ROLE {database(service)} PASSWORD '{fresh}'")
            old = house.cluster.url(service, house.passwords[service])
            must(stage.run("psql", "-X", "-c", "SELECT 1", old, check=False).returncode, "the old password still works")
            house.passwords[service] = fresh
            house.door.call(house.token("city-officer", town.CITY), f"/v1/organizations/{town.CITY}")
            house.restart(service)
