// gRPC-Web below the level of a library: one message as a stream, and an answer byte by byte.

import assert from "node:assert/strict";
import { type DescMethod, type MessageInitShape, type MessageShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import { base } from "./stand.js";

/** The flag of the frame that holds the trailers. */
const TRAILERS = 0x80;

/** Calls a method whose caller may send many messages with one, as gRPC-Web can. */
export async function called<M extends DescMethod>(
  transport: Transport,
  method: M,
  message: MessageInitShape<M["input"]>,
): Promise<MessageShape<M["output"]>[]> {
  const down = { ...method, methodKind: "server_streaming" } as const;
  const sent = create(method.input, message);
  const one = (async function* () {
    yield sent;
  })();
  const response = await transport.stream(down as never, undefined, undefined, undefined, one as never);
  const answers = [];
  for await (const answer of response.message) {
    answers.push(answer);
  }
  return answers as MessageShape<M["output"]>[];
}

/** An answer of gRPC-Web. */
export interface Raw {
  contentType: string;
  messages: Uint8Array[];
  trailers: Record<string, string>;
}

/** Calls a method with one message, in binary or as text, and reads every frame. */
export async function raw<M extends DescMethod>(
  method: M,
  message: MessageInitShape<M["input"]>,
  kind: string,
  headers: Record<string, string>,
): Promise<Raw> {
  const sent = toBinary(method.input, create(method.input, message));
  const frame = Buffer.alloc(5 + sent.length);
  frame.writeUInt32BE(sent.length, 1);
  frame.set(sent, 5);
  const isText = kind.includes("-text");
  const response = await fetch(`${base}/${method.parent.typeName}/${method.name}`, {
    method: "POST",
    headers: { "content-type": kind, "x-grpc-web": "1", ...headers },
    body: isText ? frame.toString("base64") : frame,
  });
  assert.equal(response.status, 200);
  const contentType = response.headers.get("content-type") ?? "";
  const trailers = Object.fromEntries(
    [...response.headers].filter(([name]) => name.startsWith("grpc-")),
  );
  const body = Buffer.from(await response.arrayBuffer());
  let rest = isText ? decoded(body.toString("latin1")) : body;
  const messages = [];
  while (rest.length > 0) {
    const end = 5 + rest.readUInt32BE(1);
    const content = rest.subarray(5, end);
    if (rest[0] === TRAILERS) {
      for (const line of content.toString("latin1").trimEnd().split("\r\n")) {
        const colon = line.indexOf(":");
        trailers[line.slice(0, colon)] = line.slice(colon + 1).trim();
      }
    } else {
      messages.push(content);
    }
    rest = rest.subarray(end);
  }
  return { contentType, messages, trailers };
}

/** Undoes base64 of which each part is padded by itself. */
function decoded(text: string): Buffer {
  return Buffer.concat((text.match(/.{4}/g) ?? []).map((four) => Buffer.from(four, "base64")));
}

/** The reason in the details of an error, as they stand in trailers. */
export function reasonOf(trailers: Record<string, string>): string {
  const status = fromBinary(StatusSchema, Buffer.from(trailers["grpc-status-details-bin"] ?? "", "base64"));
  assert.equal(status.code, Number(trailers["grpc-status"]));
  const info = status.details.find((detail) => detail.typeUrl.endsWith("/google.rpc.ErrorInfo"));
  return info === undefined ? "" : fromBinary(ErrorInfoSchema, info.value).reason;
}
