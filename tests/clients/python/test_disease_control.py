"""The day of disease control: a feed that is followed, a case, its report and its document."""

import json
import unittest

import grpc
from campus.roster.v1 import disease_pb2, policy_health_pb2
from campus.sampling.v1 import (
    case_pb2,
    case_service_pb2,
    case_service_pb2_grpc,
    report_service_pb2,
    report_service_pb2_grpc,
    sampling_feed_pb2,
    sampling_feed_pb2_grpc,
)

from stand import PATIENCE, Day, School, channel, request_id

COUNTY = policy_health_pb2.ReportPolicy.LEVEL_COUNTY_HEALTH


class DiseaseControlDay(Day):
    school = School(4)

    def setUp(self):
        partner = channel(certificate="disease-control")
        self.cases = case_service_pb2_grpc.CaseServiceStub(partner)
        self.reports = report_service_pb2_grpc.ReportServiceStub(partner)
        self.feed = sampling_feed_pb2_grpc.SamplingFeedStub(partner)

    def test_the_day_of_disease_control(self):
        stream = self.the_feed_is_followed()
        case = self.a_school_opens_a_case()
        self.assertEqual(
            self.told(stream, case, case_pb2.Case.CERTAINTY_SUSPECTED).organization,
            self.school.name,
        )
        self.the_report_is_received(case)
        self.the_case_is_confirmed(case)
        self.told(stream, case, case_pb2.Case.CERTAINTY_CONFIRMED)
        stream.cancel()
        self.the_document_is_taken_away(case)

    def the_feed_is_followed(self):
        pages = list(self.feed.Snapshot(sampling_feed_pb2.SamplingSnapshotRequest()))
        self.assertNotEqual(pages[-1].resume_token, "", "the last page says where to go on")
        request = sampling_feed_pb2.SamplingWatchRequest(resume_token=pages[-1].resume_token)
        return self.feed.Watch(request, timeout=PATIENCE)

    def told(self, stream, name: str, certainty: int) -> case_pb2.Case:
        """What the feed tells of a case, as soon as it is as certain as that."""
        for answer in stream:
            for event in answer.events:
                if event.case.name == name and event.case.certainty == certainty:
                    return event.case
        raise AssertionError("the feed ended")

    def a_school_opens_a_case(self) -> str:
        request = case_service_pb2.OpenCaseRequest(
            person=self.school.student(2, 1),
            disease=disease_pb2.DISEASE_HFMD,
            detection=case_pb2.Case.DETECTION_CHECK,
            request_id=request_id(),
        )
        doctor = case_service_pb2_grpc.CaseServiceStub(self.school.channel("school-doctor"))
        case = doctor.OpenCase(request)
        self.assertEqual(doctor.OpenCase(request).name, case.name, "a repeat has one effect")
        report = report_service_pb2.CaseReport(
            kind=report_service_pb2.CaseReport.KIND_FIRST,
            place="三年（2）班教室",
            suspected_count=1,
            measures="已隔离，教室终末消毒",
            contact_post="学校疫情报告人",
        )
        request = report_service_pb2.WriteReportRequest(
            case=case.name, report=report, request_id=request_id()
        )
        reporter = self.school.channel("epidemic-reporter")
        written = report_service_pb2_grpc.ReportServiceStub(reporter).WriteReport(request)
        self.assertFalse(written.late)
        return case.name

    def the_report_is_received(self, case: str):
        step = self.reports.AcknowledgeReport(
            report_service_pb2.AcknowledgeReportRequest(
                case=case, level=COUNTY, request_id=request_id()
            )
        )
        self.assertEqual(step.kind, report_service_pb2.ReportStep.KIND_RECEIVED)

    def the_case_is_confirmed(self, case: str):
        request = case_service_pb2.ConfirmCaseRequest(
            name=case, reason="实验室确认", request_id=request_id()
        )
        confirmed = self.cases.ConfirmCase(request)
        self.assertEqual(confirmed.certainty, case_pb2.Case.CERTAINTY_CONFIRMED)
        request.request_id = "not a UUID"
        refusal = self.refused(
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
            lambda: self.cases.ConfirmCase(request),
        )
        self.assertEqual(refusal.fields, ["request_id"])

    def the_document_is_taken_away(self, case: str):
        request = case_service_pb2.ExportCaseRequest(
            name=case, format=case_pb2.EXPORT_FORMAT_JSON, purpose="流行病学调查"
        )
        document = b"".join(part.content for part in self.cases.ExportCase(request))
        self.assertEqual(len(json.loads(document)["reports"]), 1)
        listed = self.cases.ListCaseExports(case_service_pb2.ListCaseExportsRequest(case=case))
        [line] = listed.case_exports
        self.assertEqual(line.actor, "partner-disease-control")
        request.name = "cases/nothing"
        with self.assertRaises(grpc.RpcError):
            list(self.cases.ExportCase(request))


if __name__ == "__main__":
    unittest.main()
