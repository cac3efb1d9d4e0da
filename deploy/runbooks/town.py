"""An invented city in the register, and a morning of it: what is written is remembered, so that it can be looked for."""

import csv
import datetime

from calls import reason_of, request_id
from stage import Failed, must, until

# The city bureau.
CITY = "fz"
# The districts that the rehearsals begin with, and one that comes later.
FIRST = ("350102", "350103")
LATER = "350181"
# The time of the city.
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
# What sampling says of a check before it has heard of the class group, or that today is a school day.
NOT_YET = {"NO_SCHOOL_DAY", "NOT_FOUND", "CHECK_DAY"}


def civil_day():
    return datetime.datetime.now(SHANGHAI).date()


def told(day):
    """A day as messages have it."""
    return {"year": day.year, "month": day.month, "day": day.day}


def today():
    """The civil day of the city."""
    return told(civil_day())


def generate(stage, students=800):
    """Invents a city as files."""
    folder = stage.folder / "city"
    if not folder.exists():
        stage.campus("city", "generate", "--students", students, "--out", folder)
    return folder


def rows(file):
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        return reader.fieldnames, list(reader)


def part(stage, districts, with_city):
    """The OneRoster files of some districts, as each of them would export its own."""
    source = generate(stage) / "oneroster"
    target = stage.folder / ("oneroster-" + "-".join(districts))
    target.mkdir(exist_ok=True)
    fields, orgs = rows(source / "orgs.csv")
    kept = set(districts) | ({CITY} if with_city else set())
    kept |= {org["sourcedId"] for org in orgs if org["parentSourcedId"] in districts}
    tables = {
        "orgs": lambda row: row["sourcedId"] in kept,
        "classes": lambda row: row["schoolSourcedId"] in kept,
        "enrollments": lambda row: row["schoolSourcedId"] in kept,
        "users": lambda row: row["orgSourcedIds"].split(",")[0] in kept,
    }
    people = set()
    for file in sorted(source.glob("*.csv")):
        fields, found = rows(file)
        if keep := tables.get(file.stem):
            found = [row for row in found if keep(row)]
        if file.stem == "users":
            people = {row["sourcedId"] for row in found}
        with (target / file.name).open("w", encoding="utf-8", newline="") as text:
            writer = csv.DictWriter(text, fields)
            writer.writeheader()
            writer.writerows(found)
    demographics = target / "demographics.csv"
    fields, found = rows(demographics)
    with demographics.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, fields)
        writer.writeheader()
        writer.writerows(row for row in found if row["sourcedId"] in people)
    return target


def bring_in(house, path, organization, source=None, *more):
    """Imports files through the gateway, as whoever keeps the register does."""
    arguments = ["import", path, "--organization", organization, *more]
    if source:
        arguments += ["--source", source]
    arguments += ["--gateway", f"https://127.0.0.1:{house.ports['gateway']}", "--ca", house.trusted]
    environment = {"CAMPUS_TOKEN": house.token("city-officer", CITY), "PATH": "/usr/bin:/bin"}
    done = house.stage.campus(*arguments, env=environment)
    return done.stdout


def open_school(house):
    """Makes today and tomorrow school days, whatever the calendar says of them: rehearsals are held on Sundays too."""
    officer = house.token("city-officer", CITY)
    day = civil_day()
    days = (day, day + datetime.timedelta(days=1))
    for year in sorted({one.year for one in days}):
        path = f"/v1/calendarYears/{year}"
        status, known = house.door.ask(officer, path)
        known = known if status == 200 else {}
        mine = [told(one) for one in days if one.year == year]
        off = [one for one in known.get("daysOff", []) if one["date"] not in mine]
        makeup = {tuple(one["date"].values()): one for one in known.get("makeupDays", [])}
        for one in days:
            if one.year == year and one.weekday() >= 5:
                makeup.setdefault(tuple(told(one).values()), {"date": told(one), "displayName": "补课"})
        # Without terms there is teaching all year.
        year_of_school = {"daysOff": off, "makeupDays": [makeup[key] for key in sorted(makeup)]}
        house.door.call(officer, f"{path}?requestId={request_id()}", year_of_school, method="PUT")


def settle(house):
    """The city and its first districts come into an empty register, and school is held."""
    bring_in(house, part(house.stage, FIRST, with_city=True), CITY)
    open_school(house)


def samples(house):
    """From today on the policy in force is the one that has people swabbed; a plan of the city by it: its name."""
    officer = house.token("city-officer", CITY)
    door = house.door
    found = door.pages(officer, "/v1/policyProfiles", "policyProfiles")
    (shipped,) = [one for one in found if one["profile"] == "fuzhou-2022-04"]
    profile = {**shipped, "profile": "rehearsal", "displayName": "演练", "effectiveDate": today()}
    proposed = door.call(officer, "/v1/policyProfiles:propose", {"policyProfile": profile, "requestId": request_id()})
    door.call(officer, f"/v1/{proposed['name']}:activate", {"etag": proposed["etag"], "requestId": request_id()})
    asked = {"displayName": "学生每日抽样", "kind": "KIND_STUDENT_ROTATION", "organization": f"organizations/{CITY}",
             "ratioBasisPoints": 2000, "cycleDays": 5, "startDate": today()}
    return door.call(officer, f"/v1/plans?planId=rehearsal&requestId={request_id()}", asked)["name"]


def draw(house, plan, school):
    """Who is swabbed today at a school: the name of the draw, once sampling has heard of the policy."""
    officer = house.token("city-officer", CITY)

    def drawn():
        told = house.door.lines(officer, "/v1/draws:drawDay", {"plan": plan, "organization": school.name})
        must(all("result" in one or reason_of(one) == "PLAN_NOT_ACTIVE" for one in told), f"a draw: {told}")
        return "result" in told[-1] and told[-1]["result"]["draw"]["name"]

    return until("the school is drawn", drawn)


