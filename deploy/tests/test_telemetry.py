"""Dashboards and alerts speak of metrics that the services tell, and alerts fire when they should."""

import json
import os
import re
import subprocess

import pytest
import yaml

from chart import DEPLOY, SERVICES

TELEMETRY = DEPLOY / "telemetry"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
PROMTOOL = os.environ.get("PROMTOOL", "promtool")
# A row of the table of metrics: its name, its kind, its labels, who tells it.
ROW = re.compile(r"^\| `(campus_[a-z_]+)` \| (counter|gauge|histogram) \| ([a-z_, ]*) \|", re.MULTILINE)
# How metrics are named where they are measured: a name with dots, and its unit.
NAMED = re.compile(r'Name::(count|seconds)\(\s*"(campus\.[a-z_.]+)"')
BUILT = re.compile(r'(?:\.(?:f64_histogram|i64_up_down_counter)\(\s*|const COUNTED: &str = )"(campus\.[a-z_.]+)"')


def documented():
    """The metrics that deploy/README.md lists: kind and labels by name."""
    rows = ROW.findall(README)
    assert len(rows) == len({name for name, _, _ in rows}), "a metric is listed twice"
    return {name: (kind, set(filter(None, re.split(r", *", labels.strip())))) for name, kind, labels in rows}


def stem(name):
    """A metric without what Prometheus adds to its name."""
    return re.sub(r"_(total|seconds)$", "", name)


def measured():
    """The names that stand in the sources of the services, as Prometheus writes them, without additions."""
    found = set()
    for file in (DEPLOY.parent / "services").glob("*/src/**/*.rs"):
        text = file.read_text(encoding="utf-8")
        names = [name for _, name in NAMED.findall(text)] + BUILT.findall(text)
        found |= {name.replace(".", "_") for name in names}
    return found


def rules(*folders):
    """Every rule of some folders, of what is always there where none is named, by file."""
    files = sorted(file for folder in folders or ["rules"] for file in (TELEMETRY / folder).glob("*.yaml"))
    return {
        file.name: [
            rule
            for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
            for rule in group["rules"]
        ]
        for file in files
    }


def boards():
    """Every dashboard, by file."""
    return {
        file.name: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted((TELEMETRY / "dashboards").glob("*.json"))
    }


def expressions():
    """Every expression of dashboards and rules, with where it stands."""
    for name, board in boards().items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield f"{name}: {panel['title']}", target["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{name}: ${variable['name']}", variable["definition"]
    for name, found in rules().items():
        for rule in found:
            yield f"{name}: {rule.get('alert') or rule['record']}", rule["expr"]


def recorded():
    return {rule["record"] for found in rules().values() for rule in found if "record" in rule}


def test_the_list_of_metrics_is_what_the_sources_measure():
    assert {stem(name) for name in documented()} == measured()


def test_every_metric_that_is_looked_at_is_told_or_recorded():
    known = set(documented()) | recorded()
    for name, (kind, _) in documented().items():
        if kind == "histogram":
            known |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
            known.discard(name)
    for where, expression in expressions():
        bare = re.sub(r'"[^"]*"', '""', expression)
        used = set(re.findall(r"\bcampus(?::[a-z_0-9:]+|_[a-z_]+)", bare))
        assert used, where
        assert used <= known, f"{where}: {used - known}"


def test_every_label_that_is_looked_at_is_told():
    metrics = documented()
    # Prometheus itself adds these.
    added = {"le", "pod", "namespace"}
    for where, expression in expressions():
        used = re.findall(r"(campus_[a-z_]+?)(?:_bucket|_sum|_count)?\{([^}]*)\}", expression)
        for name, chosen in used:
            labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)", re.sub(r'"[^"]*"', '""', chosen)))
            assert labels <= metrics[name][1] | added, f"{where}: {name}{labels}"


def test_every_metric_of_the_list_is_looked_at():
    looked_at = " ".join(expression for _, expression in expressions())
    assert {name for name in documented() if name not in looked_at} == set()


def headings():
    """The anchors of the headings of deploy/README.md."""
    found = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in found}


def test_every_alert_says_how_grave_it_is_and_leads_to_a_heading():
    for found in rules("rules", "operators").values():
        for rule in found:
            if "alert" in rule:
                assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
                assert rule["annotations"]["summary"] and rule["annotations"]["description"]
                file, _, anchor = rule["annotations"]["runbook_url"].partition("#")
                assert file == "deploy/README.md"
                assert anchor in headings(), f"{rule['alert']}: {anchor}"


def test_every_service_is_missed_when_it_says_nothing():
    (silent,) = [rule for rule in rules()["symptoms.yaml"] if rule.get("alert") == "CampusServiceSilent"]
    assert set(re.findall(r'service="([a-z-]+)"', silent["expr"])) == set(SERVICES)


def test_dashboards_are_told_apart_and_have_room_for_their_panels():
    found = boards()
    assert len({board["uid"] for board in found.values()}) == len(found) == 4
    for name, board in found.items():
        places = [panel["gridPos"] for panel in board["panels"]]
        for place in places:
            assert place["x"] + place["w"] <= 24, name
        corners = [(place["x"], place["y"]) for place in places]
        assert len(corners) == len(set(corners)), name
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_panels_of_how_long_calls_take_lead_to_traces():
    led = {}
    for name, board in boards().items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                if "campus_rpc_duration_seconds_bucket" in target["expr"]:
                    led[f"{name}: {panel['title']}"] = target.get("exemplar", False)
    assert led and all(led.values()), led


def test_bounds_are_looked_for_as_either_format_writes_them():
    for found in rules().values():
        for rule in found:
            for bound in re.findall(r'le="(\d+)"', rule["expr"]):
                raise AssertionError(f"{rule.get('alert') or rule['record']}: {bound} is {bound}.0 in OpenMetrics")


def promtool(*arguments):
    done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, cwd=TELEMETRY / "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_expression_of_a_dashboard_is_one(tmp_path):
    rules = []
    for name, board in boards().items():
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"].replace("$service", ".*")
                rules.append({"record": f"panel:{len(rules)}", "expr": expression, "labels": {"board": name}})
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert "SUCCESS" in promtool("check", "rules", file)


def test_rules_can_be_read():
    for folder in ("rules", "operators"):
        for file in sorted((TELEMETRY / folder).glob("*.yaml")):
            assert "SUCCESS" in promtool("check", "rules", file)


@pytest.mark.parametrize("name", ["symptoms", "promises", "cloudnativepg"])
def test_alerts_fire_when_they_should_and_not_otherwise(name):
    assert "SUCCESS" in promtool("test", "rules", f"{name}.yaml")


def test_autoscaling_is_told_of_calls_under_way_and_not_of_open_streams():
    assert "SUCCESS" in promtool("test", "rules", "load.yaml")


def test_every_alert_is_tried_both_ways():
    tried = {"fires": set(), "quiet": set()}
    for file in sorted((TELEMETRY / "tests").glob("*.yaml")):
        for one in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for check in one.get("alert_rule_test", []):
                tried["fires" if check["exp_alerts"] else "quiet"].add(check["alertname"])
    found = rules("rules", "operators").values()
    alerts = {rule["alert"] for file in found for rule in file if "alert" in rule}
    assert tried["fires"] == tried["quiet"] == alerts
