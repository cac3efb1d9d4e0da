"""First installation in a district's manner, where everything is encrypted: databases and roles, secrets, settings, the
schema by command, services in the order of the arrows, the first register, and a morning of a school."""

import ssl

import house as houses
import town
from issuer import Authority, bundle
from postgres import STORES, database
from stage import Process, must, until

# How a program that cannot reach a database ends.
UNREACHABLE = 69


def rehearse(stage):
    with stage.step("PostgreSQL runs, takes nothing that is not encrypted, and is as durable as the services ask"):
        house = houses.House(stage, encryption="tls", database_tls=True, migrate="by-command")
        cluster = house.cluster
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "ssl"):
            must(cluster.sql(f"SHOW {setting}") == "on", f"{setting} is off")
    with stage.step("each service has a database and a role that owns nothing else"):
        house.prepare_databases()
        stranger = cluster.url("sampling", house.passwords["sampling"], of=database("roster"))
        done = stage.run("psql", "-X", "-c", "SELECT 1", stranger, check=False)
        must(done.returncode and "permission denied" in done.stderr, f"sampling may look into roster: {done.stderr}")
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
    with stage.step("a database of another authority or another name is told from the right one, and none is in plain"):
        wrong_databases(stage, house)
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
    with stage.step("sampling does not talk to a roster of another authority or name, and says so where operators ask"):
        house.start("roster")
        wrong_neighbours(stage, house)
    with stage.step("the services start in the order of the arrows, and the gateway serves"):
        for service in houses.SERVICES[1:]:
            house.start(service)
        for service in STORES:
            must(not plain(stage, house, service), f"{service} takes calls that are not encrypted")
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
        arguments = ("audit", "verify", "--gateway", house.address("gateway"), "--ca", house.trusted)
        stage.campus(*arguments, env={"CAMPUS_TOKEN": house.token("audit-admin", "")})


def wrong_databases(stage, house):
    """`migrate` cannot be led to a server that is not the one of the settings."""
    cluster = house.cluster
    stranger = Authority(stage.folder, "stranger")

    def refused(why, environment=None):
        done = stage.run(stage.binary("roster"), "--config", house.settings_file("roster"), "migrate", "--plan",
                         env=environment or house.environment("roster"), check=False)
        must(done.returncode == UNREACHABLE, f"{why}: it ended with {done.returncode}: {done.stdout}{done.stderr}")
        must(why in done.stdout + done.stderr, f"it does not say {why}: {done.stdout}{done.stderr}")

    bundle(cluster.trusted, stranger)
    refused("UnknownIssuer")
    bundle(cluster.trusted, house.database_authority)
    cluster.show(house.database_authority, places="DNS:elsewhere.example")
    cluster.reload()
    refused("not valid for name")
    cluster.show(house.database_authority)
    cluster.reload()
    in_plain = house.environment("roster")
    refused("no encryption", {key: url.partition("?")[0] for key, url in in_plain.items()})


def wrong_neighbours(stage, house):
    """sampling is not ready while roster is not the one that it should be, and becomes so without a restart."""
    stranger = Authority(stage.folder, "stranger-inside")
    bundle(house.trusted, stranger)
    house.refresh_token("sampling")
    command = [stage.binary("sampling"), "--config", house.settings_file("sampling")]
    process = Process(stage, "sampling", command, house.environment("sampling")).start()
    house.processes["sampling"] = process

    def waits(why):
        def told():
            must(process.runs(), f"sampling ended: {process.said()}")
            status, text = house.page("sampling", "/readyz")
            return status == 503 and "roster-feed" in text and why in process.said(20)

        until(f"sampling says that {why}", told)

    waits("UnknownIssuer")
    place = ("127.0.0.1", house.ports["roster"])
    before = ssl.get_server_certificate(place)
    house.authority.issue("roster", *house.pair("roster"), places="DNS:elsewhere.example")
    until("roster shows the new certificate", lambda: ssl.get_server_certificate(place) != before)
    bundle(house.trusted, house.authority)
    waits("not valid for name")
    house.authority.issue("roster", *house.pair("roster"))
    house.wait_ready("sampling")


def plain(stage, house, service):
    """Whether a service answers somebody who does not encrypt."""
    address = f"http://127.0.0.1:{house.ports[service]}/grpc.health.v1.Health/Check"
    done = stage.run("curl", "--silent", "--http2-prior-knowledge", "--max-time", "5", "--data", "x", address, check=False)
    return done.returncode == 0
