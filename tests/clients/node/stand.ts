// The city that is called: where it is, who calls, and how an error is read.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Agent, fetch as undiciFetch } from "undici";
import { BadRequestSchema, ErrorInfoSchema, LocalizedMessageSchema } from "./gen/google/rpc/error_details_pb.js";
import { DateSchema } from "./gen/google/type/date_pb.js";

interface ClassGroup {
  name: string;
  reporter: string;
  students: string[];
}

export interface School {
  name: string;
  classGroups: ClassGroup[];
  tokens: Record<string, string>;
}

interface Stand {
  address: string;
  ca: string;
  today: { year: number; month: number; day: number };
  city: string;
  district: string;
  tokens: Record<string, string>;
  certificates: Record<string, { certificate: string; key: string }>;
  schools: School[];
}

const folder = process.env.CAMPUS_STAND ?? assert.fail("CAMPUS_STAND is not set");
export const stand: Stand = JSON.parse(readFileSync(join(folder, "stand.json"), "utf8"));
export const base = `https://${stand.address}`;
export const today = create(DateSchema, stand.today);
/** How long anything is waited for, in milliseconds. */
export const PATIENCE = 30_000;
/** Between two questions, in milliseconds. */
const PAUSE = 50;

/** The school with this number, from 1; each day has its own. */
export function school(number: number): School {
  return stand.schools[number - 1]!;
}

export function requestId(): string {
  return randomUUID();
}

/** Asks again until there is an answer, but not for ever. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    await pause(PAUSE);
  }
  return assert.fail(`waited in vain: ${what}`);
}

/** A fetch that shows a certificate. */
function fetchWith(certificate: string): typeof fetch {
  const pair = stand.certificates[certificate]!;
  const dispatcher = new Agent({
    connect: {
      ca: readFileSync(stand.ca),
      cert: readFileSync(pair.certificate),
      key: readFileSync(pair.key),
    },
  });
  const call = (input: unknown, init: object) => undiciFetch(input as string, { ...init, dispatcher });
  return call as unknown as typeof fetch;
}

/** gRPC-Web with a token, or with the certificate of a partner. */
export function web(who: { token?: string; certificate?: string }): Transport {
  const bearer: Interceptor = (next) => (request) => {
    if (who.token !== undefined) {
      request.header.set("authorization", `Bearer ${who.token}`);
    }
    return next(request);
  };
  return createGrpcWebTransport({
    baseUrl: base,
    interceptors: [bearer],
    ...(who.certificate === undefined ? {} : { fetch: fetchWith(who.certificate) }),
  });
}

/** What an error of gRPC-Web says. */
export interface Refusal {
  metadata: Record<string, string>;
  fields: string[];
}

/** Expects that a call of gRPC-Web fails so. */
export async function refused(code: Code, reason: string, call: () => Promise<unknown>): Promise<Refusal> {
  const error = await call().then(
    () => assert.fail("it was not refused"),
    (error: unknown) => ConnectError.from(error),
  );
  assert.equal(Code[error.code], Code[code], error.message);
  const [info] = error.findDetails(ErrorInfoSchema);
  assert.equal(info?.reason, reason);
  assert.equal(info?.domain, "campus");
  const sentences = error.findDetails(LocalizedMessageSchema);
  const chinese = sentences.find((sentence) => sentence.locale === "zh-CN");
  assert.match(chinese?.message ?? "", /[\u4e00-\u9fff]/);
  const violations = error.findDetails(BadRequestSchema).flatMap((request) => request.fieldViolations);
  return { metadata: { ...info?.metadata }, fields: violations.map((violation) => violation.field) };
}

/** An answer in JSON. */
export interface Reply {
  status: number;
  headers: Headers;
  body: any;
}

/** HTTP with JSON: a GET, or a POST where there is a body. */
export async function json(token: string | undefined, path: string, body?: object, headers = {}): Promise<Reply> {
  const response = await fetch(`${base}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The lines of an answer, one by one. */
export async function* lines(response: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  assert.equal(rest, "", "whole lines");
}
