"""Backup and point-in-time restore: a base backup and the archived log; the copy is compared row by row with what stood
at that time, gets feeds of a new epoch, and serves."""

import house as houses
import town
from postgres import STORES, Cluster, database
from stage import must, until


def rehearse(stage):
    archive = stage.folder / "archive"
    archive.mkdir()
    with stage.step("PostgreSQL archives its log"):
        # It never writes over a file: two servers with one archive would spoil it.
        command = f"test ! -f {archive}/%f && cp %p {archive}/%f"
        cluster = Cluster(stage, archive_mode="on", archive_command=command, archive_timeout=60)
        cluster.own(archive)
        cluster.create().start()
    with stage.step("a house runs on it, and a school has its morning"):
        house = houses.House(stage, cluster).open()
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
        names = town.morning(house, school)
    base = cluster.home / "base"
    with stage.step("a base backup is taken while the house works, and verifies"):
        cluster.as_owner(cluster.bin / "pg_basebackup", "-h", cluster.home, "-p", cluster.port, "-U", "postgres",
                         "-D", base, "-X", "stream", "--checkpoint=fast", timeout=600)
        cluster.as_owner(cluster.bin / "pg_verifybackup", base)
    with stage.step("work goes on after the backup; then the time is noted to which to return"):
        town.settled(house, other)
        later = town.morning(house, other)
        house.stop()
        expected = {service: cluster.rows(service) for service in STORES}
        target = cluster.sql("SELECT clock_timestamp()")
        cluster.sql("SELECT pg_sleep(1)")
        house.start()
    with stage.step("the mishap: a table is lost, and what came after the time goes with the restore"):
        lost = house.door.call(*school.enter())["name"]
        cluster.sql("DROP TABLE checks CASCADE", database("sampling"))
        house.stop()
        cluster.sql("SELECT pg_switch_wal()")
        last = cluster.sql("SELECT last_archived_wal FROM pg_stat_archiver")
        must(last, "nothing was archived")
        until("the log is archived", lambda: archived(cluster))
        cluster.stop()
    with stage.step("the backup is brought to that time from the archive, beside what is left of the old cluster"):
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
    with stage.step("each feed begins a new epoch before anybody reads: its readers fetch everything again"):
        for service in STORES:
            copy.sql("UPDATE feed_head SET epoch = gen_random_uuid()::text", database(service))
    with stage.step("the services start on the copy, and whatever was acknowledged by then is there"):
        house.cluster = copy
        house.start()
        town.remembered(house, names + later, school, other)
        status, _ = house.door.ask(school.token("guard"), f"/v1/{lost}")
        must(status == 404, f"what came after the time: {status}")
    with stage.step("the morning goes on, and the audit verifies"):
        house.door.call(*school.check(findings=3, slot="SLOT_NOON"))
        until("the gate keeps the ill out", lambda: denied(house.door.ask(*school.enter(0))))
        town.settled(house, other)
        must(house.door.call(*other.enter(1))["effectiveResult"] == "RESULT_ADMIT", "the gate denies")
        answer = house.door.call(house.token("audit-admin", ""), "/v1/audit:verify")
        must(not answer.get("faults"), f"{answer}")


def denied(answer):
    status, told = answer
    return status == 200 and told["effectiveResult"] == "RESULT_DENY"


def archived(cluster):
    """Whether every finished part of the log is in the archive."""
    return cluster.sql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'") == "0"
