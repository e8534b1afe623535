"""A stamp card: a back end beside orderbell, in Python's standard library.

    ORDERBELL_KEY=obk_... python3 examples/stamps.py <api> <port>

POST /stamps {"order": "<id>"}, with the customer's own token, stamps the card once for each completed order.
GET /stamps shows the card. When it is full, the customer gets a notification, shown in the list of their orders.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

API, PORT = sys.argv[1], int(sys.argv[2])
KEY = os.environ["ORDERBELL_KEY"]
FULL = 3

# User -> orders. A real back end has a database, with (user, order) as the key.
cards: dict[str, set[str]] = {}
lock = threading.Lock()


def ask(method, path, authorization, body=None, headers=None):
    """Returns the answer's JSON. Raises HTTPError for an error; its body has a stable `code`."""
    request = Request(API + path, data=body, method=method, headers={"authorization": authorization, **(headers or {})})
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def customer_of(authorization):
    """Returns the token's user, or None. Only orderbell knows which sessions are valid (RFC 7662)."""
    token = authorization.removeprefix("Bearer ").strip()
    if token == "":
        return None
    form = urlencode({"token": token}).encode()
    found = ask("POST", "/introspect", f"Bearer {KEY}", form, {"content-type": "application/x-www-form-urlencoded"})
    return found["sub"] if found["active"] and found["kind"] != "staff" else None


def is_completed(order, authorization):
    """Reads the order with the customer's own token, so that no one gets a stamp for another customer's order."""
    try:
        return ask("GET", f"/orders/{quote(order, safe='')}", authorization)["order"]["status"] == "completed"
    except HTTPError as error:
        if error.code in (400, 403, 404):
            return False
        raise


def notify(user, count):
    """Notifies the customer. Repeated with the same Idempotency-Key it is one notification."""
    body = json.dumps({"user": user, "title": "Your stamp card is full", "body": "The next one is on us."}).encode()
    headers = {"content-type": "application/json", "idempotency-key": f"stamps-{user}-{count}"}
    ask("POST", "/notify", f"Bearer {KEY}", body, headers)


class Stamps(BaseHTTPRequestHandler):
    def do_GET(self):
        user = customer_of(self.headers.get("authorization", ""))
        if user is None:
            return self.answer(401, {"error": "sign in first"})
        self.answer(200, {"stamps": len(cards.get(user, ()))})

    def do_POST(self):
        authorization = self.headers.get("authorization", "")
        user = customer_of(authorization)
        if user is None:
            return self.answer(401, {"error": "sign in first"})
        try:
            length = min(int(self.headers.get("content-length", 0)), 10_000)
            order = str(json.loads(self.rfile.read(length))["order"])
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": 'send {"order": "<id>"}'})
        if not is_completed(order, authorization):
            return self.answer(409, {"error": "this order is not completed, or not yours"})
        with lock:
            card = cards.setdefault(user, set())
            card.add(order)
            count = len(card)
        if count % FULL == 0:
            notify(user, count)
        self.answer(200, {"stamps": count})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Disables the standard library's access log."""


server = ThreadingHTTPServer(("127.0.0.1", PORT), Stamps)
print(f"stamps at http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
