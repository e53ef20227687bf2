# SPDX-License-Identifier: GPL-2.0
"""The other end of the agent's network load: a server that sends back what it gets."""

import socket
import threading

# What the emulator's user network calls the host, and gives to the first guest.
HOST, GUEST, NETMASK = "10.0.2.2", "10.0.2.15", "255.255.255.0"


class Echo:
    """Listens on the loopback device of the host; `spoil` changes what is sent back."""

    def __init__(self, spoil=None):
        self.spoil = spoil
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.open = set()
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(conn)
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        try:
            while True:
                data = conn.recv(1 << 16)
                if not data:
                    break
                conn.sendall(self.spoil(data) if self.spoil else data)
        except OSError:
            pass
        with self.lock:
            self.open.discard(conn)
        conn.close()

    def close(self):
        # Closing alone does not end an accept() that is under way.
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        with self.lock:
            for conn in self.open:
                conn.shutdown(socket.SHUT_RDWR)
