"""HTTP/2 frame by frame: every case names the section of RFC 9113, 7541 or 8441 that it holds us to."""

import struct
import threading
import time

import pytest
from support.certificates import make
from support.fairlead import Fairlead, routes
from support.h2 import (
    ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_CONNECT_PROTOCOL, ENABLE_PUSH, END_HEADERS, END_STREAM,
    FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GET, GOAWAY, HEADER_TABLE_SIZE, HEADERS, INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, NO_ERROR, PADDED, PING, POST, PREFACE, PRIORITY,
    PRIORITY_FLAG, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE,
    H2Client, block, frame, literal, replaced, rst_stream, settings, window_update)
from support.origin import Origin, respond
from support.ports import wait_for


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One origin and one router for the whole file: Host(`app`), plain on `web` and with TLS on `secure`."""
    pair = make(tmp_path_factory.mktemp("pki"), "app", ["DNS:app"])
    with Origin() as origin:
        dynamic = routes(app=[origin.url])
        dynamic["http"]["routers"]["secure"] = {"rule": "Host(`app`)", "service": "app", "tls": {},
                                                "entryPoints": ["secure"]}
        dynamic["http"]["routers"]["app"]["entryPoints"] = ["web"]
        dynamic["tls"] = {"certificates": [pair.config]}
        with Fairlead(dynamic, entry_points=("web", "secure")) as proxy:
            proxy.origin = origin
            proxy.wait_status(200, "app")
            yield proxy
        assert origin.violations == []


@pytest.fixture
def origin(site):
    site.origin.unscript()
    site.origin.requests.clear()
    return site.origin


@pytest.fixture
def client(site, origin):
    with H2Client(site.port()) as one:
        yield one


def connect(site, **options):
    return H2Client(site.port(), **options)


# ---- what must work

ACCEPTED = {
    "RFC 9113 §3.4 preface and SETTINGS, then a request": [],
    "RFC 9113 §4.1 reserved bit of the stream identifier is ignored": [frame(PING, 0, 0x80000000, b"reserved")],
    "RFC 9113 §4.1 undefined flags are ignored": [frame(PING, 0xFE, 0, b"undefine")],
    "RFC 9113 §5.5 frames of unknown type are ignored": [frame(0x99, 0xFF, 0, b"whatever")],
    "RFC 9113 §5.5 unknown type on a stream that is idle": [frame(0xAB, 0, 77, b"whatever")],
    "RFC 9113 §6.5.2 unknown settings are ignored": [settings((0xF0, 7))],
    "RFC 9113 §6.5.2 largest initial window": [settings((INITIAL_WINDOW_SIZE, 2**31 - 1))],
    "RFC 9113 §6.5.2 largest frame size": [settings((MAX_FRAME_SIZE, 2**24 - 1))],
    "RFC 9113 §6.5.2 push is off": [settings((ENABLE_PUSH, 0))],
    "RFC 9113 §6.5 the same setting twice, the last counts": [settings((INITIAL_WINDOW_SIZE, 1), (INITIAL_WINDOW_SIZE, 65535))],
    "RFC 9113 §6.5 empty SETTINGS": [settings()],
    "RFC 9113 §6.9 a larger connection window": [window_update(0, 1_000_000)],
    "RFC 9113 §6.3 PRIORITY of an idle stream": [frame(PRIORITY, 0, 3, struct.pack(">IB", 0, 15))],
    "RFC 9113 §6.3 exclusive PRIORITY": [frame(PRIORITY, 0, 5, struct.pack(">IB", 0x80000000, 200))],
    "RFC 9218 §7.1 PRIORITY_UPDATE": [frame(0x10, 0, 0, struct.pack(">I", 1) + b"u=1")],
    "RFC 9113 §6.5.2 an encoder table of no size": [settings((HEADER_TABLE_SIZE, 0))],
    "RFC 9113 §6.5.2 header lists of any size": [settings((MAX_HEADER_LIST_SIZE, 2**32 - 1))],
    "RFC 8441 §3 a client may say that it knows extended CONNECT": [settings((ENABLE_CONNECT_PROTOCOL, 1))],
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_is_accepted(client, case):
    client.send(*ACCEPTED[case])

    answer = client.ask()

    assert (answer.status, answer.body) == (200, b"ok")
    assert client.goaway is None


HEADER_BLOCKS = {
    "RFC 7541 §6.2.1 literals with incremental indexing": b"".join(literal(n, v, 0x40) for n, v in GET),
    "RFC 7541 §6.2.2 literals without indexing": block(*GET),
    "RFC 7541 §6.2.3 literals never indexed": b"".join(literal(n, v, 0x10) for n, v in GET),
    "RFC 7541 §6.1 indexed fields of the static table": b"\x82\x86\x84" + literal(":authority", "app"),
    "RFC 7541 §6.3 table size updates at the start": b"\x20\x3f\xe1\x1f" + block(*GET),
    "RFC 7541 §5.2 Huffman strings": b"\x82\x86\x84\x01\x83\x1d\x75\xff",  # authority "app"
}


@pytest.mark.parametrize("case", HEADER_BLOCKS)
def test_header_block_is_understood(client, case):
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, HEADER_BLOCKS[case]))

    assert client.answer(1).status == 200


def test_rfc_7541_4_3_entries_are_evicted_as_both_sides_agree(client):
    for number in range(60):
        client.headers(2 * number + 1, (*GET, (f"x-{number}", "v" * 200), ("x-same", "s")))
    assert all(client.answer(2 * number + 1).status == 200 for number in range(60))


def test_rfc_9113_6_2_padded_headers_with_priority(client):
    payload = bytes([7]) + struct.pack(">IB", 0, 3) + block(*GET) + b"\0" * 7

    client.send(frame(HEADERS, END_HEADERS | END_STREAM | PADDED | PRIORITY_FLAG, 1, payload))

    assert client.answer(1).status == 200


def test_rfc_9113_6_10_a_block_in_many_continuations(client):
    whole = block(*GET)
    client.send(frame(HEADERS, END_STREAM, 1, whole[:1]))
    for byte in whole[1:-1]:
        client.send(frame(CONTINUATION, 0, 1, bytes([byte])))
    client.send(frame(CONTINUATION, END_HEADERS, 1, whole[-1:]))

    assert client.answer(1).status == 200


def test_rfc_9113_6_1_padded_data(client, origin):
    client.headers(1, POST, ends=False)
    client.send(frame(DATA, PADDED, 1, bytes([9]) + b"hello " + b"\0" * 9))
    client.send(frame(DATA, PADDED | END_STREAM, 1, bytes([0]) + b"world"))

    assert client.answer(1).status == 200
    assert origin.last().body == b"hello world"


def test_rfc_9113_6_7_a_ping_is_answered_with_its_payload(client):
    assert client.ping(b"\0\1\2\3\4\5\6\7")


def test_rfc_9113_6_7_a_ping_acknowledgement_is_not_answered(client):
    client.send(frame(PING, ACK, 0, b"nobody??"))

    assert client.ping(b"asked!!!")
    assert client.pongs == [b"asked!!!"]


def test_rfc_9113_6_5_3_settings_are_acknowledged(client):
    client.send(settings((INITIAL_WINDOW_SIZE, 100_000)))

    assert client.until(lambda c: c.settings_acks == 2)


def test_rfc_9113_3_4_the_server_begins_with_settings(client):
    assert client.until(lambda c: c.frames)
    assert client.frames[0] == "SettingsFrame"
    client.ping()
    assert client.settings[MAX_CONCURRENT_STREAMS] == 250
    assert client.settings[ENABLE_CONNECT_PROTOCOL] == 1  # RFC 8441 §3
    assert client.settings[MAX_HEADER_LIST_SIZE] == 1048576 + 512  # with what every request has beside a long field
    assert client.settings.get(ENABLE_PUSH, 0) == 0


def test_rfc_9113_5_1_1_stream_numbers_may_be_skipped(client):
    for number in (1, 7, 101):
        assert client.ask(number).status == 200


def test_rfc_9113_5_streams_are_interleaved(client, origin):
    released = threading.Event()
    origin.answer = lambda request: respond(b"quick") if request.target == "/quick" else (
        released.wait(90) and respond(b"slow"))
    try:
        client.headers(1, GET)
        client.headers(3, replaced(GET, path="/quick"))

        client.until(lambda c: c.stream(3).ended)

        assert client.stream(3).body == b"quick" and not client.stream(1).ended
        released.set()
        assert client.answer(1).body == b"slow"
    finally:
        origin.answer = respond()


def test_rfc_9113_8_1_the_rest_of_a_request_is_not_wanted_after_the_answer(client, origin):
    origin.read_body = False
    try:
        begun = time.monotonic()
        client.headers(1, POST, ends=False)
        answer = client.answer(1)
        assert answer.status == 200
        assert client.until(lambda c: c.stream(1).reset is not None)
        assert client.stream(1).reset == NO_ERROR
        assert time.monotonic() - begun > 0.5  # clients that are busy sending see the answer first
    finally:
        origin.read_body = True
        origin.drop()


def test_the_rest_of_a_request_may_come_after_the_answer(client):
    for stream, size in ((1, 11), (3, 0), (5, 200_000)):
        begun = time.monotonic()
        client.headers(stream, replaced(POST, authority="nobody"), ends=False)
        assert client.answer(stream).status == 404
        client.data(stream, b"x" * size, ends=True)
        client.ping()
        # It has a second for that, which a busy machine may take.
        assert client.stream(stream).reset is None or time.monotonic() - begun > 0.9
    begun = time.monotonic()
    client.headers(7, replaced(POST, authority="nobody"), ends=False)
    assert client.answer(7).status == 404
    sent = 0
    while client.stream(7).reset is None and sent < 3_000_000:
        client.data(7, b"x" * 32_000)
        client.ping()
        sent += 32_000

    assert sent < 1_200_000 and (sent > 1_000_000 or time.monotonic() - begun > 0.9)
    assert client.stream(7).reset == NO_ERROR
    assert client.ask(9).status == 200


def test_rfc_9113_8_1_1_head_has_no_content(client, origin):
    origin.script(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")

    answer = client.ask(1, replaced(GET, method="HEAD"))

    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "1000")


@pytest.mark.parametrize("status", [204, 304], ids=["RFC 9110 §15.3.5 204", "RFC 9110 §15.4.5 304"])
def test_answers_without_content_end_with_their_head(client, origin, status):
    origin.script(f"HTTP/1.1 {status} X\r\n\r\n".encode())

    answer = client.ask()

    assert (answer.status, answer.body, answer.ended) == (status, b"", True)
    assert "DataFrame" not in client.frames


def test_rfc_9113_8_1_interim_answers_come_first(client, origin):
    origin.script([b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", 0.1, respond()])

    answer = client.ask()

    assert answer.status == 200
    assert [dict(fields) for fields in answer.interim] == [{":status": "103", "link": "</a.css>"}]


def test_rfc_9110_10_1_1_expect_is_answered_before_the_body(client, origin):
    def answer(request):
        return respond(request.body)

    origin.script(answer)
    client.headers(1, (*POST, ("expect", "100-continue"), ("content-length", "5")), ends=False)
    assert client.until(lambda c: c.stream(1).interim)
    assert dict(client.stream(1).interim[0]) == {":status": "100"}
    client.data(1, b"hello", ends=True)

    assert client.answer(1).body == b"hello"


def test_rfc_9113_8_1_trailers_pass_both_ways(client, origin):
    origin.script(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n")
    client.headers(1, POST, ends=False)
    client.data(1, b"hello")
    client.headers(1, (("x-checksum", "abc"), ("host", "evil")), ends=True)

    answer = client.answer(1)

    assert (answer.status, answer.body, answer.trailers) == (200, b"ok", [("x-sum", "7")])
    assert origin.last().trailers == [("x-checksum", "abc")]


def test_rfc_9113_8_1_a_whole_request_with_trailers_in_one_piece(client, origin):
    client.send(frame(HEADERS, END_HEADERS, 1, block(*POST)) + frame(DATA, 0, 1, b"hello")
                + frame(HEADERS, END_HEADERS | END_STREAM, 1, block(("x-sum", "1"))))

    assert client.answer(1).status == 200
    assert (origin.last().body, origin.last().trailers) == (b"hello", [("x-sum", "1")])


def test_rfc_9113_8_2_3_cookie_crumbs_are_joined(client, origin):
    client.ask(1, (*GET, ("cookie", "a=1"), ("x-between", "1"), ("cookie", "b=2"), ("cookie", "c=3")))

    assert origin.last().all("Cookie") == ["a=1; b=2; c=3"]


def test_rfc_9113_8_3_1_authority_becomes_host(client, origin):
    client.ask(1, replaced(GET, authority="APP"))

    assert origin.last().all("Host") == ["APP"]


def test_rfc_9113_8_3_1_host_stands_in_for_authority(client, origin):
    assert client.ask(1, (*replaced(GET, authority=None), ("host", "app"))).status == 200
    assert origin.last().all("Host") == ["app"]


def test_rfc_9113_8_3_1_host_may_repeat_authority(client):
    assert client.ask(1, (*GET, ("host", "app"))).status == 200


def test_rfc_9113_8_3_1_options_asterisk(client, origin):
    assert client.ask(1, replaced(GET, method="OPTIONS", path="*")).status == 200
    assert origin.last().target == "*"


def test_rfc_9113_8_2_2_te_trailers_may_be_said(client):
    assert client.ask(1, (*GET, ("te", "trailers"))).status == 200


def test_rfc_9113_8_1_1_content_length_that_fits(client, origin):
    answer = client.ask(1, (*POST, ("content-length", "11")), b"hello world")

    assert answer.status == 200
    assert origin.last().body == b"hello world" and origin.last().header("Content-Length") == "11"


def test_rfc_9110_8_6_a_post_without_content_says_so_to_the_server(client, origin):
    client.ask(1, POST)

    assert origin.last().header("Content-Length") == "0"


def test_rfc_9113_8_1_1_a_body_without_length_is_chunked_in_http_1(client, origin):
    client.ask(1, POST, b"x" * 40_000)

    assert origin.last().header("Transfer-Encoding") == "chunked" and len(origin.last().body) == 40_000


# ---- flow control


def test_rfc_9113_5_2_an_answer_waits_for_the_window_of_its_stream(site, origin):
    body = bytes(range(256)) * 1000
    origin.script(respond(body))
    with connect(site, initial=((INITIAL_WINDOW_SIZE, 10),), window=False) as client:
        client.headers(1, GET)
        client.until(lambda c: len(c.stream(1).body) == 10)
        client.ping()
        assert client.stream(1).body == body[:10]
        client.send(window_update(1, len(body)), window_update(0, len(body)))
        assert client.answer(1).body == body


def test_rfc_9113_6_9_2_a_smaller_window_may_go_below_zero(site, origin):
    origin.script(respond(b"x" * 1000))
    with connect(site, initial=((INITIAL_WINDOW_SIZE, 100),), window=False) as client:
        client.headers(1, GET)
        client.until(lambda c: len(c.stream(1).body) == 100)
        client.send(settings((INITIAL_WINDOW_SIZE, 10)), window_update(1, 50))
        client.ping()
        assert len(client.stream(1).body) == 100
        client.send(window_update(1, 1000))
        assert len(client.answer(1).body) == 1000


def test_rfc_9113_6_9_2_a_larger_initial_window_opens_streams_at_once(site, origin):
    origin.script(respond(b"x" * 50_000))
    with connect(site, initial=((INITIAL_WINDOW_SIZE, 0),), window=False) as client:
        client.headers(1, GET)
        client.ping()
        client.send(settings((INITIAL_WINDOW_SIZE, 60_000)))
        assert len(client.answer(1).body) == 50_000


def test_rfc_9113_6_9_1_the_window_of_the_connection_counts_too(site, origin):
    origin.script(respond(b"x" * 100_000))
    with connect(site, initial=((INITIAL_WINDOW_SIZE, 2**31 - 1),), window=False) as client:
        client.headers(1, GET)
        client.until(lambda c: len(c.stream(1).body) == 65_535)
        client.ping()
        assert len(client.stream(1).body) == 65_535
        client.send(window_update(0, 100_000))
        assert len(client.answer(1).body) == 100_000


def test_rfc_9113_5_2_2_what_was_read_is_given_back(client, origin):
    client.headers(1, POST, ends=False)
    sent = 0
    while sent < 1_500_000:
        room = 65_535 + client.window_updates.get(0, 0) - sent
        room = min(room, client.settings.get(INITIAL_WINDOW_SIZE, 65_535) + client.window_updates.get(1, 0) - sent)
        if room <= 0 or INITIAL_WINDOW_SIZE not in client.settings:
            client.read_frame()
            continue
        client.data(1, b"y" * min(room, 16_384))
        sent += min(room, 16_384)
    client.data(1, b"", ends=True)

    assert client.answer(1).status == 200
    assert len(origin.last().body) == sent


# ---- what must end the connection (RFC 9113 §5.4.1)

GET_BLOCK = block(*GET)
OPEN = frame(HEADERS, END_HEADERS, 1, block(*POST))
WHOLE = frame(HEADERS, END_HEADERS | END_STREAM, 1, GET_BLOCK)

CONNECTION_ERRORS = {
    "RFC 9113 §4.2 a frame larger than we allow": ([frame(DATA, 0, 1, b"", 16385)], FRAME_SIZE_ERROR),
    "RFC 9113 §4.2 a huge HEADERS": ([frame(HEADERS, 0, 1, b"", 2**24 - 1)], FRAME_SIZE_ERROR),
    "RFC 9113 §4.3 a header block that is no HPACK": ([frame(HEADERS, 5, 1, b"\x7f\xff\xff\xff\xff\xff\xff")], COMPRESSION_ERROR),
    "RFC 9113 §5.1 DATA on an idle stream": ([frame(DATA, 0, 1, b"x")], PROTOCOL_ERROR),
    "RFC 9113 §5.1 RST_STREAM on an idle stream": ([rst_stream(1)], PROTOCOL_ERROR),
    "RFC 9113 §5.1 WINDOW_UPDATE on an idle stream": ([window_update(1, 1)], PROTOCOL_ERROR),
    "RFC 9113 §5.1 CONTINUATION out of nowhere": ([frame(CONTINUATION, 4, 1, GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 9113 §5.1.1 an even stream from a client": ([frame(HEADERS, 5, 2, GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 9113 §6.1 DATA on stream 0": ([frame(DATA, 0, 0, b"x")], PROTOCOL_ERROR),
    "RFC 9113 §6.1 padding longer than the frame": ([OPEN, frame(DATA, PADDED, 1, bytes([9]) + b"x")], PROTOCOL_ERROR),
    "RFC 9113 §6.2 HEADERS on stream 0": ([frame(HEADERS, 5, 0, GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 9113 §6.2 padding longer than the block": ([frame(HEADERS, 5 | PADDED, 1, bytes([255]) + GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 9113 §6.2 another frame inside a header block": ([frame(HEADERS, END_STREAM, 1, GET_BLOCK), frame(PING, 0, 0, b"12345678")],
                                                          PROTOCOL_ERROR),
    "RFC 9113 §6.2 unknown frame inside a header block": ([frame(HEADERS, END_STREAM, 1, GET_BLOCK), frame(0x99, 0, 1, b"x")],
                                                          PROTOCOL_ERROR),
    "RFC 9113 §6.2 HEADERS of another stream inside a block": ([frame(HEADERS, END_STREAM, 1, GET_BLOCK),
                                                                frame(HEADERS, 5, 3, GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 9113 §6.3 PRIORITY on stream 0": ([frame(PRIORITY, 0, 0, struct.pack(">IB", 1, 1))], PROTOCOL_ERROR),
    "RFC 9113 §6.3 PRIORITY of another length": ([frame(PRIORITY, 0, 1, b"1234")], FRAME_SIZE_ERROR),
    "RFC 9113 §6.4 RST_STREAM on stream 0": ([rst_stream(0)], PROTOCOL_ERROR),
    "RFC 9113 §6.4 RST_STREAM of another length": ([OPEN, frame(RST_STREAM, 0, 1, b"123")], FRAME_SIZE_ERROR),
    "RFC 9113 §6.5 SETTINGS on a stream": ([settings(stream=1)], PROTOCOL_ERROR),
    "RFC 9113 §6.5 acknowledgement with a payload": ([frame(SETTINGS, ACK, 0, b"123456")], FRAME_SIZE_ERROR),
    "RFC 9113 §6.5 length that is no multiple of 6": ([frame(SETTINGS, 0, 0, b"1234567")], FRAME_SIZE_ERROR),
    "RFC 9113 §6.5.2 ENABLE_PUSH of 2": ([settings((ENABLE_PUSH, 2))], PROTOCOL_ERROR),
    "RFC 9113 §6.5.2 INITIAL_WINDOW_SIZE too large": ([settings((INITIAL_WINDOW_SIZE, 2**31))], FLOW_CONTROL_ERROR),
    "RFC 9113 §6.5.2 MAX_FRAME_SIZE too small": ([settings((MAX_FRAME_SIZE, 16383))], PROTOCOL_ERROR),
    "RFC 9113 §6.5.2 MAX_FRAME_SIZE too large": ([settings((MAX_FRAME_SIZE, 2**24))], PROTOCOL_ERROR),
    "RFC 8441 §3 ENABLE_CONNECT_PROTOCOL of 2": ([settings((ENABLE_CONNECT_PROTOCOL, 2))], PROTOCOL_ERROR),
    "RFC 9113 §6.6 PUSH_PROMISE from a client": ([OPEN, frame(PUSH_PROMISE, 4, 1, struct.pack(">I", 2) + GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 9113 §6.7 PING on a stream": ([frame(PING, 0, 1, b"12345678")], PROTOCOL_ERROR),
    "RFC 9113 §6.7 PING of 7 bytes": ([frame(PING, 0, 0, b"1234567")], FRAME_SIZE_ERROR),
    "RFC 9113 §6.7 PING of 9 bytes": ([frame(PING, 0, 0, b"123456789")], FRAME_SIZE_ERROR),
    "RFC 9113 §6.8 GOAWAY on a stream": ([frame(GOAWAY, 0, 1, struct.pack(">II", 0, 0))], PROTOCOL_ERROR),
    "RFC 9113 §6.9 WINDOW_UPDATE of nothing": ([window_update(0, 0)], PROTOCOL_ERROR),
    "RFC 9113 §6.9 WINDOW_UPDATE of 3 bytes": ([frame(WINDOW_UPDATE, 0, 0, b"123")], FRAME_SIZE_ERROR),
    "RFC 9113 §6.9.1 a connection window beyond 2^31-1": ([window_update(0, 2**31 - 1)], FLOW_CONTROL_ERROR),
    "RFC 9113 §6.10 CONTINUATION on stream 0": ([frame(CONTINUATION, 4, 0, GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 9113 §6.10 CONTINUATION after the end of a block": ([WHOLE, frame(CONTINUATION, 4, 1, GET_BLOCK)], PROTOCOL_ERROR),
    "RFC 7541 §2.3.3 an index beyond the tables": ([frame(HEADERS, 5, 1, b"\xff\x80\x01")], COMPRESSION_ERROR),
    "RFC 7541 §6.1 index 0": ([frame(HEADERS, 5, 1, b"\x80")], COMPRESSION_ERROR),
    "RFC 7541 §4.2 a table size update after a field": ([frame(HEADERS, 5, 1, GET_BLOCK + b"\x20")], COMPRESSION_ERROR),
    "RFC 7541 §6.3 a table larger than we allow": ([frame(HEADERS, 5, 1, b"\x3f\xe2\x1f" + GET_BLOCK)], COMPRESSION_ERROR),
    "RFC 7541 §5.1 an integer without end": ([frame(HEADERS, 5, 1, b"\x3f" + b"\xff" * 12)], COMPRESSION_ERROR),
    "RFC 7541 §5.2 a string longer than the block": ([frame(HEADERS, 5, 1, b"\x00\x7e\x10ab")], COMPRESSION_ERROR),
    "RFC 7541 §5.2 Huffman padding longer than 7 bits": ([frame(HEADERS, 5, 1, b"\x82\x86\x84\x01\x84\x1d\x75\xff\xff")],
                                                         COMPRESSION_ERROR),
    "RFC 7541 §5.2 Huffman padding with zeros": ([frame(HEADERS, 5, 1, b"\x82\x86\x84\x01\x83\x1d\x75\x80")], COMPRESSION_ERROR),
    "RFC 7541 §5.2 Huffman end-of-string inside": ([frame(HEADERS, 5, 1, b"\x82\x86\x84\x01\x84\xff\xff\xff\xff")],
                                                   COMPRESSION_ERROR),
}


@pytest.mark.parametrize("case", CONNECTION_ERRORS)
def test_ends_the_connection(site, client, origin, case):
    frames, code = CONNECTION_ERRORS[case]
    client.send(*frames)

    assert client.error() == code
    assert client.is_closed(), "the connection is kept after a connection error"
    assert len(origin.requests) <= 1


def test_rfc_9113_5_1_1_a_lower_stream_than_before_is_not_served(client, origin):
    client.send(frame(HEADERS, 5, 5, GET_BLOCK))
    assert client.answer(5).status == 200
    client.send(frame(HEADERS, 5, 3, GET_BLOCK))

    # It may be one that is closed: then it is ignored.
    assert client.ping() or client.goaway_is_error()
    assert client.stream(3).headers == [] and len(origin.requests) == 1


def test_rfc_9113_3_4_garbage_after_the_first_frames_of_a_tls_connection(site):
    with H2Client(site.port("secure"), tls="app", preface=False) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        assert client.error() in (PROTOCOL_ERROR, "closed")
        assert client.is_closed()


def test_rfc_9113_3_4_the_preface_must_be_followed_by_settings(site):
    with connect(site, preface=False) as client:
        client.send(PREFACE, frame(PING, 0, 0, b"12345678"))
        assert client.error() == PROTOCOL_ERROR


# ---- what must end the stream, and nothing else (RFC 9113 §5.4.2, §8.1.1)


def fields(*more, of=GET, **changes):
    return (*replaced(of, **changes), *more)


MALFORMED = {
    "RFC 9113 §8.3 unknown pseudo-header field": (*GET, (":other", "x")),
    "RFC 9113 §8.3 a pseudo-header field of answers": (*GET, (":status", "200")),
    "RFC 9113 §8.3 a pseudo-header field after a field": (*GET[:3], ("x-a", "b"), GET[3]),
    "RFC 9113 §8.3 :method twice": (*GET, (":method", "GET")),
    "RFC 9113 §8.3 :path twice": (*GET, (":path", "/admin")),
    "RFC 9113 §8.3 :authority twice": (*GET, (":authority", "other")),
    "RFC 9113 §8.3.1 no :method": fields(method=None),
    "RFC 9113 §8.3.1 no :scheme": fields(scheme=None),
    "RFC 9113 §8.3.1 no :path": fields(path=None),
    "RFC 9113 §8.3.1 empty :path": fields(path=""),
    "RFC 9113 §8.3.1 neither :authority nor host": fields(authority=None),
    "RFC 9113 §8.3.1 another scheme": fields(scheme="ftp"),
    "RFC 9113 §8.3.1 :path * without OPTIONS": fields(path="*"),
    "RFC 9113 §8.3.1 :path without a slash": fields(path="admin"),
    "RFC 9113 §8.3.1 absolute :path": fields(path="http://other/"),
    "RFC 9113 §8.3.1 fragment in :path": fields(path="/a#b"),
    "RFC 9113 §8.3.1 userinfo in :authority": fields(authority="user@app"),
    "RFC 9113 §8.3.1 host that differs from :authority": fields(("host", "other")),
    "RFC 9113 §8.3.1 two hosts": fields(("host", "app"), ("host", "app"), authority=None),
    "RFC 9113 §8.2.1 upper case in a name": fields(("X-Upper", "1")),
    "RFC 9113 §8.2.1 space in a name": fields(("x y", "1")),
    "RFC 9113 §8.2.1 colon in a name": fields(("x:y", "1")),
    "RFC 9113 §8.2.1 empty name": fields(("", "1")),
    "RFC 9113 §8.2.1 control byte in a name": fields(("x\x01y", "1")),
    "RFC 9113 §8.2.1 DEL in a name": fields(("x\x7f", "1")),
    "RFC 9113 §8.2.1 non-ASCII name": fields(("x\xe9", "1")),
    "RFC 9113 §8.2.1 NUL in a value": fields(("x-a", "b\0c")),
    "RFC 9113 §8.2.1 LF in a value": fields(("x-a", "b\nx-c: d")),
    "RFC 9113 §8.2.1 CR in a value": fields(("x-a", "b\rc")),
    "RFC 9113 §8.2.1 space before a value": fields(("x-a", " b")),
    "RFC 9113 §8.2.1 tab after a value": fields(("x-a", "b\t")),
    "RFC 9113 §8.2.2 connection": fields(("connection", "close")),
    "RFC 9113 §8.2.2 keep-alive": fields(("keep-alive", "timeout=5")),
    "RFC 9113 §8.2.2 proxy-connection": fields(("proxy-connection", "keep-alive")),
    "RFC 9113 §8.2.2 transfer-encoding": fields(("transfer-encoding", "chunked"), of=POST),
    "RFC 9113 §8.2.2 upgrade": fields(("upgrade", "h2c")),
    "RFC 9113 §8.2.2 te other than trailers": fields(("te", "trailers, deflate")),
    "RFC 9113 §8.1.1 content-length without content": fields(("content-length", "5")),
    "RFC 9113 §8.1.1 two content-lengths": fields(("content-length", "0"), ("content-length", "0")),
    "RFC 9113 §8.1.1 content-length that is no number": fields(("content-length", "1x")),
    "RFC 9113 §8.1.1 signed content-length": fields(("content-length", "+0")),
    "RFC 9113 §8.1.1 content-length that overflows": fields(("content-length", "18446744073709551621")),
    "RFC 9113 §10.3 space in the method": fields(method="GET /admin HTTP/1.1"),
    "RFC 9113 §10.3 line end in the method": fields(method="GET\r\nX: y"),
    "RFC 9113 §10.3 space in the path": fields(path="/a HTTP/1.1"),
    "RFC 9113 §10.3 line end in the path": fields(path="/ HTTP/1.1\r\nhost: other\r\n\r\n"),
    "RFC 9113 §10.3 NUL in the path": fields(path="/a\0b"),
    "RFC 9113 §10.3 line end in the authority": fields(authority="app\r\nx: y"),
    "RFC 9113 §10.3 space in the authority": fields(authority="app other"),
    "RFC 9113 §10.3 slash in the authority": fields(authority="app/x"),
    "RFC 9113 §10.3 content_length, which an origin may fold": fields(("content_length", "5")),
    "RFC 9113 §10.3 transfer.encoding, which an origin may fold": fields(("transfer.encoding", "chunked")),
    "RFC 8441 §4 :protocol without CONNECT": (*GET, (":protocol", "websocket")),
    "RFC 9113 §8.5 CONNECT with a path": (*replaced(GET, method="CONNECT"),),
    "RFC 9113 §8.5 CONNECT without an authority": ((":method", "CONNECT"),),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_request_is_reset_and_never_seen_by_the_server(client, origin, case):
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(*MALFORMED[case])))

    refused = client.answer(1)

    # 400 would do as well (RFC 9113 §8.1.1), but we promise a stream error.
    assert (refused.reset, refused.status) == (PROTOCOL_ERROR, None)
    assert origin.requests == []
    assert client.ask(3).status == 200, "the connection must live on"


STREAM_ERRORS = {
    "RFC 9113 §6.9.1 a stream window beyond 2^31-1": ([window_update(1, 2**31 - 1)], FLOW_CONTROL_ERROR),
    "RFC 9113 §8.1.1 less content than content-length": ([frame(DATA, END_STREAM, 1, b"1234")], PROTOCOL_ERROR),
    "RFC 9113 §8.1.1 more content than content-length": ([frame(DATA, 0, 1, b"123456")], PROTOCOL_ERROR),
    "RFC 9113 §8.1 HEADERS without END_STREAM after DATA": ([frame(DATA, 0, 1, b"1"), frame(HEADERS, 4, 1, block(("x-a", "b")))],
                                                           PROTOCOL_ERROR),
    "RFC 9113 §8.1 pseudo-header field in trailers": ([frame(DATA, 0, 1, b"12345"), frame(HEADERS, 5, 1, block((":path", "/")))],
                                                      PROTOCOL_ERROR),
    "RFC 9113 §8.2.1 upper case in trailers": ([frame(DATA, 0, 1, b"12345"), frame(HEADERS, 5, 1, block(("X-A", "b")))], PROTOCOL_ERROR),
    "RFC 9113 §8.2.1 LF in trailers": ([frame(DATA, 0, 1, b"12345"), frame(HEADERS, 5, 1, block(("x-a", "b\nc")))], PROTOCOL_ERROR),
}


@pytest.mark.parametrize("case", STREAM_ERRORS)
def test_broken_stream_is_reset_and_its_request_never_completes(client, origin, case):
    frames, code = STREAM_ERRORS[case]
    client.headers(1, (*POST, ("content-length", "5")), ends=False)

    client.send(*frames)

    assert client.until(lambda c: c.stream(1).over) and client.stream(1).reset == code
    assert client.stream(1).status is None
    assert client.ask(3).status == 200
    assert [request.method for request in origin.requests] == ["GET"], "half a request was taken for a whole one"


@pytest.mark.parametrize("case", STREAM_ERRORS)
def test_a_broken_stream_is_told_as_what_it_is(start, origin, case):
    """Not as a request that its client gave up."""
    proxy = start(routes(app=[origin.url]))
    before = origin.connections
    with H2Client(proxy.port()) as client:
        client.headers(1, (*POST, ("content-length", "5")), ends=False)
        wait_for(lambda: origin.connections > before, 30, "the request is under way")

        client.send(*STREAM_ERRORS[case][0])

        assert client.until(lambda c: c.stream(1).over)
        line = wait_for(proxy.access_log, 30, "it is in the access log")[0]
        assert (line["DownstreamStatus"], line["Reason"].startswith("HTTP/2: ")) == (400, True), line
        assert proxy.log().count("refused a request") == 1


def test_rfc_9113_6_9_a_stream_window_update_of_nothing_is_an_error(client, origin):
    client.headers(1, (*POST, ("content-length", "5")), ends=False)
    client.send(window_update(1, 0))

    assert client.until(lambda c: c.stream(1).reset == PROTOCOL_ERROR or c.goaway_is_error())
    assert client.goaway is None or client.goaway[1] == PROTOCOL_ERROR
    assert origin.requests == []


def test_rfc_9113_5_1_frames_after_the_end_of_the_request(client, origin):
    origin.script([0.3, respond()])
    client.send(WHOLE, frame(DATA, 0, 1, b"late"))

    assert client.until(lambda c: c.stream(1).reset is not None or c.goaway_is_error())
    assert client.stream(1).reset == STREAM_CLOSED or client.goaway[1] == STREAM_CLOSED


def test_rfc_9113_5_1_frames_on_a_stream_that_is_closed(client):
    assert client.ask(1).status == 200
    client.send(frame(DATA, 0, 1, b"late"))

    client.until(lambda c: c.stream(1).reset is not None or c.goaway_is_error(), 1)
    assert client.goaway is None or client.goaway[1] == STREAM_CLOSED


def test_rfc_9113_5_1_window_updates_and_resets_may_come_late(client):
    assert client.ask(1).status == 200
    client.send(window_update(1, 100), rst_stream(1))

    assert client.ping() and client.ask(3).status == 200


def test_rfc_9113_5_1_2_more_streams_than_allowed_are_refused(client, origin):
    client.ping()  # our SETTINGS are acknowledged
    for number in range(260):
        client.headers(2 * number + 1, POST, ends=False)
    client.ping()

    refused = [stream for stream in client.streams.values() if stream.reset is not None]
    assert len(refused) == 10 or client.goaway_is_error()
    assert all(stream.reset == REFUSED_STREAM for stream in refused)


def test_rfc_9113_5_4_2_a_cancelled_request_cancels_at_the_server(client, origin):
    origin.script([5.0, respond()])
    client.headers(1, GET)
    wait_for(lambda: origin.requests, 10, "the request is at the server")
    client.send(rst_stream(1, CANCEL))

    assert client.ask(3).status == 200


def test_rfc_9113_6_8_a_client_that_says_goodbye_gets_its_answers(client, origin):
    origin.script([0.3, respond(b"still")])
    client.headers(1, GET)
    client.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, NO_ERROR)))

    assert client.answer(1).body == b"still"
    assert client.is_closed()


# ---- limits


def test_rfc_9113_10_5_1_a_header_list_too_long_is_answered_431(client, origin):
    client.block(1, block(*GET, *[("x-big", "v" * 60_000)] * 18))

    assert client.answer(1).status == 431
    assert origin.requests == []
    assert client.ask(3).status == 200


def test_rfc_9113_10_5_1_too_many_fields_are_answered_431(client, origin):
    assert client.ask(1, (*GET, *[(f"x-{i}", "v") for i in range(1200)])).status == 431
    assert origin.requests == []


def test_a_path_too_long_is_answered_414(client, origin):
    client.block(1, block(*replaced(GET, path="/" + "a" * 65_536)))

    # The longest string that is decoded has 64 KiB (RFC 7541 §7.4): a longer one ends the connection.
    client.answer(1)
    assert client.stream(1).status == 414 or client.goaway[1] == COMPRESSION_ERROR
    assert origin.requests == []


@pytest.mark.parametrize("fields_, status", [
    (((":method", "CONNECT"), (":authority", "app:443")), 501),
    ((*replaced(GET, method="CONNECT"), (":protocol", "chat")), 501),
    (fields(("expect", "200-ok"), of=POST), 417),
], ids=["RFC 9113 §8.5 CONNECT", "RFC 8441 §4 unknown :protocol", "RFC 9110 §10.1.1 unknown expectation"])
def test_is_answered_and_not_passed_on(client, origin, fields_, status):
    client.headers(1, fields_, ends=False)

    assert client.answer(1).status == status
    assert origin.requests == []
    assert client.ask(3).status == 200


# ---- the same over TLS


@pytest.mark.parametrize("case", ["RFC 9113 §8.2.2 transfer-encoding", "RFC 9113 §10.3 line end in the path",
                                  "RFC 9113 §8.3.1 host that differs from :authority"])
def test_malformed_request_over_tls(site, origin, case):
    with H2Client(site.port("secure"), tls="app") as client:
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(*MALFORMED[case])))
        assert client.answer(1).reset == PROTOCOL_ERROR
        assert client.ask(3).status == 200
    assert len(origin.requests) == 1


def test_rfc_9113_3_2_tls_requests_carry_large_bodies(site, origin):
    origin.script(lambda request: respond(request.body))
    body = bytes(range(256)) * 200
    with H2Client(site.port("secure"), tls="app") as client:
        answer = client.ask(1, POST, body)
    assert answer.body == body
    assert origin.last().header("X-Forwarded-Proto") == "https"


def test_rfc_9113_9_1_1_one_connection_serves_several_names(site):
    with H2Client(site.port("secure"), tls="app") as client:
        assert client.ask(1).status == 200
        assert client.ask(3, replaced(GET, authority="unknown")).status == 404
        assert client.ask(5).status == 200
