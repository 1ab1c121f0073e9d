#!/usr/bin/env python3
"""The training run of `./dev profile`: an instrumented Fairlead serves what proxies usually serve, so that the compiler
learns which way the branches go. Breadth matters more than length: what is never seen here is compiled for size."""

import json
import os
import tempfile

from proxies import Backend, Fairlead, Process, certificate, free_port, h2load, host, status, wrk

SECONDS = 2
MIDDLEWARES = {
    "names": {"headers": {"customRequestHeaders": {"X-App": "bench"}, "customResponseHeaders": {"X-Served": "yes", "Server": ""},
                          "stsSeconds": 31536000, "frameDeny": True, "contentTypeNosniff": True,
                          "accessControlAllowMethods": ["GET", "POST"], "accessControlAllowOriginList": ["https://a.test"]}},
    "strip": {"stripPrefix": {"prefixes": ["/furnished", "/guarded", "/squeezed"]}},
    "squeeze": {"compress": {}},
    "rate": {"rateLimit": {"average": 10_000_000, "burst": 1_000_000}},
    "local": {"ipAllowList": {"sourceRange": ["10.0.0.0/8", "127.0.0.0/8", "::1/128"]}},
    "flight": {"inFlightReq": {"amount": 100_000}},
    "again": {"retry": {"attempts": 3}},
    "break": {"circuitBreaker": {"expression": "NetworkErrorRatio() > 0.5"}},
    "elsewhere": {"redirectRegex": {"regex": "^https?://old\\.test/(.*)", "replacement": "https://new.test/${1}"}},
    "ask": {"forwardAuth": {"address": "", "authResponseHeaders": ["X-User"]}},
    # user:bench
    "login": {"basicAuth": {"users": ["user:{SHA}5cicUp3MubQnFvTZEY1hB5yIPZ4="]}},
    "pages": {"errors": {"status": ["500-599"], "service": "app", "query": "/100b"}},
    "whole": {"buffering": {"maxRequestBodyBytes": 10_000_000}},
}


class Furnished(Process):
    """Fairlead with access log, metrics, middlewares, balancers and a TCP entry point."""

    name = "furnished"

    def __init__(self, **options):
        self.tcp_port, self.api_port = free_port(), free_port()
        super().__init__(**options)

    def command(self):
        server = f"http://127.0.0.1:{self.options['backend']}"
        middlewares = json.loads(json.dumps(MIDDLEWARES))
        middlewares["ask"]["forwardAuth"]["address"] = server + "/100b"
        furnished = ["names", "rate", "local", "flight", "elsewhere", "break", "again", "pages", "strip"]
        routers = {
            "plain": {"rule": f"Host(`{host(0)}`)", "service": "app"},
            "furnished": {"rule": f"Host(`{host(0)}`) && PathPrefix(`/furnished`)", "service": "sticky", "middlewares": furnished},
            "guarded": {"rule": f"Host(`{host(0)}`) && PathRegexp(`^/guarded/.+`) && (Method(`GET`) || Method(`POST`))", "service": "both",
                        "middlewares": ["login", "ask", "strip"]},
            "squeezed": {"rule": f"Host(`{host(0)}`) && (PathPrefix(`/squeezed`) || Header(`X-Small`, `yes`))",
                         "service": "busy", "middlewares": ["squeeze", "whole", "strip"]},
        }
        servers = [{"url": server}, {"url": server.replace("127.0.0.1", "localhost")}]
        dynamic = {
            "http": {"routers": routers, "middlewares": middlewares, "services": {
                "app": {"loadBalancer": {"servers": servers}},
                "sticky": {"loadBalancer": {"servers": servers, "sticky": {"cookie": {"name": "at"}}}},
                "busy": {"loadBalancer": {"servers": servers, "strategy": "p2c",
                                          "healthCheck": {"path": "/100b", "interval": "1s"}}},
                "both": {"weighted": {"services": [{"name": "app", "weight": 3}, {"name": "sticky", "weight": 1}]}}}},
            "tcp": {"routers": {"raw": {"entryPoints": ["raw"], "rule": "HostSNI(`*`)", "service": "raw"}},
                    "services": {"raw": {"loadBalancer": {"servers": [{"address": server.removeprefix("http://")}]}}}},
            "tls": {"certificates": [dict(zip(("certFile", "keyFile"), map(str, certificate())))]},
        }
        install = {
            "entryPoints": {"web": {"address": f"127.0.0.1:{self.port}"}, "raw": {"address": f"127.0.0.1:{self.tcp_port}"},
                            "secure": {"address": f"127.0.0.1:{self.tls_port}", "http": {"tls": {}}},
                            "traefik": {"address": f"127.0.0.1:{self.api_port}"}},
            "providers": {"file": {"filename": str(self.write("dynamic.yml", json.dumps(dynamic)))}},
            "accessLog": {"filePath": str(self.folder / "access"), "format": "json", "fields": {"headers": {"defaultMode": "keep"}}},
            "metrics": {"prometheus": {"addRoutersLabels": True}}, "api": {"insecure": True}, "log": {"level": "ERROR"},
        }
        return [os.environ["FAIRLEAD_BINARY"], f"--configFile={self.write('install.yml', json.dumps(install))}", "--workers=1"]


