"""Backup and point-in-time restore: a base backup and the archived log; the copy is compared row by row with what stood
at that time. Its databases come back one by one, while their neighbours are further, and then all together; each time
feeds begin a new epoch, and readers fetch everything again."""

import shutil
import time

import house as houses
import town
from issuer import public_of_secret, secret_file
from postgres import STORES, Cluster, database
from stage import must, until

# Those that seal under a master key.
SEALED = ("roster", "safety-inspection", "notification")
# Whose log the auditor looks at.
AUDITED = "safety-inspection"
# What is written and not yet in the chain.
PENDING = "SELECT count(*) FROM audit_pending"


def rehearse(stage):
    archive, elsewhere = stage.folder / "archive", stage.folder / "elsewhere"
    archive.mkdir()
    elsewhere.mkdir()
    with stage.step("PostgreSQL archives its log"):
        # It never writes over a file: two servers with one archive would spoil it.
        command = f"test ! -f {archive}/%f && cp %p {archive}/%f"
        cluster = Cluster(stage, archive_mode="on", archive_command=command, archive_timeout=60)
        cluster.own(archive)
        cluster.create().start()
    with stage.step("a house runs on it whose checkpoints lie elsewhere, and a school has its morning"):
        house = houses.House(stage, cluster)
        for service in STORES:
            house.settings[service]["audit"]["checkpoint_file"] = str(elsewhere / service)
        house.open()
        keys = {key: key.read_text(encoding="utf-8") for key in sorted(house.keys.glob("*-master-key"))}
        must(len(keys) == len(STORES) - 1, f"{keys.keys()}")
        vault = stage.folder / "vault"
        vault.mkdir(mode=0o700)
        for key in keys:
            shutil.copy2(key, vault / key.name)
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
        names = town.morning(house, school)
    base = cluster.home / "base"
    with stage.step("a base backup is taken while the house works, and verifies; neither it nor the log has a master key"):
        cluster.as_owner(cluster.bin / "pg_basebackup", "-h", cluster.home, "-p", cluster.port, "-U", "postgres",
                         "-D", base, "-X", "stream", "--checkpoint=fast", timeout=600)
        cluster.as_owner(cluster.bin / "pg_verifybackup", base)
        must(holding((base,), database("roster").encode()), "nothing is found in the backup")
        for key, text in keys.items():
            must(not holding((base, archive), text.encode(), bytes.fromhex(text)), f"a backup holds {key.name}")
    with stage.step("work goes on after the backup; then the time is noted to which to return"):
        town.settled(house, other)
        later = town.morning(house, other)
        known = copies(house, school)
        house.stop()
        expected = {service: cluster.rows(service) for service in STORES}
        target = cluster.sql("SELECT clock_timestamp()")
        cluster.sql("SELECT pg_sleep(1)")
        house.start()
    with stage.step("work goes on, and what reads of it is further: a pupil comes, others fall ill"):
        lost = house.door.call(*school.enter())["name"]
        guard = school.token("guard")
        house.door.call(guard, f"/v1/{lost}")
        house.door.call(*school.check(findings=3, slot="SLOT_NOON"))
        town.newcomer(house, school)
        until("all of them know it", lambda: all(one != known[name] for name, one in copies(house, school).items()))
        # A service signs the head of its log when it starts, and then once a minute.
        until("what it did is in the chain", lambda: cluster.sql(PENDING, database(AUDITED)) == "0")
        house.restart(AUDITED)
    with stage.step("the mishap: a table of sampling is lost"):
        cluster.sql("DROP TABLE checks CASCADE", database("sampling"))
        noticed = time.monotonic()
        house.stop("sampling")
        cluster.sql("SELECT pg_switch_wal()")
        must(cluster.sql("SELECT last_archived_wal FROM pg_stat_archiver"), "nothing was archived")
        until("the log is archived", lambda: archived(cluster))
    with stage.step("the backup is brought to that time from the archive, beside the cluster that still serves"):
        copy = Cluster(stage, "restored", restore_command=f"cp {archive}/%f %p", recovery_target_time=target,
                       recovery_target_action="promote", archive_mode="off")
        base.rename(copy.data)
        copy.configure()
        (copy.data / "recovery.signal").touch()
        copy.own(copy.home)
        copy.start()
        until("it is restored", lambda: copy.sql("SELECT NOT pg_is_in_recovery()") == "t")
    with stage.step("every row of every table of the four services is as it was"):
        for service in STORES:
            found = copy.rows(service)
            wrong = [table for table in {*found, *expected[service]} if found.get(table) != expected[service].get(table)]
            must(not wrong, f"{service}: {', '.join(sorted(wrong))} differ")
    with stage.step("sampling alone goes back to it, in a new epoch: its readers, who are further, fetch everything again"):
        house.clusters["sampling"] = copy
        new_epoch(stage, house, copy, "sampling")
        house.start("sampling")
        until("the gate forgets who fell ill after the time", lambda: blocked(school) == known[AUDITED][1])
        town.remembered(house, names + later, school, other)
        told = house.door.call(guard, f"/v1/{lost}")
        must(told["name"] == lost, "safety-inspection, which stayed, has lost something")
    print(f"      sampling was away for {time.monotonic() - noticed:.0f} s")
    with stage.step("roster alone goes back to it as well: all three who read of it end with the register of that time"):
        noticed = time.monotonic()
        house.stop("roster")
        house.clusters["roster"] = copy
        new_epoch(stage, house, copy, "roster")
        house.start("roster")
        until("they have the register of that time", lambda: copies(house, school) == known)
        town.remembered(house, names + later, school, other)
    print(f"      roster was away for {time.monotonic() - noticed:.0f} s")
    with stage.step("all four go back, on a machine that has lost its master keys: without them services do not start"):
        noticed = time.monotonic()
        house.stop()
        cluster.stop()
        house.cluster = copy
        for key in keys:
            key.unlink()
        for service in SEALED:
            refused(stage, house, service, 64, "crypto.master_key_file")
    with stage.step("another key opens nothing: a service says so and ends"):
        for service in SEALED:
            key = secret_file(house.secret(service, "master-key"))
            refused(stage, house, service, 1, "master key")
            key.unlink()
    with stage.step("the master keys come back from where their copies are kept"):
        for key in keys:
            shutil.copy2(vault / key.name, key)
        for service in SEALED:
            stage.run(stage.binary(service), "--config", house.settings_file(service), "check-config",
                      env=house.environment(service))
    with stage.step("a new epoch of each feed, before anybody reads"):
        for service in STORES:
            new_epoch(stage, house, copy, service)
    with stage.step("the services start on the copy, and whatever was acknowledged by then is there"):
        house.start()
        town.remembered(house, names + later, school, other)
        status, _ = house.door.ask(guard, f"/v1/{lost}")
        must(status == 404, f"what came after the time: {status}")
    print(f"      the house was away for {time.monotonic() - noticed:.0f} s")
    with stage.step("the morning goes on: what was lost is sent again"):
        house.door.call(*school.check(findings=3, slot="SLOT_NOON"))
        until("the gate keeps the ill out", lambda: denied(house.door.ask(*school.enter(0))))
        town.settled(house, other)
        must(house.door.call(*other.enter(1))["effectiveResult"] == "RESULT_ADMIT", "the gate denies")
    with stage.step("the audit verifies by itself, and checkpoints that lie elsewhere show what is missing"):
        arguments = ("--gateway", house.address("gateway"), "--ca", house.trusted)
        environment = {"CAMPUS_TOKEN": house.token("audit-admin", "")}
        stage.campus("audit", "verify", *arguments, env=environment)
        file, key = stage.folder / "exported", public_of_secret(house.secret(AUDITED, "audit-key"))
        stage.campus("audit", "export", file, "--service", AUDITED, *arguments, env=environment)
        stage.campus("audit", "verify", file, "--key", key)
        done = stage.campus("audit", "verify", file, "--key", key, "--checkpoints", elsewhere / AUDITED, check=False)
        must(done.returncode == 1 and "checkpoint" in done.stdout + done.stderr,
             f"nothing is missing: {done.returncode} {done.stdout}{done.stderr}")


