"""A house of two releases on the schema of the newer: called by tests/upgrade/previous with the binaries of both."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "deploy" / "runbooks"))

import house as houses  # noqa: E402
import town  # noqa: E402
from stage import Failed, Stage, must  # noqa: E402


def morning(house, schools, names):
    """A morning of each school; all that was acknowledged so far is there."""
    for school in schools:
        town.settled(house, school)
        names += town.morning(house, school)
    town.remembered(house, names, *schools)


def mixed(stage, previous):
    """Each service in turn is the one of before, then all of them are."""

    def before(service):
        return previous / service

    names = []
    with stage.step("this commit brings the schema up, and a house of it has a morning"):
        house = houses.House(stage).open()
        town.settle(house)
        schools = town.schools(house, town.FIRST[0], count=2)
        morning(house, schools, names)
    for service in houses.SERVICES:
        with stage.step(f"{service} of before, between neighbours of this commit"):
            house.stop(service)
            house.start(service, binaries=before)
            morning(house, schools, names)
            house.stop(service)
            house.start(service)
    with stage.step("all of before, and then all of this commit again"):
        for binaries in (before, None):
            house.stop()
            house.start(binaries=binaries)
            morning(house, schools, names)
    with stage.step("the audit of all services verifies"):
        answer = house.door.call(house.token("audit-admin", ""), "/v1/audit:verify")
        must(not answer.get("faults"), f"{answer}")


def main(binaries, previous):
    with Stage(binaries, "mixed") as stage:
        try:
            mixed(stage, Path(previous))
        except Failed as err:
            print(f"    {err}")
            for log in sorted(stage.folder.glob("*.log")):
                print(f"    {log.stem}: " + "\n    ".join(log.read_text(errors="replace").splitlines()[-3:]))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
