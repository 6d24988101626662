"""The main job, played: OpenIM 3.8.1 stores a message that its webhook refused; with a guard, PostgreSQL does not. The second
act, about batches and held rows, is in batch.py. Started by scripts/demo, with PGHOST and so on pointing at an empty
database. Every expectation is checked; the first that fails ends the demo with status 1."""

import json
import sys
from pathlib import Path

import batch
import psycopg
from screen import expect, expect_refused, say, show, statement
from server import FAILED, SUCCEEDED, TABLE, ChatServer
from webhook import FORBIDDEN, REFUSAL, Moderation

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "openim_samples.jsonl"
SINGLE, GROUP = "callbackBeforeSendSingleMsgCommand", "callbackBeforeSendGroupMsgCommand"


def traffic():
    """Four requests: OpenIM's for a single and a group chat, each once as it is and once with forbidden words."""
    samples = {sample["id"]: sample for sample in map(json.loads, FIXTURES.read_text("utf-8").splitlines())}
    for name, refused_id in (("req-single-realistic", "5" * 32), ("req-group-realistic", "6" * 32)):
        request = samples[name]["payload"]
        yield False, request
        yield True, request | {"serverMsgID": refused_id, "content": json.dumps({"content": FORBIDDEN})}


def expect_stored(db, messages):
    rows = db.execute("SELECT server_msg_id FROM chat_logs")
    expect("rows", sorted(row[0].strip() for row in rows), sorted(message["serverMsgID"] for message in messages))


def main():
    dba = psycopg.connect(autocommit=True)
    dba.execute(TABLE)
    for role in ("chat", "moderation"):
        dba.execute(f"CREATE ROLE {role} LOGIN")
    dba.execute("GRANT SELECT, INSERT, UPDATE ON chat_logs TO chat")
    messages = list(traffic())
    with Moderation() as service, psycopg.connect(user="chat", autocommit=True) as chat:
        server = ChatServer(service.url, chat)
        without_guard(dba, service, server, messages)
        install(dba, service)
        with_guard(dba, service, server, messages)
        other_ways(dba, server, messages[0][1])
        last_screen(dba, messages)
        batch.play(dba, service, chat, messages[0][1])
    say("\nDemo passed.")


def without_guard(dba, service, server, messages):
    say("\n1. Without a guard")
    for refused, message in messages:
        status, error = server.send(message)
        said = "refused" if refused else "approved"
        say(f"  sessionType {message['sessionType']}: webhook {said}, client is told status {status}")
        expect("status without a guard", (status, error), (SUCCEEDED, None))
    expect("webhook's failure", service.failure, None)
    expect("webhook asked", service.asked, 4)
    expect_stored(dba, [message for _, message in messages])
    say("  All four are stored, the two refused ones too:")
    show(dba, "SELECT session_type, left(server_msg_id, 8) AS server_msg_id, content FROM chat_logs ORDER BY 1, 3")
    dba.execute("DELETE FROM chat_logs")


def install(dba, service):
    say("\n2. The DBA puts guards on the table")
    statement(dba, "CREATE EXTENSION pg_verdict")
    for hook, receiver, session_type in ((SINGLE, "recvID", 1), (GROUP, "groupID", 3)):
        content = json.dumps({"content": "content", "sendID": "send_id", receiver: "recv_id", "contentType": "content_type"})
        statement(dba, f"SELECT verdict.create_hook('{hook}')")
        statement(dba, f"SELECT verdict.guard('chat_logs', '{hook}', key => 'server_msg_id',\n      content => '{content}',\n"
                       f"      condition => 'NEW.session_type = {session_type}')")
    statement(dba, "SELECT verdict.grant_role('recorder', 'moderation')")
    service.database = psycopg.connect(user="moderation", autocommit=True)
    say("  The moderation service records from now on, over its own connection.")


def with_guard(dba, service, server, messages):
    say("\n3. The same traffic, the same bug")
    for refused, message in messages:
        status, error = server.send(message)
        expect("webhook's failure", service.failure, None)
        if refused:
            expect("client's status", status, FAILED)
            expect_refused(f"sessionType {message['sessionType']}", error, "VD002")
            words = error.diag.message_primary
            expect("errCode and errMsg in the error", f"{REFUSAL['errCode']} {REFUSAL['errMsg']}" in words, True)
            expect("DETAIL's err_code", json.loads(error.diag.message_detail)["err_code"], REFUSAL["errCode"])
        else:
            expect("status of an approved message", (status, error), (SUCCEEDED, None))
            say(f"  sessionType {message['sessionType']}: approved, stored")
    expect_stored(dba, [message for refused, message in messages if not refused])


def other_ways(dba, server, approved):
    say("\n4. Other ways in")
    tampered = approved | {"serverMsgID": "7" * 32}
    expect("webhook's answer", server.ask(tampered)["nextCode"], 0)
    _, error = server.store(tampered | {"content": '{"content":"something else"}'})
    expect_refused("a row that differs from what was approved", error, "VD005")
    expect_refused("a row nobody asked about", server.store(approved | {"serverMsgID": "8" * 32})[1], "VD001")
    try:
        server.database.execute("UPDATE chat_logs SET content = 'edited' WHERE server_msg_id = %s", (approved["serverMsgID"],))
        sys.exit("DEMO FAILED: the late edit passed")
    except psycopg.Error as error:
        expect_refused("a late edit of an approved row", error, "VD005")
    server.database.execute("UPDATE chat_logs SET status = 2")
    say("  an update of another column: passes")
    expect("content", dba.execute("SELECT content FROM chat_logs WHERE session_type = 1").fetchall(), [(approved["content"],)])


def last_screen(dba, messages):
    say("\n5. What the database knows\n  chat_logs")
    expect("rows", len(show(dba, "SELECT session_type, left(server_msg_id, 8) AS server_msg_id, content FROM chat_logs ORDER BY 1")), 2)
    say("\n  verdict.verdicts")
    verdicts = show(dba, "SELECT id, left(subject, 8) AS subject, outcome, err_code, err_msg, recorded_by FROM verdict.verdicts ORDER BY id")
    expect("outcomes", [row[2] for row in verdicts], ["approved", "denied", "approved", "denied", "approved"])
    expect("recorded by", {row[5] for row in verdicts}, {"moderation"})
    say("\n  verdict.explain for the refused single message")
    refused = messages[1][1]
    row = {"server_msg_id": refused["serverMsgID"], "send_id": refused["sendID"], "recv_id": refused["recvID"],
           "session_type": 1, "content_type": refused["contentType"], "content": refused["content"]}
    steps = show(dba, "SELECT step, question, answer, detail FROM verdict.explain('chat_logs', %s::jsonb)"
                      " WHERE guard = (SELECT name FROM verdict.guards ORDER BY id LIMIT 1)", (json.dumps(row),))
    expect("the decision", steps[-1][1:3], ["Decision", "denied"])


if __name__ == "__main__":
    main()
