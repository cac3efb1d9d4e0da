"""Calls of the house as other systems make them: HTTP/JSON over TLS, through the gateway."""

import http.client
import json
import ssl
import threading
import uuid

from stage import Failed, must

# How long a call may take, in seconds.
DEADLINE = 30
# How a connection ends that the other side closed between two calls.
CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ssl.SSLEOFError)


class Door:
    """The gateway; each thread has a connection of its own."""

    def __init__(self, port, authority):
        self.port = port
        self.trust(authority)

    def trust(self, authority):
        """From now on a file of authorities counts, also for those who are connected."""
        self.context = ssl.create_default_context(cafile=str(authority))
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.local = threading.local()

    def certificate(self):
        """The certificate that the gateway shows now, in DER."""
        connection = self.connect(fresh=True)
        return connection.sock.getpeercert(binary_form=True)

    def connect(self, fresh=False, timeout=DEADLINE):
        connection = getattr(self.local, "connection", None)
        if connection is None or fresh:
            if connection is not None:
                connection.close()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=timeout)
            connection.connect()
            self.local.connection = connection
        return connection

    def ask(self, token, path, body=None, method=None, timeout=DEADLINE):
        """The status and the answer, whatever they are; 0 where nobody answers."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        data = None
        if body is not None:
            headers["content-type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        method = method or ("GET" if body is None else "POST")
        for fresh in (False, True):
            reused = not fresh and getattr(self.local, "connection", None) is not None
            try:
                connection = self.connect(fresh, timeout)
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                text = answer.read()
                return answer.status, json.loads(text) if text else {}
            except (OSError, http.client.HTTPException) as err:
                self.local.connection = None
                # The other side may close what was idle for long, or whose last call it refused before it was
                # read; what it closed so it has not read.
                if not (reused and isinstance(err, CLOSED)):
                    return 0, {"message": str(err)}
        raise AssertionError("the second connection is no reused one")

    def call(self, token, path, body=None, method=None):
        """The answer of a call that must succeed."""
        status, answer = self.ask(token, path, body, method)
        if status != 200:
            raise Failed(f"{path}: {status} {json.dumps(answer, ensure_ascii=False)[:600]}")
        return answer

    def lines(self, token, path, body):
        """What a call streams: `result` of each message, or an error."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        connection = self.connect()
        connection.request("POST", path, json.dumps(body).encode(), headers)
        told = [json.loads(line) for line in connection.getresponse().read().splitlines()]
        # An empty one says only that the stream lives.
        return [one for one in told if one]

    def refused(self, token, path, reason, body=None):
        """A call that must be refused for this reason."""
        status, answer = self.ask(token, path, body)
        must(status != 200 and reason_of(answer) == reason, f"{path}: {status} {answer}, not {reason}")

    def ready(self):
        """Whether the gateway says that it serves."""
        return self.ask(None, "/readyz")[0] == 200

    def pages(self, token, path, field):
        """Everything of a list."""
        found, page = [], ""
        mark = "&" if "?" in path else "?"
        for _ in range(1000):
            answer = self.call(token, f"{path}{mark}pageSize=500&pageToken={page}")
            found += answer.get(field, [])
            page = answer.get("nextPageToken", "")
            if not page:
                return found
        raise Failed(f"{path} has no end")


def reason_of(answer):
    """The reason of a refusal."""
    details = answer.get("details", [])
    return next((one["reason"] for one in details if "reason" in one), None)


def request_id():
    return str(uuid.uuid4())
