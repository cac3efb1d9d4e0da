"""Adding a partner system while the others work: its certificate, its agreement in a file, what it may call and is told,
a narrower agreement, and its end."""

import json
import urllib.parse

import certificates
import house as houses
import town
from calls import reason_of
from stage import must, until

# Who it is, in its certificate and in the audit.
NAME, SUBJECT = "cdc-system", "city-disease-control"
# A method that is agreed and permitted, one that is agreed and that no policy permits, and one that is not agreed.
READ, FORBIDDEN = f"/v1/organizations/{town.CITY}", "/v1/importJobs"
BEYOND = f"/v1/holds?organization=organizations/{town.CITY}"
# One whose calls stand in the audit.
PERSONAL = f"/v1/cases?organization=organizations/{town.CITY}"
GET = "campus.roster.v1.OrganizationService/GetOrganization"
AGREEMENT = {
    "certificate": f"cn:{NAME}",
    "subject": SUBJECT,
    "role": "disease-control",
    "scope": town.CITY,
    "methods": [
        GET,
        "campus.roster.v1.ImportService/ListImportJobs",
        "campus.sampling.v1.CaseService/ListCases",
        "campus.sampling.v1.SamplingFeed/Snapshot",
        "campus.sampling.v1.SamplingFeed/Watch",
    ],
    "expires": "2099-12-31T00:00:00Z",
}


def rehearse(stage):
    file = stage.folder / "partners.toml"
    with stage.step("a house runs that has agreed with nobody yet, and a school has its morning"):
        agree(file)
        house = houses.House(stage)
        house.settings["gateway"]["auth"]["partners_file"] = str(file)
        house.open()
        town.settle(house)
        (school,) = town.schools(house, town.FIRST[0])
        town.settled(house, school)
        names = town.morning(house, school)
    with stage.step("2. its certificate is of the authority for partners: the door opens, and nobody knows it"):
        partner = Partner(house, NAME)
        partner.refused("PARTNER_UNKNOWN")
    with stage.step("3. its agreement is written beside, and check-config finds a slip in it, and none when it is mended"):
        draft = stage.folder / "draft.toml"
        house.settings["gateway"]["auth"]["partners_file"] = str(draft)
        house.write_settings("gateway")
        agree(draft, {**AGREEMENT, "methods": [*AGREEMENT["methods"], "campus.sampling.v1.CaseService/ListCase"]})
        done = check(stage, house)
        must(done.returncode == 64 and "partners[0].methods[5]" in done.stderr, f"{done.returncode} {done.stderr}")
        agree(draft, {**AGREEMENT, "methods": []})
        done = check(stage, house)
        must(done.returncode == 64 and "partners[0].methods" in done.stderr, f"{done.returncode} {done.stderr}")
        agree(draft, AGREEMENT)
        done = check(stage, house)
        must(done.returncode == 0, done.stderr)
        partner.refused("PARTNER_UNKNOWN")
        house.settings["gateway"]["auth"]["partners_file"] = str(file)
        house.write_settings("gateway")
    before = certificates.pids(house)
    with stage.step("4. it is put in place and counts within seconds: what is agreed is answered, and whole"):
        agree(file, AGREEMENT)
        whole = until("it is known", partner.answered)
        must({"name", "kind", "displayName"} <= set(whole), f"{whole}")
        status, answer = partner.call(PERSONAL)
        must(status == 200, f"{status} {answer}")
    with stage.step("4. what is not agreed is told from what a policy does not permit, also with somebody's token"):
        must(partner.forbidden(BEYOND) == "partner", "it is not said that this is not agreed")
        must(partner.forbidden(FORBIDDEN) == "import.run", "it is not said what a policy does not permit")
        officer = house.token("city-officer", town.CITY)
        house.door.call(officer, FORBIDDEN)
        status, answer = partner.call(FORBIDDEN, officer)
        must(status in (401, 403), f"an officer's token opens more than was agreed: {status} {answer}")
    with stage.step("4. what it did stands in the audit under its subject"):
        arguments = ("--subject", SUBJECT, "--gateway", house.address("gateway"), "--ca", house.trusted)
        token = {"CAMPUS_TOKEN": house.token("audit-admin", "")}

        def shown():
            lines = stage.campus("audit", "search", *arguments, env=token).stdout.splitlines()
            return any(SUBJECT in line and "ListCases" in line for line in lines)

        # Records are chained a moment after they were written.
        until("it is found", shown)
    with stage.step("5. the agreement is narrowed: its open stream ends, to come back, and it is told two fields"):
        narrow = {**AGREEMENT, "fields": {GET: ["name", "display_name"]}}
        why = partner.ended(lambda: agree(file, narrow))
        must(why == "UNAVAILABLE", f"the stream ended for {why}")
        told = until("it is known again", partner.answered)
        must(told == {key: whole[key] for key in ("name", "displayName")}, f"{told}")
    with stage.step("5. it is taken out: its open stream ends, and it is known no more"):
        why = partner.ended(lambda: agree(file))
        must(why == "PARTNER_UNKNOWN", f"the stream ended for {why}")
        partner.refused("PARTNER_UNKNOWN")
    with stage.step("6. it is agreed anew, and all of it called back by one line"):
        agree(file, narrow)
        until("it is known", partner.answered)
        house.revoked.write_text(f"sub {SUBJECT}\n", encoding="utf-8")
        until("it is refused", lambda: partner.call(READ)[0] == 401)
        partner.refused("TOKEN_INVALID")
    with stage.step("nothing was restarted, and everything that was acknowledged is there"):
        must(certificates.pids(house) == before, "a service was restarted")
        town.remembered(house, names, school)


class Partner(certificates.Partner):
    """Another system with its certificate."""

    def call(self, path, token=None):
        """The status and the answer."""
        with self.get(path, token) as told:
            return told.status, json.loads(told.read())

    def answered(self):
        """What it is told of the city; nothing where it is refused."""
        status, answer = self.call(READ)
        return status == 200 and answer

    def refused(self, reason):
        status, answer = self.call(READ)
        must(status == 401 and reason_of(answer) == reason, f"{status} {answer}, not {reason}")

    def forbidden(self, path):
        """The permission that is missing for a method."""
        status, answer = self.call(path)
        (why,) = [one for one in answer.get("details", []) if "reason" in one]
        must(status == 403 and why["reason"] == "SCOPE_DENIED", f"{path}: {status} {answer}")
        return why["metadata"]["permission"]

    def ended(self, act):
        """Why its stream ends after an act."""
        with self.get("/v1/samplingFeed:snapshot") as told:
            parts = [json.loads(line) for line in told.read().splitlines()]
        (resume,) = [one["result"]["resumeToken"] for one in parts if one.get("result", {}).get("resumeToken")]
        with self.get(f"/v1/samplingFeed:watch?resumeToken={urllib.parse.quote(resume, safe='')}") as stream:
            must(stream.status == 200, f"{stream.status}")
            act()
            # It says every few seconds that it lives.
            for _ in range(1000):
                line = stream.readline()
                if not line:
                    break
                if "error" in json.loads(line):
                    return reason_of(json.loads(line)["error"])
        return "no reason"


def agree(file, *agreements):
    """Puts these agreements in place of those that stand in a file: whoever reads it finds the ones or the others."""
    fresh = file.with_suffix(".new")
    fresh.write_text(houses.toml({"partners": list(agreements)}), encoding="utf-8")
    fresh.rename(file)


def check(stage, house):
    return stage.run(stage.binary("gateway"), "--config", house.settings_file("gateway"), "check-config", check=False)
