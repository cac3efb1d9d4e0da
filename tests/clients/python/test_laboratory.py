"""The day of a laboratory: from the draw to a positive tube, known by a certificate."""

import unittest

import grpc
from campus.sampling.v1 import (
    draw_service_pb2,
    draw_service_pb2_grpc,
    hold_service_pb2,
    hold_service_pb2_grpc,
    plan_service_pb2,
    plan_service_pb2_grpc,
    result_service_pb2,
    result_service_pb2_grpc,
    tube_pb2,
    tube_service_pb2,
    tube_service_pb2_grpc,
)

from stand import CITY, STAND, TODAY, Day, School, channel, request_id, until

TUBE = "PY-0001"
COURIER = "courier-07"


class LaboratoryDay(Day):
    school = School(3)

    def setUp(self):
        # No token: the gateway knows the laboratory by its certificate.
        partner = channel(certificate="laboratory")
        self.bench = tube_service_pb2_grpc.TubeServiceStub(partner)
        self.results = result_service_pb2_grpc.ResultServiceStub(partner)
        self.holds = hold_service_pb2_grpc.HoldServiceStub(partner)
        self.site = tube_service_pb2_grpc.TubeServiceStub(self.school.channel("sampler"))

    def test_the_day_of_a_laboratory(self):
        draw = self.the_school_is_drawn()
        people = self.the_tube_is_filled(draw)
        self.the_laboratory_receives_it(len(people))
        self.results_are_submitted()
        self.everybody_of_the_tube_is_held(people)
        self.a_laboratory_sees_nothing_else()

    def the_school_is_drawn(self) -> draw_service_pb2.Draw:
        officer = channel(STAND["tokens"]["city-officer"])
        plan = plan_service_pb2.SamplingPlan(
            display_name="每日抽样",
            kind=plan_service_pb2.SamplingPlan.KIND_STUDENT_ROTATION,
            organization=CITY,
            start_date=TODAY,
        )
        request = plan_service_pb2.CreatePlanRequest(
            plan=plan, plan_id="daily", request_id=request_id()
        )
        plans = plan_service_pb2_grpc.PlanServiceStub(officer)
        made = plans.CreatePlan(request)
        self.assertEqual(plans.CreatePlan(request), made, "a repeat gets the first answer")

        stub = draw_service_pb2_grpc.DrawServiceStub(self.school.channel("epidemic-reporter"))
        request = draw_service_pb2.DrawDayRequest(plan=made.name, organization=self.school.name)
        progress = list(stub.DrawDay(request))
        self.assertEqual([one.finished for one in progress].count(True), 1)
        self.assertEqual((progress[-1].finished, progress[-1].drawn_school_count), (True, 1))
        request = draw_service_pb2.ListDrawsRequest(organization=self.school.name)
        [draw] = stub.ListDraws(request).draws
        self.assertEqual(draw.pick_count, progress[-1].pick_count)
        return draw

    def the_tube_is_filled(self, draw: draw_service_pb2.Draw) -> list[str]:
        """By a stream of scans, each of which has its answer."""
        stub = draw_service_pb2_grpc.DrawServiceStub(self.school.channel("epidemic-reporter"))
        request = draw_service_pb2.ListAssignmentsRequest(
            draw=draw.name, class_group=self.school.class_group(1)
        )
        people = [one.person for one in stub.ListAssignments(request).assignments]
        issued = self.bench.IssueTubes(
            tube_service_pb2.IssueTubesRequest(
                lot="LOT-1",
                pool_type=tube_pb2.POOL_TYPE_P10,
                organization=CITY,
                tube_codes=[TUBE],
            )
        )
        self.assertEqual(issued.issued_count, 1)
        name = f"tubes/{TUBE}"
        self.site.OpenTube(
            tube_service_pb2.OpenTubeRequest(
                name=name, class_group=self.school.class_group(1), draw=draw.name
            )
        )
        scanned = people + people[:1] + ["students/nobody"]
        scans = (
            tube_service_pb2.AddSwabsRequest(
                swab=tube_service_pb2.AddSwabRequest(tube=name, person=person)
            )
            for person in scanned
        )
        answers = sorted(self.site.AddSwabs(scans), key=lambda one: one.index)
        added = tube_service_pb2.AddSwabResponse.OUTCOME_ADDED
        repeated = tube_service_pb2.AddSwabResponse.OUTCOME_REPEATED
        self.assertEqual(
            [one.answer.outcome for one in answers[:-1]], [added] * len(people) + [repeated]
        )
        self.assertNotEqual(answers[-1].error_reason, "")
        self.site.SealTube(tube_service_pb2.SealTubeRequest(name=name))
        self.site.HandOverTube(tube_service_pb2.HandOverTubeRequest(name=name, courier=COURIER))
        return people

    def the_laboratory_receives_it(self, count: int):
        name = f"tubes/{TUBE}"
        self.bench.ReceiveTube(
            tube_service_pb2.ReceiveTubeRequest(name=name, courier=COURIER, receiver="bench-02")
        )
        tube = self.bench.StartTesting(tube_service_pb2.StartTestingRequest(name=name))
        self.assertEqual((tube.state, tube.swab_count), (tube_pb2.Tube.STATE_TESTING, count))
        self.assertEqual(tube.class_group, "", "a laboratory sees no class group")

    def submit(self) -> list[result_service_pb2.SubmitResultsResponse.Verdict]:
        found = [
            result_service_pb2.Result(
                tube=f"tubes/{code}",
                report=f"R-{code}",
                version=1,
                value=tube_pb2.RESULT_VALUE_POSITIVE,
            )
            for code in (TUBE, "PY-9999")
        ]
        requests = (result_service_pb2.SubmitResultsRequest(results=[one]) for one in found)
        answers = self.results.SubmitResults(requests)
        return [verdict for answer in answers for verdict in answer.verdicts]

    def results_are_submitted(self):
        for repeated in (False, True):
            taken, refused = self.submit()
            self.assertEqual((taken.accepted, taken.repeated_result), (True, repeated))
            self.assertEqual((refused.accepted, refused.error_reason), (False, "SCOPE_DENIED"))
        read = self.results.GetResult(result_service_pb2.GetResultRequest(tube=f"tubes/{TUBE}"))
        self.assertEqual(read.value, tube_pb2.RESULT_VALUE_POSITIVE)

    def everybody_of_the_tube_is_held(self, people: list[str]):
        stub = hold_service_pb2_grpc.HoldServiceStub(self.school.channel("school-doctor"))
        request = hold_service_pb2.ListHoldsRequest(organization=self.school.name, active=True)
        [hold] = until("the hold", lambda: stub.ListHolds(request).holds)
        self.assertCountEqual(hold.members, people)

    def a_laboratory_sees_nothing_else(self):
        request = hold_service_pb2.ListHoldsRequest(organization=self.school.name)
        refusal = self.refused(
            grpc.StatusCode.PERMISSION_DENIED,
            "SCOPE_DENIED",
            lambda: self.holds.ListHolds(request),
        )
        self.assertEqual(refusal.metadata, {"permission": "hold.read"})


if __name__ == "__main__":
    unittest.main()
