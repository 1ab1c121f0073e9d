"""Middlewares that cannot work: their routers answer 503, and the reason names the option. One instance serves them
all; a row is a middleware and what the API must say about it."""

import base64
import json

import pytest
from support.fairlead import Fairlead
from support.origin import Origin
from support.ports import wait_for

SHA1 = "test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="

MISTAKES = {
    # patterns
    "regex-replace": ({"replacePathRegex": {"regex": "(", "replacement": "/"}}, ["regex"]),
    "regex-strip": ({"stripPrefixRegex": {"regex": ["/ok", "["]}}, ["regex"]),
    "regex-redirect": ({"redirectRegex": {"regex": "a{2,1}", "replacement": "/"}}, ["regex"]),
    "regex-cors": ({"headers": {"accessControlAllowOriginListRegex": ["*"]}}, ["accessControlAllowOriginListRegex"]),
    "regex-auth": ({"forwardAuth": {"address": "http://a", "authResponseHeadersRegex": "("}}, ["authResponseHeadersRegex"]),
    # addresses
    "cidr": ({"ipAllowList": {"sourceRange": ["10.0.0.0/8", "10.0.0.0/33"]}}, ["sourceRange", "10.0.0.0/33"]),
    "cidr-white": ({"ipWhiteList": {"sourceRange": ["localhost"]}}, ["sourceRange", "localhost"]),
    "cidr-excluded": ({"ipAllowList": {"sourceRange": ["::1"], "ipStrategy": {"excludedIPs": ["x"]}}}, ["ipStrategy.excludedIPs"]),
    "depth": ({"ipAllowList": {"sourceRange": ["::1"], "ipStrategy": {"depth": -1}}}, ["depth"]),
    "subnet": ({"rateLimit": {"average": 1, "sourceCriterion": {"ipStrategy": {"ipv6Subnet": 129}}}}, ["ipv6Subnet"]),
    "subnet-zero": ({"inFlightReq": {"amount": 1, "sourceCriterion": {"ipStrategy": {"ipv6Subnet": 0}}}}, ["ipv6Subnet"]),
    "two-sources": ({"rateLimit": {"average": 1, "sourceCriterion": {"requestHost": True, "requestHeaderName": "X"}}},
                    ["sourceCriterion"]),
    "maintenance-range": ({"maintenance": {"sourceRange": ["10.0.0.256"]}}, ["sourceRange"]),
    # hashes
    "hash-none": ({"basicAuth": {"users": ["jo"]}}, ["users", "name:hash"]),
    "hash-digest": ({"digestAuth": {"users": ["jo:traefik:xyz"]}}, ["users"]),
    "hash-key": ({"apiKey": {"keys": ["ci:secret"]}}, ["keys", "SHA-256"]),
    # expressions
    "expression": ({"circuitBreaker": {"expression": "NetworkErrorRatio() >"}}, ["expression"]),
    "expression-function": ({"circuitBreaker": {"expression": "Load() > 0.5"}}, ["expression", "Load"]),
    "expression-type": ({"circuitBreaker": {"expression": "NetworkErrorRatio() > 1"}}, ["expression"]),
    "expression-code": ({"circuitBreaker": {"expression": "RequestThreshold() > 1", "responseCode": 42}}, ["responseCode"]),
    "expression-buffer": ({"buffering": {"retryExpression": "Attempts() <"}}, ["retryExpression"]),
    # mandatory options, empty or missing
    "empty-prefix": ({"addPrefix": {}}, ["prefix"]),
    "empty-prefixes": ({"stripPrefix": {"prefixes": []}}, ["prefixes"]),
    "empty-strip-regex": ({"stripPrefixRegex": {}}, ["regex"]),
    "empty-path": ({"replacePath": {"path": ""}}, ["path"]),
    "empty-regex": ({"replacePathRegex": {"regex": "", "replacement": "/"}}, ["regex"]),
    "empty-redirect": ({"redirectRegex": {"replacement": "/"}}, ["regex"]),
    "empty-scheme": ({"redirectScheme": {"permanent": True}}, ["scheme"]),
    "empty-range": ({"ipAllowList": {}}, ["sourceRange"]),
    "empty-white": ({"ipWhiteList": {"sourceRange": []}}, ["sourceRange"]),
    "empty-users": ({"basicAuth": {"realm": "x"}}, ["users"]),
    "empty-digest": ({"digestAuth": {}}, ["users"]),
    "empty-address": ({"forwardAuth": {"trustForwardHeader": True}}, ["address"]),
    "empty-attempts": ({"retry": {}}, ["attempts"]),
    "empty-expression": ({"circuitBreaker": {"expression": ""}}, ["expression"]),
    "empty-status": ({"errors": {"service": "app"}}, ["status"]),
    "empty-service": ({"errors": {"status": ["500"]}}, ["service"]),
    "empty-chain": ({"chain": {"middlewares": []}}, ["middlewares"]),
    "empty-headers": ({"headers": {}}, ["at least one option"]),
    "empty-keys": ({"apiKey": {}}, ["keys"]),
    "empty-plugin": ({"plugin": {}}, ["plugin"]),
    # files
    "file-users": ({"basicAuth": {"usersFile": "/nowhere/users"}}, ["usersFile", "/nowhere/users"]),
    "file-digest": ({"digestAuth": {"usersFile": "/proc"}}, ["usersFile"]),
    "file-ca": ({"forwardAuth": {"address": "https://a", "tls": {"ca": "/nowhere/ca.pem"}}}, ["tls.ca", "/nowhere/ca.pem"]),
    "file-key": ({"forwardAuth": {"address": "https://a", "tls": {"cert": "/nowhere/c", "key": "/nowhere/k"}}}, ["tls.cert"]),
    "file-pair": ({"forwardAuth": {"address": "https://a", "tls": {"cert": "/etc/hostname"}}}, ["tls"]),
    "file-redis": ({"rateLimit": {"average": 1, "redis": {"tls": {"ca": "/nowhere/ca.pem"}}}}, ["redis.tls.ca"]),
    # values that make no sense
    "type-word": ({"rateLimit": {"average": "many"}}, ["average"]),
    "type-duration": ({"rateLimit": {"average": 1, "period": "1 fortnight"}}, ["period"]),
    "negative-average": ({"rateLimit": {"average": -1}}, ["average"]),
    "negative-period": ({"rateLimit": {"average": 1, "period": "-1s"}}, ["period"]),
    "negative-size": ({"buffering": {"maxRequestBodyBytes": -1}}, ["maxRequestBodyBytes"]),
    "negative-wait": ({"retry": {"attempts": 2, "initialInterval": "-1s"}}, ["initialInterval"]),
    "nothing-to-retry": ({"retry": {"attempts": 2, "disableRetryOnNetworkError": True}}, ["disableRetryOnNetworkError"]),
    "retry-status": ({"retry": {"attempts": 2, "status": ["5xx"]}}, ["status", "5xx"]),
    "errors-status": ({"errors": {"status": ["5xx"], "service": "app"}}, ["status"]),
    "errors-rewrite": ({"errors": {"status": ["500"], "service": "app", "statusRewrites": {"x": 404}}}, ["statusRewrites"]),
    "errors-service": ({"errors": {"status": ["500"], "service": "none"}}, ["service", "none"]),
    "reject-code": ({"ipAllowList": {"sourceRange": ["::1"], "rejectStatusCode": 799}}, ["rejectStatusCode"]),
    "encoding": ({"compress": {"encodings": ["gzip", "lzma"]}}, ["encodings", "lzma"]),
    "encoding-default": ({"compress": {"encodings": ["gzip"], "defaultEncoding": "br"}}, ["defaultEncoding"]),
    "types-both": ({"compress": {"includedContentTypes": ["a/b"], "excludedContentTypes": ["c/d"]}}, ["ncludedContentTypes"]),
    "types-bad": ({"compress": {"excludedContentTypes": ["te xt"]}}, ["excludedContentTypes", "te xt"]),
    "path-dots": ({"addPrefix": {"prefix": "/a/../b"}}, ["prefix"]),
    "scheme-bad": ({"redirectScheme": {"scheme": "ht tp"}}, ["scheme"]),
    "port-bad": ({"redirectScheme": {"scheme": "https", "port": "https"}}, ["port"]),
    "address-bad": ({"forwardAuth": {"address": "auth:9091"}}, ["address", "auth:9091"]),
    "header-name": ({"headers": {"customRequestHeaders": {"X Y": "1"}}}, ["customRequestHeaders"]),
    "header-value": ({"headers": {"customResponseHeaders": {"X-Y": "a\r\nSet-Cookie: b"}}}, ["customResponseHeaders.X-Y"]),
    "header-field": ({"basicAuth": {"users": [SHA1], "headerField": "X User"}}, ["headerField"]),
    "redis-endpoint": ({"rateLimit": {"average": 1, "redis": {"endpoints": ["a:b:c"]}}}, ["redis.endpoints"]),
    # names
    "unknown": ({"headers": {"frameDenny": True}}, ["frameDenny", "frameDeny"]),
    "unknown-type": ({"addPrefixes": {"prefix": "/a"}}, ["addPrefixes", "addPrefix"]),
    "two-types": ({"addPrefix": {"prefix": "/a"}, "stripPrefix": {"prefixes": ["/b"]}}, ["several middleware types", "addPrefix", "stripPrefix"]),
    "loop": ({"chain": {"middlewares": ["loop-b"]}}, ["chain.middlewares leads back"]),
    "loop-b": ({"chain": {"middlewares": ["loop"]}}, ["leads back"]),
    "chain-of-broken": ({"chain": {"middlewares": ["cidr"]}}, ["middlewares", "cidr"]),
    "chain-of-none": ({"chain": {"middlewares": ["nobody"]}}, ["nobody@file", "does not exist"]),
    "plugged": ({"plugin": {"demo": {"a": "b"}}}, ["plugin"]),
}

