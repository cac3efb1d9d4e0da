"""The day of a district: coverage, the overview, alerts as they come."""

import unittest

import grpc
from campus.gateway.v1 import (
    overview_pb2,
    overview_service_pb2,
    overview_service_pb2_grpc,
)
from campus.notification.v1 import alert_pb2, alert_service_pb2, alert_service_pb2_grpc
from campus.sampling.v1 import coverage_service_pb2, coverage_service_pb2_grpc

from stand import CITY, DISTRICT, PATIENCE, STAND, TODAY, Day, School, channel
from test_school import MORNING, submit, three_fevers


class DistrictDay(Day):
    school = School(2)

    def setUp(self):
        self.officer = channel(STAND["tokens"]["district-officer"])

    def test_alerts_come_while_the_district_watches(self):
        stub = alert_service_pb2_grpc.AlertServiceStub(self.officer)
        request = alert_service_pb2.WatchAlertsRequest(parent=DISTRICT)
        stream = stub.WatchAlerts(request, timeout=PATIENCE)
        next(stream)
        submit(self.school.reporter(1), three_fevers(self.school, 1))
        alert = self.cluster_of_the_school(stream)
        stream.cancel()
        self.assertEqual(alert.state, alert_pb2.Alert.STATE_OPEN)
        read = stub.GetAlert(alert_service_pb2.GetAlertRequest(name=alert.name))
        self.assertEqual(read.people_count, 3)

    def cluster_of_the_school(self, stream) -> alert_pb2.Alert:
        for answer in stream:
            for alert in answer.alerts:
                here = alert.name.startswith(f"{self.school.name}/")
                if here and alert.kind == alert_pb2.Alert.KIND_CLUSTER_FOUND:
                    return alert
        raise AssertionError("the stream ended")

    def test_coverage_is_told_for_the_district_and_nobody_elses_place(self):
        stub = coverage_service_pb2_grpc.CoverageServiceStub(self.officer)
        coverage = stub.GetCoverage(coverage_service_pb2.GetCoverageRequest(scope=DISTRICT))
        students = sum(
            len(one["students"]) for school in STAND["schools"] for one in school["classGroups"]
        )
        self.assertEqual(coverage.enrolled_count, students)
        listed = stub.ListHealthCoverage(
            coverage_service_pb2.ListHealthCoverageRequest(parent=DISTRICT, check_date=TODAY)
        )
        schools = [one.scope for one in listed.health_coverages]
        for school in STAND["schools"]:
            self.assertIn(school["name"], schools)
        morning = next(one for one in listed.health_coverages[0].checks if one.slot == MORNING)
        self.assertGreater(morning.expected_count, 0)

        request = coverage_service_pb2.GetCoverageRequest(scope=CITY)
        refusal = self.refused(
            grpc.StatusCode.PERMISSION_DENIED, "SCOPE_DENIED", lambda: stub.GetCoverage(request)
        )
        self.assertEqual(refusal.metadata, {"permission": "draw.read"})

    def test_the_overview_is_read_and_watched(self):
        stub = overview_service_pb2_grpc.OverviewServiceStub(self.officer)
        name = f"{DISTRICT}/overview"
        read = stub.GetOverview(overview_service_pb2.GetOverviewRequest(name=name, date=TODAY))
        kinds = {section.kind: section for section in read.sections}
        people = kinds[overview_pb2.Section.KIND_PEOPLE]
        self.assertEqual(people.state, overview_pb2.Section.STATE_CURRENT)
        [schools] = [one for one in people.figures if one.measure == overview_pb2.MEASURE_SCHOOLS]
        self.assertEqual(schools.value, len(STAND["schools"]))
        teaching = kinds[overview_pb2.Section.KIND_TEACHING]
        self.assertEqual(teaching.state, overview_pb2.Section.STATE_CURRENT)
        [in_person] = [
            one for one in teaching.figures if one.measure == overview_pb2.MEASURE_SCHOOLS_IN_PERSON
        ]
        self.assertEqual(in_person.coverage.expected_count, len(STAND["schools"]))

        request = overview_service_pb2.WatchOverviewRequest(name=name)
        stream = stub.WatchOverview(request, timeout=PATIENCE)
        first = next(stream)
        stream.cancel()
        self.assertEqual({section.kind for section in first.overview.sections}, set(kinds))


if __name__ == "__main__":
    unittest.main()
