"""The day of a school: checks, a cluster, the doctor, the gate."""

import unittest

import grpc
from campus.notification.v1 import alert_pb2, alert_service_pb2, alert_service_pb2_grpc
from campus.roster.v1 import disease_pb2, policy_health_pb2
from campus.safety.v1 import gate_pb2, gate_service_pb2, gate_service_pb2_grpc
from campus.sampling.v1 import (
    check_pb2,
    cluster_service_pb2,
    cluster_service_pb2_grpc,
    health_service_pb2,
    health_service_pb2_grpc,
    health_state_pb2,
    screening_service_pb2,
    screening_service_pb2_grpc,
)

from stand import TODAY, Day, School, request_id, until

MORNING = policy_health_pb2.CheckPolicy.SLOT_MORNING
STORED = screening_service_pb2.SubmitCheckResponse.VERDICT_STORED
REPEATED = screening_service_pb2.SubmitCheckResponse.VERDICT_REPEATED
ADMIT = gate_pb2.GateDecision.RESULT_ADMIT
DENY = gate_pb2.GateDecision.RESULT_DENY


def three_fevers(school: School, class_group: int) -> check_pb2.CheckSubmission:
    """A morning check of everybody, of whom three have a fever."""
    everybody = len(school.class_groups[class_group - 1]["students"])
    findings = [
        check_pb2.CheckFinding(
            person=school.student(class_group, place),
            symptoms=[disease_pb2.SYMPTOM_FEVER],
            temperature_tenths=378,
        )
        for place in (1, 2, 3)
    ]
    return check_pb2.CheckSubmission(
        scope=school.class_group(class_group),
        check_date=TODAY,
        slot=MORNING,
        roll_count=everybody,
        present_count=everybody,
        findings=findings,
        client_id=request_id(),
    )


def submit(channel: grpc.Channel, check: check_pb2.CheckSubmission):
    stub = screening_service_pb2_grpc.ScreeningServiceStub(channel)
    return stub.SubmitCheck(screening_service_pb2.SubmitCheckRequest(check=check))


