// Checks as reporters of class groups submit them.

import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { Symptom } from "./gen/campus/roster/v1/disease_pb.js";
import { CheckPolicy_Slot } from "./gen/campus/roster/v1/policy_health_pb.js";
import { type CheckSubmission, CheckSubmissionSchema } from "./gen/campus/sampling/v1/check_pb.js";
import { ScreeningService } from "./gen/campus/sampling/v1/screening_service_pb.js";
import { type School, requestId, today, web } from "./stand.js";

/** A morning check of everybody, of whom three have a fever. */
export function threeFevers(at: School, number: number): CheckSubmission {
  const { name, students } = at.classGroups[number - 1]!;
  return create(CheckSubmissionSchema, {
    scope: name,
    checkDate: today,
    slot: CheckPolicy_Slot.MORNING,
    rollCount: students.length,
    presentCount: students.length,
    findings: students.slice(0, 3).map((person) => ({
      person,
      symptoms: [Symptom.FEVER],
      temperatureTenths: 378,
    })),
    clientId: requestId(),
  });
}

export function screening(at: School, number: number) {
  return createClient(ScreeningService, web({ token: at.classGroups[number - 1]!.reporter }));
}
