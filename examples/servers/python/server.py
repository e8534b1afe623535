"""ORDERBELL_KEY=obk_… WEBHOOK_SECRET=whsec_… python3 server.py <api> <port>: webhooks, sessions, notifications."""
import base64, hashlib, hmac, json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode
from urllib.request import Request, urlopen
KEY, SECRET = os.environ["ORDERBELL_KEY"], base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
def ask(path, body, media_type, key=""):
    headers = {"authorization": f"Bearer {KEY}", "content-type": media_type, "idempotency-key": key}
    with urlopen(Request(sys.argv[1] + path, body.encode(), headers), timeout=10) as answer: return json.load(answer)
def is_signed(headers, body):
    id, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    mac = hmac.new(SECRET, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    fresh = at.isdigit() and abs(time.time() - int(at)) < 300
    return fresh and any(hmac.compare_digest(one, "v1," + base64.b64encode(mac).decode()) for one in given.split(" "))
class Server(BaseHTTPRequestHandler):
    def do_GET(self):  # whose token is it
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        found = ask("/introspect", urlencode({"token": token or "-"}), "application/x-www-form-urlencoded")
        self.answer(200 if found["active"] else 401, found.get("sub", ""))
    def do_POST(self):  # an event; it may come twice, and the key makes one notification of it
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not is_signed(self.headers, body): return self.answer(401)
        event = json.loads(body)
        if event["type"] == "com.orderbell.order.placed":
            notice = {"user": event["data"]["order"]["customer"], "title": "Thank you", "order": event["subject"]}
            ask("/notify", json.dumps(notice), "application/json", f"thanks-{event['subject']}")
        self.answer(204)
    def answer(self, status, text=""): self.send_response(status), self.end_headers(), self.wfile.write(text.encode())
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Server).serve_forever()
