// The day of a district by gRPC-Web: alerts as they come, coverage, the overview.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { Section_Kind, Section_State } from "./gen/campus/gateway/v1/overview_pb.js";
import { OverviewService } from "./gen/campus/gateway/v1/overview_service_pb.js";
import { type Alert, Alert_Kind } from "./gen/campus/notification/v1/alert_pb.js";
import { AlertService } from "./gen/campus/notification/v1/alert_service_pb.js";
import { CoverageService } from "./gen/campus/sampling/v1/coverage_service_pb.js";
import { screening, threeFevers } from "./checks.js";
import { PATIENCE, refused, school, stand, today, web } from "./stand.js";

const officer = web({ token: stand.tokens["district-officer"]! });

test("alerts come while the district watches", async () => {
  const here = school(2);
  const client = createClient(AlertService, officer);
  let submitted = false;
  let found: Alert | undefined;
  for await (const { alerts } of client.watchAlerts({ parent: stand.district }, { timeoutMs: PATIENCE })) {
    if (!submitted) {
      await screening(here, 1).submitCheck({ check: threeFevers(here, 1) });
      submitted = true;
    }
    found = alerts.find((alert) => alert.kind === Alert_Kind.CLUSTER_FOUND && alert.name.startsWith(`${here.name}/`));
    if (found !== undefined) {
      break;
    }
  }
  assert.ok(found, "the stream ended");
  const read = await client.getAlert({ name: found.name });
  assert.equal(read.peopleCount, 3);
});

test("coverage is told for the district and nobody else's place", async () => {
  const client = createClient(CoverageService, officer);
  const students = stand.schools.flatMap((one) => one.classGroups.flatMap((group) => group.students));
  const coverage = await client.getCoverage({ scope: stand.district });
  // 64-bit numbers are big.
  assert.equal(coverage.enrolledCount, BigInt(students.length));
  const { healthCoverages } = await client.listHealthCoverage({ parent: stand.district, checkDate: today });
  const scopes = healthCoverages.map((one) => one.scope);
  assert.ok(stand.schools.every((one) => scopes.includes(one.name)));
  const refusal = await refused(Code.PermissionDenied, "SCOPE_DENIED", () =>
    client.getCoverage({ scope: stand.city }),
  );
  assert.deepEqual(refusal.metadata, { permission: "draw.read" });
});

test("the overview is read and watched", async () => {
  const client = createClient(OverviewService, officer);
  const name = `${stand.district}/overview`;
  const read = await client.getOverview({ name, date: today });
  const people = read.sections.find((section) => section.kind === Section_Kind.PEOPLE);
  assert.equal(people?.state, Section_State.CURRENT);
  for await (const first of client.watchOverview({ name }, { timeoutMs: PATIENCE })) {
    assert.equal(first.overview?.sections.length, read.sections.length);
    break;
  }
});
