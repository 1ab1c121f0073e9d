"""Certificates of tests, made by the openssl command."""

import pathlib
import ssl
import subprocess

from support.raw import RawClient


class Pair:
    """A certificate and its key, as files and as configuration."""

    def __init__(self, cert, key):
        self.cert, self.key = pathlib.Path(cert), pathlib.Path(key)

    @property
    def config(self):
        return {"certFile": str(self.cert), "keyFile": str(self.key)}

    def server_context(self, authority=None):
        """What a Python server speaks TLS with; with an authority it demands a certificate of each client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.cert), str(self.key))
        if authority:
            context.load_verify_locations(str(authority.cert))
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def make(folder, name, names=(), issuer=None, algorithm="ec", subject=None, ca=False, digest="sha256", left=None):
    """`names`: alternative names, "DNS:a" or "IP:127.0.0.1". Without an issuer it signs itself. `left`: seconds until it
    expires, of 30 days."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    kind = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ec" else [algorithm]
    earlier = [] if left is None else ["faketime", "-f", f"-{30 * 86400 - left}s"]
    command = [*earlier, "openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "30", f"-{digest}",
               "-subj", subject or f"/CN={name}",
               "-out", str(pair.cert), "-keyout", str(pair.key),
               "-addext", f"basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}"]
    if names:
        command += ["-addext", "subjectAltName=" + ",".join(names)]
    if issuer:
        command += ["-CA", str(issuer.cert), "-CAkey", str(issuer.key)]
    subprocess.run(command, check=True, capture_output=True)
    return pair


class TlsClient(RawClient):
    """A strict HTTP client over TLS. `authority` None: the server is not verified. `resumes`: an earlier one that was
    made with the same arguments, whose session goes on."""

    def __init__(self, port, name, authority=None, certificate=None, protocols=("http/1.1",), timeout=60.0, resumes=None):
        super().__init__(port, timeout=timeout)
        context = resumes.socket.context if resumes else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = authority is not None
        context.verify_mode = ssl.CERT_REQUIRED if authority else ssl.CERT_NONE
        if authority:
            context.load_verify_locations(str(authority.cert))
        if certificate:
            context.load_cert_chain(str(certificate.cert), str(certificate.key))
        if protocols:
            context.set_alpn_protocols(list(protocols))
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name, session=resumes and resumes.socket.session)
        except BaseException:
            self.socket.close()
            raise

    def server(self):
        """Names in the server's certificate, by the openssl command's reckoning."""
        der = self.socket.getpeercert(binary_form=True)
        text = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-subject", "-serial", "-ext", "subjectAltName"],
                              input=der, check=True, capture_output=True)
        return text.stdout.decode()


def s_client(port, *options, name="app", send=b"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n"):
    """Exit status and everything the real openssl s_client printed."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof",
                           *(["-servername", name] if name else ["-noservername"]), *options],
                          input=send, capture_output=True, timeout=90)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")
