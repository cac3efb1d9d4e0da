"""First installation: databases and roles, secrets, settings, the schema by command, services in the order of the
arrows, the first register, and a morning of a school."""

import house as houses
import town
from postgres import STORES, Cluster, database
from stage import must


def rehearse(stage):
    with stage.step("PostgreSQL runs, and is as durable as the services ask"):
        cluster = Cluster(stage).create().start()
    house = houses.House(stage, cluster, migrate="by-command")
    with stage.step("each service has a database and a role that owns nothing else"):
        house.prepare_databases()
        stranger = cluster.url("sampling", house.passwords["sampling"]).replace(database("sampling"), database("roster"))
        stranger = stranger.replace(f"//{database('roster')}:", f"//{database('sampling')}:")
        done = stage.run("psql", "-X", "-c", "SELECT 1", stranger, check=False)
        must(done.returncode, "sampling may look into the database of roster")
    with stage.step("settings are written, secrets stand in files, and check-config takes them"):
        house.write_settings()
        for service in houses.SERVICES:
            stage.run(stage.binary(service), "--config", house.settings_file(service), "check-config",
                      env=house.environment(service))
        broken = house.settings["sampling"]["server"]
        broken["dreain"] = "2s"
        house.write_settings("sampling")
        done = stage.run(stage.binary("sampling"), "--config", house.settings_file("sampling"), "check-config",
                         env=house.environment("sampling"), check=False)
        must(done.returncode == 64 and "dreain" in done.stderr, f"a misspelt key is taken: {done.stderr}")
        del broken["dreain"]
        house.write_settings("sampling")
    with stage.step("a service does not start on a schema that is not there"):
        done = stage.run(stage.binary("roster"), "--config", house.settings_file("roster"), check=False,
                         env=house.environment("roster"))
        must(done.returncode == 1 and "migrate" in done.stderr, f"it started: {done.stderr}")
    migrate = ("migrate", "--config", house.settings_folder)
    with stage.step("campus migrate --plan tells every migration and applies none"):
        done = stage.campus(*migrate, "--plan", env=house.whole_environment(), check=False)
        must(done.returncode == 2, f"{done.returncode}: {done.stdout}{done.stderr}")
        must(all(f"{service}: " in done.stdout for service in STORES), done.stdout)
        must(cluster.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database("roster")) == "0",
             "a plan made tables")
    with stage.step("campus migrate applies them, within a time, and a second one finds nothing to do"):
        stage.campus(*migrate, "--within", "5m", env=house.whole_environment())
        done = stage.campus(*migrate, "--plan", env=house.whole_environment())
        must(done.stdout.count("up to date") == len(STORES), done.stdout)
    with stage.step("the services start in the order of the arrows, and the gateway serves"):
        house.start()
    with stage.step("nobody comes in without a token, nor with one that another issuer signed"):
        house.door.refused(None, f"/v1/organizations/{town.CITY}", "TOKEN_INVALID")
        forged = houses.Issuer(stage.folder).token("city-officer", town.CITY)
        house.door.refused(forged, f"/v1/organizations/{town.CITY}", "TOKEN_INVALID")
    with stage.step("the city and two of its districts are imported into the register"):
        town.settle(house)
    with stage.step("a school has its morning: a check is stored, and the gate lets a pupil in"):
        (school,) = town.schools(house, town.FIRST[0])
        town.settled(house, school)
        names = town.morning(house, school)
        town.remembered(house, names, school)
    with stage.step("the audit of all services verifies"):
        answer = house.door.call(house.token("audit-admin", ""), "/v1/audit:verify")
        must(not answer.get("faults"), f"{answer}")
