"""WebSocket tunnels by the thousand: python3-websockets' protocol on an epoll loop of one process for each end, since
as many coroutines as tunnels would take the machine's memory and minutes to open them.

    tunnels.py serve                 prints {"port": N}, then echoes every message
    tunnels.py hold PORT COUNT       opens COUNT tunnels and prints {"open": N}, then obeys its lines of input:
                                     echo N    a message on N of them, spread evenly, and its echo → {"echoed": N}
                                     end       waits until all of them ended                       → {"ended": N}
"""

import json
import pathlib
import resource
import select
import socket
import subprocess
import sys

import websockets.client
import websockets.server
from websockets.connection import CLOSED
from websockets.frames import OP_TEXT, Frame
from websockets.http11 import Request, Response
from websockets.uri import parse_uri

TOGETHER = 100  # handshakes on their way at a time
SECONDS = 90  # until an answer is missed


class Peer:
    """One end of a tunnel: a socket and the library's protocol."""

    def __init__(self, loop, connection, protocol):
        self.socket, self.protocol = connection, protocol
        self.socket.setblocking(False)
        self.loop = loop
        self.open = False
        self.heard = []
        loop.add(self)

    def fileno(self):
        return self.socket.fileno()

    def flush(self):
        """What the protocol has to say is short: sockets take it at once."""
        for data in self.protocol.data_to_send():
            if data:
                self.socket.sendall(data)

    def read(self):
        """False when the tunnel is over."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return True
        except ConnectionError:
            data = b""
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.protocol.send_response(self.protocol.accept(event))
                self.open = True
            elif isinstance(event, Response):
                self.open = self.protocol.handshake_exc is None
            elif isinstance(event, Frame) and event.opcode == OP_TEXT:
                self.heard.append(event.data)
        if not data or self.protocol.state is CLOSED:
            return False
        self.flush()
        return True

    def say(self, text):
        self.protocol.send_text(text)
        self.flush()


class Loop:
    def __init__(self):
        self.epoll = select.epoll()
        self.peers = {}

    def add(self, peer):
        self.peers[peer.fileno()] = peer
        self.epoll.register(peer.fileno(), select.EPOLLIN)

    def turn(self, listener=None):
        """The peers that something happened to; accepts at `listener`."""
        found = self.epoll.poll(SECONDS if listener is None else -1)
        if not found:
            raise SystemExit(f"nothing happened for {SECONDS} s")
        changed = []
        for number, _ in found:
            if listener is not None and number == listener.fileno():
                protocol = websockets.server.ServerConnection(max_size=None)
                Peer(self, listener.accept()[0], protocol)
                continue
            peer = self.peers[number]
            if not peer.read():
                del self.peers[number]
                self.epoll.unregister(number)
                peer.socket.close()
            changed.append(peer)
        return changed


def say(**facts):
    print(json.dumps(facts), flush=True)


def serve():
    loop = Loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    loop.epoll.register(listener.fileno(), select.EPOLLIN)
    say(port=listener.getsockname()[1])
    while True:
        for peer in loop.turn(listener):
            heard, peer.heard = peer.heard, []
            for text in heard:
                peer.say(text)


def hold(port, count):
    loop = Loop()
    uri = parse_uri(f"ws://127.0.0.1:{port}/tunnel")
    peers = []
    while len(peers) < count:
        fresh = []
        for _ in range(min(TOGETHER, count - len(peers))):
            protocol = websockets.client.ClientConnection(uri, max_size=None)
            peer = Peer(loop, socket.create_connection(("127.0.0.1", port)), protocol)
            protocol.send_request(protocol.connect())
            peer.flush()
            fresh.append(peer)
        while not all(peer.open for peer in fresh):
            loop.turn()
            if len(loop.peers) < len(peers) + len(fresh):
                raise SystemExit("a tunnel was refused")
        peers += fresh
    say(open=len(peers))
    for line in sys.stdin:
        words = line.split()
        if words[0] == "echo":
            chosen = peers[:: max(1, len(peers) // int(words[1]))]
            for i, peer in enumerate(chosen):
                peer.heard = []
                peer.say(b"%d" % i)
            while not all(peer.heard for peer in chosen):
                loop.turn()
            say(echoed=sum(peer.heard == [b"%d" % i] for i, peer in enumerate(chosen)))
        elif words[0] == "end":
            while loop.peers:
                loop.turn()
            say(ended=len(peers))


class Process:
    """This file in a process of its own, with every descriptor that the machine allows."""

    def __init__(self, *arguments):
        self.arguments = list(map(str, arguments))

    def __enter__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", str(pathlib.Path(__file__)), *self.arguments], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, *words):
        """Sends the words as a line, when there are any; the next line that the process prints."""
        if words:
            print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, f"{self.arguments} ended with {self.process.wait()}"
        return json.loads(line)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if sys.argv[1] == "serve":
        serve()
    else:
        hold(int(sys.argv[2]), int(sys.argv[3]))
