// The example of proto/README.md, as it stands there; `run` put it beside this file.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, stand } from "./stand.js";

test("the example runs", () => {
  const example = fileURLToPath(new URL("example.js", import.meta.url));
  const ran = spawnSync(process.execPath, [example], {
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: stand.ca,
      CAMPUS_ADDRESS: stand.address,
      CAMPUS_TOKEN: stand.tokens["city-officer"]!,
    },
    encoding: "utf8",
    timeout: PATIENCE,
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /^\d+ of \d+\n(\d+ events\n)+go on with watch from \S+\n$/);
});
