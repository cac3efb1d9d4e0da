"""When an alert fires: its cause is brought about, the alert is seen to fire by what the services tell of themselves, what
its section says is done, and it is seen to be quiet again."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

import certificates
import house as houses
import scrapes
import town
from calls import reason_of, request_id
from issuer import secret_file
from postgres import database
from provider import KeySet, Provider
from proxy import Proxy
from scrapes import Scrape, judge
from stage import Failed, must, until

# Within this time figures of a database are looked for again, in seconds.
LOOK = 10.5
# How much slower each piece of the conversation with a database becomes, in seconds.
SLOW = 0.1
# How many refusals a service lets wait for its audit.
REFUSALS = 1024
# What the runbook of a slow database says shows who stands in the way.
LONGEST = ("SELECT pid, state, wait_event_type, left(query, 60), now() - xact_start FROM pg_stat_activity "
           "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY xact_start")
README = pathlib.Path(__file__).resolve().parent.parent / "README.md"
# By how much a clock is wrong, in seconds.
WRONG = 20
# When the token of a service that nobody renewed ends, in seconds: soon, and not while this goes on.
ENDS = 240
# For how long a directive is held back, in seconds: longer than is promised, by all the time that a statement waits for
# a lock.
HELD = 72
# For how long a certificate is good that is renewed in time, in hours.
MONTH = 30 * 24


def rehearse(stage):
    if not scrapes.can_be_judged():
        raise Failed("promtool is not installed: apt-get install prometheus")
    must(LONGEST in README.read_text(encoding="utf-8"), "the runbook has another query")
    with stage.step("a house runs, all of whose alerts are quiet"):
        house = houses.House(stage)
        proxy = Proxy(stage, house.cluster.port)
        house.database_ports["safety-inspection"] = proxy.port
        secret = secret_file(house.keys / "notification-sms")
        provider = Provider(stage, house.authority, house.keys).come()
        house.settings["notification"]["channels"] = [provider.channel(house.authority.certificate, secret)]
        elsewhere = stage.folder / "elsewhere"
        elsewhere.mkdir()
        house.settings["sampling"]["audit"]["checkpoint_file"] = str(elsewhere / "sampling")
        agreements = stage.folder / "partners.toml"
        agree(agreements, certificates.AGREEMENT)
        house.settings["gateway"]["auth"]["partners_file"] = str(agreements)
        house.authority.issue("gateway", *house.pair("gateway"), hours=MONTH)
        house.open()
        town.settle(house)
        school, other = town.schools(house, town.FIRST[0], count=2)
        town.settled(house, school)
        names = town.morning(house, school)
        before = Scrape(house)
        house.door.call(*school.enter())
        judge(stage, before, Scrape(house), quiet=ALL)
    nothing_said(stage, house)
    keys = KeySet(stage, house.authority, house.keys, house.issuer)
    not_ready(stage, house, keys)
    faulty_agreements(stage, house, agreements)
    ending_certificate(stage, house)
    held = Held(stage, house, school, provider)
    # What comes now does not ask for notification: meanwhile the time passes in which a directive is promised.
    late_gates(stage, house, school, proxy)
    too_much(stage, house, school)
    dropped_refusals(stage, house, school, other)
    wrong_clock(stage, house)
    names.append(what_waits(stage, house, other, elsewhere, provider, keys, held))
    failing_acts(stage, house, school)
    with stage.step("everything that was acknowledged is there, and all alerts are quiet"):
        town.remembered(house, names, school, other)
        renew_tokens(house)
        before = Scrape(house)
        house.door.call(*school.enter())
        judge(stage, before, Scrape(house), quiet=ALL)


# What is brought about here.
ALL = ("CampusServiceSilent", "CampusServiceNotReady", "CampusUpstreamGone", "CampusProjectionBehind", "CampusOutboxStuck",
       "CampusGatesMissedFast", "CampusShedding", "CampusDatabaseWaits", "CampusDatabaseFails", "CampusCommandsMissedFast",
       "CampusEmergencyUndelivered", "CampusInboxesLate", "CampusDirectivesMissedFast", "CampusTimerStopped",
       "CampusDeadlinesLate", "CampusAuditDrops", "CampusAuditUnchained", "CampusAuditUnsigned", "CampusClocksApart",
       "CampusCertificateEnds", "CampusCertificateEnded", "CampusTokenEnds", "CampusIssuerKeysStale",
       "CampusPartnersFileFaulty")


def nothing_said(stage, house):
    alerts = ("CampusServiceSilent", "CampusUpstreamGone", "CampusProjectionBehind")
    with stage.step("a service says nothing, facts arrive late: roster is gone, and the token of sampling has ended"):
        house.processes["roster"].kill()
        ended = house.issuer.token("service", "", "campus-sampling", exp=1)
        (house.keys / "sampling-token").write_text(ended, encoding="utf-8")
        until("the gateway knows", lambda: called(house, "roster") == 0)
        before = Scrape(house)
        time.sleep(2)
        judge(stage, before, Scrape(house), firing=alerts)
        must(not house.processes["roster"].runs(), "it runs")
    with stage.step("it is started again; the log of sampling says why it hears nothing, and it gets another token"):
        house.start("roster")
        told(house, "sampling", "upstream is away", "Unauthenticated")
        house.refresh_token("sampling")
        until("sampling hears of it", lambda: age(house, "sampling", "roster") < 10)
        until("the gateway knows", lambda: called(house, "roster") == 1)
        quiet(stage, house, alerts)


def not_ready(stage, house, keys):
    alerts = ("CampusServiceNotReady",)
    auth = house.settings["notification"]["auth"]
    with stage.step("a service is not ready: notification cannot fetch the keys of an issuer, and says so at /readyz"):
        auth["jwks_url"] = f"https://127.0.0.1:{keys.port}/keys"
        auth["jwks_ca_file"] = str(house.authority.certificate)
        auth["jwks_refresh"] = "10s"
        house.write_settings("notification")
        house.stop("notification")
        process = houses.Process(stage, "notification", house.processes["notification"].command,
                                 house.environment("notification"))
        house.processes["notification"] = process.start()
        until("it says what it waits for", lambda: "waits for: identity" in house.page("notification", "/readyz")[1])
        now = Scrape(house)
        judge(stage, now, now, firing=alerts)
    with stage.step("the issuer answers: it becomes ready by itself"):
        keys.come()
        house.wait_ready("notification")
        quiet(stage, house, alerts)


def late_gates(stage, house, school, proxy):
    alerts = ("CampusGatesMissedFast",)
    with stage.step("gates answer late: the database of safety-inspection is slow, and its COMMIT tells so"):
        before = Scrape(house)
        house.door.call(*school.enter())
        proxy.flow(SLOW)
        start = Scrape(house)

        def slow():
            house.door.ask(*school.enter())
            return mean(start, Scrape(house), "COMMIT") > SLOW

        until("COMMIT takes longer", slow)
        judge(stage, before, Scrape(house), firing=alerts)
    with stage.step("it is fast again: gates are served within their time"):
        proxy.flow()
        until("a gate is served quickly", lambda: quick(house, school))
        before = Scrape(house)
        for _ in range(20):
            house.door.call(*school.enter())
        judge(stage, before, Scrape(house), quiet=alerts)


def too_much(stage, house, school):
    alerts = ("CampusShedding",)
    with stage.step("there is too much to do: a system that calls for many by one token is told RATE_LIMITED"):
        house.settings["gateway"]["limits"]["roles"] = {"guard": {"rate": 1, "burst": 1}}
        house.write_settings("gateway")
        house.restart("gateway")
        call = school.enter()
        before = Scrape(house)
        asked = [house.door.ask(*call)[0] for _ in range(20)]
        must(429 in asked, f"{asked}")
        judge(stage, before, Scrape(house), firing=alerts)
    with stage.step("the limit of its role is raised, and the gateway started again"):
        house.settings["gateway"]["limits"]["roles"] = {}
        house.write_settings("gateway")
        house.restart("gateway")
        before = Scrape(house)
        for _ in range(20):
            house.door.call(*call)
        judge(stage, before, Scrape(house), quiet=alerts)


def faulty_agreements(stage, house, file):
    alerts = ("CampusPartnersFileFaulty",)
    laboratory = certificates.Partner(house)
    command = [stage.binary("gateway"), "--config", house.settings_file("gateway")]
    with stage.step("the file of agreements cannot be used: the log says why, and what was read last counts"):
        laboratory.known()
        agree(file, {**certificates.AGREEMENT, "scoope": town.CITY})
        told(house, "gateway", "a file cannot be used", "auth.partners_file", "scoope")
        now = Scrape(house)
        judge(stage, now, now, firing=alerts)
        laboratory.known()
        for more in (["check-config"], []):
            done = stage.run(*command, *more, check=False, timeout=30)
            must(done.returncode == 64 and "scoope" in done.stderr, f"{more}: {done.returncode} {done.stderr}")
    with stage.step("it is mended, and nothing restarts"):
        agree(file, certificates.AGREEMENT)
        until("it is read", lambda: aged(house, "campus_partners_file_faulty") == 0)
        laboratory.known()
        quiet(stage, house, alerts)


def ending_certificate(stage, house):
    alerts = ("CampusCertificateEnds", "CampusCertificateEnded")
    with stage.step("a certificate ends, that of the door within the hour"):
        house.authority.issue("gateway", *house.pair("gateway"), hours=1)
        until("the gateway shows it", lambda: certificate_ends(house) <= 3600)
        now = Scrape(house)
        judge(stage, now, now, firing=alerts)
    with stage.step("it is replaced, and counts within seconds"):
        house.authority.issue("gateway", *house.pair("gateway"), hours=MONTH)
        until("the gateway shows it", lambda: certificate_ends(house) > 7 * 24 * 3600)
        quiet(stage, house, alerts)


class Held:
    """A directive that does not come into inboxes, and before it a message for a provider who is away."""

    def __init__(self, stage, house, school, provider):
        self.house = house
        self.school = school
        officer = house.token("city-officer", town.CITY)
        with stage.step("messages wait: the provider of a channel is away, which its log and GetChannel tell"):
            provider.leave()
            house.door.call(officer, "/v1/contactPoints:set", {
                "party": school.name, "channel": "channels/sms", "address": "13800138000", "requestId": request_id()})
            token, path, body = town.letter(house, school)
            body["message"].update(urgency="URGENCY_EMERGENCY", channels=["channels/sms"])
            house.door.call(token, path, body)
            told(house, "notification", "the provider is left alone")
            channel = house.door.call(officer, "/v1/channels/sms")
            must("restUntil" in channel and not channel.get("paused"), f"{channel}")
        with stage.step("directives arrive late: notification cannot write its ledger, which its log tells"):
            self.session = stage.enter_context(Session(house, "notification"))
            self.session.begin("LOCK TABLE deliveries IN EXCLUSIVE MODE")
            town.order(house, school)
            self.since = time.monotonic()
            self.before = Scrape(house)
            # A statement waits ten seconds for a lock.
            told(house, "notification", "a message could not be expanded")

    def is_over(self):
        """Whether it is later than is promised."""
        return time.monotonic() - self.since > HELD

    def delivered(self, before):
        """What is seen once one more directive is in the inbox of everybody than before."""
        def seen():
            now = Scrape(self.house)
            return now.rises(before, "campus_notification_inbox_seconds_count", category="DIRECTIVE") and now

        return until("a directive is in the inbox of everybody", seen)


def what_waits(stage, house, school, elsewhere, provider, keys, held):
    """Several causes at once, for all of them are looked for every ten seconds only: the check of a class group that was
    stored meanwhile."""
    alerts = ("CampusEmergencyUndelivered", "CampusInboxesLate", "CampusAuditUnchained", "CampusAuditUnsigned",
              "CampusTokenEnds", "CampusIssuerKeysStale", "CampusOutboxStuck", "CampusTimerStopped", "CampusDeadlinesLate")
    late = ("CampusDirectivesMissedFast",)
    of = database("sampling")
    with contextlib.ExitStack() as causes:
        with stage.step("the audit misses something: checkpoints of sampling go to a volume that is away, its log tells"):
            away = elsewhere.rename(elsewhere.with_name("away"))
            # Whom the school did not reach yet is waited for until their time is over.
            token, path, body = school.check()
            body["presentCount"] -= 1
            body["absentCount"] = 1
            body["absences"] = [{"person": school.pupils[0]["name"], "reason": "ABSENCE_REASON_UNKNOWN"}]
            check = until("the check is stored", lambda: stored(house.door.ask(token, path, body)))
            # Whoever reads it is recorded.
            house.door.call(token, f"/v1/{check['check']['name']}")
            until("that is in the chain", lambda: house.cluster.sql(UNSIGNED, of) == "t")
            head = int(house.cluster.sql("SELECT max(sequence) FROM audit_records", of))
            # A service signs when it starts, and then once a minute.
            house.restart("sampling")
            told(house, "sampling", "the audit log cannot be signed", "audit.checkpoint_file")
        with stage.step("a token ends: that of safety-inspection is not renewed, and the issuer is away for notification"):
            keys.leave()
            ends = house.issuer.token("service", "", "campus-safety-inspection", exp=int(time.time()) + ENDS)
            (house.keys / "safety-inspection-token").write_text(ends, encoding="utf-8")
        with stage.step("facts arrive late, records wait: somebody holds the log of the feed of roster, and of its audit"):
            holders = [held.session]
            holders.append(causes.enter_context(Session(house, "roster")))
            holders[-1].begin("LOCK TABLE audit_records IN EXCLUSIVE MODE")
            holders.append(causes.enter_context(Session(house, "roster")))
            holders[-1].begin("LOCK TABLE feed_log IN EXCLUSIVE MODE")
            town.newcomer(house, school)
        with stage.step("duties of the day are late: transactions hold what a timer and a deadline wait for"):
            holders.append(causes.enter_context(Session(house, "safety-inspection")))
            holders[-1].begin("LOCK TABLE duty_shifts IN ACCESS EXCLUSIVE MODE")
            holders.append(causes.enter_context(Session(house, "sampling")))
            holders[-1].begin("LOCK TABLE absences IN EXCLUSIVE MODE")
            passed = house.cluster.sql(PASSED, of)
            must(passed, "nobody is waited for")
        with stage.step("all alerts fire, and logs say what is tried again"):
            before = Scrape(house)
            time.sleep(LOOK)
            judge(stage, before, Scrape(house), firing=alerts)
            told(house, "roster", "cannot sequence the outbox")
            told(house, "roster", "records cannot be chained")
            told(house, "notification", "no key set", "auth.jwks_url")
            told(house, "safety-inspection", "cannot look for shifts", "trying again")
            told(house, "sampling", "a deadline could not be handled", '"kind":2')
        with stage.step("who stands in the way is found by what the sections say, and ended; the directive came too late"):
            until("the time of the promise is over", held.is_over, patience=HELD)
            for session in holders:
                session.end()
            judge(stage, held.before, held.delivered(held.before), firing=late)
        with stage.step("the provider and the issuer come back, the volume is there again, the token is renewed"):
            provider.come()
            keys.come()
            away.rename(elsewhere)
            house.restart("sampling")
            renew_tokens(house)
            until("the provider has it", lambda: provider.told)
            until("a checkpoint lies elsewhere", lambda: signed(elsewhere / "sampling") >= head)
        with stage.step("nothing waits any more, and the next directive comes in time"):
            until("it is looked for", lambda: not waiting(house))
            before = Scrape(house)
            town.order(house, school)
            judge(stage, before, held.delivered(before), quiet=alerts + late)
    return check["check"]["name"]


# Whether something stands in the chain of which no checkpoint speaks.
UNSIGNED = ("SELECT (SELECT coalesce(max(sequence), 0) FROM audit_records) > "
            "(SELECT coalesce(max(sequence), 0) FROM audit_checkpoints)")
# The time in which somebody must be reached about an absence passes at once.
PASSED = "UPDATE deadlines SET due = (extract(epoch FROM clock_timestamp()) * 1000)::bigint WHERE kind = 2 RETURNING entity"


def waiting(house):
    """Whether anything waits, as far as it was looked for."""
    now = Scrape(house)
    ages = [
        now.value("campus_outbox_age_seconds", service="roster"),
        now.value("campus_notification_expanding_age_seconds"),
        now.value("campus_notification_undelivered_age_seconds"),
        now.value("campus_sampling_deadlines_age_seconds"),
    ]
    unchained = now.value("campus_audit_unchained_age_seconds", service="roster") or 0
    keys = now.value("campus_issuer_keys_age_seconds", service="notification") or 0
    ends = now.value("campus_token_ends_seconds", service="safety-inspection") or 0
    return any(ages) or max(unchained, keys) > LOOK or ends <= ENDS


def signed(file):
    """Up to which record the checkpoints in a file speak of a log."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return max((json.loads(line)["sequence"] for line in lines), default=0)


