"""The document of the HTTP interface, judged by validators that nobody here wrote; and answers of the day, judged
by the document."""

import json
import ssl
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from stand import ADDRESS, CITY, DISTRICT, PATIENCE, STAND, TODAY, School

BASE = "urn:campus:document"
JSON = "application/json"
LINES = "application/x-ndjson"


def asked(path: str, token: str | None = None, body: dict | None = None):
    """An answer over TLS: its status and what can be read of it."""
    request = urllib.request.Request(f"https://{ADDRESS}{path}")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    if body is not None:
        request.add_header("content-type", JSON)
        request.data = json.dumps(body).encode()
    context = ssl.create_default_context(cafile=STAND["ca"])
    try:
        return urllib.request.urlopen(request, timeout=PATIENCE, context=context)
    except urllib.error.HTTPError as error:
        return error


class Document(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with asked("/openapi.json") as answer:
            cls.document = json.load(answer)
        resource = Resource(contents=cls.document, specification=DRAFT202012)
        cls.registry = Registry().with_resource(BASE, resource)
        cls.operations = {}
        for path, item in cls.document["paths"].items():
            for verb, operation in item.items():
                cls.operations.setdefault(operation.get("x-grpc-method"), (path, verb))

    def judge(self, instance, pointer: list[str]):
        """Expects that something is as the schema at a place of the document says."""
        steps = [step.replace("~", "~0").replace("/", "~1") for step in pointer]
        fragment = urllib.parse.quote("/" + "/".join(steps), safe="/~:")
        judge = Draft202012Validator(
            {"$ref": f"{BASE}#{fragment}"},
            registry=self.registry,
            format_checker=FormatChecker(),
        )
        wrong = [f"{one.json_path}: {one.message}" for one in judge.iter_errors(instance)]
        self.assertEqual(wrong, [], fragment)

    def answer_of(self, method: str, kind: str = JSON) -> list[str]:
        """Where the document tells what a method answers."""
        path, verb = self.operations[method]
        return ["paths", path, verb, "responses", "200", "content", kind, "schema"]

    def test_the_document_is_valid(self):
        self.assertEqual(self.document["openapi"], "3.1.0")
        wrong = [str(one) for one in OpenAPIV31SpecValidator(self.document).iter_errors()]
        self.assertEqual(wrong, [])

    def test_answers_are_as_the_document_says(self):
        officer = STAND["tokens"]["district-officer"]
        school = School(3)
        principal = school.tokens["principal"]
        sampling = "campus.sampling.v1.CoverageService"
        safety = "campus.safety.v1.SafetyFiguresService"
        overview = "campus.gateway.v1.OverviewService"
        directives = "campus.notification.v1.DirectiveService"
        groups = "campus.roster.v1.ClassGroupService"
        for method, path, token in [
            (f"{sampling}/GetCoverage", f"/v1/{DISTRICT}/coverage", officer),
            (f"{sampling}/ListCoverage", f"/v1/{DISTRICT}/coverages", officer),
            (f"{sampling}/GetHealthCoverage", f"/v1/{DISTRICT}/healthCoverage", officer),
            (f"{sampling}/ListHealthCoverage", f"/v1/{DISTRICT}/healthCoverages", officer),
            (f"{safety}/GetSafetyFigures", f"/v1/{DISTRICT}/safetyFigures", officer),
            (f"{directives}/GetDirectiveFigures", f"/v1/{DISTRICT}/directiveFigures", officer),
            (f"{groups}/GetTeachingSummary", f"/v1/{DISTRICT}/teachingSummary", officer),
            (f"{groups}/ListTeachingSummaries", f"/v1/{DISTRICT}/teachingSummaries", officer),
            (f"{overview}/GetOverview", f"/v1/{DISTRICT}/overview", officer),
            (f"{overview}/ListOverviews", f"/v1/{DISTRICT}/overviews", officer),
            (
                "campus.roster.v1.OrganizationService/ListOrganizations",
                "/v1/organizations?pageSize=3",
                officer,
            ),
            (
                f"{groups}/ListClassGroups",
                f"/v1/{school.name}/classGroups",
                principal,
            ),
        ]:
            with self.subTest(method), asked(path, token) as answer:
                self.assertEqual(answer.status, 200, answer)
                told = json.load(answer)
                self.assertNotEqual(told, {}, "an empty answer proves nothing")
                self.judge(told, self.answer_of(method))

    def test_what_a_reporter_submits_comes_back_as_the_document_says(self):
        group = STAND["schools"][2]["classGroups"][1]
        students = len(group["students"])
        check = {
            "checkDate": {"year": TODAY.year, "month": TODAY.month, "day": TODAY.day},
            "slot": "SLOT_MORNING",
            "rollCount": students,
            "presentCount": students,
            "clientId": str(uuid.uuid4()),
        }
        with asked(f"/v1/{group['name']}/checks", group["reporter"], check) as answer:
            self.assertEqual(answer.status, 200, answer)
            method = "campus.sampling.v1.ScreeningService/SubmitCheck"
            self.judge(json.load(answer), self.answer_of(method))

    def test_an_error_is_as_the_document_says(self):
        officer = STAND["tokens"]["district-officer"]
        with asked(f"/v1/{CITY}/coverage", officer) as answer:
            self.assertEqual(answer.status, 403)
            refused = json.load(answer)
        self.assertEqual(refused["code"], 7)
        self.judge(refused, ["components", "schemas", "google.rpc.Status"])

    def test_a_line_of_a_stream_is_as_the_document_says(self):
        officer = STAND["tokens"]["district-officer"]
        with asked(f"/v1/{DISTRICT}/overview:watch", officer) as answer:
            self.assertEqual(answer.headers["content-type"], LINES)
            line = json.loads(answer.readline())
        self.assertIn("overview", line["result"])
        method = "campus.gateway.v1.OverviewService/WatchOverview"
        self.judge(line, self.answer_of(method, LINES))

    def test_the_judge_sees_what_is_wrong(self):
        """A judge that lets everything pass would prove nothing."""
        place = self.answer_of("campus.sampling.v1.CoverageService/GetCoverage")
        for wrong in [{"schoolCount": "3"}, {"noSuchField": 1}, {"enrolledCount": 3}]:
            with self.subTest(wrong), self.assertRaises(AssertionError):
                self.judge(wrong, place)


if __name__ == "__main__":
    unittest.main()
