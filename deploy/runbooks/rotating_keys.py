"""Rotating keys and certificates while the house works, all of which is encrypted: at the door, between services, of the
databases and of laboratories, of the issuer, between gateway and services, of the audit, of the lists for gates, of draws,
the master key of a service, and the passwords of databases and channels."""

import base64
import secrets
import shutil

import certificates
import house as houses
import town
from calls import request_id
from issuer import Key, new_secret, public_of_secret, secret_file, verifies
from postgres import STORES, database
from provider import Provider
from stage import must, until

# An identity number that nobody has.
NUMBER = "350102201401159995"


def rehearse(stage):
    with stage.step("a house runs, all of it encrypted, that knows a laboratory and a provider of short messages"):
        house = houses.House(stage, encryption="tls", database_tls=True)
        house.settings["gateway"]["auth"]["partners"] = [certificates.AGREEMENT]
        provider = Provider(stage, house.authority, house.keys).come()
        channel = secret_file(house.keys / "notification-sms")
        house.settings["notification"]["channels"] = [provider.channel(house.keys / "sms-authority.crt", channel)]
        (house.keys / "sms-authority.crt").write_bytes(house.authority.certificate.read_bytes())
        house.open()
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
        names = town.morning(house, school)
        laboratory = certificates.Partner(house)
        laboratory.known()
    certificates.the_door(stage, house)
    certificates.between_services(stage, house, school)
    certificates.laboratories(stage, house, laboratory)
    certificates.the_databases(stage, house)
    the_issuer(stage, house)
    stolen_tokens(stage, house)
    between_gateway_and_services(stage, house, laboratory)
    the_audit(stage, house)
    the_lists(stage, house, school)
    draws(stage, house, school, other)
    a_channel(stage, house, school, provider, channel)
    a_master_key(stage, house, school)
    the_passwords(stage, house)
    with stage.step("everything that was acknowledged is there, and the next morning comes"):
        town.remembered(house, names + [house.door.call(*school.enter())["name"]], school)


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
        house.revoked.write_text(house.revoked.read_text(encoding="utf-8") + "sub stolen\n", encoding="utf-8")
        until("it is refused", lambda: house.door.ask(token, path)[0] == 401)
        house.door.call(house.token("city-officer", town.CITY), path)


def between_gateway_and_services(stage, house, laboratory):
    with stage.step("the key with which the gateway vouches for certificates: both count, it changes, the old one goes"):
        fresh = Key(house.keys / "internal-1.pem")
        house.internal.append(fresh)
        says(house, STORES, "keys of the gateway were read", house.publish_internal_keys)
        laboratory.known()
        file = house.internal[0].file
        file.with_suffix(".new").write_bytes(fresh.file.read_bytes())
        says(house, ("gateway",), "another key vouches", lambda: file.with_suffix(".new").rename(file))
        laboratory.known()
        house.internal.pop(0)
        says(house, STORES, "keys of the gateway were read", house.publish_internal_keys)
        laboratory.known()


def says(house, services, words, change):
    """Changes a file, and waits until each of the services says once more that it has read it."""
    def said(service):
        return house.processes[service].log.read_text(encoding="utf-8", errors="replace").count(words)

    before = {service: said(service) for service in services}
    change()
    until(f"{services} say: {words}", lambda: all(said(service) > count for service, count in before.items()))


def the_audit(stage, house):
    auditor = house.token("audit-admin", "")
    with stage.step("each service signs its audit with a new key, and trusts what the old one signed"):
        for service in STORES:
            key = house.secret(service, "audit-key")
            house.settings[service]["audit"]["former_keys"] = [public_of_secret(key)]
            new_secret(key)
        house.write_settings(*STORES)
        house.restart(*STORES)
        house.door.call(house.token("city-officer", town.CITY), f"/v1/organizations/{town.CITY}")
        answer = house.door.call(auditor, "/v1/audit:verify")
        must(not answer.get("faults"), f"{answer}")


def the_lists(stage, house, school):
    """A gate takes no list of a key that it was not told of, so it is told first."""
    def fetched(known):
        """Whether a gate that trusts these keys takes the list."""
        told = school.list()
        key, digest, signature = (base64.b64decode(told[part]) for part in ("publicKey", "digest", "signature"))
        must(told["members"], "the list has nobody")
        must(verifies(key, digest, signature, stage.folder), "the signature is not of this list")
        return base64.b64encode(key).decode() in known

    with stage.step("lists for gates get a new key: gates are told it, fetch the list, and take no other's"):
        key = house.secret("safety-inspection", "gate-key")
        before = public_of_secret(key)
        must(fetched({before}), "the list is signed by another key")
        new_secret(key)
        after = public_of_secret(key)
        house.restart("safety-inspection")
        town.settled(house, school)
        must(not fetched({before}), "the old key still signs")
        must(fetched({before, after}), "the new key does not sign")


