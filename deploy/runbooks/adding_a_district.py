"""Adding a district while the others work: its bureau, its import, who answers for it, and its first morning."""

import datetime

import house as houses
import town
from calls import request_id
from postgres import database
from stage import must


def rehearse(stage):
    with stage.step("a house with two districts runs, and a school has had its morning"):
        house = houses.House(stage).open()
        town.settle(house)
        (old,) = town.schools(house, town.FIRST[0])
        town.settled(house, old)
        names = town.morning(house, old)
    door, officer = house.door, house.token("city-officer", town.CITY)
    before = people(house, town.FIRST)
    with stage.step("the bureau of the district is added below the city"):
        bureau = {
            "kind": "KIND_COUNTY_BUREAU",
            "displayName": "福清市教育局",
            "parent": f"organizations/{town.CITY}",
            "divisionCode": town.LATER,
        }
        path = f"/v1/organizations?organizationId={town.LATER}&requestId={request_id()}"
        made = door.call(officer, path, bureau)
        must(door.call(officer, path, bureau) == made, "a repeat has another answer")
    files = town.part(stage, [town.LATER], with_city=False)
    source = f"district-{town.LATER}"
    with stage.step("its files are planned, which changes nothing, and then committed, from a source of its own"):
        town.bring_in(house, files, town.LATER, source, "--dry-run")
        must(not people(house, [town.LATER]), "a plan wrote people")
        town.bring_in(house, files, town.LATER, source)
        must(people(house, [town.LATER]), "nobody came")
    with stage.step("the districts that were there have everybody whom they had"):
        must(people(house, town.FIRST) == before, "the import touched another district")
    with stage.step("what nobody answers for by name is listed, and somebody of the school is named"):
        (new,) = town.schools(house, town.LATER)
        gaps = door.pages(officer, f"/v1/organizations/{town.LATER}/unownedDuties", "unownedDuties")
        must(any(one["organization"] == f"organizations/{town.LATER}" for one in gaps), "the bureau has no gap")
        staff = door.pages(house.token("principal", new.path), f"/v1/{new.name}/staff", "staff")
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        node = {"subject": "SUBJECT_FIRE", "staffMember": staff[0]["name"], "startTime": now}
        door.call(officer, f"/v1/{new.name}/responsibilityNodes:assign",
                  {"responsibilityNode": node, "requestId": request_id()})
        answer = door.call(officer, f"/v1/{new.name}/responsibilityNodes:resolve?subject=SUBJECT_FIRE")
        must(answer["responsibilityNode"]["staffMember"] == staff[0]["name"], f"{answer}")
    with stage.step("its officer sees the district and no other, and nobody of another sees it"):
        own = house.token("district-officer", f"{town.CITY}/{town.LATER}")
        other = house.token("district-officer", f"{town.CITY}/{town.FIRST[0]}")
        door.call(own, f"/v1/{new.name}")
        door.refused(own, f"/v1/students?parent={old.name}", "SCOPE_DENIED")
        door.refused(other, f"/v1/students?parent={new.name}", "SCOPE_DENIED")
    with stage.step("its school has its first morning, and the one before goes on"):
        town.settled(house, new)
        town.remembered(house, town.morning(house, new), new)
        names += [door.call(*old.enter())["name"]]
        town.remembered(house, names, old)
    with stage.step("the import can be taken back as a whole, and brought in again"):
        (job,) = [one for one in door.pages(officer, "/v1/importJobs", "importJobs")
                  if one.get("source") == source and one["state"] == "STATE_COMMITTED"]
        door.call(officer, f"/v1/{job['name']}:rollBack", {"requestId": request_id()})
        must(people(house, town.FIRST) == before, "another district was rolled back")
        must(not people(house, [town.LATER]), "somebody of the district stayed")
        town.bring_in(house, files, town.LATER, source)
        must(people(house, [town.LATER]), "nobody came back")


def people(house, districts):
    """How many pupils are on roll below each district."""
    marks = ", ".join(f"'{town.CITY}/{one}/%'" for one in districts)
    sql = f"SELECT org_path, count(*) FROM students WHERE org_path LIKE ANY (ARRAY[{marks}]) GROUP BY 1 ORDER BY 1"
    return house.cluster.sql(sql, database("roster"))
