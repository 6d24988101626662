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
    def __init__(self, webhook, database, table="chat_logs"):
        self.webhook = webhook
        self.database = database
        self.table = table

    def send(self, message):
        """What a client's send becomes: ask, store, tell. Returns (status, the database's error or None)."""
        if self.stops_at(self.ask(message)):
            return FAILED, None
        return self.store(message)

    def send_batch(self, messages):
        """As the writers that collect messages do: each is asked about, then all go into one INSERT. Returns (rows stored,
        the database's error or None)."""
        return self.store_all([message for message in messages if not self.stops_at(self.ask(message))])

    @staticmethod
    def stops_at(answer):
        # The bug: 3.8.1 stops on this and nothing else, so actionCode 1 with nextCode 1 goes on.
        return answer["actionCode"] == 0 and answer["nextCode"] == 1

    def ask(self, message):
        request = urllib.request.Request(
            f"{self.webhook}/{message['callbackCommand']}", json.dumps(message, ensure_ascii=False).encode(),
            {"Content-Type": "application/json", "operationID": message["operationID"]})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def store(self, message):
        _, error = self.store_all([message])
        return (FAILED, error) if error else (SUCCEEDED, None)

    def store_all(self, messages):
        rows = [self.row(message) for message in messages]
        places = f"({', '.join('%s' for _ in COLUMNS)})"
        insert = f"INSERT INTO {self.table} ({', '.join(COLUMNS)}) VALUES {', '.join([places] * len(rows))}"
        try:
            return self.database.execute(insert, [value for row in rows for value in row.values()]).rowcount, None
        except psycopg.Error as error:
            return 0, error

    @staticmethod
    def row(message):
        row = {column: message.get(field) for column, field in COLUMNS.items()}
        if message["sessionType"] == 3:
            row["recv_id"] = message["groupID"]  # as OpenIM does
        for column in ("send_time", "create_time"):
            row[column] = datetime.fromtimestamp(row[column] / 1000, timezone.utc)
        return row