class School:
    """A school with a class group and its pupils, known through the gateway."""

    def __init__(self, house, name, district):
        self.house = house
        self.name = name
        self.id = name.removeprefix("organizations/")
        self.path = f"{CITY}/{district}/{self.id}"
        officer = house.token("city-officer", CITY)
        groups = house.door.pages(officer, f"/v1/{name}/classGroups", "classGroups")
        must(groups, f"{name} has no class group")
        self.group = groups[0]["name"]
        self.place = f"{self.path}/{self.group.rpartition('/')[2]}"
        principal = house.token("principal", self.path)
        self.pupils = house.door.pages(principal, f"/v1/students?parent={self.group}", "students")
        must(self.pupils, f"{self.group} has no pupil")

    def token(self, role):
        place = self.place if role == "class-reporter" else self.path
        return self.house.token(role, place)

    def enter(self, pupil=0, token=None):
        """A pupil who looks well comes to the gate: what is asked."""
        body = {
            "person": self.pupils[pupil]["name"],
            "device": "south gate",
            "observation": {
                "temperatureDecidegrees": 365,
                "colour": "COLOUR_GREEN",
                "travelCard": {"showDate": today()},
            },
        }
        return token or self.token("guard"), f"/v1/{self.name}/gateDecisions:check", body

    def list(self):
        """What a gate of it needs to decide without a network."""
        return self.house.door.call(self.token("guard"), f"/v1/{self.name}/gateSnapshot")

    def check(self, findings=0, slot="SLOT_MORNING"):
        """A check of the class group, of whom so many have a fever: what is sent. The first of a slot stands."""
        ill = [
            {"person": pupil["name"], "symptoms": ["SYMPTOM_FEVER"], "temperatureTenths": 378}
            for pupil in self.pupils[:findings]
        ]
        body = {
            "checkDate": today(),
            "slot": slot,
            "rollCount": len(self.pupils),
            "presentCount": len(self.pupils),
            "findings": ill,
            "clientId": request_id(),
        }
        return self.token("class-reporter"), f"/v1/{self.group}/checks", body


def schools(house, district, count=1):
    """Schools of a district that have class groups and pupils."""
    officer = house.token("city-officer", CITY)
    found = house.door.pages(officer, f"/v1/organizations?ancestor=organizations/{district}", "organizations")
    chosen = []
    for one in found:
        if "SCHOOL" in one.get("kind", "") or one.get("kind") == "KIND_KINDERGARTEN":
            try:
                chosen.append(School(house, one["name"], district))
            except Failed:
                continue
            if len(chosen) == count:
                return chosen
    raise Failed(f"{district} has {len(chosen)} schools with pupils of {count}: {found[:2]}")


def newcomer(house, school):
    """A pupil comes into the class group."""
    student = {"displayName": "林小海", "sex": "SEX_MALE", "birthMonth": 201401}
    body = {"classGroup": school.group, "student": student, "requestId": request_id()}
    house.door.call(house.token("school-clerk", school.path), "/v1/students", body)


def letter(house, school):
    """A notice of the city to a school: what is sent, the same however often."""
    message = {"category": "CATEGORY_NOTICE", "urgency": "URGENCY_URGENT", "template": "templates/notice",
               "values": {"title": "通知", "body": "请按时返校"}, "recipients": {"parties": [school.name]}}
    body = {"message": message, "requestId": request_id()}
    return house.token("city-officer", CITY), f"/v1/organizations/{CITY}/messages", body


def order(house, school):
    """A directive of the city to a school, written by one officer, approved by another, and issued: its name."""
    writer, other = (house.token("city-officer", CITY, subject=subject) for subject in ("writer", "approver"))
    asked = {"urgency": "URGENCY_EXTRA_URGENT", "title": "关于落实晨午晚检的通知", "text": "请各校落实晨午晚检。",
             "audience": {"listed": [school.name]}, "requestId": request_id()}

    def written():
        status, answer = house.door.ask(writer, f"/v1/organizations/{CITY}/directives", asked)
        must(status == 200 or reason_of(answer) == "INVALID_FIELD", f"a directive: {status} {answer}")
        return status == 200 and answer["name"]

    name = until("notification knows the school, and a directive to it is written", written)
    house.door.call(other, f"/v1/{name}:approve", {"requestId": request_id()})
    house.door.call(writer, f"/v1/{name}:issue", {"requestId": request_id()})
    return name


def settled(house, school):
    """Waits until what the register told has come to the gate."""
    token, path, body = school.enter()

    def known():
        status, answer = house.door.ask(token, path, body)
        return status == 200 and answer

    return until(f"the gate of {school.name} knows its pupils", known)


def morning(house, school):
    """A morning: a check and a decision at the gate. The names of what was acknowledged."""
    door = house.door
    call = school.check()

    def stored():
        status, answer = door.ask(*call)
        must(status == 200 or reason_of(answer) in NOT_YET, f"a check: {status} {answer}")
        return status == 200 and answer["check"]["name"]

    check = until("the check is stored", stored)
    decision = door.call(*school.enter(len(school.pupils) - 1))
    must(decision.get("effectiveResult") == "RESULT_ADMIT", f"at the gate: {decision}")
    return [decision["name"], check]


def remembered(house, names, *schools):
    """Whether everything that was acknowledged at some schools is there."""
    tokens = {}
    for name in names:
        (school,) = [one for one in schools if name.startswith(f"{one.name}/")]
        role = "guard" if "/gateDecisions/" in name else "class-reporter"
        if (school, role) not in tokens:
            tokens[school, role] = school.token(role)
        house.door.call(tokens[school, role], f"/v1/{name}")


