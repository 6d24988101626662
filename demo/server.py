"""The chat server, with the bug of OpenIM Server 3.8.1: it asks the webhook and sends what the webhook refused."""

import json
import urllib.request
from datetime import datetime, timezone

import psycopg

SUCCEEDED, FAILED = 2, 3  # what OpenIM's client is told

# OpenIM's own chat_logs (v2.3 to v3.4), in PostgreSQL's types.
TABLE = """
CREATE TABLE chat_logs (
    server_msg_id char(64) PRIMARY KEY, client_msg_id char(64), send_id char(64), recv_id char(64),
    sender_platform_id int, sender_nick_name varchar(255), sender_face_url varchar(255), session_type int,
    msg_from int, content_type int, content varchar(3000), status int, send_time timestamptz, create_time timestamptz,
    ex varchar(1024))"""

COLUMNS = {  # column: field of the request
    "server_msg_id": "serverMsgID", "client_msg_id": "clientMsgID", "send_id": "sendID", "recv_id": "recvID",
    "sender_platform_id": "senderPlatformID", "sender_nick_name": "senderNickname", "sender_face_url": "faceURL",
    "session_type": "sessionType", "msg_from": "msgFrom", "content_type": "contentType", "content": "content",
    "status": "status", "send_time": "sendTime", "create_time": "createTime", "ex": "ex",
}


class ChatServer:
    def __init__(self, webhook, database):
        self.webhook = webhook
        self.database = database

    def send(self, message):
        """What a client's send becomes: ask, store, tell. Returns (status, the database's error or None)."""
        answer = self.ask(message)
        # The bug: 3.8.1 stops on this and nothing else, so actionCode 1 with nextCode 1 goes on.
        if answer["actionCode"] == 0 and answer["nextCode"] == 1:
            return FAILED, None
        return self.store(message)

    def ask(self, message):
        request = urllib.request.Request(
            f"{self.webhook}/{message['callbackCommand']}", json.dumps(message, ensure_ascii=False).encode(),
            {"Content-Type": "application/json", "operationID": message["operationID"]})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def store(self, message):
        row = {column: message.get(field) for column, field in COLUMNS.items()}
        if message["sessionType"] == 3:
            row["recv_id"] = message["groupID"]  # as OpenIM does
        for column in ("send_time", "create_time"):
            row[column] = datetime.fromtimestamp(row[column] / 1000, timezone.utc)
        try:
            self.database.execute(
                f"INSERT INTO chat_logs ({', '.join(row)}) VALUES ({', '.join('%s' for _ in row)})", list(row.values()))
        except psycopg.Error as error:
            return FAILED, error
        return SUCCEEDED, None