def say(title, seen):
    print(f"{title}: {seen['requests']} requests, {seen['failed']} failed", flush=True)
    if seen["failed"] or not seen["requests"]:
        raise SystemExit(f"the training run failed at: {title}")


def main():
    post = tempfile.NamedTemporaryFile("w", suffix=".lua")
    # nginx answers 405 to a POST of a file, but not where it returns a text.
    post.write('wrk.method = "POST"; wrk.body = string.rep("b", 2000); wrk.headers["Content-Type"] = "text/plain"\n')
    post.flush()
    with Backend() as backend:
        with Fairlead(backend=backend.port) as proxy:
            say("plain", wrk(proxy.port, "/100b", 3 * SECONDS))
            say("plain, 100 kB", wrk(proxy.port, "/100k", SECONDS))
            say("plain, 10 MB", wrk(proxy.port, "/10m", SECONDS, connections=8))
            say("plain, new connections", wrk(proxy.port, "/100b", SECONDS, close=True))
            say("plain, bodies", wrk(proxy.port, "/100b", SECONDS, extra=("-s", post.name)))
            say("TLS", h2load(proxy.tls_port, "/100b", 3 * SECONDS, http1=True, connections=64))
            say("TLS, 100 kB", h2load(proxy.tls_port, "/100k", SECONDS, http1=True, connections=32))
            say("HTTP/2", h2load(proxy.tls_port, "/100b", 3 * SECONDS))
            say("HTTP/2, 100 kB", h2load(proxy.tls_port, "/100k", SECONDS))
        with Furnished(backend=backend.port) as proxy:
            say("access log, metrics", wrk(proxy.port, "/100b", SECONDS))
            say("ten middlewares", wrk(proxy.port, "/furnished/100b", SECONDS))
            say("passwords, forwardAuth", wrk(proxy.port, "/guarded/100b", SECONDS,
                                              extra=("-H", "Authorization: Basic dXNlcjpiZW5jaA==")))
            say("compression", wrk(proxy.port, "/squeezed/100k", SECONDS, extra=("-H", "Accept-Encoding: gzip, br")))
            say("TCP", wrk(proxy.tcp_port, "/100b", SECONDS))
            say("TCP, 100 kB", wrk(proxy.tcp_port, "/100k", SECONDS))
            say("middlewares over HTTP/2", h2load(proxy.tls_port, "/furnished/100b", SECONDS))
            for _ in range(20):
                for path in ("/metrics", "/api/http/routers", "/api/overview"):
                    assert status(proxy.api_port, path) == 200, path
        # Many routers from a file, loaded several times.
        with Fairlead(backend=backend.port, routers=2000) as proxy:
            for i in range(5):
                proxy.write_routes(2000 + i, extra=f"extra{i}.test")
                while status(proxy.port, "/100b", f"extra{i}.test") != 200:
                    pass
            say("2,000 routers", wrk(proxy.port, "/100b", SECONDS, hosts=2000))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
