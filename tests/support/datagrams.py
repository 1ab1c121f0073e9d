"""UDP ends outside of the router."""

import socket
import threading


class UdpOrigin:
    """A server: answers every datagram with `answer(bytes, address)`, or `name:bytes`; None answers nothing. What
    came is in `received`, as (bytes, address)."""

    def __init__(self, name="", answer=None, host="127.0.0.1", port=0):
        self.name, self.answer = name, answer
        self.received = []
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((host, port))
        self.host, self.port = self.socket.getsockname()[:2]
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Gives the port up: whoever sends there gets an ICMP error."""
        if self._stopped:
            return
        self._stopped = True
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as waker:  # closing alone would not wake the thread
            waker.sendto(b"", (self.host, self.port))
        self._thread.join(5)
        self.socket.close()

    def send(self, data, address):
        self.socket.sendto(data, address)

    def _serve(self):
        while True:
            data, address = self.socket.recvfrom(65536)
            if self._stopped:
                return
            self.received.append((data, address))
            answer = self.answer(data, address) if self.answer else f"{self.name}:".encode() + data
            if answer is not None:
                self.socket.sendto(answer, address)


class UdpClient:
    """One client: a socket that hears the address it asks alone."""

    def __init__(self, port, host="127.0.0.1", source=None, timeout=30.0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, port))
        self.socket.settimeout(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.send(data)

    def receive(self):
        return self.socket.recv(65536)

    def ask(self, data):
        self.send(data)
        return self.receive()

    def hears_nothing(self, seconds=0.3):
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(65536)
        except (socket.timeout, ConnectionRefusedError):
            return True
