"""Ending an emergency: what was gathered for it is destroyed by several persons, each in their own role; backups and logs
from before are deleted where they show it, and unreadable where it was sealed; the certificate is verified without any
service."""

import copy
import datetime
import hashlib
import json
import shutil
import time
import uuid

import house as houses
import town
from calls import request_id
from postgres import Cluster, database
from stage import Process, free_port, must, until

NAME, PHONE = "林大山", "13800138000"
# A number that nobody has.
DOCUMENT = "11010519491231002X"
NOTE = "近期情绪低落，已初步谈话"
# Within this time a service has found the keys of emergencies, in seconds.
KEYS_WITHIN = 3
# What is asked of an old copy of a database: the method, who asks, and what the answer shows while it can be opened.
SEALED = {
    "safety-inspection": ("campus.safety.v1.VisitorService/GetVisit", "guard", NAME[0]),
    "notification": ("campus.notification.v1.SupportService/GetSupportCase", "counsellor", NOTE),
}


def rehearse(stage):
    folder, backups, archive = (stage.folder / name for name in ("emergency-secrets", "backups", "archive"))
    folder.mkdir(mode=0o700)
    backups.mkdir()
    archive.mkdir()
    with stage.step("a house runs whose secrets of emergencies stand in a folder of their own, in no backup"):
        cluster = Cluster(stage, archive_mode="on", archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f")
        for place in (backups, archive):
            cluster.own(place)
        house = houses.House(stage, cluster.create().start())
        for service in SEALED:
            house.settings[service]["emergencies"] = {"secret_folder": str(folder)}
        house.open()
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
    door = house.door
    with stage.step("an officer of the city declares an emergency: each service that seals makes its secret"):
        ann = house.token("city-officer", town.CITY, subject="ann")
        declared = door.call(ann, "/v1/emergencies:declare", {
            "emergency": {"displayName": "疫情防控应急响应", "legalBasis": "市政府2022年第1号令"},
            "requestId": request_id()})
        until("the secrets are there", lambda: len(secrets(folder)) == 2)
        # The record of those who keep the keys.
        prints = {fingerprint(file) for file in secrets(folder)}
    with stage.step("a visitor, a case of support and a check come in while it is open"):
        names = {"safety-inspection": visit(house, school), "notification": support(house, school)}
        call = school.check()
        until("the check is stored", lambda: door.ask(*call)[0] == 200)
        exposed = uuid.UUID(call[2]["clientId"]).bytes
    with stage.step("a nightly backup shows nothing of whom it seals, and the check, which stands in a row"):
        base_backup(cluster, backups / "before")
        switch(cluster)
        for word in (NAME, PHONE, DOCUMENT, NOTE):
            must(not holding((backups, archive), word.encode()), f"a backup shows somebody: {word}")
        for place in (backups, archive):
            must(holding((place,), exposed), f"{place.name} does not have the check")
        saved = stage.folder / "what-nobody-must-keep"
        shutil.copytree(folder, saved)
    with stage.step("the emergency ends; who comes later is not of it"):
        door.call(ann, f"/v1/{declared['name']}:end", {"reason": "响应终止", "requestId": request_id()})
        until("it has ended", lambda: door.call(ann, f"/v1/{declared['name']}")["state"] == "STATE_ENDED")
        for service in SEALED:
            until(f"{service} has heard it", lambda service=service: heard(house, service))
        # A replica that read the key before may use it for three seconds.
        house.cluster.sql("SELECT pg_sleep(3)")
        later = visit(house, school)
    with stage.step("destruction is proposed, assessed, and approved by two others in two capacities"):
        job = approve(house, ann, declared["name"])
    with stage.step("the system administrator lets it run; three services report, and the secrets are gone"):
        operator = house.token("system-admin", "", subject="ops")
        auditor = house.token("audit-admin", "", subject="aud")
        door.call(operator, f"/v1/{job}:run", {"requestId": request_id()})
        told = until("every service reports", lambda: reported(door.call(auditor, f"/v1/{job}")))
        reports = {one["service"]: one for one in told["reports"]}
        must(set(reports) == {"sampling", *SEALED}, f"{told['reports']}")
        guard = school.token("guard")
        must(door.ask(guard, f"/v1/{names['safety-inspection']}")[0] == 404, "the visit is there")
        door.call(guard, f"/v1/{later}")
        must(door.ask(school.token("counsellor"), f"/v1/{names['notification']}")[0] == 404, "the case is there")
    with stage.step("1. the fingerprints are those of the record, and the folder holds no file of the emergency"):
        must({reports[service]["keyFingerprint"] for service in SEALED} == prints, f"{told['reports']} and not {prints}")
        must(not reports["sampling"].get("keyFingerprint"), "sampling seals nothing")
        must(not list(folder.rglob("*.*")), "a file is left in the folder")
    with stage.step("2. an old backup with the master keys opens with the secrets alone: without them it is unreadable"):
        old = Cluster(stage, "old", archive_mode="off")
        shutil.copytree(backups / "before", old.data)
        old.configure()
        old.own(old.home)
        old.start()
        for service in SEALED:
            must(opens(stage, house, school, old, service, names[service], saved),
                 f"{service}: it is not even opened with its secret, so nothing is shown here")
            must(not opens(stage, house, school, old, service, names[service], folder),
                 f"{service}: an old backup shows what was destroyed")
        old.stop()
        shutil.rmtree(old.home)
        shutil.rmtree(saved)
    with stage.step("2. where records stood as rows, a new backup is taken, and what is older is deleted, logs too"):
        shown = [service for service, report in reports.items()
                 if any(int(one.get("exposedCount", 0)) for one in report["categories"])]
        must("sampling" in shown, f"{reports['sampling']}")
        for service in shown:
            # What was deleted stands in the files until they are written anew.
            cluster.sql("VACUUM FULL", database(service), timeout=300)
        switch(cluster)
        base_backup(cluster, backups / "after")
        switch(cluster)
        first = cluster.as_owner("cat", backups / "after" / "backup_label").stdout.partition("(file ")[2].partition(")")[0]
        cluster.as_owner("rm", "-r", backups / "before")
        cluster.as_owner(cluster.bin / "pg_archivecleanup", archive, first)
        must(not holding((backups, archive), exposed), "a backup or a log still has the check")
    with stage.step("3. the audit administrator says what was found about backups, confirms and certifies"):
        door.call(auditor, f"/v1/{job}:confirm", {
            "backupChecks": [{"backup": "每晚全量备份与日志归档", "finding": "FINDING_DELETED"},
                             {"backup": "密钥目录副本与快照", "finding": "FINDING_KEY_ABSENT"}],
            "statement": "逐类核对数量与抽样", "requestId": request_id()})
        made = door.call(auditor, f"/v1/{job}:certify", {"requestId": request_id()})
    with stage.step("the certificate verifies from the file and the public key alone, and with no other key"):
        file = stage.folder / "certificate.json"
        answer = door.call(auditor, f"/v1/{job}/certificate")
        file.write_text(json.dumps(answer), encoding="utf-8")
        must(answer["manifest"] == made["manifest"], "another certificate")
        stage.campus("destruction", "verify", file, "--key", answer["publicKey"])
        other_key = houses.base64.b64encode(house.internal[0].public).decode()
        wrong = stage.campus("destruction", "verify", file, "--key", other_key, check=False)
        must(wrong.returncode == 1, "another key verifies it")
    with stage.step("the new backup verifies, and the house goes on"):
        cluster.as_owner(cluster.bin / "pg_verifybackup", backups / "after")
        town.remembered(house, town.morning(house, other), other)


def fingerprint(file):
    """What stands for a secret in reports, as whoever keeps the keys writes it down."""
    secret = bytes.fromhex(file.read_text(encoding="utf-8").strip())
    return hashlib.sha256(b"campus emergency secret\0" + secret).hexdigest()[:16]


def base_backup(cluster, folder):
    cluster.as_owner(cluster.bin / "pg_basebackup", "-h", cluster.home, "-p", cluster.port, "-U", "postgres",
                     "-D", folder, "-X", "stream", "--checkpoint=fast", timeout=600)


def switch(cluster):
    """Ends a part of the log, and waits until it is archived."""
    cluster.sql("CHECKPOINT")
    cluster.sql("SELECT pg_switch_wal()")
    waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
    until("the log is archived", lambda: cluster.sql(waiting) == "0")


def holding(folders, told):
    """The files below some folders in which something stands."""
    found = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return [file for file in found if told in file.read_bytes()]


def opens(stage, house, school, cluster, service, name, folder):
    """Whether a service tells of a record on an old copy of its database, with the master key, this folder of secrets and
    no neighbour."""
    settings = copy.deepcopy(house.settings[service])
    port = free_port()
    settings["server"]["listen"] = f"127.0.0.1:{port}"
    settings["emergencies"]["secret_folder"] = str(folder)
    del settings["telemetry"]["listen"]
    for neighbour in houses.CALLS[service]:
        settings[neighbour.replace("-", "_")] = f"http://127.0.0.1:{free_port()}"
    file = stage.folder / f"old-{service}.toml"
    file.write_text(houses.toml(settings), encoding="utf-8")
    key = next(iter(house.environment(service)))
    url = cluster.url(service, house.passwords[service])
    process = Process(stage, f"old-{service}", [stage.binary(service), "--config", file], {key: url}).start()
    method, role, shown = SEALED[service]
    text = name.encode()
    question = b"\x0a" + bytes([len(text)]) + text
    message = b"\0" + len(question).to_bytes(4, "big") + question
    token = school.token(role)

    def asked():
        must(process.runs(), f"{service} ended: {process.said()}")
        return house.grpc(f"http://127.0.0.1:{port}", method, message, token)

    try:
        until("it answers", lambda: asked() is not None)
        # It looks for keys twice a second.
        end = time.monotonic() + KEYS_WITHIN
        while time.monotonic() < end:
            if shown.encode() in (asked() or b""):
                return True
            time.sleep(0.2)
        return False
    finally:
        process.kill()


def visit(house, school):
    """A visitor asks to come in: the name of the visit."""
    # Outside again on the same day, however late it is.
    leaves = datetime.datetime.combine(town.civil_day(), datetime.time(23, 59, 59), town.SHANGHAI)
    staff = house.door.pages(house.token("principal", school.path), f"/v1/{school.name}/staff", "staff")
    asked = {
        "visitor": {"fullName": NAME, "documentKind": "DOCUMENT_KIND_RESIDENT_CARD", "documentNumber": DOCUMENT,
                    "phone": PHONE},
        "purpose": "检修电梯",
        "urgent": True,
        "host": staff[0]["name"],
        "visitDate": town.today(),
        "expectedLeaveTime": leaves.isoformat(),
    }
    body = {"visit": asked, "requestId": request_id()}
    return house.door.call(school.token("guard"), f"/v1/{school.name}/visits", body)["name"]


def support(house, school):
    """A counsellor opens a case for a pupil and ends it: the name of the case."""
    token = school.token("counsellor")
    asked = {"person": school.pupils[0]["name"], "grade": "GRADE_BLUE", "note": NOTE}

    def opened():
        body = {"supportCase": asked, "requestId": request_id()}
        status, answer = house.door.ask(token, f"/v1/{school.name}/supportCases", body)
        return status == 200 and answer["name"]

    name = until("notification knows the pupil", opened)
    house.door.call(token, f"/v1/{name}:close", {
        "note": "情况稳定", "reason": "CLOSE_REASON_LEFT", "requestId": request_id()})
    return name


def secrets(folder):
    """The secrets of the emergency; notification has a folder of its own below."""
    return list(folder.rglob("*.secret"))


def heard(house, service):
    """Whether a service has heard that the emergency ended."""
    sql = "SELECT count(*) FROM heard_emergencies WHERE end_at IS NOT NULL"
    return house.cluster.sql(sql, database(service)) == "1"


def approve(house, ann, emergency):
    """A job for the emergency that two persons approved: its name."""
    door = house.door
    job = door.call(ann, "/v1/destructionJobs:propose", {
        "emergency": emergency, "reason": "突发事件应对法第八十五条", "requestId": request_id()})["name"]
    # They are over in days; until then the job would wait.
    messages = {"service": "notification", "category": "messages",
                "legalReason": "网络安全法第二十一条：日志留存不少于六个月"}
    door.call(ann, f"/v1/{job}:assess", {
        "keeps": [messages], "statement": "合法性、必要性、安全性评估通过", "requestId": request_id()})
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
