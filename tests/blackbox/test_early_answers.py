"""Answers that are known before the request's body was read: what becomes of the connection is said in them."""

import pytest
from support.fairlead import Fairlead
from support.origin import Origin, respond
from support.raw import RawClient


@pytest.fixture(scope="module")
def site():
    with (Origin() as origin, Origin(respond(b"no", 403)) as authority, Origin(respond(b"ok"), read_body=False) as hasty,
          Origin(b"HTTP/1.1 413 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", read_body=False) as refusing):
        routers = {"closed": {"rule": "Host(`closed`)", "service": "app", "middlewares": ["closed"]},
                   "away": {"rule": "Host(`away`)", "service": "app", "middlewares": ["away"]},
                   "small": {"rule": "Host(`small`)", "service": "app", "middlewares": ["small"]},
                   "asking": {"rule": "Host(`asking`)", "service": "app", "middlewares": ["asking"]},
                   "hasty": {"rule": "Host(`hasty`)", "service": "hasty"},
                   "refusing": {"rule": "Host(`refusing`)", "service": "refusing"}}
        servers = {"app": origin, "hasty": hasty, "refusing": refusing}
        dynamic = {"http": {"routers": routers,
                            "services": {name: {"loadBalancer": {"servers": [{"url": one.url}]}} for name, one in servers.items()},
                            "middlewares": {"closed": {"ipAllowList": {"sourceRange": ["192.0.2.1"]}},
                                            "away": {"redirectScheme": {"scheme": "https"}},
                                            "small": {"buffering": {"maxRequestBodyBytes": 4}},
                                            "asking": {"forwardAuth": {"address": authority.url}}}}}
        with Fairlead(dynamic) as proxy:
            yield proxy


@pytest.mark.parametrize(("host", "status"), [("closed", 403), ("away", 307), ("unknown", 404), ("asking", 403),
                                            ("hasty", 200), ("refusing", 413)])
@pytest.mark.parametrize("framing", ["Content-Length: 5", "Content-Length: 500000", "Transfer-Encoding: chunked",
                                     "Content-Length: 5\r\nExpect: 100-continue"])
def test_a_connection_whose_request_is_not_read_to_its_end_is_closed_as_announced(site, host, status, framing):
    with RawClient(site.port()) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n")
        answer = client.read_answer("POST")

        assert (answer.status, answer.header("Connection")) == (status, "close")
        assert client.is_closed()


def test_so_is_one_whose_request_turns_out_too_large(site):
    with RawClient(site.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: small\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        answer = client.read_answer("POST")

        assert (answer.status, answer.header("Connection")) == (413, "close")
        assert client.is_closed()


@pytest.mark.parametrize("host", ["closed", "away", "unknown", "asking"])
def test_a_small_body_that_came_along_is_skipped(site, host):
    with RawClient(site.port()) as client:
        for _ in range(2):
            client.send(f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nhello")
            assert client.read_answer("POST").header("Connection") is None


def test_an_authority_may_refuse_before_it_has_read_the_body(start, origin):
    """It answers at once and reads nothing more, of a body that no socket's buffer holds."""
    with Origin(lambda request: [respond(b"no", 401), 60], read_body=False) as authority:
        proxy = start({"http": {
            "routers": {"posts": {"rule": "Host(`posts`)", "service": "app", "middlewares": ["auth"]}},
            "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}},
            "middlewares": {"auth": {"forwardAuth": {"address": authority.url, "forwardBody": True}}}}})

        answer = proxy.ask(host="posts", method="POST", body=b"a" * (20 << 20), timeout=20)

        assert (answer.status, answer.body) == (401, b"no")
