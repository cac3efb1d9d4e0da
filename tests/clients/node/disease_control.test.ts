// The day of disease control by fetch and JSON: a feed that is followed, a case, its report and its document.

import assert from "node:assert/strict";
import { test } from "node:test";
import { base, json, lines, PATIENCE, requestId, school, stand } from "./stand.js";

const token = stand.tokens["disease-control"]!;
const authorization = `Bearer ${token}`;

async function* followed(path: string): AsyncGenerator<any> {
  const response = await fetch(`${base}${path}`, {
    headers: { authorization },
    signal: AbortSignal.timeout(PATIENCE),
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/x-ndjson");
  for await (const line of lines(response)) {
    const said = JSON.parse(line);
    assert.equal(said.error, undefined);
    if (said.result !== undefined) {
      yield said.result;
    }
  }
}

test("the day of disease control", async (day) => {
  const here = school(4);
  let resume = "";
  let feed: AsyncGenerator<any>;
  let name = "";

  // What the feed tells of the case, as soon as it is as certain as that.
  async function told(certainty: string): Promise<any> {
    for (;;) {
      const { value, done } = await feed.next();
      assert.ok(!done, "the feed ended");
      const events: any[] = value.events ?? [];
      const event = events.find((one) => one.case?.name === name && one.case.certainty === certainty);
      if (event !== undefined) {
        return event.case;
      }
    }
  }

  await day.test("the feed is followed from a snapshot", async () => {
    for await (const page of followed("/v1/samplingFeed:snapshot")) {
      resume = page.resumeToken ?? resume;
    }
    assert.notEqual(resume, "");
    feed = followed(`/v1/samplingFeed:watch?resumeToken=${encodeURIComponent(resume)}`);
  });

  await day.test("a school opens a case and reports it", async () => {
    const opened = await json(here.tokens["school-doctor"], "/v1/cases", {
      person: here.classGroups[1]!.students[0],
      disease: "DISEASE_HFMD",
      detection: "DETECTION_CHECK",
      requestId: requestId(),
    });
    assert.equal(opened.status, 200, JSON.stringify(opened.body));
    name = opened.body.name;
    const written = await json(here.tokens["epidemic-reporter"], `/v1/${name}/reports`, {
      report: {
        kind: "KIND_FIRST",
        place: "三年（2）班教室",
        suspectedCount: 1,
        measures: "已隔离，教室终末消毒",
        contactPost: "学校疫情报告人",
      },
      requestId: requestId(),
    });
    assert.equal(written.status, 200, JSON.stringify(written.body));
    assert.equal(written.body.late, undefined, "what is false is left out");
    assert.equal((await told("CERTAINTY_SUSPECTED")).organization, here.name);
  });

  await day.test("the report is received and the case confirmed", async () => {
    const step = await json(token, `/v1/${name}/reports:acknowledge`, {
      level: "LEVEL_COUNTY_HEALTH",
      requestId: requestId(),
    });
    assert.equal(step.body.kind, "KIND_RECEIVED", JSON.stringify(step.body));
    const confirmed = await json(token, `/v1/${name}:confirm`, { reason: "实验室确认", requestId: requestId() });
    assert.equal(confirmed.body.certainty, "CERTAINTY_CONFIRMED");
    await told("CERTAINTY_CONFIRMED");
    await feed.return(undefined);
  });

  await day.test("its document is taken away", async () => {
    const response = await fetch(`${base}/v1/${name}:export`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ format: "EXPORT_FORMAT_JSON", purpose: "流行病学调查" }),
    });
    const parts = [];
    for await (const line of lines(response)) {
      parts.push(Buffer.from(JSON.parse(line).result.content, "base64"));
    }
    assert.equal(JSON.parse(Buffer.concat(parts).toString("utf8")).reports.length, 1);
    const listed = await json(token, `/v1/${name}/exports`);
    assert.equal(listed.body.caseExports.length, 1);
  });
});