def refused(stage, house, service, code, why):
    """A service must not start, and say why."""
    done = stage.run(stage.binary(service), "--config", house.settings_file(service), env=house.environment(service),
                     check=False, timeout=60)
    must(done.returncode == code and why in done.stdout + done.stderr,
         f"{service} ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:]}")


def holding(folders, *words):
    """The files below some folders in which one of these words stands."""
    found = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return [file for file in found if any(word in data for data in (file.read_bytes(),) for word in words)]


def new_epoch(stage, house, cluster, service):
    """Begins a new epoch of each feed of a service that stands still."""
    before = epochs(cluster, service)
    stage.run(stage.binary(service), "--config", house.settings_file(service), "new-epoch", env=house.environment(service))
    after = epochs(cluster, service)
    must(len(after) == len(before) and not after & before, f"{service}: a feed is in its old epoch")


def copies(house, school):
    """What each service knows of the register and of who must not enter."""
    told = school.list()
    return {
        "sampling": people(house, "sampling"),
        AUDITED: (told["members"], told.get("blocked", [])),
        "notification": people(house, "notification"),
    }


def people(house, service):
    """All people whom a service knows."""
    return house.clusters.get(service, house.cluster).rows_of(service, "people")


def blocked(school):
    """Whom the gate keeps out."""
    return school.list().get("blocked", [])


def denied(answer):
    status, told = answer
    return status == 200 and told["effectiveResult"] == "RESULT_DENY"


def epochs(cluster, service):
    """The epochs of the feeds of a service."""
    return set(cluster.sql("SELECT epoch FROM feed_head", database(service)).split())


def archived(cluster):
    """Whether every finished part of the log is in the archive."""
    return cluster.sql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'") == "0"
