"""What the services tell operators, and which alerts of deploy/telemetry/rules it makes fire: by promtool, with the rules
as they are shipped, as if what was seen went on for an hour and a half."""

import json
import os
import pathlib
import re
import shutil
import time

from stage import must

PROMTOOL = os.environ.get("PROMTOOL", "promtool")
RULES = pathlib.Path(__file__).resolve().parent.parent / "telemetry" / "rules"
# How long what was seen goes on, in minutes: longer than any of these alerts waits.
ON = 90
# What grows with what happens.
COUNTERS = re.compile(r"_(total|count|sum|bucket)$")


def can_be_judged():
    """Whether promtool is installed."""
    return shutil.which(PROMTOOL) is not None


class Scrape:
    """The figures of all services that answer, now."""

    def __init__(self, house):
        self.time = time.monotonic()
        self.figures = {}
        for service in house.pages:
            status, text = house.page(service, "/metrics")
            if status == 200:
                self.figures.update(line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")

    def value(self, name, **labels):
        """The sum of the series of a name with these labels; nothing when there is none."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        found = [
            float(value)
            for series, value in self.figures.items()
            if series.partition("{")[0] == name and all(part in series for part in wanted)
        ]
        return sum(found) if found else None

    def rises(self, before, name, **labels):
        """By how much it has risen since another scrape."""
        return (self.value(name, **labels) or 0) - (before.value(name, **labels) or 0)


def series(before, after, stuck):
    """What a Prometheus has after an hour and a half of what lies between two scrapes: counters go on as fast, and so do
    ages of what is stuck; everything else stays as it is."""
    rules = "".join(file.read_text(encoding="utf-8") for file in RULES.glob("*.yaml"))
    known = set(re.findall(r"campus_[a-z_]+", rules))
    minutes = max(after.time - before.time, 1) / 60
    told = []
    for name, value in after.figures.items():
        metric = name.partition("{")[0]
        if metric not in known:
            continue
        last = float(value)
        first = float(before.figures.get(name, 0 if COUNTERS.search(metric) else last))
        rise = max(0.0, last - first)
        if COUNTERS.search(metric):
            values = f"{first}+{rise}x{ON}"
        elif stuck and metric.endswith("_age_seconds"):
            values = f"{last}+{rise / minutes}x{ON}"
        else:
            values = f"{last}x{ON}"
        told.append({"series": name, "values": values})
    return told


def judge(stage, before, after, firing=(), quiet=()):
    """Sees that these alerts fire, and those do not. What ages while something fires is stuck; else it is heard of again
    and again, and ages a little in between."""
    wanted = [(alert, 1) for alert in firing] + [(alert, 0) for alert in quiet]
    tests = [
        {
            "expr": f'(count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)) > bool 0',
            "eval_time": f"{ON}m",
            "exp_samples": [{"labels": "{}", "value": value}],
        }
        for alert, value in wanted
    ]
    # JSON is YAML.
    file = stage.folder / "alerts.json"
    file.write_text(json.dumps({
        "rule_files": [str(one) for one in sorted(RULES.glob("*.yaml"))],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series(before, after, bool(firing)), "promql_expr_test": tests}],
    }), encoding="utf-8")
    done = stage.run(PROMTOOL, "test", "rules", file, check=False)
    must(done.returncode == 0, f"fire: {', '.join(firing)}; quiet: {', '.join(quiet)}\n{done.stdout}{done.stderr}"[:3000])
