"""A TLS 1.2 client that protects whatever records it is told to (RFC 5246, RFC 5288), which no library would send."""

import hashlib
import hmac
import pathlib
import socket
import ssl
import struct
import tempfile

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HANDSHAKE, APPLICATION_DATA = 22, 23
RANDOM = slice(11, 43)  # of the first hello of either side: behind the heads of record and message, and the version


def client_hello(random=bytes(32)):
    """The shortest there is: one suite, no session, no extensions."""
    body = b"\x03\x03" + random + b"\x00" + b"\x00\x02\xc0\x2b" + b"\x01\x00"
    return b"\x01" + struct.pack(">I", len(body))[1:] + body


class Tls12Client:
    def __init__(self, port, name):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.sequence = 1  # Finished was the first record under these keys
        with tempfile.TemporaryDirectory() as folder:
            secrets = pathlib.Path(folder) / "secrets"
            master, randoms = self._shake_hands(name, secrets)
        # AES-128-GCM: no MAC keys, two keys of 16 bytes, two salts of 4; ours is the first of each.
        block = _prf(master, b"key expansion" + randoms, 40)
        self.cipher, self.salt = AESGCM(block[:16]), block[32:36]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _shake_hands(self, name, secrets):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
        context.keylog_filename = str(secrets)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_hostname=name)
        sent = received = b""
        while True:
            try:
                session.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            piece = outgoing.read()
            sent += piece
            self.socket.sendall(piece)
            if done:
                break
            piece = self.socket.recv(65536)
            received += piece
            incoming.write(piece)
        line = next(line for line in secrets.read_text().splitlines() if line.startswith("CLIENT_RANDOM"))
        return bytes.fromhex(line.split()[2]), received[RANDOM] + sent[RANDOM]

    def protect(self, kind, payload):
        """The bytes of the next record."""
        number = struct.pack(">Q", self.sequence)
        self.sequence += 1
        head = bytes([kind]) + b"\x03\x03"
        sealed = self.cipher.encrypt(self.salt + number, payload, number + head + struct.pack(">H", len(payload)))
        return head + struct.pack(">H", len(number) + len(sealed)) + number + sealed


def _prf(secret, seed, count):
    out, a = b"", seed
    while len(out) < count:
        a = hmac.new(secret, a, hashlib.sha256).digest()
        out += hmac.new(secret, a + seed, hashlib.sha256).digest()
    return out[:count]
