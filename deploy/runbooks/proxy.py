"""A way to a server that can be made slow or stopped, for one service at a time."""

import contextlib
import socket
import threading
import time

from stage import free_port

# What one read takes at most, in bytes.
PIECE = 1 << 16


class Proxy:
    """Passes connections on: each piece `delay` seconds later, none at all while it is `stalled`."""

    def __init__(self, stage, target):
        self.target = target
        self.delay = 0.0
        self.flowing = threading.Event()
        self.flowing.set()
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.open = set()
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()
        stage.callback(self.close)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                with self.lock:
                    self.open |= {client, server}
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if self.delay:
                    time.sleep(self.delay)
                self.flowing.wait()
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
            with self.lock:
                self.open.discard(end)

    def stall(self):
        self.flowing.clear()

    def flow(self, delay=0.0):
        self.delay = delay
        self.flowing.set()

    def close(self):
        """Ends every connection."""
        self.flow()
        self.listener.close()
        with self.lock:
            ends = list(self.open)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
