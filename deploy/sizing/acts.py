"""What people do on a school day, each act a call through the gateway: the kinds, how often a city does them, and calls
of each for a town that is there."""

import json

import town
from calls import DEADLINE, request_id
from stage import must

# How often an act is done: on a day by each student, and in the densest second by each student. A city of 1,500,000
# with 3,000 schools and 40,000 class groups, of which `campus bench city` tells the minutes: 1,500,000 come within 80
# minutes, 683 a second in the densest; checks of groups three times a day, 22 a second; a fifth is swabbed from 09:00 to
# 11:30, twice as dense at its densest; each school takes in, reads and signs an order, as soon as it comes, within the
# hour; the desks of 14 bureaus look every ten seconds, all day; each group's list is opened once in the first hour.
ACTS = {
    "gate": (1.0, 683 / 1_500_000),
    "check": (120_000 / 1_500_000, 22 / 1_500_000),
    "swab": (300_000 / 1_500_000, 67 / 1_500_000),
    "order": (9_000 / 1_500_000, 9_000 / 3_600 / 1_500_000),
    "desk": (14 * 2 * 15 * 360 / 1_500_000, 2.8 / 1_500_000),
    "list": (40_000 / 1_500_000, 40_000 / 3_600 / 1_500_000),
}
LABORATORY = "fz-lab-1"
# The profile that ships for an emergency, in which a fifth of the students is swabbed each day.
EMERGENCY = "fuzhou-2022-04"
# How many codes a call issues at most.
CODES = 10_000