class SchoolDay(Day):
    school = School(1)

    def test_the_day_of_a_school(self):
        self.the_reporter_submits_a_check()
        self.who_did_not_submit_is_missing()
        self.the_doctor_sees_the_cluster()
        self.the_guard_keeps_out_who_is_ill()
        self.the_doctor_lets_somebody_in()
        self.the_school_is_alerted()

    def the_reporter_submits_a_check(self):
        reporter = self.school.reporter(1)
        check = three_fevers(self.school, 1)
        first = submit(reporter, check)
        self.assertEqual((first.verdict, first.check.finding_count.count), (STORED, 3))
        self.assertEqual(submit(reporter, check).verdict, REPEATED)
        stub = screening_service_pb2_grpc.ScreeningServiceStub(reporter)
        read = stub.GetCheck(screening_service_pb2.GetCheckRequest(name=first.check.name))
        self.assertEqual(read.client_id, check.client_id)

        other = three_fevers(self.school, 2)
        refusal = self.refused(
            grpc.StatusCode.PERMISSION_DENIED, "SCOPE_DENIED", lambda: submit(reporter, other)
        )
        self.assertEqual(refusal.metadata, {"permission": "check.submit"})
        check.ClearField("client_id")
        refusal = self.refused(
            grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", lambda: submit(reporter, check)
        )
        self.assertEqual(refusal.fields, ["check.client_id"])

    def who_did_not_submit_is_missing(self):
        stub = screening_service_pb2_grpc.ScreeningServiceStub(
            self.school.channel("epidemic-reporter")
        )
        request = screening_service_pb2.ListMissingRequest(scope=self.school.name, slot=MORNING)
        missing = [one.scope for one in stub.ListMissing(request).missing_checks]
        self.assertIn(self.school.class_group(2), missing)
        self.assertNotIn(self.school.class_group(1), missing)

    def the_doctor_sees_the_cluster(self):
        stub = cluster_service_pb2_grpc.ClusterServiceStub(self.school.channel("school-doctor"))
        request = cluster_service_pb2.ListClustersRequest(organization=self.school.name)
        [cluster] = stub.ListClusters(request).clusters
        self.assertEqual((cluster.person_count, cluster.stands), (3, True))
        seen = stub.AcknowledgeCluster(
            cluster_service_pb2.AcknowledgeClusterRequest(
                name=cluster.name, note="已核实", request_id=request_id()
            )
        )
        self.assertEqual(seen.state, cluster_service_pb2.Cluster.STATE_ACKNOWLEDGED)

    def gate(self) -> gate_service_pb2_grpc.GateServiceStub:
        return gate_service_pb2_grpc.GateServiceStub(self.school.channel("guard"))

    def enter(self, person: str) -> gate_pb2.GateDecision:
        """Somebody who looks well comes to the gate."""
        observation = gate_pb2.GateObservation(
            temperature_decidegrees=365,
            colour=gate_pb2.GateObservation.COLOUR_GREEN,
            travel_card=gate_pb2.TravelCard(show_date=TODAY),
        )
        request = gate_pb2.CheckEntryRequest(
            parent=self.school.name, person=person, observation=observation, device="south gate"
        )
        return self.gate().CheckEntry(request)

    def enters(self, person: str, result: int) -> gate_pb2.GateDecision | None:
        decision = self.enter(person)
        return decision if decision.effective_result == result else None

    def the_guard_keeps_out_who_is_ill(self):
        ill, well = self.school.student(1, 1), self.school.student(1, 4)
        denied = until("the gate denies", lambda: self.enters(ill, DENY))
        [reason] = denied.reasons
        self.assertEqual(reason.code, gate_pb2.GateReason.CODE_NOT_ADMITTED)
        self.assertNotEqual(reason.rule, "")
        self.assertRegex(reason.message, r"[\u4e00-\u9fff]")
        self.assertEqual(self.enter(well).effective_result, ADMIT)

        request = gate_service_pb2.ListGateDecisionsRequest(parent=self.school.name, page_size=1)
        first = self.gate().ListGateDecisions(request)
        self.assertEqual(len(first.gate_decisions), 1)
        request.page_token = first.next_page_token
        second = self.gate().ListGateDecisions(request)
        self.assertNotEqual(second.gate_decisions[0].name, first.gate_decisions[0].name)
        request.page_size, request.page_token = -1, ""
        refusal = self.refused(
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
            lambda: self.gate().ListGateDecisions(request),
        )
        self.assertEqual(refusal.fields, ["page_size"])

    def the_doctor_lets_somebody_in(self):
        ill = self.school.student(1, 1)
        name = f"{ill}/health"
        stub = health_service_pb2_grpc.HealthServiceStub(self.school.channel("school-doctor"))
        observed = stub.ObservePerson(
            health_service_pb2.ObservePersonRequest(
                name=name, room="观察室", guardian_notified=True, request_id=request_id()
            )
        )
        self.assertEqual(
            observed.state, health_state_pb2.HealthState.STATE_IN_TEMP_OBSERVATION
        )
        released = stub.ReleaseObservation(
            health_service_pb2.ReleaseObservationRequest(
                name=name, readings_tenths=[368, 366], no_symptoms=True, request_id=request_id()
            )
        )
        self.assertEqual(released.state, health_state_pb2.HealthState.STATE_NORMAL)
        until("the gate admits", lambda: self.enters(ill, ADMIT))

        reporter = health_service_pb2_grpc.HealthServiceStub(self.school.reporter(1))
        request = health_service_pb2.GetHealthStateRequest(name=name)
        refusal = self.refused(
            grpc.StatusCode.PERMISSION_DENIED,
            "SCOPE_DENIED",
            lambda: reporter.GetHealthState(request),
        )
        self.assertEqual(refusal.metadata, {"permission": "health.read"})

    def the_school_is_alerted(self):
        stub = alert_service_pb2_grpc.AlertServiceStub(self.school.channel("principal"))
        request = alert_service_pb2.ListAlertsRequest(
            parent=self.school.name, kind=alert_pb2.Alert.KIND_CLUSTER_FOUND
        )
        [alert] = until("the alert arrives", lambda: stub.ListAlerts(request).alerts)
        self.assertEqual(alert.people_count, 3)


if __name__ == "__main__":
    unittest.main()
