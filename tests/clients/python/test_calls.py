"""What is true of every call: who is let in, for how long, and by which words."""

import socket
import ssl
import unittest

import grpc
from campus.gateway.v1 import overview_service_pb2, overview_service_pb2_grpc
from campus.notification.v1 import alert_service_pb2, alert_service_pb2_grpc
from campus.roster.v1 import organization_service_pb2, organization_service_pb2_grpc

from stand import ADDRESS, CITY, STAND, Day, channel, read

CITY_OFFICER = STAND["tokens"]["city-officer"]


def get_city(chosen: grpc.Channel, **options):
    stub = organization_service_pb2_grpc.OrganizationServiceStub(chosen)
    request = organization_service_pb2.GetOrganizationRequest(name=CITY)
    return stub.GetOrganization(request, **options)


class Calls(Day):
    def test_nobody_is_let_in_without_a_valid_token(self):
        for token, reason in (
            (None, "TOKEN_INVALID"),
            ("forged", "TOKEN_INVALID"),
            (STAND["tokens"]["expired"], "TOKEN_EXPIRED"),
        ):
            self.refused(
                grpc.StatusCode.UNAUTHENTICATED, reason, lambda: get_city(channel(token))
            )

    def test_a_certificate_of_no_partner_does_not_let_anybody_in(self):
        self.refused(
            grpc.StatusCode.UNAUTHENTICATED,
            "PARTNER_UNKNOWN",
            lambda: get_city(channel(certificate="stranger")),
        )
        token = get_city(channel(CITY_OFFICER, certificate="stranger"))
        self.assertEqual(token.name, CITY, "beside it a token is enough")

    def test_only_tls_1_3_is_spoken_and_only_by_an_authority_that_is_known(self):
        host, port = ADDRESS.split(":")

        def handshake(context: ssl.SSLContext) -> str | None:
            with socket.create_connection((host, int(port))) as plain:
                with context.wrap_socket(plain, server_hostname=host) as encrypted:
                    return encrypted.version()

        self.assertEqual(handshake(ssl.create_default_context(cafile=STAND["ca"])), "TLSv1.3")
        older = ssl.create_default_context(cafile=STAND["ca"])
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertRaises(ssl.SSLError, handshake, older)
        self.assertRaises(ssl.SSLError, handshake, ssl.create_default_context())
        stranger = read(STAND["certificates"]["stranger"]["certificate"])
        credentials = grpc.ssl_channel_credentials(root_certificates=stranger)
        with self.assertRaises(grpc.RpcError) as caught:
            get_city(grpc.secure_channel(ADDRESS, credentials))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_a_stream_ends_with_its_deadline(self):
        stub = alert_service_pb2_grpc.AlertServiceStub(channel(CITY_OFFICER))
        request = alert_service_pb2.WatchAlertsRequest(parent=CITY)
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in stub.WatchAlerts(request, timeout=0.5):
                pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_a_caller_may_hang_up(self):
        stub = overview_service_pb2_grpc.OverviewServiceStub(channel(CITY_OFFICER))
        request = overview_service_pb2.WatchOverviewRequest(name=f"{CITY}/overview")
        stream = stub.WatchOverview(request)
        next(stream)
        stream.cancel()
        with self.assertRaises(grpc.RpcError) as caught:
            next(stream)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.CANCELLED)

    def test_metadata_says_what_a_call_is_for(self):
        officer = channel(CITY_OFFICER)
        for purpose in ("administration", "audit"):
            self.assertEqual(
                get_city(officer, metadata=[("x-campus-purpose", purpose)]).name, CITY
            )
        refusal = self.refused(
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
            lambda: get_city(officer, metadata=[("x-campus-purpose", "curiosity")]),
        )
        self.assertEqual(refusal.fields, ["x-campus-purpose"])

    def test_what_is_not_there_is_named(self):
        stub = organization_service_pb2_grpc.OrganizationServiceStub(channel(CITY_OFFICER))
        request = organization_service_pb2.GetOrganizationRequest(name="organizations/nowhere")
        refusal = self.refused(
            grpc.StatusCode.NOT_FOUND, "NOT_FOUND", lambda: stub.GetOrganization(request)
        )
        self.assertEqual(refusal.metadata, {"name": "organizations/nowhere"})
        unknown = channel(CITY_OFFICER).unary_unary("/campus.roster.v1.NoService/DoNothing")
        self.refused(grpc.StatusCode.UNIMPLEMENTED, "UNKNOWN_METHOD", lambda: unknown(b""))

    def test_health_is_told_to_everybody(self):
        check = channel().unary_unary("/grpc.health.v1.Health/Check")
        self.assertEqual(check(b""), b"\x08\x01", "SERVING")


if __name__ == "__main__":
    unittest.main()
