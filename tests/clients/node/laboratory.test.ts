// The day of a laboratory by gRPC-Web with a certificate: from the draw to a positive tube.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { DrawService } from "./gen/campus/sampling/v1/draw_service_pb.js";
import { HoldService } from "./gen/campus/sampling/v1/hold_service_pb.js";
import { PlanService, SamplingPlan_Kind } from "./gen/campus/sampling/v1/plan_service_pb.js";
import { ResultService } from "./gen/campus/sampling/v1/result_service_pb.js";
import { PoolType, ResultValue, Tube_State } from "./gen/campus/sampling/v1/tube_pb.js";
import { AddSwabResponse_Outcome, TubeService } from "./gen/campus/sampling/v1/tube_service_pb.js";
import { refused, requestId, school, stand, today, until, web } from "./stand.js";
import { called } from "./wire.js";

const TUBE = "WEB-0001";
const COURIER = "courier-07";

test("the day of a laboratory", async (day) => {
  const here = school(3);
  const classGroup = here.classGroups[0]!.name;
  const as = (role: string) => web({ token: here.tokens[role]! });
  // No token: the gateway knows the laboratory by its certificate.
  const partner = web({ certificate: "laboratory" });
  const bench = createClient(TubeService, partner);
  const site = createClient(TubeService, as("sampler"));
  const name = `tubes/${TUBE}`;
  let draw = "";
  let people: string[] = [];

  await day.test("the school is drawn", async () => {
    const plans = createClient(PlanService, web({ token: stand.tokens["city-officer"]! }));
    const plan = {
      displayName: "每日抽样",
      kind: SamplingPlan_Kind.STUDENT_ROTATION,
      organization: stand.city,
      startDate: today,
    };
    const made = await plans.createPlan({ plan, planId: "daily", requestId: requestId() });
    const draws = createClient(DrawService, as("epidemic-reporter"));
    const progress = [];
    for await (const answer of draws.drawDay({ plan: made.name, organization: here.name })) {
      progress.push(answer);
    }
    assert.deepEqual([progress.at(-1)?.finished, progress.at(-1)?.drawnSchoolCount], [true, 1]);
    const listed = await draws.listDraws({ organization: here.name });
    draw = listed.draws[0]!.name;
    const { assignments } = await draws.listAssignments({ draw, classGroup });
    people = assignments.map((one) => one.person);
    assert.ok(people.length > 0);
  });

  await day.test("the tube is filled and carried to the bench", async () => {
    const issued = await bench.issueTubes({
      lot: "LOT-1",
      poolType: PoolType.P10,
      organization: stand.city,
      tubeCodes: [TUBE],
    });
    assert.equal(issued.issuedCount, 1);
    await site.openTube({ name, classGroup, draw });
    for (const person of people) {
      const added = await site.addSwab({ tube: name, person });
      assert.equal(added.outcome, AddSwabResponse_Outcome.ADDED);
    }
    const again = await site.addSwab({ tube: name, person: people[0]! });
    assert.equal(again.outcome, AddSwabResponse_Outcome.REPEATED);
    await site.sealTube({ name });
    await site.handOverTube({ name, courier: COURIER });
    await bench.receiveTube({ name, courier: COURIER, receiver: "bench-02" });
    const tube = await bench.startTesting({ name });
    assert.deepEqual([tube.state, tube.swabCount], [Tube_State.TESTING, people.length]);
    assert.equal(tube.classGroup, "", "a laboratory sees no class group");
  });

  await day.test("results are submitted in one message", async () => {
    const found = [TUBE, "WEB-9999"].map((code) => ({
      tube: `tubes/${code}`,
      report: `R-${code}`,
      version: 1,
      value: ResultValue.POSITIVE,
    }));
    // A browser sends one message and hears the verdicts as a stream.
    const answers = await called(partner, ResultService.method.submitResults, { results: found });
    const [taken, unknown] = answers.flatMap((answer) => answer.verdicts);
    assert.deepEqual([taken?.accepted, taken?.repeatedResult], [true, false]);
    assert.deepEqual([unknown?.accepted, unknown?.errorReason], [false, "SCOPE_DENIED"]);
    const results = createClient(ResultService, partner);
    const read = await results.getResult({ tube: name });
    assert.equal(read.value, ResultValue.POSITIVE);
  });

  await day.test("everybody of the tube is held, which the laboratory does not see", async () => {
    const doctor = createClient(HoldService, as("school-doctor"));
    const hold = await until("the hold", async () => {
      const { holds } = await doctor.listHolds({ organization: here.name, active: true });
      return holds[0];
    });
    assert.deepEqual(hold.members.toSorted(), people.toSorted());
    const laboratory = createClient(HoldService, partner);
    const refusal = await refused(Code.PermissionDenied, "SCOPE_DENIED", () =>
      laboratory.listHolds({ organization: here.name }),
    );
    assert.deepEqual(refusal.metadata, { permission: "hold.read" });
  });
});
