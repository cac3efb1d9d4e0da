// Judges objects by the schemas that @kubernetes-models has of the kinds of operators: types, values and what is required,
// and every field that a schema does not know. Usage: node judge.mjs FOLDER < OBJECTS, both JSON; what is wrong with each.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGES = {
  "cert-manager.io": "cert-manager",
  "external-secrets.io": "external-secrets",
  "gateway.networking.k8s.io": "gateway-api",
  "keda.sh": "keda",
  "monitoring.coreos.com": "prometheus-operator",
};

// Remembers which fields nobody has looked at: those of which the schema knows nothing.
function watched(value, path, unread) {
  if (typeof value !== "object" || value === null) return value;
  const children = new Map();
  for (const key of Object.keys(value)) {
    const place = `${path}/${key}`;
    if (!Array.isArray(value)) unread.add(place);
    children.set(key, watched(value[key], place, unread));
  }
  return new Proxy(value, {
    get(target, key) {
      if (!children.has(key)) return target[key];
      unread.delete(`${path}/${key}`);
      return children.get(key);
    },
  });
}

async function judge(folder, one) {
  const [group, version] = one.apiVersion.split("/");
  const file = join(folder, "node_modules/@kubernetes-models", PACKAGES[group], group, version, `${one.kind}.js`);
  const model = (await import(pathToFileURL(file)))[one.kind];
  const unread = new Set();
  const faults = [];
  try {
    model.prototype.validate.call(watched(one, "", unread));
  } catch (error) {
    faults.push(error.message);
  }
  const known = [...unread].filter((place) => ![...unread].some((above) => place.startsWith(`${above}/`)));
  return [...faults, ...known.map((place) => `${place} is not known`)];
}

const objects = JSON.parse(readFileSync(0, "utf8"));
const told = [];
for (const one of objects) told.push(await judge(process.argv[2], one));
process.stdout.write(JSON.stringify(told));
