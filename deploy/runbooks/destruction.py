"""Ending an emergency: what was gathered for it is destroyed by several persons, each in their own role, and the
certificate is verified without any service."""

import datetime
import json

import house as houses
import town
from calls import request_id
from stage import must, until

NAME, PHONE = "林大山", "13800138000"
# A number that nobody has.
DOCUMENT = "11010519491231002X"


def rehearse(stage):
    folder = stage.folder / "emergency-secrets"
    folder.mkdir(mode=0o700)
    with stage.step("a house runs whose secrets of emergencies stand in a folder of their own, in no backup"):
        house = houses.House(stage)
        house.settings["safety-inspection"]["emergencies"] = {"secret_folder": str(folder)}
        house.open()
        town.settle(house)
        (school,) = town.schools(house, town.FIRST[0])
        town.settled(house, school)
    door = house.door
    with stage.step("an officer of the city declares an emergency: its secret is made"):
        ann = house.token("city-officer", town.CITY, subject="ann")
        declared = door.call(ann, "/v1/emergencies:declare", {
            "emergency": {"displayName": "疫情防控应急响应", "legalBasis": "市政府2022年第1号令"},
            "requestId": request_id()})
        until("the secret is there", lambda: len(list(folder.iterdir())) == 1)
    with stage.step("a visitor is registered while it is open; a backup of that time shows nothing of them"):
        visited = visit(house, school)
        dump = house.cluster.as_owner("pg_dump", "-h", house.cluster.home, "-p", house.cluster.port, "-U", "postgres",
                                      "-d", "campus_safety_inspection").stdout
        for told in (NAME, PHONE, DOCUMENT):
            must(told not in dump, "the backup shows a visitor")
    with stage.step("the emergency ends; who comes later is not of it"):
        door.call(ann, f"/v1/{declared['name']}:end", {"reason": "响应终止", "requestId": request_id()})
        until("it has ended", lambda: door.call(ann, f"/v1/{declared['name']}")["state"] == "STATE_ENDED")
        until("safety-inspection has heard it", lambda: heard(house))
        # A replica that read the key before may use it for three seconds.
        house.cluster.sql("SELECT pg_sleep(3)")
        later = visit(house, school)
    with stage.step("destruction is proposed, assessed, and approved by two others in two capacities"):
        job = approve(house, ann, declared["name"])
    with stage.step("the system administrator lets it run; the services report, and the secret is gone"):
        operator = house.token("system-admin", "", subject="ops")
        auditor = house.token("audit-admin", "", subject="aud")
        door.call(operator, f"/v1/{job}:run", {"requestId": request_id()})
        told = until("every service reports", lambda: reported(door.call(auditor, f"/v1/{job}")))
        must(not list(folder.iterdir()), "a secret is left")
        must({one["service"] for one in told["reports"]} == {"sampling", "safety-inspection"}, f"{told['reports']}")
        guard = school.token("guard")
        must(door.ask(guard, f"/v1/{visited}")[0] == 404, "the visit is there")
        door.call(guard, f"/v1/{later}")
    with stage.step("the audit administrator says what was found about backups, confirms and certifies"):
        door.call(auditor, f"/v1/{job}:confirm", {
            "backupChecks": [{"backup": "每晚全量备份", "finding": "FINDING_DELETED"}],
            "statement": "逐类核对数量与抽样", "requestId": request_id()})
        made = door.call(auditor, f"/v1/{job}:certify", {"requestId": request_id()})
    with stage.step("the certificate verifies from the file and the public key alone, and with no other key"):
        file = stage.folder / "certificate.json"
        answer = door.call(auditor, f"/v1/{job}/certificate")
        file.write_text(json.dumps(answer), encoding="utf-8")
        must(answer["manifest"] == made["manifest"], "another certificate")
        stage.campus("destruction", "verify", file, "--key", answer["publicKey"])
        other = house.internal[0].public
        wrong = stage.campus("destruction", "verify", file, "--key", houses.base64.b64encode(other).decode(), check=False)
        must(wrong.returncode == 1, "another key verifies it")


def visit(house, school):
    """A visitor asks to come in: the name of the visit."""
    now = datetime.datetime.now(datetime.timezone.utc)
    staff = house.door.pages(house.token("principal", school.path), f"/v1/{school.name}/staff", "staff")
    asked = {
        "visitor": {"fullName": NAME, "documentKind": "DOCUMENT_KIND_RESIDENT_CARD", "documentNumber": DOCUMENT,
                    "phone": PHONE},
        "purpose": "检修电梯",
        "urgent": True,
        "host": staff[0]["name"],
        "visitDate": town.today(),
        "expectedLeaveTime": (now + datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    body = {"visit": asked, "requestId": request_id()}
    return house.door.call(school.token("guard"), f"/v1/{school.name}/visits", body)["name"]


def heard(house):
    """Whether safety-inspection has heard that the emergency ended."""
    sql = "SELECT count(*) FROM heard_emergencies WHERE end_at IS NOT NULL"
    return house.cluster.sql(sql, "campus_safety_inspection") == "1"


def approve(house, ann, emergency):
    """A job for the emergency that two persons approved: its name."""
    door = house.door
    job = door.call(ann, "/v1/destructionJobs:propose", {
        "emergency": emergency, "reason": "突发事件应对法第八十五条", "requestId": request_id()})["name"]
    door.call(ann, f"/v1/{job}:assess", {"statement": "合法性、必要性、安全性评估通过", "requestId": request_id()})
    bureau = {"capacity": "APPROVAL_CAPACITY_BUREAU", "requestId": request_id()}
    door.refused(ann, f"/v1/{job}:approve", "DESTRUCTION_SAME_PERSON", bureau)
    bob = house.token("city-officer", town.CITY, subject="bob")
    door.call(bob, f"/v1/{job}:approve", {**bureau, "requestId": request_id()})
    eve = house.token("security-admin", "", subject="eve")
    answer = door.call(eve, f"/v1/{job}:approve", {
        "capacity": "APPROVAL_CAPACITY_SECURITY", "requestId": request_id()})
    must(answer["state"] == "STATE_APPROVED", f"{answer}")
    return job


def reported(job):
    """The job, once nobody is waited for."""
    return None if job.get("awaitedServices") else job
