"""The second act: a writer that stores 20 messages in one INSERT. One refused row aborts all 20, so the DBA lets the guard
hold such rows instead; a reviewer releases one and refuses another. Last, what was stored before there was a guard."""

import json

import psycopg
from screen import expect, expect_refused, say, show, statement
from server import SUCCEEDED, TABLE, ChatServer
from webhook import FORBIDDEN, REFUSAL

TABLE_NAME = "chat_batches"
HOOK = "callbackBeforeSendSingleMsgCommand"
SIZE, BAD = 20, 12  # the thirteenth of twenty is refused
CONTENT = {"content": "content", "sendID": "send_id", "recvID": "recv_id", "contentType": "content_type"}


def play(dba, service, chat, sample):
    dba.execute(TABLE.replace("chat_logs", TABLE_NAME))
    dba.execute(f"GRANT SELECT, INSERT, UPDATE ON {TABLE_NAME} TO chat")
    dba.execute("CREATE ROLE reviewer LOGIN")
    server = ChatServer(service.url, chat, TABLE_NAME)
    leak(dba, server, sample)
    reject(dba, server, service, batch(sample, "a"))
    with psycopg.connect(user="reviewer", autocommit=True) as reviewer:
        hold(dba, server, service, batch(sample, "a"))
        release(dba, reviewer, f"{BAD:02}".rjust(32, "a"))
        refuse(dba, server, reviewer, batch(sample, "b"))
    report(dba)


def batch(sample, letter):
    """Twenty messages that differ; one has the forbidden words."""
    for i in range(SIZE):
        text = FORBIDDEN if i == BAD else f"message {i} of batch {letter}"
        yield sample | {"serverMsgID": f"{i:02}".rjust(32, letter), "content": json.dumps({"content": text})}


def stored(dba):
    return dba.execute(f"SELECT count(*) FROM {TABLE_NAME}").fetchone()[0]


def leak(dba, server, sample):
    say(f"\n6. Act two. Another table, {TABLE_NAME}, has no guard yet; the server stores into it")
    refused = sample | {"serverMsgID": "1" * 32, "content": json.dumps({"content": FORBIDDEN})}
    expect("status of a refused message", server.send(refused), (SUCCEEDED, None))
    expect("status of a message nobody asked about", server.store(sample | {"serverMsgID": "2" * 32}), (SUCCEEDED, None))
    expect("status of an approved message", server.send(sample | {"serverMsgID": "3" * 32}), (SUCCEEDED, None))
    expect("rows without a guard", stored(dba), 3)
    say("  Three rows are stored: one that the webhook refused, one that it was never asked about, one that it approved.")


def reject(dba, server, service, messages):
    say(f"\n7. A guard that rejects, and a batch of {SIZE} rows in one INSERT, one of them refused by the webhook")
    statement(dba, f"SELECT verdict.guard('{TABLE_NAME}', '{HOOK}', key => 'server_msg_id',\n      content => '{json.dumps(CONTENT)}')")
    rows, error = server.send_batch(messages)
    expect("webhook's failure", service.failure, None)
    expect_refused(f"the INSERT of {SIZE} rows", error, "VD002")
    expect("rows of the rejected batch", (rows, stored(dba)), (0, 3))
    say(f"  One row of {SIZE} has a finding; none of the {SIZE} is stored.")


def hold(dba, server, service, messages):
    say("\n8. The guard holds such rows instead, and the server sends the same batch again")
    statement(dba, f"SELECT verdict.alter_guard('{TABLE_NAME}', '{HOOK}', on_denied => 'quarantine', on_missing => 'quarantine')")
    statement(dba, "SELECT verdict.grant_role('reviewer', 'reviewer')")
    rows, error = server.send_batch(messages)
    expect("webhook's failure", service.failure, None)
    expect("the batch", (rows, error), (SIZE - 1, None))
    expect("rows", stored(dba), 3 + SIZE - 1)
    say(f"  INSERT 0 {rows}: {SIZE - 1} rows are stored, 1 is held.")
    held = show(dba, "SELECT q.id, left(q.subject, 4) || '…' || right(q.subject, 2) AS subject, q.finding, i.err_code, i.err_msg, q.state"
                     " FROM verdict.quarantine AS q JOIN verdict.incidents AS i ON i.quarantine_id = q.id")
    expect("held rows", [(row[2], row[3], row[5]) for row in held], [("denied", str(REFUSAL["errCode"]), "held")])


def release(dba, reviewer, subject):
    say("\n9. The reviewer releases it: somebody quoted the words in a complaint")
    held_id = reviewer.execute("SELECT id FROM verdict.quarantine WHERE state = 'held' AND subject = %s", (subject,)).fetchone()[0]
    statement(reviewer, f"SELECT verdict.release({held_id}, 'a quotation, not an offer')")
    expect("rows after the release", stored(dba), 3 + SIZE)
    state = dba.execute("SELECT state, decided_by FROM verdict.quarantine WHERE id = %s", (held_id,)).fetchone()
    expect("who released it", state, ("released", "reviewer"))
    newest = dba.execute("SELECT outcome, via FROM verdict.verdicts WHERE subject = %s ORDER BY id DESC LIMIT 1", (subject,)).fetchone()
    expect("the verdict of the release", newest, ("approved", "release"))
    say(f"  The row is stored, all {SIZE} are; the approval stands in verdict.verdicts under the reviewer's name.")


def refuse(dba, server, reviewer, messages):
    say("\n10. The next batch, and a refusal")
    expect("the second batch", server.send_batch(messages), (SIZE - 1, None))
    held_id = reviewer.execute("SELECT id FROM verdict.quarantine WHERE state = 'held'").fetchone()[0]
    statement(reviewer, f"SELECT verdict.refuse({held_id}, 'advertising')")
    expect("rows after the refusal", stored(dba), 3 + 2 * SIZE - 1)
    show(dba, "SELECT id, left(subject, 4) || '…' || right(subject, 2) AS subject, state, decided_by, reason FROM verdict.quarantine ORDER BY id")
    states = dba.execute("SELECT state FROM verdict.quarantine ORDER BY id").fetchall()
    expect("what was decided", states, [("released",), ("refused",)])


def report(dba):
    say("\n11. What was stored before there was a guard")
    leaks = show(dba, "SELECT problem, left(subject, 8) AS subject, verdict_id FROM verdict.reconcile(%s, %s)"
                      " WHERE problem <> 'approved, never stored' ORDER BY subject", (HOOK, TABLE_NAME))
    expect("leaks", [row[:2] for row in leaks], [["stored though denied", "1" * 8], ["stored unasked", "2" * 8]])
    statement(dba, f"SELECT verdict.alter_guard('{TABLE_NAME}', '{HOOK}', flag_column => 'status', flag_value => '3')")
    say("  verdict.flag_leaks: a dry run, then with dry_run => false")
    for dry_run, flagged in (("true", "0"), ("false", "1")):
        counts = show(dba, f"SELECT * FROM verdict.flag_leaks('{TABLE_NAME}', '{HOOK}', dry_run => {dry_run})")
        expect("flagged", counts, [["stored though denied", "1", flagged], ["stored unasked", "1", flagged]])
    marked = dba.execute(f"SELECT server_msg_id::text FROM {TABLE_NAME} WHERE status = 3 ORDER BY 1").fetchall()
    expect("rows with status 3", [row[0].strip() for row in marked], ["1" * 32, "2" * 32])
    say("  Both bear status 3 now; nothing else was touched.")
