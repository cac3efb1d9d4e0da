"""As much of an API server as Helm asks when it renders against a cluster: which kinds there are, and which objects."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def discovery(objects):
    """What the server says of its versions and kinds: those of some objects."""
    kinds = {}
    for one in objects:
        kinds.setdefault(one["apiVersion"], set()).add(one["kind"])
    groups = []
    pages = {"/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}, "/api": {"versions": ["v1"]}}
    for version, named in kinds.items():
        group, _, short = version.rpartition("/")
        resources = [{"name": f"{kind.lower()}s", "namespaced": True, "kind": kind, "verbs": ["get"]} for kind in sorted(named)]
        page = {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
        pages[f"/apis/{version}" if group else f"/api/{version}"] = page
        if group:
            groups.append({"name": group, "versions": [{"groupVersion": version, "version": short}]})
    return {**pages, "/apis": {"kind": "APIGroupList", "groups": groups}}


@contextmanager
def cluster(kinds, there):
    """The address of a server that knows the kinds of the objects `kinds`, and has the objects `there`."""
    pages = discovery(kinds)
    for one in there:
        named = one["metadata"]
        pages[f"/apis/{one['apiVersion']}/namespaces/{named['namespace']}/{one['kind'].lower()}s/{named['name']}"] = one

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            found = pages.get(self.path.partition("?")[0])
            body = json.dumps(found or missing).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
