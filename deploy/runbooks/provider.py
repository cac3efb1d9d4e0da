"""Who answers services by HTTPS and can be away: a provider of short messages, which remembers who sent what with which
secret, and an issuer, which publishes its keys."""

import http.server
import json
import ssl
import threading

from stage import free_port


class Server:
    """A server at a port of its own, whose certificate an authority vouches for."""

    def __init__(self, stage, authority, folder, name):
        self.port = free_port()
        self.pair = authority.issue(name, folder / f"{name}.crt", folder / f"{name}.key")
        self.server = None
        stage.callback(self.leave)

    def answer(self, headers, body):
        """What it says to a call, in bytes."""
        raise NotImplementedError

    def come(self):
        """Answers from now on."""
        answer = self.answer

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told = answer(self.headers, self.rfile.read(int(self.headers.get("content-length", 0))))
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            do_GET = do_POST

            def log_message(self, *_):
                """Says nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def leave(self):
        """Nobody answers from now on."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class KeySet(Server):
    """Where an issuer publishes its keys."""

    def __init__(self, stage, authority, folder, issuer):
        super().__init__(stage, authority, folder, "issuer")
        self.issuer = issuer

    def answer(self, headers, body):
        return self.issuer.key_set.read_bytes()


class Provider(Server):
    """A provider of short messages."""

    def __init__(self, stage, authority, folder):
        super().__init__(stage, authority, folder, "provider")
        # The secret and the text of each message.
        self.told = []

    def answer(self, headers, body):
        self.told.append((headers["authorization"], json.loads(body)["text"]))
        return b'{"code": "0"}'

    def channel(self, authority, secret):
        """The settings of a channel that sends by it, with files of its authority and of the secret."""
        return {
            "id": "sms",
            "kind": "sms",
            "url": f"https://127.0.0.1:{self.port}",
            "secret_file": str(secret),
            "ca_file": str(authority),
            "private": True,
            "timeout": "2s",
            "rest_after": 2,
            "rest": "1s",
            "request": {
                "headers": [["authorization", "Bearer {secret}"]],
                "json": '{"text": "{title} {body}", "to": "{address}"}',
            },
            "answer": {"code": "/code", "good": ["0"]},
        }