def lines(door, token, path, body):
    """What a call answers as a stream, each message a line."""
    connection = door.connect(fresh=True, timeout=DEADLINE * 4)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection.request("POST", path, json.dumps(body).encode(), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    must(answer.status == 200 and '"error"' not in text, f"{path}: {answer.status} {text[:600]}")
    return [json.loads(line) for line in text.splitlines() if line]


def declare(house):
    """Puts the policy of an emergency in force, from today and everywhere."""
    officer = house.token("city-officer", town.CITY)
    (shipped,) = [
        one for one in house.door.pages(officer, "/v1/policyProfiles", "policyProfiles") if one["profile"] == EMERGENCY
    ]
    own = {**shipped, "profile": "sizes", "displayName": "容量测试", "organization": "", "effectiveDate": town.today()}
    proposed = house.door.call(
        officer, "/v1/policyProfiles:propose", {"policyProfile": own, "requestId": request_id()}
    )
    house.door.call(officer, f"/v1/{proposed['name']}:activate", {"etag": proposed["etag"], "requestId": request_id()})


class Town:
    """The schools of an invented city with all their groups and pupils, by what is asked of them."""

    def __init__(self, house, most):
        """At most so many schools are called for."""
        self.house = house
        self.officer = house.token("city-officer", town.CITY)
        found = house.door.pages(self.officer, f"/v1/organizations?ancestor=organizations/{town.CITY}", "organizations")
        self.schools = []
        for one in found:
            if len(self.schools) < most and ("SCHOOL" in one.get("kind", "") or one.get("kind") == "KIND_KINDERGARTEN"):
                groups = house.door.pages(self.officer, f"/v1/{one['name']}/classGroups", "classGroups")
                if groups:
                    self.schools.append((one["name"], one["parent"].rpartition("/")[2], [group["name"] for group in groups]))
        must(self.schools, "there is no school")
        self.pupils = {}
        for school, district, groups in self.schools:
            principal = house.token("principal", self.path(school, district))
            for group in groups:
                people = house.door.pages(principal, f"/v1/students?parent={group}", "students")
                self.pupils[group] = [pupil["name"] for pupil in people]

    @staticmethod
    def path(school, district):
        return f"{town.CITY}/{district}/{school.rpartition('/')[2]}"

    def calls(self, kind):
        """The calls of a kind of act: token, path and body of each."""
        return list(getattr(self, f"{kind}s")())

    def gates(self):
        seen = {"temperatureDecidegrees": 365, "colour": "COLOUR_GREEN", "travelCard": {"showDate": town.today()}}
        for school, district, groups in self.schools:
            guard = self.house.token("guard", self.path(school, district))
            for group in groups:
                for person in self.pupils[group]:
                    body = {"person": person, "device": "south gate", "observation": seen}
                    yield guard, f"/v1/{school}/gateDecisions:check", body

    def checks(self):
        for slot in ("SLOT_MORNING", "SLOT_NOON"):
            for school, district, groups in self.schools:
                for group in groups:
                    place = f"{self.path(school, district)}/{group.rpartition('/')[2]}"
                    count = len(self.pupils[group])
                    body = {"checkDate": town.today(), "slot": slot, "rollCount": count, "presentCount": count,
                            "findings": [], "clientId": request_id()}
                    yield self.house.token("class-reporter", place), f"/v1/{group}/checks", body

    def swabs(self):
        """Everybody who is drawn; their tubes are issued and opened before."""
        door = self.house.door
        plan = {"displayName": "每日抽样", "kind": "KIND_STUDENT_ROTATION",
                "organization": f"organizations/{town.CITY}", "startDate": town.today()}
        door.call(self.officer, f"/v1/plans?planId=sizes&requestId={request_id()}", plan)
        tubes = []
        for school, _, _ in self.schools:
            lines(door, self.officer, "/v1/draws:drawDay", {"plan": "plans/sizes", "organization": school})
            (draw,) = door.pages(self.officer, f"/v1/draws?organization={school}", "draws")
            filled = {}
            for one in door.pages(self.officer, f"/v1/{draw['name']}/assignments", "assignments"):
                filled.setdefault((one["classGroup"], one.get("tubeNumber", 0)), []).append(one["person"])
            tubes += [(draw["name"], group, people) for (group, _), people in sorted(filled.items())]
        codes = [f"SIZE-{number:06d}" for number in range(len(tubes))]
        for begin in range(0, len(codes), CODES):
            door.call(self.officer, "/v1/tubes:issue", {
                "laboratory": LABORATORY, "lot": "LOT-1", "poolType": "POOL_TYPE_P10",
                "organization": f"organizations/{town.CITY}", "tubeCodes": codes[begin:begin + CODES]})
        sampler = self.house.token("sampler", town.CITY)
        for code, (draw, group, _) in zip(codes, tubes):
            door.call(sampler, f"/v1/tubes/{code}:open", {"classGroup": group, "draw": draw})
        for code, (_, _, people) in zip(codes, tubes):
            for person in people:
                yield sampler, f"/v1/tubes/{code}:addSwab", {"person": person}

    def orders(self):
        """Every school takes an order in, reads it and signs it: in this order, one after the other."""
        door = self.house.door
        clerk, chief = (self.house.token("city-officer", town.CITY, subject=one) for one in ("clerk", "chief"))
        draft = {"urgency": "URGENCY_EXTRA_URGENT", "title": "关于错峰到校的通知", "text": "请按时段组织学生到校。",
                 "audience": {"listed": [school for school, _, _ in self.schools]}, "requestId": request_id()}
        name = door.call(clerk, f"/v1/organizations/{town.CITY}/directives", draft)["name"]
        for act in ("approve", "issue"):
            door.call(chief, f"/v1/{name}:{act}", {"requestId": request_id()})
        for act, more in (("confirmReceipt", {"receipt": "RECEIPT_DELIVERED"}), ("confirmReceipt", {"receipt": "RECEIPT_READ"}),
                          ("acknowledge", {})):
            for school, district, _ in self.schools:
                principal = self.house.token("principal", self.path(school, district))
                recipient = f"{name}/recipients/{school.rpartition('/')[2]}"
                yield principal, f"/v1/{recipient}:{act}", {**more, "requestId": request_id()}

    def desks(self):
        for _ in range(100):
            yield self.officer, f"/v1/organizations/{town.CITY}/overview", None
            yield self.officer, f"/v1/organizations/{town.CITY}/coverage", None

    def lists(self):
        for school, district, groups in self.schools:
            principal = self.house.token("principal", self.path(school, district))
            for group in groups:
                yield principal, f"/v1/students?parent={group}", None
