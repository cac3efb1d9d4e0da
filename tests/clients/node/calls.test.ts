// What is true of every call, in gRPC-Web and in JSON: who is let in, for how long, and by which words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { AlertService } from "./gen/campus/notification/v1/alert_service_pb.js";
import { OrganizationService } from "./gen/campus/roster/v1/organization_service_pb.js";
import { base, json, lines, refused, stand, web } from "./stand.js";
import { raw, reasonOf } from "./wire.js";

const officer = stand.tokens["city-officer"]!;
const authorization = `Bearer ${officer}`;

function getCity(who: Parameters<typeof web>[0], headers = {}) {
  return createClient(OrganizationService, web(who)).getOrganization({ name: stand.city }, { headers });
}

test("nobody is let in without a valid token", async () => {
  for (const [token, reason] of [
    [undefined, "TOKEN_INVALID"],
    ["forged", "TOKEN_INVALID"],
    [stand.tokens["expired"]!, "TOKEN_EXPIRED"],
  ] as const) {
    await refused(Code.Unauthenticated, reason, () => getCity(token === undefined ? {} : { token }));
    const reply = await json(token, `/v1/${stand.city}`);
    assert.equal(reply.status, 401);
    assert.equal(reply.headers.get("www-authenticate"), "Bearer");
    assert.equal(reply.body.code, 16);
    const info = reply.body.details.find((one: any) => one["@type"].endsWith("/google.rpc.ErrorInfo"));
    assert.deepEqual([info.reason, info.domain], [reason, "campus"]);
  }
});

test("a certificate of no partner lets nobody in", async () => {
  await refused(Code.Unauthenticated, "PARTNER_UNKNOWN", () => getCity({ certificate: "stranger" }));
});

test("what is not there and what is malformed is named in both dialects", async () => {
  const client = createClient(OrganizationService, web({ token: officer }));
  const name = "organizations/nowhere";
  const refusal = await refused(Code.NotFound, "NOT_FOUND", () => client.getOrganization({ name }));
  assert.deepEqual(refusal.metadata, { name });
  const reply = await json(officer, `/v1/${name}`);
  assert.deepEqual([reply.status, reply.body.code], [404, 5]);
  const unknown = await json(officer, "/v1/nothing");
  assert.equal(unknown.status, 404);
  const misspelt = await json(officer, `/v1/${stand.city}/coverage?scopes=1`);
  assert.equal(misspelt.status, 400);
  const violations = misspelt.body.details.flatMap((one: any) => one.fieldViolations ?? []);
  assert.deepEqual(violations.map((one: any) => one.field), ["scopes"]);
});

test("metadata says what a call is for", async () => {
  assert.equal((await getCity({ token: officer }, { "x-campus-purpose": "audit" })).name, stand.city);
  const headers = { "x-campus-purpose": "curiosity" };
  const refusal = await refused(Code.InvalidArgument, "INVALID_FIELD", () => getCity({ token: officer }, headers));
  assert.deepEqual(refusal.fields, ["x-campus-purpose"]);
});

test("a stream ends with its deadline, and says so in trailers", async () => {
  const client = createClient(AlertService, web({ token: officer }));
  const watched = async () => {
    for await (const _ of client.watchAlerts({ parent: stand.city }, { timeoutMs: 500 })) {
      // Nothing but the beginning comes.
    }
  };
  const error = await watched().then(() => assert.fail("it ended well"), ConnectError.from);
  assert.equal(error.code, Code.DeadlineExceeded);

  for (const kind of ["application/grpc-web+proto", "application/grpc-web-text+proto"]) {
    const { contentType, messages, trailers } = await raw(
      AlertService.method.watchAlerts,
      { parent: stand.city },
      kind,
      { authorization, "grpc-timeout": "500m" },
    );
    assert.equal(contentType, kind);
    assert.ok(messages.length > 0, "the beginning came");
    assert.equal(trailers["grpc-status"], "4");
    assert.equal(reasonOf(trailers), "DEADLINE_EXCEEDED");
  }
});

test("a stream of JSON ends with its deadline, and says so in its last line or event", async () => {
  const watch = (headers: Record<string, string>) =>
    fetch(`${base}/v1/${stand.city}/alerts:watch`, {
      headers: { authorization, "x-request-timeout": "0.5", ...headers },
    });
  const said = [];
  for await (const line of lines(await watch({}))) {
    said.push(JSON.parse(line));
  }
  assert.equal(said.at(-1).error.code, 4);
  const response = await watch({ accept: "text/event-stream" });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const events = (await response.text()).trimEnd().split("\n\n");
  assert.match(events[0]!, /^data: \{/);
  assert.match(events.at(-1)!, /^event: error\ndata: \{"code":4,/);
});

test("a browser of a known origin is told that it may call", async () => {
  const ask = (origin: string) =>
    fetch(`${base}/campus.roster.v1.OrganizationService/GetOrganization`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-grpc-web",
      },
    });
  const known = await ask("https://board.example.cn");
  assert.equal(known.headers.get("access-control-allow-origin"), "https://board.example.cn");
  const other = await ask("https://elsewhere.example");
  assert.equal(other.headers.get("access-control-allow-origin"), null);
});

test("the document of HTTP/JSON names what was called here", async () => {
  const { body } = await json(undefined, "/openapi.json");
  assert.match(body.openapi, /^3\.1/);
  assert.ok(body.paths["/v1/{name}:confirm"] ?? Object.keys(body.paths).some((path) => path.endsWith(":confirm")));
});