# Users that nothing can prove: told, never let in, and no harm to the others.
HOPELESS = {
    "hash-short": ("jo:$apr1$H6uskkkW$Igx", ["users", "jo", "cut short"]),
    "hash-clear": ("jo:correct horse battery", ["users", "jo"]),
    "hash-clear-word": ("jo:secret", ["users", "jo"]),
    "hash-compose": ("jo:/", ["users", "jo", "Compose", "$$"]),
    "hash-compose-empty": ("jo:", ["users", "$$"]),
    "hash-doubled": ("jo:$$2y$$05$$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu", ["users", "doubled"]),
}

# What works as it is written and never as it was meant: told, and no harm done.
SLIPS = {
    "slip-dollar": ({"redirectRegex": {"regex": "^http://no/(.*)", "replacement": "https://$${1}"}}, ["replacement", "single `$`"]),
    "slip-group": ({"redirectRegex": {"regex": "^http://no/(.*)", "replacement": "https://$1_x"}}, ["replacement", "1_x", "${1}"]),
    "slip-empty": ({"replacePathRegex": {"regex": "^/", "replacement": ""}}, ["replacement", "stripPrefixRegex"]),
    "slip-comma": ({"stripPrefixRegex": {"regex": ["/v[0-9]{1", "2}"]}}, ["regex", "cut at its comma"]),
    "slip-origin": ({"headers": {"accessControlAllowOriginList": ["https://a.example/"]}},
                    ["accessControlAllowOriginList", "https://a.example/", "no browser"]),
}


