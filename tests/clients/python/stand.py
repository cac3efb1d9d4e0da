"""The city that is called: where it is, who calls, and how an error is read."""

import json
import os
import pathlib
import time
import unittest
import uuid

import grpc
from google.rpc import error_details_pb2
from google.type import date_pb2
from grpc_status import rpc_status

FOLDER = pathlib.Path(os.environ["CAMPUS_STAND"])
STAND = json.loads((FOLDER / "stand.json").read_text())
ADDRESS = STAND["address"]
CITY, DISTRICT = STAND["city"], STAND["district"]
TODAY = date_pb2.Date(**STAND["today"])
# How long anything is waited for, in seconds.
PATIENCE = 30
# Between two questions, in seconds.
PAUSE = 0.05


def read(path: str) -> bytes:
    return pathlib.Path(path).read_bytes()


def channel(token: str | None = None, certificate: str | None = None) -> grpc.Channel:
    """A channel over TLS that shows a token, a certificate, both or neither."""
    pair = STAND["certificates"][certificate] if certificate else None
    credentials = grpc.ssl_channel_credentials(
        root_certificates=read(STAND["ca"]),
        private_key=read(pair["key"]) if pair else None,
        certificate_chain=read(pair["certificate"]) if pair else None,
    )
    if token:
        bearer = grpc.access_token_call_credentials(token)
        credentials = grpc.composite_channel_credentials(credentials, bearer)
    return grpc.secure_channel(ADDRESS, credentials)


def request_id() -> str:
    return str(uuid.uuid4())


def until(what: str, ask):
    """Asks again until there is an answer, but not for ever."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(PAUSE)
    raise AssertionError(f"waited in vain: {what}")


class School:
    """A school of its own for each day."""

    def __init__(self, number: int):
        school = STAND["schools"][number - 1]
        self.name = school["name"]
        self.tokens = school["tokens"]
        self.class_groups = school["classGroups"]

    def channel(self, role: str) -> grpc.Channel:
        return channel(self.tokens[role])

    def reporter(self, number: int) -> grpc.Channel:
        """The reporter of a class group, from 1."""
        return channel(self.class_groups[number - 1]["reporter"])

    def class_group(self, number: int) -> str:
        return self.class_groups[number - 1]["name"]

    def student(self, class_group: int, place: int) -> str:
        """Both from 1."""
        return self.class_groups[class_group - 1]["students"][place - 1]


class Refusal:
    """An error of the house with everything it says."""

    def __init__(self, error: grpc.RpcError):
        self.code = error.code()
        status = rpc_status.from_call(error)
        if status is None:
            raise AssertionError(f"without details: {error}")
        self.fields, self.sentences, self.reason = [], {}, None
        for detail in status.details:
            if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                info = error_details_pb2.ErrorInfo()
                detail.Unpack(info)
                self.reason, self.domain = info.reason, info.domain
                self.metadata = dict(info.metadata)
            elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
                request = error_details_pb2.BadRequest()
                detail.Unpack(request)
                self.fields += [violation.field for violation in request.field_violations]
            elif detail.Is(error_details_pb2.LocalizedMessage.DESCRIPTOR):
                message = error_details_pb2.LocalizedMessage()
                detail.Unpack(message)
                self.sentences[message.locale] = message.message


class Day(unittest.TestCase):
    """Something that happens within one city."""

    maxDiff = None

    def refused(self, code: grpc.StatusCode, reason: str, call) -> Refusal:
        """Expects that a call fails so."""
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        refusal = Refusal(caught.exception)
        self.assertEqual((refusal.code, refusal.reason), (code, reason))
        self.assertEqual(refusal.domain, "campus")
        self.assertRegex(refusal.sentences["zh-CN"], r"[\u4e00-\u9fff]")
        return refusal
