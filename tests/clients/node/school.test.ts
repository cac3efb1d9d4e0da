// The day of a school by gRPC-Web: checks, a cluster, the doctor, the gate.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { CheckPolicy_Slot } from "./gen/campus/roster/v1/policy_health_pb.js";
import { GateDecision_Result, GateObservation_Colour, GateReason_Code } from "./gen/campus/safety/v1/gate_pb.js";
import { GateService } from "./gen/campus/safety/v1/gate_service_pb.js";
import { Cluster_State, ClusterService } from "./gen/campus/sampling/v1/cluster_service_pb.js";
import { HealthService } from "./gen/campus/sampling/v1/health_service_pb.js";
import { HealthState_State } from "./gen/campus/sampling/v1/health_state_pb.js";
import { ScreeningService, SubmitCheckResponse_Verdict } from "./gen/campus/sampling/v1/screening_service_pb.js";
import { screening, threeFevers } from "./checks.js";
import { refused, requestId, school, today, until, web } from "./stand.js";

test("the day of a school", async (day) => {
  const here = school(1);
  const [first, second] = here.classGroups as [(typeof here.classGroups)[0], (typeof here.classGroups)[0]];
  const [ill, , , well] = first.students as [string, string, string, string];
  const as = (role: string) => web({ token: here.tokens[role]! });

  await day.test("the reporter submits a check", async () => {
    const client = screening(here, 1);
    const check = threeFevers(here, 1);
    const stored = await client.submitCheck({ check });
    assert.equal(stored.verdict, SubmitCheckResponse_Verdict.STORED);
    assert.equal(stored.check?.findingCount?.count, 3);
    const again = await client.submitCheck({ check });
    assert.equal(again.verdict, SubmitCheckResponse_Verdict.REPEATED);
    const read = await client.getCheck({ name: stored.check!.name });
    assert.equal(read.clientId, check.clientId);

    const other = await refused(Code.PermissionDenied, "SCOPE_DENIED", () =>
      client.submitCheck({ check: threeFevers(here, 2) }),
    );
    assert.deepEqual(other.metadata, { permission: "check.submit" });
    const malformed = await refused(Code.InvalidArgument, "INVALID_FIELD", () =>
      client.submitCheck({ check: { ...check, clientId: "" } }),
    );
    assert.deepEqual(malformed.fields, ["check.client_id"]);
  });

  await day.test("who did not submit is missing", async () => {
    const client = createClient(ScreeningService, as("epidemic-reporter"));
    const missing = await client.listMissing({ scope: here.name, slot: CheckPolicy_Slot.MORNING });
    const scopes = missing.missingChecks.map((one) => one.scope);
    assert.ok(scopes.includes(second.name) && !scopes.includes(first.name), scopes.join());
  });

  await day.test("the doctor sees the cluster", async () => {
    const client = createClient(ClusterService, as("school-doctor"));
    const { clusters } = await client.listClusters({ organization: here.name });
    assert.deepEqual(
      clusters.map((one) => [one.personCount, one.stands]),
      [[3, true]],
    );
    const seen = await client.acknowledgeCluster({
      name: clusters[0]!.name,
      note: "已核实",
      requestId: requestId(),
    });
    assert.equal(seen.state, Cluster_State.ACKNOWLEDGED);
  });

  const gate = createClient(GateService, as("guard"));
  // Somebody who looks well comes to the gate.
  const enter = (person: string) =>
    gate.checkEntry({
      parent: here.name,
      identity: { case: "person", value: person },
      observation: {
        temperatureDecidegrees: 365,
        colour: GateObservation_Colour.GREEN,
        travelCard: { showDate: today },
      },
      device: "south gate",
    });
  const entered = async (person: string, result: GateDecision_Result) => {
    const decision = await enter(person);
    return decision.effectiveResult === result ? decision : undefined;
  };

  await day.test("the guard keeps out who is ill", async () => {
    const denied = await until("the gate denies", () => entered(ill, GateDecision_Result.DENY));
    assert.deepEqual(
      denied.reasons.map((reason) => reason.code),
      [GateReason_Code.NOT_ADMITTED],
    );
    assert.match(denied.reasons[0]!.message, /[\u4e00-\u9fff]/);
    assert.equal((await enter(well)).effectiveResult, GateDecision_Result.ADMIT);
    const page = await gate.listGateDecisions({ parent: here.name, pageSize: 1 });
    const next = await gate.listGateDecisions({ parent: here.name, pageSize: 1, pageToken: page.nextPageToken });
    assert.notEqual(page.gateDecisions[0]!.name, next.gateDecisions[0]!.name);
  });

  await day.test("the doctor lets somebody in", async () => {
    const client = createClient(HealthService, as("school-doctor"));
    const name = `${ill}/health`;
    const observed = await client.observePerson({ name, room: "观察室", requestId: requestId() });
    assert.equal(observed.state, HealthState_State.IN_TEMP_OBSERVATION);
    const released = await client.releaseObservation({
      name,
      readingsTenths: [368, 366],
      noSymptoms: true,
      requestId: requestId(),
    });
    assert.equal(released.state, HealthState_State.NORMAL);
    await until("the gate admits", () => entered(ill, GateDecision_Result.ADMIT));
    const reporter = createClient(HealthService, web({ token: first.reporter }));
    const refusal = await refused(Code.PermissionDenied, "SCOPE_DENIED", () => reporter.getHealthState({ name }));
    assert.deepEqual(refusal.metadata, { permission: "health.read" });
  });
});