@pytest.fixture(scope="module")
def world():
    class World:
        pass

    with Origin() as World.origin:
        dynamic = {"http": {
            "routers": {
                **{name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in MISTAKES},
                # One broken middleware is enough, wherever it stands.
                "among-others": {"rule": "Host(`among-others`)", "service": "app", "middlewares": ["good", "cidr", "good"]},
                "unharmed": {"rule": "Host(`unharmed`)", "service": "app", "middlewares": ["good"]},
                **{name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in (*HOPELESS, *SLIPS)},
                "misnamed": {"rule": "Host(`misnamed`)", "service": "app", "middlewares": ["goood"]},
            },
            "middlewares": {
                **{name: options for name, (options, _) in MISTAKES.items()},
                **{name: {"basicAuth": {"users": [SHA1, user]}} for name, (user, _) in HOPELESS.items()},
                **{name: options for name, (options, _) in SLIPS.items()},
                "good": {"addPrefix": {"prefix": "/a"}},
            },
            "services": {"app": {"loadBalancer": {"servers": [{"url": World.origin.url}]}}},
        }}
        with Fairlead(dynamic) as World.proxy:
            World.shown = {m["name"]: m for m in World.proxy.api("/api/http/middlewares?per_page=1000")}
            yield World


@pytest.mark.parametrize("name", MISTAKES)
def test_the_router_answers_503_and_the_reason_names_the_option(world, name):
    _, words = MISTAKES[name]

    assert world.proxy.ask(host=name).status == 503
    router = world.proxy.router(f"{name}@file")
    assert router["status"] == "disabled"
    shown = world.shown.get(f"{name}@file", {})
    said = json.dumps(shown.get("error", []) + router["error"], ensure_ascii=False)
    assert shown.get("status", "disabled") == "disabled"
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize("name", HOPELESS)
def test_a_user_without_a_usable_hash_is_told_and_never_let_in(world, name):
    user, words = HOPELESS[name]

    shown = world.shown[f"{name}@file"]
    assert shown["status"] == "warning"
    assert [word for word in words if word not in " ".join(shown["error"])] == [], shown["error"]
    assert world.proxy.ask(host=name, headers=[_basic(user)]).status == 401
    assert world.proxy.ask(host=name, headers=[_basic("test:test")]).status == 200
    world.origin.requests.clear()


