"""The moderation service: OpenIM's before-send webhook on loopback. It answers every request and, once it has a
connection, records what it answered with verdict.record before the answer leaves."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

APPROVAL = {"actionCode": 0, "errCode": 0, "errMsg": "", "errDlt": "", "nextCode": 0}
# The answer of open-im-server#3049, as it was on the wire: 3.8.1 takes it for a continue.
REFUSAL = {"actionCode": 1, "errCode": 5001, "errMsg": "消息发送失败，请联系管理员！", "errDlt": "", "nextCode": 1}
FORBIDDEN = "buy xxx now"


class Moderation:
    """`with Moderation() as service:` serves on a free port until the end of the block."""

    def __init__(self):
        self.database = None  # a connection of the service's own, from the day the extension is there
        self.asked = 0
        self.failure = None
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    status, body = 200, service.answer(self.path.rsplit("/", 1)[-1], request)
                except Exception as error:  # the demo looks at it and fails
                    service.failure = error
                    status, body = 500, b"{}"
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.http.server_port

    def answer(self, command, request):
        message = json.loads(request)
        answer = REFUSAL if FORBIDDEN in message["content"] else APPROVAL
        body = json.dumps(answer, ensure_ascii=False).encode()
        if self.database:
            # The bytes themselves: what was asked and what was answered. Committed before the chat server reads it.
            self.database.execute("SELECT verdict.record(%s, %s::bytea, %s::bytea)", (command, request, body))
        self.asked += 1
        return body

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.http.shutdown()
        self.http.server_close()
        if self.database:
            self.database.close()