def draws(stage, house, school, other):
    officer = house.token("city-officer", town.CITY)
    door = house.door

    def drawn(at):
        """A school is drawn, its day closed, and all of it published: the file, with the public key beside it."""
        door.call(officer, f"/v1/{town.draw(house, plan, at)}:close", {"requestId": request_id()})
        file = stage.folder / f"draws-{at.id}"
        arguments = ("draw", "export", file, "--gateway", house.address("gateway"), "--ca", house.trusted,
                     "--plan", plan.removeprefix("plans/"), "--organization", at.id, "--date", town.civil_day().isoformat())
        stage.campus(*arguments, env={"CAMPUS_TOKEN": officer})
        stage.campus("draw", "verify", file)
        return file

    with stage.step("draws get a new key when none is open: what was published verifies by the key beside it alone"):
        plan = town.samples(house)
        first = drawn(school)
        new_secret(house.secret("sampling", "draw-key"))
        house.restart("sampling")
        key = door.call(officer, "/v1/verificationKey")["publicKey"]
        must(key == public_of_secret(house.secret("sampling", "draw-key")), "the old key still signs")
        second = drawn(other)
        stage.campus("draw", "verify", first)
        beside = second.with_name(f"{second.name}.key")
        done = stage.campus("draw", "verify", first, "--key", beside, check=False)
        must(done.returncode == 1, "the new key verifies what the old one signed")


def a_channel(stage, house, school, provider, secret):
    officer = house.token("city-officer", town.CITY)
    with stage.step("a channel gets a new secret: the provider is told, then notification is restarted"):
        house.door.call(officer, "/v1/contactPoints:set", {
            "party": school.name, "channel": "channels/sms", "address": "13800138000", "requestId": request_id()})

        def sent(title):
            """With which secret the provider got a message."""
            token, path, body = town.letter(house, school)
            body["message"].update(urgency="URGENCY_EMERGENCY", channels=["channels/sms"])
            body["message"]["values"]["title"] = title
            house.door.call(token, path, body)
            return until("the provider has it", lambda: [one for one, text in provider.told if title in text])

        before = secret.read_text(encoding="utf-8")
        must(sent("甲") == [f"Bearer {before}"], f"{provider.told}")
        new_secret(secret)
        house.restart("notification")
        must(sent("乙") == [f"Bearer {secret.read_text(encoding='utf-8')}"], f"{provider.told}")


def a_master_key(stage, house, school):
    def found():
        """Who is found by the number, and what is shown of who that is."""
        asked = {"idNumber": NUMBER, "reason": "核实身份"}
        return house.door.call(school.token("school-clerk"), "/v1/students:lookUp", asked)

    def set_former(file):
        crypto = house.settings["roster"]["crypto"]
        crypto.pop("former_master_key_file", None)
        if file:
            crypto["former_master_key_file"] = str(file)
        house.write_settings("roster")
        house.restart("roster")

    def rewrap():
        return run("rewrap").stdout

    def run(*more, check=True, **environment):
        return stage.run(stage.binary("roster"), "--config", house.settings_file("roster"), *more, check=check, timeout=60,
                         env={**house.environment("roster"), **environment})

    key = house.secret("roster", "master-key")
    former = key.with_name("roster-former-master-key")
    with stage.step("a master key changes: both open, then everything is wrapped by the new one; people are found all the while"):
        student = {"displayName": "林小海", "sex": "SEX_MALE", "birthMonth": 201401, "idNumber": NUMBER}
        body = {"classGroup": school.group, "student": student, "requestId": request_id()}
        house.door.call(school.token("school-clerk"), "/v1/students", body)
        known = found()
        shutil.copy2(key, former)
        set_former(former)
        new_secret(key)
        house.restart("roster")
        must(found() == known, "somebody is not found by either key")
        told = rewrap()
        must("2 data keys rewrapped, 0 were" in told, told)
        told = rewrap()
        must("0 data keys rewrapped, 2 were" in told, f"a repeat: {told}")
        must(found() == known, "somebody is not found while all is wrapped anew")
        set_former(None)
        must(found() == known, "somebody is not found by the new key alone")
    with stage.step("the former master key opens nothing but old copies: a service with it says so and ends"):
        done = run(check=False, CAMPUS_ROSTER__CRYPTO__MASTER_KEY_FILE=str(former))
        must(done.returncode == 1 and "another master key wrapped data key 0" in done.stdout + done.stderr,
             f"it ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:]}")
        former.unlink()


def the_passwords(stage, house):
    with stage.step("each database gets a new password: who is connected stays, who comes needs it"):
        for service in STORES:
            fresh = secrets.token_hex(12)
            house.cluster.sql(f"ALTER ROLE {database(service)} PASSWORD '{fresh}'")
            old = house.cluster.url(service, house.passwords[service])
            must(stage.run("psql", "-X", "-c", "SELECT 1", old, check=False).returncode, "the old password still works")
            house.passwords[service] = fresh
            house.door.call(house.token("city-officer", town.CITY), f"/v1/organizations/{town.CITY}")
            house.restart(service)