def _basic(text):
    return "Authorization", "Basic " + base64.b64encode(text.encode()).decode()


def test_no_request_came_through(world):
    assert world.proxy.ask(host="among-others").status == 503
    assert world.origin.requests == []
    assert world.proxy.ask(host="unharmed").status == 200


@pytest.mark.parametrize("name", SLIPS)
def test_what_is_never_meant_is_told(world, name):
    shown = world.shown[f"{name}@file"]

    assert shown["status"] == "warning", shown
    assert [word for word in SLIPS[name][1] if word not in " ".join(shown["error"])] == [], shown["error"]
    assert (world.proxy.ask(host=name).status, world.origin.last_of(name).target) == (200, "/")


def test_the_name_that_was_probably_meant_is_told(world):
    assert world.proxy.router("misnamed@file")["error"] == [
        'the middleware "goood@file" does not exist; did you mean `good@file`?']


def test_repaired_options_open_the_router(start, origin):
    def dynamic(users):
        return {"http": {
            "routers": {"r": {"rule": "Host(`r`)", "service": "app", "middlewares": ["m"]}},
            "middlewares": {"m": {"basicAuth": {"users": users}}},
            "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}}

    proxy = start(dynamic(["jo"]))
    assert proxy.ask(host="r").status == 503
    proxy.write_dynamic(dynamic([SHA1]))
    proxy.wait_status(401, "r")
    proxy.write_dynamic(dynamic(["jo"]))
    proxy.wait_status(503, "r")
    wait_for(lambda: "name:hash" in proxy.log(), 5, "the log says why")


def test_what_is_said_of_a_member_of_several_chains_is_said_once(start, origin):
    proxy = start({"http": {
        "routers": {name: {"rule": f"Host(`{name}`)", "service": "app", "middlewares": [name]} for name in ("a", "b")},
        "middlewares": {"a": {"chain": {"middlewares": ["old"]}}, "b": {"chain": {"middlewares": ["old"]}},
                        "old": {"headers": {"sslRedirect": True, "frameDeny": True}}},
        "services": {"app": {"loadBalancer": {"servers": [{"url": origin.url}]}}}}})

    assert proxy.ask(host="b").all("X-Frame-Options") == ["DENY"]
    assert len(proxy.api("/api/http/middlewares/old@file")["error"]) == 1