def renew_tokens(house):
    """What the issuer does again and again."""
    for service, neighbours in houses.CALLS.items():
        if neighbours:
            house.refresh_token(service)


def failing_acts(stage, house, school):
    alerts = ("CampusDatabaseWaits", "CampusDatabaseFails", "CampusCommandsMissedFast")
    with stage.step("the database is slow, acts fail: a lock holds all connections of notification"):
        before = Scrape(house)
        with Session(house, "notification") as locker, concurrent.futures.ThreadPoolExecutor(24) as crowd:
            locker.begin("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
            letters = [crowd.submit(house.door.ask, *town.letter(house, school)) for _ in range(24)]
            until("all connections wait", lambda: waits(house))
            held = Scrape(house)
            judge(stage, before, held, firing=alerts[:1])
            # Statements give up waiting for a lock after ten seconds.
            statuses = [letter.result(60)[0] for letter in letters]
            must(200 not in statuses, f"{statuses}")
            after = Scrape(house)
            judge(stage, before, after, firing=alerts[1:])
            failing = sum(after.rises(before, "campus_rpc_duration_seconds_count", service="gateway", method="SendMessage",
                                      outcome=outcome) for outcome in ("failed", "shed"))
            must(failing > len(statuses) / 2, f"of {statuses} {failing} are told")
            locker.end()
    with stage.step("who holds the lock is found and ended: letters are taken as before"):
        until("a letter is taken", lambda: house.door.ask(*town.letter(house, school))[0] == 200)
        before = Scrape(house)
        for _ in range(5):
            house.door.call(*town.letter(house, school))
        judge(stage, before, Scrape(house), quiet=alerts)


def dropped_refusals(stage, house, school, other):
    alerts = ("CampusAuditDrops",)
    curious = house.token("principal", school.path, subject="curious")
    path = f"/v1/students?parent={other.name}"
    with stage.step("the audit misses something: somebody tries doors by the thousand while it is written slowly"):
        before = Scrape(house)
        with Session(house, "roster") as locker, concurrent.futures.ThreadPoolExecutor(8) as crowd:
            house.door.refused(curious, path, "SCOPE_DENIED")
            locker.begin("LOCK TABLE audit_pending IN EXCLUSIVE MODE")
            # The first of a kind is written, the others are counted.
            house.door.refused(house.token("principal", school.path, subject="nosy"), path, "SCOPE_DENIED")
            doors = crowd.map(lambda _: house.door.ask(curious, path)[0], range(REFUSALS + 200))
            must(set(doors) == {403}, "a door was open")
            locker.end()
        judge(stage, before, Scrape(house), firing=alerts)
    with stage.step("the audit shows who it was, and verifies"):
        environment = {"CAMPUS_TOKEN": house.token("audit-admin", "")}
        arguments = ("--gateway", house.address("gateway"), "--ca", house.trusted)
        shown = stage.campus("audit", "search", "--kind", "refused", *arguments, env=environment)
        must("curious" in shown.stdout, shown.stdout)
        stage.campus("audit", "verify", *arguments, env=environment)
        quiet(stage, house, alerts)


def wrong_clock(stage, house):
    alerts = ("CampusClocksApart",)
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if not library:
        must("CAMPUS_REQUIRE_FAKETIME" not in os.environ, "libfaketime is required and not installed")
        print("  *** SKIPPED, for libfaketime is not installed: a clock is wrong ***", flush=True)
        return
    clock = stage.folder / "clock"
    with stage.step("a clock is wrong, that of the machine of safety-inspection: it goes by its database and takes calls"):
        clock.write_text(f"+{WRONG}\n", encoding="utf-8")
        faked = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                 "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
        house.stop("safety-inspection")
        process = houses.Process(stage, "safety-inspection", house.processes["safety-inspection"].command,
                                 {**house.environment("safety-inspection"), **faked})
        house.processes["safety-inspection"] = process.start()
        for left in ("faketime_shm", "sem.faketime_sem"):
            # The library leaves it in memory.
            stage.callback(pathlib.Path(f"/dev/shm/{left}_{process.child.pid}").unlink, missing_ok=True)
        house.wait_ready("safety-inspection")
        apart = "campus_clock_apart_seconds"
        until("it is looked at", lambda: (aged(house, apart, service="safety-inspection") or 0) > WRONG / 2)
        now = Scrape(house)
        judge(stage, now, now, firing=alerts)
        others = [now.value(apart, service=one) or 0 for one in ("roster", "sampling", "notification")]
        must(all(abs(one) < 1 for one in others), f"the database's clock is wrong: {others}")
    with stage.step("it is put right"):
        clock.write_text("+0\n", encoding="utf-8")
        until("it is looked at", lambda: abs(aged(house, apart, service="safety-inspection") or 0) < 1)
        quiet(stage, house, alerts)


class Session(contextlib.AbstractContextManager):
    """Somebody who holds a transaction open in the database of a service."""

    def __init__(self, house, service):
        self.cluster = house.cluster
        self.database = database(service)
        self.text = ""
        self.child = None

    def begin(self, statement):
        command = ["psql", "-X", "-q", "-h", self.cluster.home, "-p", self.cluster.port, "-U", "postgres"]
        command += ["-d", self.database]
        self.text = f"BEGIN; {statement}; SELECT pg_sleep(600)"
        self.child = subprocess.Popen([*map(str, command), "-c", self.text], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        until("it holds", self.found)

    def found(self):
        """The process that the query of the runbook shows with this transaction; none when it shows none."""
        rows = [row.split("|") for row in self.cluster.sql(LONGEST).splitlines()]
        return next((row[0] for row in rows if len(row) > 3 and self.text.startswith(row[3])), None)

    def end(self):
        """Ends what the query shows."""
        self.cluster.sql(f"SELECT pg_terminate_backend({self.found()})")
        self.child.wait(30)

    def __exit__(self, *_):
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(30)


def quiet(stage, house, alerts):
    """Sees that these alerts do not fire as things are."""
    before = Scrape(house)
    time.sleep(1)
    judge(stage, before, Scrape(house), quiet=alerts)


def told(house, service, *words):
    """Waits until a line of a log has all of these words."""
    log = house.processes[service].log

    def found():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return any(all(word in line for word in words) for line in lines)

    until(f"the log of {service} says: {', '.join(words)}", found)


def agree(file, agreement):
    """Puts an agreement with a partner in place of the one before: whoever reads the file finds one of the two."""
    fresh = file.with_suffix(".new")
    fresh.write_text(houses.toml({"partners": [agreement]}), encoding="utf-8")
    fresh.rename(file)


def certificate_ends(house):
    """For how long the certificate at the door is good, in seconds."""
    return aged(house, "campus_certificate_ends_seconds", service="gateway", certificate="server")


def stored(answer):
    """What was stored of a check; nothing while sampling does not know enough to take it."""
    status, told_back = answer
    must(status == 200 or reason_of(told_back) in town.NOT_YET, f"a check: {status} {told_back}")
    return status == 200 and told_back


def called(house, service):
    """How many replicas of a service the gateway calls."""
    return Scrape(house).value("campus_upstream_replicas", upstream=service, state="called")


def age(house, service, projection):
    """How long ago a service heard of a feed, in seconds."""
    return Scrape(house).value("campus_projection_age_seconds", service=service, projection=projection)


def aged(house, name, **labels):
    return Scrape(house).value(name, **labels)


def mean(before, after, kind):
    """How long statements of safety-inspection of a kind took, in seconds."""
    of = {"service": "safety-inspection", "kind": kind}
    name = "campus_db_statement_seconds"
    return after.rises(before, f"{name}_sum", **of) / max(1, after.rises(before, f"{name}_count", **of))


def waits(house):
    now = Scrape(house)
    return (now.value("campus_db_waiting", service="notification") or 0) > 0


def quick(house, school):
    began = time.monotonic()
    house.door.call(*school.enter())
    return time.monotonic() - began < 0.3
